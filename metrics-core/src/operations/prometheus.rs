//! The configuration of a Prometheus that scrapes the bot.

use serde::Serialize;

use super::serialized::yaml;
use crate::Settings;
#[cfg(feature = "server")]
use crate::server::ScraperNeeds;

/// The part that is the same for each bot. The shortest windows of the rules are five minutes and need four scrapes.
const HEAD: &str = include_str!("prometheus.yml");

#[derive(Debug, Serialize)]
struct ScrapeConfigs {
    scrape_configs: [Scrape; 1],
}

#[derive(Debug, Serialize)]
struct Scrape {
    job_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheme: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_config: Option<TlsConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    basic_auth: Option<BasicAuth>,
    /// Otherwise a label of the target would rename the bot's `env` to `exported_env`.
    honor_labels: bool,
    static_configs: [Targets; 1],
}

#[derive(Debug, Serialize)]
struct Targets {
    targets: [String; 1],
}

#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "as Prometheus names them")]
struct TlsConfig {
    ca_file: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cert_file: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_file: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct BasicAuth {
    username: String,
    password_file: &'static str,
}

/// What the bot demands of Prometheus.
#[derive(Debug, Default)]
pub(super) struct Access {
    tls: bool,
    certificate: bool,
    user: Option<String>,
}

impl Access {
    /// That of a bot with these settings.
    #[cfg_attr(
        not(feature = "server"),
        expect(clippy::unnecessary_wraps, reason = "with the feature, a file is read")
    )]
    pub(super) fn of(settings: &Settings) -> Result<Self, String> {
        #[cfg(feature = "server")]
        if let Some(path) = &settings.web_config {
            let ScraperNeeds { tls, certificate, user } = ScraperNeeds::of(path)?;
            return Ok(Self { tls, certificate, user });
        }
        #[cfg(not(feature = "server"))]
        let _ = settings;
        Ok(Self::default())
    }

    /// A comment that names the files beside the configuration that it takes from there; empty if there are none.
    fn files(&self) -> String {
        let files = [
            (self.tls, CA_FILE, "the authority of the bot's certificate"),
            (self.certificate, CERTIFICATE_FILE, "a certificate for Prometheus"),
            (self.certificate, KEY_FILE, "its key"),
            (self.user.is_some(), PASSWORD_FILE, "the password of the user"),
        ];
        let needed = files.into_iter().filter(|(is_needed, ..)| *is_needed);
        let needed: Vec<_> = needed.map(|(_, file, meaning)| format!("{file} ({meaning})")).collect();
        if needed.is_empty() {
            String::new()
        } else {
            format!("# Expects beside it: {}.\n", needed.join(", "))
        }
    }
}

const CA_FILE: &str = "bot-ca.crt";
const CERTIFICATE_FILE: &str = "prometheus.crt";
const KEY_FILE: &str = "prometheus.key";
const PASSWORD_FILE: &str = "bot.password";

/// The configuration for a bot at this address, known under this job.
pub(super) fn configuration(job: &str, address: &str, access: &Access) -> Result<String, String> {
    let if_certificate = |file| access.certificate.then_some(file);
    let scrape = Scrape {
        job_name: job.to_owned(),
        scheme: access.tls.then_some("https"),
        tls_config: access.tls.then(|| TlsConfig {
            ca_file: CA_FILE,
            cert_file: if_certificate(CERTIFICATE_FILE),
            key_file: if_certificate(KEY_FILE),
        }),
        basic_auth: access.user.clone().map(|username| BasicAuth { username, password_file: PASSWORD_FILE }),
        honor_labels: true,
        static_configs: [Targets { targets: [reachable(address)] }],
    };
    let scrapes = yaml(&ScrapeConfigs { scrape_configs: [scrape] })?;
    Ok(access.files() + HEAD + &scrapes)
}

/// An address under which Prometheus on the bot's machine reaches it.
fn reachable(address: &str) -> String {
    match address.rsplit_once(':') {
        Some(("0.0.0.0" | "[::]" | "", port)) => format!("localhost:{port}"),
        _ => address.to_owned(),
    }
}
