//! Clients that do not speak HTTP, or speak it badly, or leave.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::Shutdown;

use super::client::{ask, connect, exchange, get, read_reply, rest, status};
use super::{EXPOSITION, Served, patient, start, start_plain};

fn still_serves(served: &Served) {
    let reply = get(served.address, "/metrics");
    assert_eq!((reply.status, reply.body.as_str()), (200, EXPOSITION));
    assert!(served.reports.lines().is_empty(), "{:?}", served.reports.lines());
}

#[test]
fn other_protocols_are_refused_or_closed() {
    let served = start_plain();
    let tls_hello = b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03random random random random rand\x00\x00\x02\x13\x01\x01\x00";
    let no_http: [&[u8]; 7] = [
        b"\x00\x01\x02\xff\xfe\xfd\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET /metrics\r\n\r\n",
        b"GET /metrics HTTP/9.9\r\nHost: bot\r\n\r\n",
        b"GET /met\0rics HTTP/1.1\r\nHost: bot\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        tls_hello,
    ];
    for request in no_http {
        let status = status(&exchange(served.address, request));
        assert!([0, 400].contains(&status), "{status} for {request:?}");
    }
    still_serves(&served);
}

#[test]
fn a_header_of_a_megabyte_gets_431_or_a_close() {
    let served = start_plain();
    let mut request = b"GET /metrics HTTP/1.1\r\nHost: bot\r\nX: ".to_vec();
    request.resize(1 << 20, b'a');
    request.extend_from_slice(b"\r\n\r\n");
    let status = status(&exchange(served.address, &request));
    assert!([0, 431].contains(&status), "{status}");
    still_serves(&served);
}

#[test]
fn a_header_just_over_the_limit_gets_431() {
    let served = start(patient().max_header_bytes(1000), || EXPOSITION.to_owned());
    let padded = |bytes| {
        format!("GET /metrics HTTP/1.1\r\nHost: bot\r\nConnection: close\r\nX: {}\r\n\r\n", "a".repeat(bytes))
    };
    assert_eq!(status(&exchange(served.address, padded(800).as_bytes())), 200);
    assert_eq!(status(&exchange(served.address, padded(1000).as_bytes())), 431);
}

/// hyper gives these answers without asking the service.
#[test]
fn rejected_requests_get_the_headers_of_all_answers() {
    let served = start(patient().max_header_bytes(1000), || EXPOSITION.to_owned());
    let long = format!("GET / HTTP/1.1\r\nHost: bot\r\nX: {}\r\n\r\n", "a".repeat(1000));
    let after_another = "GET /-/healthy HTTP/1.1\r\nHost: bot\r\n\r\nhello\r\n\r\n";
    for (request, status) in [("hello\r\n\r\n", 400), (&*long, 431), (after_another, 400)] {
        let said = exchange(served.address, request.as_bytes());
        let refusal = &said[said.rfind("HTTP/1.1").expect("an answer")..];
        assert_eq!(super::client::status(refusal), status, "{said}");
        let (head, body) = refusal.split_once("\r\n\r\n").expect("a complete header");
        for header in ["cache-control: no-store", "x-content-type-options: nosniff", "x-frame-options: DENY"]
        {
            assert_eq!(head.matches(header).count(), 1, "{said}");
        }
        assert!(head.contains("content-security-policy: default-src 'none'"), "{said}");
        assert_eq!((head.matches("content-length: 0").count(), body), (1, ""), "{said}");
    }
    still_serves(&served);
}

#[test]
fn two_hundred_headers_get_431() {
    let served = start_plain();
    let mut request = "GET /metrics HTTP/1.1\r\nHost: bot\r\n".to_owned();
    for header in 0..200 {
        write!(request, "X-{header}: 1\r\n").unwrap();
    }
    request.push_str("\r\n");
    assert_eq!(status(&exchange(served.address, request.as_bytes())), 431);
    still_serves(&served);
}

#[test]
fn a_long_target_gets_414_and_one_over_the_header_limit_431() {
    let served = start_plain();
    let long = |bytes| {
        format!("GET /metrics?{} HTTP/1.1\r\nHost: bot\r\nConnection: close\r\n\r\n", "a".repeat(bytes))
    };
    assert_eq!(status(&exchange(served.address, long(4_000).as_bytes())), 200);
    assert_eq!(status(&exchange(served.address, long(10_000).as_bytes())), 414);
    assert_eq!(status(&exchange(served.address, long(20_000).as_bytes())), 431);
    still_serves(&served);
}

#[test]
fn a_length_together_with_chunking_never_makes_two_requests() {
    let served = start_plain();
    let smuggle =
        b"GET /metrics HTTP/1.1\r\nHost: bot\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n\
                    0\r\n\r\nGET /-/healthy HTTP/1.1\r\nHost: bot\r\n\r\n";
    let said = exchange(served.address, smuggle);
    assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{said}");
    still_serves(&served);
}

#[test]
fn a_body_is_ignored_and_an_unfinished_one_ends_the_connection() {
    let served = start_plain();
    let mut stream = connect(served.address);
    for _ in 0..2 {
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: bot\r\nContent-Length: 4\r\n\r\nbody").unwrap();
        assert_eq!(read_reply(&mut stream, "GET").body, EXPOSITION);
    }
    let unfinished = b"GET /metrics HTTP/1.1\r\nHost: bot\r\nContent-Length: 1000000\r\n\r\nbody";
    assert_eq!(status(&exchange(served.address, unfinished)), 200);
    let waiting = b"GET /metrics HTTP/1.1\r\nHost: bot\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n";
    assert_eq!(status(&exchange(served.address, waiting)), 200);
    let endless = b"GET /metrics HTTP/1.1\r\nHost: bot\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    assert_eq!(status(&exchange(served.address, endless)), 200);
}

#[test]
fn a_thousand_pipelined_requests_are_answered_in_order() {
    let served = start_plain();
    let mut stream = connect(served.address);
    let paths = ["/metrics", "/-/healthy", "/none", "/-/ready"];
    let sender = std::thread::spawn({
        let mut stream = stream.try_clone().unwrap();
        move || (0..1000).for_each(|request| ask(&mut stream, "GET", paths[request % paths.len()]))
    });
    for request in 0..1000 {
        assert_eq!(
            read_reply(&mut stream, "GET").status,
            [200, 200, 404, 503][request % paths.len()],
            "{request}"
        );
    }
    sender.join().unwrap();
}

#[test]
fn a_half_closed_client_gets_its_answer() {
    let served = start_plain();
    let mut stream = connect(served.address);
    ask(&mut stream, "GET", "/metrics");
    stream.shutdown(Shutdown::Write).unwrap();
    let said = rest(&mut stream);
    assert!(said.starts_with("HTTP/1.1 200 ") && said.ends_with(EXPOSITION), "{said}");
}

#[test]
fn a_client_that_ends_within_its_header_is_closed() {
    let served = start_plain();
    let mut stream = connect(served.address);
    stream.write_all(b"GET /met").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(status(&rest(&mut stream)), 0);
    still_serves(&served);
}

#[test]
fn clients_that_leave_in_mid_body_cost_nothing() {
    let served = start(patient(), || "x".repeat(16 << 20));
    for _ in 0..4 {
        let mut stream = connect(served.address);
        ask(&mut stream, "GET", "/metrics");
        stream.read_exact(&mut [0; 1000]).unwrap();
    }
    assert_eq!(get(served.address, "/-/healthy").status, 200);
    assert_eq!(get(served.address, "/metrics").body.len(), 16 << 20);
    assert!(served.reports.lines().is_empty());
}
