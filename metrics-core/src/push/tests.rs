//! The requests that are sent, and the errors if they fail.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Pushgateway;
use crate::Metrics;
use crate::testing::instance;

/// Far longer than any step of these tests.
const PATIENCE: Duration = Duration::from_secs(20);

fn metrics() -> Metrics {
    instance().0
}

/// A gateway that answers one request, and returns what it received: the lines of the head, and the body.
fn gateway(answer: &'static str) -> (SocketAddr, JoinHandle<(Vec<String>, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let head: Vec<String> =
            reader.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
        let length = head.iter().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
        });
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        (head, String::from_utf8(body).unwrap())
    });
    (address, served)
}

fn at(address: SocketAddr) -> Pushgateway {
    Pushgateway::new(&format!("http://{address}/"), "backtest").unwrap().timeout(PATIENCE)
}

#[test]
fn the_exposition_is_sent_with_its_type_under_the_groups_path() {
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    for (method, push) in [("PUT", Pushgateway::push as fn(&_, &_) -> _), ("POST", Pushgateway::push_add)] {
        let (address, served) = gateway(ok);
        let metrics = metrics();
        push(&at(address).grouping("strategy", "a/b").unwrap(), &metrics).unwrap();
        let (head, body) = served.join().unwrap();
        assert_eq!(head[0], format!("{method} /metrics/job/backtest/strategy@base64/YS9i HTTP/1.1"));
        let has = |header: &str| head.iter().any(|line| line.eq_ignore_ascii_case(header));
        assert!(has("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head:?}");
        assert_eq!(body, metrics.exposition());
    }
}

#[test]
fn a_group_is_deleted_with_credentials_that_are_never_printed() {
    let (address, served) = gateway("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
    let gateway = at(address).basic_auth("bot", "secret");
    assert!(!format!("{gateway:?}").contains("secret"));
    gateway.delete().unwrap();
    let (head, body) = served.join().unwrap();
    assert_eq!((head[0].as_str(), body.as_str()), ("DELETE /metrics/job/backtest HTTP/1.1", ""));
    assert!(
        head.iter().any(|line| line.eq_ignore_ascii_case("authorization: Basic Ym90OnNlY3JldA==")),
        "{head:?}"
    );
}

#[test]
fn a_refusal_is_reported_with_its_first_line() {
    for (answer, told) in [
        (
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 22\r\n\r\ninconsistent metrics\nx",
            "status 400: inconsistent metrics",
        ),
        ("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "status 401"),
        ("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "status 302"),
        ("HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\ncut", "status 503"),
    ] {
        let (address, served) = gateway(answer);
        let error = at(address).push(&metrics()).unwrap_err();
        served.join().unwrap();
        assert_eq!(error.to_string(), format!("http://{address} refused the pushed metrics with {told}"));
        assert_eq!(
            error.status().map(|status| format!("status {status}")),
            told.split(':').next().map(str::to_owned)
        );
    }
}

#[test]
fn a_gateways_answer_is_escaped_and_cut() {
    let (address, served) =
        gateway("HTTP/1.1 400 Bad Request\r\nContent-Length: 14\r\n\r\n\x1b[2J\x07owned \u{9b}m");
    let error = at(address).push(&metrics()).unwrap_err().to_string();
    served.join().unwrap();
    assert!(error.ends_with("status 400: \\u{1b}[2J\\u{7}owned \\u{9b}m"), "{error}");

    let long = format!("HTTP/1.1 400 Bad Request\r\nContent-Length: 900\r\n\r\n{}", "x".repeat(900));
    let (address, served) = gateway(long.leak());
    let error = at(address).push(&metrics()).unwrap_err().to_string();
    served.join().unwrap();
    assert!(error.ends_with("x… (900 bytes)") && error.len() < 400, "{error}");
}

#[test]
fn addresses_and_labels_are_escaped_and_cut() {
    let long = "x".repeat(10_240);
    for error in [
        Pushgateway::new(&long, "job").unwrap_err(),
        Pushgateway::new("http://gateway", "job")
            .unwrap()
            .grouping(&format!("{long} "), "value")
            .unwrap_err(),
        Pushgateway::new(&format!("http://{long}"), "job").unwrap().push(&metrics()).unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(error.contains("x…") && error.contains(" bytes)") && error.len() < 500, "{error}");
    }
    let error =
        Pushgateway::new("http://\x1b[2J:1", "job").unwrap().push(&metrics()).unwrap_err().to_string();
    assert!(error.contains("http://\\u{1b}[2J:1") && !error.contains('\x1b'), "{error}");
}

#[test]
fn a_missing_or_silent_gateway_is_reported_in_time() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = at(port).push(&metrics()).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("cannot push metrics to http://{port}: connection refused; is a Pushgateway running there?")
    );

    // The system accepts the connection and the request, which are never read.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let start = Instant::now();
    let error = at(address).timeout(Duration::from_millis(200)).push(&metrics()).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot push metrics to http://{address}: no answer within 200ms"));
    assert_eq!(error.status(), None);
    assert!(start.elapsed() < PATIENCE);
}

#[test]
fn a_timeout_of_any_length_ends_in_an_answer_or_an_error() {
    let (address, served) = gateway("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    at(address).timeout(Duration::MAX).push(&metrics()).unwrap();
    served.join().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let error = at(address).timeout(Duration::ZERO).push(&metrics()).unwrap_err().to_string();
    assert_eq!(error, format!("cannot push metrics to http://{address}: no answer within 0ns"));
}

#[test]
fn a_server_that_is_not_a_gateway_is_reported() {
    let (address, served) = gateway("SSH-2.0-OpenSSH_9.2\r\n");
    let error = at(address).push(&metrics()).unwrap_err().to_string();
    served.join().unwrap();
    assert!(error.starts_with(&format!("cannot push metrics to http://{address}: ")), "{error}");
}

#[test]
fn an_invalid_address_is_rejected_with_an_example() {
    for (address, reason) in [
        ("", "begins with neither http:// nor https://"),
        ("127.0.0.1:9091", "begins with neither http:// nor https://"),
        ("ftp://gateway", "begins with neither http:// nor https://"),
        #[cfg(not(feature = "tls"))]
        ("https://gateway:9091", "needs the feature \"tls\""),
        ("https://", "names no host"),
        ("http://", "names no host"),
        ("http:///metrics", "names no host"),
        ("http://gateway:9091/?x", "more than a host"),
        ("http://gate way", "more than a host"),
    ] {
        let error = Pushgateway::new(address, "backtest").expect_err(address).to_string();
        assert!(error.contains(reason) && error.contains("for example http://127.0.0.1:9091"), "{error}");
        assert!(error.starts_with(&format!("{address:?} is no")), "{error}");
    }
    for scheme in ["http://", "https://", "HTTPS://", "ftp://", ""] {
        let error =
            Pushgateway::new(&format!("{scheme}bot:secret@gateway"), "backtest").unwrap_err().to_string();
        assert!(error.contains("basic_auth") && !error.contains("secret"), "{error}");
    }
    let error =
        Pushgateway::new("http://gateway:port", "x").unwrap().push(&metrics()).unwrap_err().to_string();
    assert!(error.starts_with("cannot push metrics to http://gateway:port: "), "{error}");
}

#[cfg(feature = "tls")]
mod encrypted {
    use std::fs;
    use std::path::PathBuf;
    use std::sync::Arc;

    use tokio_rustls::rustls::pki_types::pem::PemObject as _;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use tokio_rustls::rustls::server::WebPkiClientVerifier;
    use tokio_rustls::rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

    use super::*;
    use crate::pem::authority::Authority;

    /// The files of an authority and of a certificate that it issued.
    struct Files(PathBuf);

    impl Files {
        fn new(name: &str) -> Self {
            let files =
                Self(std::env::temp_dir().join(format!("bot-metrics-push-{name}-{}", std::process::id())));
            fs::create_dir_all(&files.0).unwrap();
            let authority = Authority::new();
            let (one, other) = (authority.issue("127.0.0.1"), authority.issue("127.0.0.1"));
            for (file, content) in [
                ("ca.crt", authority.pem()),
                ("one.crt", one.cert),
                ("one.key", one.key),
                ("other.key", other.key),
            ] {
                fs::write(files.path(file), content).unwrap();
            }
            files
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }

        fn certificate(&self, name: &str) -> CertificateDer<'static> {
            CertificateDer::from_pem_file(self.path(name)).unwrap()
        }
    }

    impl Drop for Files {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// A gateway that wants a client's certificate and answers one request; returns its first line, or nothing.
    fn gateway(files: &Files) -> (SocketAddr, JoinHandle<String>) {
        let mut roots = RootCertStore::empty();
        roots.add(files.certificate("ca.crt")).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(
                vec![files.certificate("one.crt")],
                PrivateKeyDer::from_pem_file(files.path("one.key")).unwrap(),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let served = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let connection = ServerConnection::new(Arc::new(config)).unwrap();
            let mut reader = BufReader::new(StreamOwned::new(connection, stream));
            let mut first = String::new();
            // A client that does not trust the gateway leaves.
            let _ = reader.read_line(&mut first);
            let _ = reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            first
        });
        (address, served)
    }

    fn at(address: SocketAddr) -> Pushgateway {
        Pushgateway::new(&format!("https://{address}"), "backtest").unwrap().timeout(PATIENCE)
    }

    #[test]
    fn a_gateway_with_tls_is_verified_and_shown_a_certificate() {
        let files = Files::new("verified");
        let (address, served) = gateway(&files);
        let shown = at(address).ca_file(files.path("ca.crt")).unwrap();
        let shown = shown.client_certificate(files.path("one.crt"), files.path("one.key")).unwrap();
        shown.bearer_token("secret").delete().unwrap();
        assert_eq!(served.join().unwrap(), "DELETE /metrics/job/backtest HTTP/1.1\r\n");
        let (address, served) = gateway(&files);
        let error = at(address).delete().unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot push metrics to https://{address}: ")), "{error}");
        assert_eq!(served.join().unwrap(), "", "the system does not trust the authority");
    }

    #[test]
    fn a_file_that_is_not_what_it_should_be_is_named() {
        let files = Files::new("named");
        let at = || at(SocketAddr::from(([127, 0, 0, 1], 9091)));
        for (name, reason) in [("none", "No such file"), ("one.key", "has no certificate, PEM")] {
            let error = at().ca_file(files.path(name)).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(reason), "{error}");
        }
        for (chain, key, reason) in [
            ("one.crt", "other.key", "other.key: it is not the key of "),
            ("one.crt", "ca.crt", "ca.crt: it has no private key"),
            ("one.key", "one.key", "one.key: it has no certificate, PEM"),
        ] {
            let error = at().client_certificate(files.path(chain), files.path(key)).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
