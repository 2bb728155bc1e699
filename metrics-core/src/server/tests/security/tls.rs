//! Handshakes, and pages over TLS.

use std::io::{Read as _, Write as _};

use super::*;
use crate::pem::authority::{Authority, Issued};
use crate::server::tests::client::{exchange, status, try_read_reply};

struct TlsServer {
    served: Served,
    authority: Authority,
    folder: Folder,
}

/// A server with a certificate, and more lines below `tls_server_config`.
fn with_tls(more: &str, files: &[(&str, &str)]) -> TlsServer {
    with_page(more, files, || EXPOSITION.to_owned())
}

fn with_page(
    more: &str,
    files: &[(&str, &str)],
    page: impl Fn() -> String + Send + Sync + 'static,
) -> TlsServer {
    let (folder, authority) = (Folder::new(), Authority::new());
    let Issued { cert, key } = authority.issue("bot.example");
    folder.write("server.crt", cert);
    folder.write("server.key", key);
    for (name, content) in files {
        folder.write(name, content);
    }
    folder.write(
        "web.yml",
        format!("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n{more}"),
    );
    let served = start(patient().web_config(folder.path("web.yml")), page);
    TlsServer { served, authority, folder }
}

#[test]
fn a_page_is_the_same_over_tls_and_a_stranger_is_not_trusted() {
    let page = || "orders{side=\"buy\"} 1\n".repeat(60_000);
    let TlsServer { served, authority, folder: _folder } = with_page("", &[], page);
    let reply = authority.scrape(served.address, None).unwrap();
    assert_eq!((reply.status, reply.body), (200, page()));
    assert!(Authority::new().scrape(served.address, None).is_err(), "another authority");
}

#[test]
fn the_url_has_the_scheme_that_is_served() {
    let TlsServer { served, folder: _folder, .. } = with_tls("", &[]);
    assert_eq!(served.server.url(), format!("https://{}", served.address));
    let plain = start_plain();
    assert_eq!(plain.server.url(), format!("http://{}", plain.address));
    let pages = Arc::new(script(|_| Ok(())));
    let everywhere = serve("0.0.0.0:0", ServerOptions::new(), pages, Reports::default().hook()).unwrap();
    assert_eq!(everywhere.url(), format!("http://localhost:{}", everywhere.local_addr().port()));
}

#[test]
fn a_connection_over_tls_is_kept_for_the_next_scrape() {
    let TlsServer { served, authority, folder: _folder } = with_tls("", &[]);
    let mut stream = authority.connect(served.address, None);
    for _ in 0..3 {
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: bot\r\n\r\n").unwrap();
        assert_eq!(try_read_reply(&mut stream, "GET").unwrap().body, EXPOSITION);
    }
}

#[test]
fn http_without_tls_is_answered_with_a_hint() {
    let TlsServer { served, folder: _folder, .. } = with_tls("", &[]);
    let said = exchange(served.address, b"GET / HTTP/1.1\r\nHost: bot\r\n\r\n");
    assert_eq!(status(&said), 400);
    assert!(said.ends_with("write https:// instead of http://\n"), "{said}");
}

#[test]
fn a_handshake_that_does_not_go_on_runs_into_the_timeout_of_a_header() {
    let TlsServer { folder, .. } = with_tls("", &[]);
    let options = patient().header_timeout(Duration::from_millis(200)).web_config(folder.path("web.yml"));
    let served = start(options, || EXPOSITION.to_owned());
    for said in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
        let mut stream = connect(served.address);
        stream.write_all(said).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0, "closed");
    }
}

/// The client is a round trip away: between the steps of its handshake others fill all slots again and again.
#[test]
fn a_scraper_completes_its_handshake_beside_clients_that_never_do() {
    let TlsServer { folder, authority, .. } = with_tls("", &[]);
    let options = patient().max_connections(8).web_config(folder.path("web.yml"));
    let served = start(options, || EXPOSITION.to_owned());
    let mut scraper = authority.connect(served.address, None);
    let mut crowds = Vec::new();
    let mut crowd = || {
        for said in [&b""[..], b"\x16\x03\x01\x02\x00\x01"].repeat(16) {
            let mut stream = connect(served.address);
            stream.write_all(said).unwrap();
            crowds.push(stream);
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    scraper.conn.write_tls(&mut scraper.sock).unwrap();
    crowd();
    while scraper.conn.is_handshaking() {
        scraper.conn.read_tls(&mut scraper.sock).unwrap();
        scraper.conn.process_new_packets().unwrap();
    }
    scraper.conn.write_tls(&mut scraper.sock).unwrap();
    crowd();
    scraper.write_all(b"GET /metrics HTTP/1.1\r\nHost: bot\r\n\r\n").unwrap();
    assert_eq!(try_read_reply(&mut scraper, "GET").unwrap().body, EXPOSITION);
}

#[test]
fn a_client_needs_a_valid_certificate_of_the_right_authority() {
    let clients = Authority::new();
    let policy = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: clients.crt\n";
    let TlsServer { served, authority, folder: _folder } =
        with_tls(policy, &[("clients.crt", &clients.pem())]);
    let good = clients.issue("prometheus.example");
    assert_eq!(authority.scrape(served.address, Some(&good)).unwrap().status, 200);
    let (foreign, expired) = (authority.issue("x.example"), clients.issue_until("x.example", 2020));
    for (bad, why) in [(None, "none"), (Some(&foreign), "of another authority"), (Some(&expired), "expired")]
    {
        assert!(authority.scrape(served.address, bad).is_err(), "{why}");
    }
    let lines = served.reports.lines();
    assert!(
        lines.len() == 1
            && lines[0].starts_with("a client at 127.0.0.1 was refused: the TLS handshake failed: "),
        "{lines:?}"
    );
}

#[test]
fn a_certificate_must_be_issued_to_one_of_the_allowed_names() {
    let clients = Authority::new();
    let policy = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: clients.crt\n  \
                  client_allowed_sans: [prometheus.example, 10.0.0.7, a.b.example, '*.c.example']\n";
    let TlsServer { served, authority, folder: _folder } =
        with_tls(policy, &[("clients.crt", &clients.pem())]);
    for (name, is_allowed) in [
        ("prometheus.example", true),
        ("Prometheus.example", true),
        ("10.0.0.7", true),
        ("other.example", false),
        ("a.b.example", true),
        ("*.b.example", false),
        ("*.c.example", true),
        ("a.c.example", false),
        ("10.0.0.8", false),
    ] {
        let shown = clients.issue(name);
        assert_eq!(authority.scrape(served.address, Some(&shown)).is_ok(), is_allowed, "{name}");
    }
}

#[test]
fn a_certificate_is_optional_if_the_policy_says_so() {
    let clients = Authority::new();
    let policy = "  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: clients.crt\n";
    let TlsServer { served, authority, folder: _folder } =
        with_tls(policy, &[("clients.crt", &clients.pem())]);
    assert!(authority.scrape(served.address, None).is_ok());
    assert!(authority.scrape(served.address, Some(&clients.issue("x.example"))).is_ok());
    assert!(authority.scrape(served.address, Some(&authority.issue("x.example"))).is_err());
}

#[test]
fn a_renewed_certificate_is_used_without_a_restart() {
    let TlsServer { served, authority, folder } = with_tls("", &[]);
    let renewed = Authority::new();
    assert!(renewed.scrape(served.address, None).is_err());
    let Issued { cert, key } = renewed.issue("bot.example");
    // Between the two the pair does not match, which must not matter.
    folder.write("server.crt", cert);
    assert!(authority.scrape(served.address, None).is_ok());
    folder.write("server.key", key);
    eventually("the new certificate", || renewed.scrape(served.address, None).is_ok());
    let lines = served.reports.lines();
    assert!(lines.iter().any(|line| line.ends_with("has changed and is in effect")), "{lines:?}");
}

#[test]
fn an_older_version_of_tls_is_accepted_only_after_a_restart() {
    let TlsServer { served, folder, .. } = with_tls("  min_version: TLS13\n", &[]);
    let config = fs::read_to_string(folder.path("web.yml")).unwrap();
    folder.write("web.yml", config.replace("TLS13", "TLS12"));
    eventually("the report", || !served.reports.lines().is_empty());
    let lines = served.reports.lines();
    let reason = "it no longer has min_version: TLS13; restart the bot to serve without";
    assert!(lines[0].ends_with(&format!("is not used, the previous one stays: {reason}")), "{lines:?}");
}

#[test]
fn a_connection_gets_no_more_answers_once_its_certificate_is_refused() {
    let clients = Authority::new();
    let policy = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: clients.crt\n";
    let TlsServer { served, authority, folder } = with_tls(policy, &[("clients.crt", &clients.pem())]);
    let shown = clients.issue("prometheus.example");
    let mut kept = authority.connect(served.address, Some(&shown));
    let mut scrape = || {
        kept.write_all(b"GET /metrics HTTP/1.1\r\nHost: bot\r\n\r\n")?;
        try_read_reply(&mut kept, "GET")
    };
    assert_eq!(scrape().unwrap().status, 200);
    folder.write("clients.crt", Authority::new().pem());
    eventually("new connections are refused", || authority.scrape(served.address, Some(&shown)).is_err());
    assert!(scrape().is_err(), "closed without an answer");
}

/// The answers stay in the buffers of TLS, which accept them although the socket does not.
#[test]
fn a_client_that_pipelines_over_tls_and_does_not_read_is_disconnected() {
    let TlsServer { folder, authority, .. } = with_tls("", &[]);
    let options = patient().write_timeout(Duration::from_millis(300)).web_config(folder.path("web.yml"));
    let served = start(options, || "x".repeat(30_000));
    let mut stream = authority.connect(served.address, None);
    stream.sock.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
    let start = Instant::now();
    let is_late =
        |error: &io::Error| matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
    while !stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: bot\r\n\r\n")
        .is_err_and(|error| !is_late(&error))
    {
        assert!(start.elapsed() < PATIENCE, "still open");
    }
}

/// One that sends without end would otherwise keep the server from everybody else.
#[test]
fn bytes_that_are_no_handshake_are_answered_once_and_no_more_of_them_read() {
    let TlsServer { served, authority, folder: _folder } = with_tls("", &[]);
    let address = served.address;
    let floods: Vec<_> = (0..4)
        .map(|_| {
            std::thread::spawn(move || {
                let mut stream = connect(address);
                let bytes = vec![b'x'; 1 << 20];
                (0..200).take_while(|_| stream.write_all(&bytes).is_ok()).count()
            })
        })
        .collect();
    assert!(authority.scrape(address, None).is_ok());
    for flood in floods {
        assert!(flood.join().unwrap() < 200, "disconnected");
    }
}
