//! The endpoint with TLS and authentication, on the paper bot, scraped by a real Prometheus.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use bot_metrics_tests::demo::Running;
use bot_metrics_tests::paper_bot;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::Outcome;
use crate::process::{Directory, eventually};
use crate::prometheus::Prometheus;

const DOCUMENTATION: &str = include_str!("../../metrics-core/docs/guide/securing_the_endpoint.md");

/// A directory with an authority's certificate `ca.crt`, and certificates with keys for the bot, `server`, and for
/// Prometheus, `client`.
fn certificates() -> Directory {
    let directory = Directory::new();
    let write =
        |name: &str, content: String| fs::write(directory.path().join(name), content).expect("a file");
    let mut params = CertificateParams::new(Vec::new()).expect("no name");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority =
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate");
    write("ca.crt", authority.pem());
    for (file, name) in [("server", "127.0.0.1"), ("client", "prometheus.example")] {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        write(&format!("{file}.crt"), params.signed_by(&key, &authority).expect("a certificate").pem());
        write(&format!("{file}.key"), key.serialize_pem());
    }
    directory
}

/// Starts the paper bot with this web configuration.
fn bot(directory: &Directory, name: &str, web_config: &str) -> Result<Running, String> {
    let file = directory.path().join(name);
    fs::write(&file, web_config).map_err(|error| error.to_string())?;
    Ok(Running::spawn(paper_bot::command(&["--port", "0"]).env("METRICS_WEB_CONFIG", file)))
}

/// Its host and port.
fn target(bot: &Running) -> &str {
    bot.url().split_once("://").map_or(bot.url(), |(_, target)| target)
}

/// The first file of the documentation, as printed there.
pub(crate) fn documented_file() -> Outcome {
    let directory = certificates();
    let (_, rest) = DOCUMENTATION.split_once("```yaml\n").ok_or("no file in the documentation")?;
    let (file, _) = rest.split_once("```").ok_or("no end of the file")?;
    let bot = bot(&directory, "web.yml", file)?;
    let path = directory.path().join("web.yml");
    let check = Command::new("promtool").args(["check", "web-config"]).arg(path).output()?;
    let said = String::from_utf8_lossy(&check.stdout);
    if !check.status.success() {
        return Err(format!("promtool: {said}{}", String::from_utf8_lossy(&check.stderr)).into());
    }
    let ca = fs::read(directory.path().join("ca.crt"))?;
    let root = ureq::tls::Certificate::from_pem(&ca).map_err(|error| error.to_string())?;
    let tls = ureq::tls::TlsConfig::builder()
        .root_certs(ureq::tls::RootCerts::new_with_certs(&[root]))
        .unversioned_rustls_crypto_provider(Arc::new(tokio_rustls::rustls::crypto::ring::default_provider()))
        .build();
    let agent: ureq::Agent =
        ureq::Agent::config_builder().tls_config(tls).http_status_as_error(false).build().into();
    for (password, status) in [("example", 200), ("other", 401)] {
        let credentials = base64(&format!("prometheus:{password}"));
        let url = format!("{}/metrics", bot.url());
        let answer = agent.get(url).header("Authorization", format!("Basic {credentials}")).call();
        let found = answer.map_err(|error| error.to_string())?.status().as_u16();
        if found != status {
            return Err(format!("{password}: {found}, not {status}").into());
        }
    }
    Ok(())
}

/// Each right way is scraped, each wrong one is refused and reported once.
pub(crate) fn every_way() -> Outcome {
    const HASH: &str = "$2y$10$D.3n.mIY/.ur4qCbqkPleelNUiMk2OTpqI1Li79nRqJZF.V.YVDlm";
    let directory = certificates();
    let tls = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";
    let users = format!("basic_auth_users:\n  prometheus: {HASH}\n  bearer: {HASH}\n");
    let certificate = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n  \
                       client_allowed_sans: [prometheus.example]\n";
    let plain = bot(&directory, "plain.yml", "")?;
    let bots = [
        bot(&directory, "basic.yml", &users)?,
        bot(&directory, "bearer.yml", &format!("{tls}{users}"))?,
        bot(&directory, "certificate.yml", &format!("{tls}{certificate}"))?,
        bot(&directory, "encrypted.yml", tls)?,
    ];
    let [basic, bearer, with_certificate, encrypted] = bots.each_ref().map(target);
    let path = |name: &str| directory.path().join(name).display().to_string();
    let trusting = format!("scheme: https, tls_config: {{ca_file: {}", path("ca.crt"));
    let showing = format!("{trusting}, cert_file: {}, key_file: {}", path("client.crt"), path("client.key"));
    let user = |password| format!("basic_auth: {{username: prometheus, password: {password}}}");
    let token = |token| format!("{trusting}}}, authorization: {{credentials: {token}}}");
    let jobs = [
        ("plain", target(&plain), "scheme: http".to_owned(), true),
        ("password", basic, user("example"), true),
        ("no_password", basic, "scheme: http".to_owned(), false),
        ("wrong_password", basic, user("other"), false),
        ("token", bearer, token("example"), true),
        ("wrong_token", bearer, token("other"), false),
        ("certificate", with_certificate, format!("{showing}}}"), true),
        ("no_certificate", with_certificate, format!("{trusting}}}"), false),
        ("encrypted", encrypted, format!("{trusting}}}"), true),
        ("not_trusted", encrypted, "scheme: https".to_owned(), false),
    ];
    let job = |(name, target, options, _): &(&str, &str, String, bool)| {
        format!("  - {{job_name: {name}, static_configs: [{{targets: ['{target}']}}], {options}}}\n")
    };
    let prometheus = Prometheus::with_jobs(&jobs.iter().map(job).collect::<String>())?;
    eventually("each job was scraped thrice", || {
        let scraped = prometheus.query("count_over_time(up[1m]) >= 3")?.len();
        if scraped == jobs.len() { Ok(()) } else { Err(format!("{scraped} jobs")) }
    })?;
    for (name, _, _, is_served) in &jobs {
        // The first check of a password may take longer than the timeout of a scrape.
        let last = prometheus.value(&format!("up{{job=\"{name}\"}}"))?;
        let most = prometheus.value(&format!("max_over_time(up{{job=\"{name}\"}}[1m])"))?;
        if (last > 0.0) != *is_served || (!is_served && most > 0.0) {
            return Err(format!("{name}: up is {last}, in the last minute at most {most}").into());
        }
    }
    let wrong_ways =
        |bot| jobs.iter().filter(|(_, of, _, is_served)| *of == target(bot) && !is_served).count();
    let expected = bots.each_ref().map(wrong_ways);
    for (bot, expected) in bots.into_iter().zip(expected) {
        let url = bot.url().to_owned();
        let complaints = bot.terminate().stderr;
        if complaints.matches("was refused").count() != expected {
            return Err(format!("{url} has {expected} wrong clients and says: {complaints}").into());
        }
    }
    Ok(())
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
