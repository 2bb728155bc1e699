//! The answers of the paths.

use std::io::Write;

use super::client::{ask, connect, exchange, get, read_reply, request, status};
use super::{EXPOSITION, HEALTHY, start_plain};

#[test]
fn metrics() {
    let served = start_plain();
    let reply = get(served.address, "/metrics");
    assert_eq!((reply.status, reply.body.as_str()), (200, EXPOSITION));
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(get(served.address, "/metrics?name[]=up").status, 200);
    let names: Vec<_> = (0..=200).map(|name| format!("name[]=n{name}")).collect();
    let refused = get(served.address, &format!("/metrics?{}", names.join("&")));
    let reason = "the request has 201 different names in name[]; allowed: up to 200\n";
    assert_eq!((refused.status, refused.body.as_str()), (400, reason));
}

#[test]
fn landing_page_with_its_protection() {
    let served = start_plain();
    let reply = get(served.address, "/");
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/html; charset=utf-8")));
    for path in ["href=\"metrics\"", "href=\"-/healthy\"", "href=\"-/ready\""] {
        assert!(reply.body.contains(path), "{}", reply.body);
    }
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(reply.header("x-frame-options"), Some("DENY"));
    let policy = reply.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
}

#[test]
fn health_pages() {
    let served = start_plain();
    let healthy = get(served.address, "/-/healthy");
    assert_eq!((healthy.status, healthy.body.as_str()), (200, HEALTHY));
    assert_eq!(healthy.header("content-type"), Some("text/plain; charset=utf-8"));
    let ready = get(served.address, "/-/ready");
    assert_eq!((ready.status, ready.body.as_str()), (503, "stalled: trading\n"));
}

#[test]
fn unknown_paths_list_the_known_ones() {
    let served = start_plain();
    let reply = get(served.address, "/favicon.ico");
    assert_eq!(reply.status, 404);
    let with_page: &[&str] = if cfg!(feature = "page") { &["/status.json", "/catalogue"] } else { &[] };
    for path in ["/metrics", "/-/healthy", "/-/ready"].iter().chain(with_page) {
        assert!(reply.body.contains(path), "{}", reply.body);
    }
}

#[test]
fn no_path_has_two_spellings() {
    let served = start_plain();
    for path in [
        "//metrics",
        "/%2e/metrics",
        "/./metrics",
        "/../metrics",
        "/metrics/",
        "/%6detrics",
        "/METRICS",
        "//",
    ] {
        assert_eq!(get(served.address, path).status, 404, "{path}");
    }
}

#[test]
fn head_returns_the_length_without_a_body() {
    let served = start_plain();
    for path in ["/metrics", "/", "/-/healthy", "/-/ready", "/none"] {
        let mut stream = connect(served.address);
        ask(&mut stream, "HEAD", path);
        let head = read_reply(&mut stream, "HEAD");
        ask(&mut stream, "GET", path);
        let full = read_reply(&mut stream, "GET");
        assert_eq!(head.status, full.status, "{path}");
        assert_eq!(head.header("content-length"), Some(full.body.len().to_string().as_str()), "{path}");
        assert_eq!(head.header("content-type"), full.header("content-type"), "{path}");
    }
}

#[test]
fn other_methods_get_405_and_the_allowed_ones() {
    let served = start_plain();
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW"] {
        for path in ["/metrics", "/", "/none"] {
            let reply = request(served.address, method, path);
            assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD")), "{method} {path}");
        }
    }
    assert_eq!(
        status(&exchange(
            served.address,
            b"CONNECT bot:80 HTTP/1.1\r\nHost: bot\r\nConnection: close\r\n\r\n"
        )),
        405
    );
    assert_eq!(
        status(&exchange(served.address, b"OPTIONS * HTTP/1.1\r\nHost: bot\r\nConnection: close\r\n\r\n")),
        405
    );
}

#[test]
fn the_absolute_form_and_upgrade_offers_are_answered() {
    let served = start_plain();
    assert_eq!(get(served.address, "http://bot/metrics").status, 200);
    let mut stream = connect(served.address);
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: bot\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
        .unwrap();
    assert_eq!(read_reply(&mut stream, "GET").status, 200);
}

#[test]
fn http_1_0_needs_no_host_and_is_closed_after_the_answer() {
    let served = start_plain();
    let said = exchange(served.address, b"GET /metrics HTTP/1.0\r\n\r\n");
    assert!(said.starts_with("HTTP/1.0 200 ") && said.ends_with(EXPOSITION), "{said}");
}

#[test]
fn http_1_1_without_a_host_or_with_two_gets_400() {
    let served = start_plain();
    for hosts in ["", "Host: a\r\nHost: b\r\n"] {
        let request = format!("GET /metrics HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        assert_eq!(status(&exchange(served.address, request.as_bytes())), 400, "{hosts}");
    }
}
