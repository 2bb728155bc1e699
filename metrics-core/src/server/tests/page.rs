//! The pages of the bot's state: their policy, and the clients that may see them. What they show is tested in a browser.

use std::collections::HashSet;
use std::io::Write as _;

use hyper::Request;

use super::client::{Reply, connect, get, get_with, read_reply};
use super::service::{body, call_with};
use super::*;
use crate::{Metrics, Mode, Settings};

const PAGES: [&str; 3] = ["/", "/status.json", "/catalogue"];

fn bot(mode: Mode) -> Metrics {
    Settings::new(mode).on_report(Arc::new(|_: &str| {})).build().unwrap()
}

fn serve_bot(mode: Mode, options: ServerOptions) -> (Metrics, Server) {
    let metrics = bot(mode);
    let server = metrics.serve_with("127.0.0.1:0", options).unwrap();
    (metrics, server)
}

fn get_as(server: &Server, path: &str, host: &str, headers: &str) -> Reply {
    let mut stream = connect(server.local_addr());
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n").unwrap();
    read_reply(&mut stream, "GET")
}

#[test]
fn every_answer_has_a_nonce_of_its_own() {
    let (_metrics, server) = serve_bot(Mode::Paper, ServerOptions::new());
    let mut nonces = HashSet::new();
    for path in ["/", "/catalogue", "/"] {
        let page = get_with(server.local_addr(), path, "Accept: text/html\r\n");
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
        let policy = page.header("content-security-policy").unwrap();
        let (_, rest) = policy.split_once("script-src 'nonce-").unwrap();
        let nonce = rest.split('\'').next().unwrap();
        assert!(nonce.len() == 32 && nonces.insert(nonce.to_owned()), "{policy}");
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-frame-options"), Some("DENY"));
        for tag in ["script", "style"] {
            let all = page.body.matches(&format!("<{tag}")).count();
            let with_nonce = page.body.matches(&format!("<{tag} nonce=\"{nonce}\">")).count();
            assert!(all > 0 && all == with_nonce, "{path}: {all} of <{tag}>, {with_nonce} with the nonce");
        }
    }
}

#[test]
fn the_table_of_functions_is_a_page_for_browsers_alone() {
    let (_metrics, server) = serve_bot(Mode::Paper, ServerOptions::new());
    for (path, accept, content_type) in [
        ("/catalogue", "text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("/catalogue?format=json", "text/html", "application/json"),
        ("/catalogue", "application/json", "application/json"),
        ("/catalogue", "*/*", "application/json"),
    ] {
        let reply = get_with(server.local_addr(), path, &format!("Accept: {accept}\r\n"));
        assert_eq!(reply.header("content-type"), Some(content_type), "{path} {accept}");
    }
}

#[test]
fn under_a_foreign_name_only_scrapers_and_supervisors_are_answered() {
    let (_metrics, server) = serve_bot(Mode::Paper, ServerOptions::new().allowed_hosts(["bot.example"]));
    for path in PAGES {
        let refused = get_as(&server, path, "evil.example", "Accept: text/html\r\n");
        assert_eq!(refused.status, 421, "{path}");
        assert!(refused.body.contains("ServerOptions::allowed_hosts"), "{}", refused.body);
        for host in ["bot.example:5000", "localhost", "127.0.0.1:1", "[::1]"] {
            assert_eq!(get_as(&server, path, host, "").status, 200, "{path} {host}");
        }
    }
    for path in ["/metrics", "/-/healthy", "/-/ready"] {
        assert_eq!(get_as(&server, path, "evil.example", "").status, 200, "{path}");
    }
}

#[test]
fn what_is_no_host_name_is_an_error_that_says_how_to_write_it() {
    let metrics = bot(Mode::Paper);
    let options = || ServerOptions::new().allowed_hosts(["bot.example", "https://bot.example"]);
    let expected = "`ServerOptions::allowed_hosts` has \"https://bot.example\", which is no host name; write it \
                    without a scheme, a port or a path, for example \"bot.example\"";
    for error in [
        metrics.serve_with("127.0.0.1:0", options()).unwrap_err(),
        metrics.service_with(options()).unwrap_err(),
    ] {
        assert!(error.to_string().ends_with(expected), "{error}");
    }
}

#[test]
fn a_live_bot_without_a_password_is_shown_on_its_own_machine_alone() {
    let (_metrics, server) = serve_bot(Mode::Live, ServerOptions::new());
    for path in PAGES {
        assert_eq!(get(server.local_addr(), path).status, 200, "{path}");
        let forwarded = get_with(server.local_addr(), path, "X-Forwarded-For: 203.0.113.9\r\n");
        assert_eq!(
            (forwarded.status, forwarded.header("content-type")),
            (403, Some("text/plain; charset=utf-8"))
        );
    }
    let browser = "X-Forwarded-For: 203.0.113.9\r\nAccept: text/html\r\n";
    let explained = get_as(&server, "/", "203.0.113.5:5001", browser);
    assert_eq!((explained.status, explained.header("content-type")), (403, Some("text/html; charset=utf-8")));
    let port = server.local_addr().port();
    let tunnel = format!("ssh -N -L {port}:localhost:{port} USER@203.0.113.5<");
    assert!(explained.body.contains(&tunnel), "not the port of the proxy: {}", explained.body);
    assert_eq!(
        get_with(server.local_addr(), "/metrics", browser).status,
        200,
        "Prometheus scrapes from elsewhere"
    );

    let (_metrics, trusting) = serve_bot(Mode::Live, ServerOptions::new().trust_clients(true));
    assert_eq!(get_with(trusting.local_addr(), "/", browser).status, 200);
    let (_metrics, paper) = serve_bot(Mode::Paper, ServerOptions::new());
    assert_eq!(get_with(paper.local_addr(), "/", browser).status, 200);
}

#[test]
fn a_mounted_service_knows_no_client_and_shows_a_live_bot_to_none_unless_told() {
    let request = |path: &str| Request::get(path).header("host", "localhost");
    for (mode, options, expected) in [
        (Mode::Live, ServerOptions::new(), 403),
        (Mode::Live, ServerOptions::new().trust_clients(true), 200),
        (Mode::Paper, ServerOptions::new(), 200),
    ] {
        let service = bot(mode).service_with(options).unwrap();
        for path in PAGES {
            assert_eq!(call_with(&service, request(path)).status(), expected, "{path} {mode}");
        }
        assert_eq!(call_with(&service, request("/metrics")).status(), 200);
    }
    let service = bot(Mode::Live).service().unwrap();
    assert!(body(call_with(&service, request("/"))).contains("trades live money"));
}
