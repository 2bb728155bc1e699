//! Web configurations with which a server does not start, and what it says.

use super::*;
use crate::pem::authority::Authority;

#[test]
fn a_file_that_cannot_be_used_is_an_error_that_says_why() {
    let folder = Folder::new();
    let authority = Authority::new();
    let (one, other) = (authority.issue("bot.example"), authority.issue("bot.example"));
    folder.write("one.crt", &one.cert);
    folder.write("one.key", &one.key);
    folder.write("other.key", &other.key);
    folder.write("empty", "");
    folder.write("ca.crt", authority.pem());
    let tls = |lines: &str| format!("tls_server_config: {{cert_file: one.crt, key_file: one.key, {lines}}}");
    for (content, reasons) in [
        ("a: [".to_owned(), &["line 1"][..]),
        ("tls_server_confg: {}".to_owned(), &["tls_server_confg", "tls_server_config", "line 1"]),
        ("tls_server_config: {cert_fil: x}".to_owned(), &["cert_fil", "cert_file"]),
        ("tls_server_config: {cert_file: one.crt}".to_owned(), &["neither key_file nor key"]),
        ("tls_server_config: {key_file: one.key}".to_owned(), &["neither cert_file nor cert"]),
        (
            "tls_server_config: {cert_file: no.crt, key_file: one.key}".to_owned(),
            &["cannot read", "no.crt", "No such file"],
        ),
        ("tls_server_config: {cert_file: empty, key_file: one.key}".to_owned(), &["cert has no certificate"]),
        (
            "tls_server_config: {cert_file: one.crt, key_file: empty}".to_owned(),
            &["the key is not PEM: it has no complete section"],
        ),
        (
            "tls_server_config: {cert_file: one.crt, key_file: other.key}".to_owned(),
            &["certificate and key cannot be used"],
        ),
        (tls("cert: x"), &["both cert and cert_file"]),
        (tls("min_version: TLS10"), &["min_version is \"TLS10\"; allowed: TLS12 and TLS13"]),
        (tls("min_version: TLS13, max_version: TLS12"), &["min_version is above max_version"]),
        (
            tls("client_auth_type: RequireAnyClientCert"),
            &["allowed: NoClientCert, VerifyClientCertIfGiven and"],
        ),
        (tls("client_auth_type: RequireAndVerifyClientCert"), &["needs client_ca_file"]),
        (tls("client_ca_file: ca.crt"), &["need client_auth_type: RequireAndVerifyClientCert"]),
        (
            tls(
                "client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt, client_allowed_sans: ['a b']",
            ),
            &["client_allowed_sans has \"a b\"; allowed: DNS names and IP addresses"],
        ),
        (tls("cipher_suites: [TLS_NONE]"), &["cipher_suites has \"TLS_NONE\"; allowed: TLS_ECDHE_"]),
        (tls("curve_preferences: [P1]"), &["curve_preferences has \"P1\"; allowed: ", "CurveP256"]),
        (
            "basic_auth_users: {ops: example}".to_owned(),
            &["the password of \"ops\" is not a bcrypt hash", "htpasswd"],
        ),
        (
            format!("basic_auth_users: {{ops: {}}}", hash("example").replace("$04$", "$17$")),
            &["the hash of \"ops\" has the cost 17; allowed: 16 at most"],
        ),
        (
            "http_server_config: {headers: {X-Other: a}}".to_owned(),
            &["\"X-Other\" is not allowed; allowed: Content-Security-Policy"],
        ),
        ("rate_limit: {burst: 1}".to_owned(), &["rate_limit is not supported"]),
    ] {
        folder.write("web.yml", &content);
        let error = refused(&folder.path("web.yml"));
        assert!(error.contains("web.yml: ") && !error.contains('\n'), "{content}: {error}");
        for reason in reasons {
            assert!(error.contains(reason), "{content}: {error}");
        }
    }
    let one_line = one.key.replace('\n', "");
    for key in [one_line.clone(), one_line.replace("-----END PRIVATE KEY-----", "")] {
        folder.write("one_line.key", &key);
        folder.write("web.yml", "tls_server_config: {cert_file: one.crt, key_file: one_line.key}");
        let error = refused(&folder.path("web.yml"));
        assert!(error.contains("the key is not PEM") && error.len() < 250, "{error}");
    }
    assert!(refused(&folder.path("none.yml")).contains("cannot read"), "no file");
}

#[test]
fn every_accepted_key_is_accepted_and_the_headers_are_sent() {
    let folder = Folder::new();
    let authority = Authority::new();
    let issued = authority.issue("bot.example");
    folder.write("one.crt", &issued.cert);
    folder.write("one.key", &issued.key);
    folder.write(
        "web.yml",
        "tls_server_config:\n  cert_file: one.crt\n  key_file: one.key\n  min_version: TLS12\n  max_version: TLS12\n  \
         cipher_suites: [TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n  \
         curve_preferences: [CurveP256, X25519]\n  prefer_server_cipher_suites: true\n\
         http_server_config:\n  http2: true\n  headers:\n    X-Frame-Options: sameorigin\n    \
         Strict-Transport-Security: max-age=60\n    X-XSS-Protection: \"\"\n",
    );
    let served = secured(&folder.path("web.yml"));
    let reply = authority.scrape(served.address, None).unwrap();
    assert_eq!(reply.header("x-frame-options"), Some("sameorigin"));
    assert_eq!(reply.header("strict-transport-security"), Some("max-age=60"));
    assert_eq!(reply.header("x-xss-protection"), None);
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
}

fn refused(path: &Path) -> String {
    let pages = Arc::new(script(|_| Ok(())));
    let options = ServerOptions::new().web_config(path);
    match serve("127.0.0.1:0", options, pages, Reports::default().hook()) {
        Ok(_) => panic!("the server started"),
        Err(error) => error.to_string(),
    }
}
