//! Slow clients, and more clients than connections are allowed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[cfg(unix)]
use super::client::connect_with_a_small_buffer;
use super::client::{
    ask, connect, eventually, exchange, get, is_open, read_reply, request, rest, status, try_read_reply,
};
use super::{EXPOSITION, HEALTHY, patient, start, start_writing};
use crate::server::ServerOptions;
use crate::server::rendering::RENDERINGS;

const SHORT: Duration = Duration::from_millis(300);

/// More than the kernel buffers for a client that does not read.
const BIG: usize = 32 << 20;

fn one_byte_each(count: usize, address: std::net::SocketAddr) -> Vec<TcpStream> {
    let one_byte = || {
        let mut stream = connect(address);
        stream.write_all(b"G").unwrap();
        stream
    };
    (0..count).map(|_| one_byte()).collect()
}

#[test]
fn slowloris_connections_are_all_closed_and_scrapes_succeed_meanwhile() {
    let served = start(patient().header_timeout(SHORT).max_connections(32), || EXPOSITION.to_owned());
    let slow = one_byte_each(100, served.address);
    for _ in 0..10 {
        assert_eq!(get(served.address, "/metrics").status, 200);
    }
    for mut stream in slow {
        assert_eq!(status(&rest(&mut stream)), 0);
    }
    assert!(served.reports.lines().is_empty());
}

#[test]
fn every_incomplete_header_runs_into_the_timeout() {
    let served = start(patient().header_timeout(SHORT), || EXPOSITION.to_owned());
    let silent = connect(served.address);
    let mut second = connect(served.address);
    ask(&mut second, "GET", "/metrics");
    read_reply(&mut second, "GET");
    second.write_all(b"GET /metrics HT").unwrap();
    for mut stream in [silent, second] {
        rest(&mut stream);
    }
}

#[test]
fn an_idle_connection_is_closed_after_the_idle_timeout() {
    let served = start(patient().idle_timeout(SHORT), || EXPOSITION.to_owned());
    let mut idle = connect(served.address);
    ask(&mut idle, "GET", "/metrics");
    read_reply(&mut idle, "GET");
    rest(&mut idle);
}

/// A scraper sends its next request after its interval, which is longer than a header may take.
#[test]
fn an_idle_connection_outlives_the_time_for_a_header() {
    let served = start(patient().header_timeout(SHORT), || EXPOSITION.to_owned());
    let mut scraper = connect(served.address);
    for _ in 0..2 {
        ask(&mut scraper, "GET", "/metrics");
        assert_eq!(read_reply(&mut scraper, "GET").status, 200);
        std::thread::sleep(SHORT * 3);
    }
    assert!(is_open(&scraper));
}

/// Prometheus' usual intervals; at each of them the connection is either open or long closed.
#[test]
fn the_default_idle_timeout_differs_from_common_scrape_intervals() {
    let idle = ServerOptions::new().idle_timeout;
    for interval in [1, 5, 10, 15, 20, 30, 60, 90, 120, 180, 300].map(Duration::from_secs) {
        assert!(idle.abs_diff(interval) >= Duration::from_secs(5), "{interval:?}");
    }
}

#[test]
fn bytes_that_trickle_in_do_not_extend_the_header_timeout() {
    let served = start(patient().header_timeout(SHORT), || EXPOSITION.to_owned());
    let mut stream = connect(served.address);
    stream.write_all(b"GET /metrics HTTP/1.1\r\nX: ").unwrap();
    eventually("the trickling client is closed", || {
        let _ = stream.write_all(b"a");
        !is_open(&stream)
    });
}

/// The client still receives the kernel's buffered data after the cut, so the time of its last read proves nothing.
#[test]
fn a_client_that_reads_byte_by_byte_is_disconnected() {
    let served = start(patient().write_timeout(SHORT), || "x".repeat(BIG));
    let mut stream = connect(served.address);
    ask(&mut stream, "GET", "/metrics");
    for _ in 0..1000 {
        if stream.read(&mut [0]).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(rest(&mut stream).len() < BIG / 2, "all was read");
    assert_eq!(get(served.address, "/-/healthy").status, 200);
}

#[test]
fn a_client_that_reads_at_a_good_pace_is_not_disconnected() {
    let served = start(patient(), || "x".repeat(BIG));
    assert_eq!(get(served.address, "/metrics").body.len(), BIG);
}

#[test]
fn a_new_connection_takes_the_place_of_the_oldest_without_a_header() {
    let served = start(patient().max_connections(4), || EXPOSITION.to_owned());
    let mut asked = connect(served.address);
    ask(&mut asked, "GET", "/metrics");
    read_reply(&mut asked, "GET");
    let slow = one_byte_each(3, served.address);
    assert_eq!(get(served.address, "/metrics").status, 200);
    eventually("the oldest makes room", || !is_open(&slow[0]));
    assert!(is_open(&slow[1]) && is_open(&slow[2]));
    ask(&mut asked, "GET", "/metrics");
    assert_eq!(read_reply(&mut asked, "GET").status, 200);
}

#[test]
fn without_such_a_connection_the_oldest_idle_one_goes() {
    let served = start(patient().max_connections(2), || EXPOSITION.to_owned());
    let [older, newer] = [(); 2].map(|()| {
        let mut stream = connect(served.address);
        ask(&mut stream, "GET", "/metrics");
        read_reply(&mut stream, "GET");
        stream
    });
    assert_eq!(get(served.address, "/metrics").status, 200);
    eventually("the oldest makes room", || !is_open(&older));
    assert!(is_open(&newer));
}

#[test]
fn a_client_that_does_not_read_makes_room_too() {
    let served = start(patient().max_connections(1), || "x".repeat(BIG));
    let mut stalled = connect(served.address);
    ask(&mut stalled, "GET", "/metrics");
    stalled.read_exact(&mut [0]).unwrap();
    eventually("another client is served", || {
        let mut stream = connect(served.address);
        // Until the first one has stalled there is no room, and the connection is closed.
        let _ = stream.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: bot\r\n\r\n");
        try_read_reply(&mut stream, "GET").is_ok_and(|reply| reply.status == 200)
    });
    rest(&mut stalled);
}

#[test]
fn when_all_are_being_answered_the_new_one_waits() {
    let (entered, rendering) = mpsc::channel();
    let (leave, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let served = start(patient().max_connections(1), move || {
        entered.send(()).unwrap();
        gate.lock().unwrap().recv().unwrap();
        EXPOSITION.to_owned()
    });
    let mut first = connect(served.address);
    ask(&mut first, "GET", "/metrics");
    rendering.recv().unwrap();
    let mut second = connect(served.address);
    ask(&mut second, "GET", "/-/healthy");
    std::thread::sleep(SHORT);
    assert!(is_open(&first) && is_open(&second));
    leave.send(()).unwrap();
    assert_eq!(read_reply(&mut first, "GET").status, 200);
    assert_eq!(read_reply(&mut second, "GET").status, 200);
}

/// Each of these has sent its requests together, and their answers take longer than the test.
#[test]
fn a_client_that_pipelines_makes_room_although_it_is_being_answered() {
    let (leave, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let served = start(patient().max_connections(2), move || {
        let _ = gate.lock().unwrap().recv();
        EXPOSITION.to_owned()
    });
    let pipelining = [(); 2].map(|()| {
        let mut stream = connect(served.address);
        stream.write_all("GET /metrics HTTP/1.1\r\nHost: bot\r\n\r\n".repeat(3).as_bytes()).unwrap();
        stream
    });
    assert_eq!(get(served.address, "/-/healthy").status, 200);
    eventually("one makes room", || !is_open(&pipelining[0]) || !is_open(&pipelining[1]));
    drop(leave);
}

#[test]
fn a_busy_page_does_not_delay_the_others() {
    let (leave, gate) = mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let served = start(patient(), move || {
        gate.lock().unwrap().recv().unwrap();
        EXPOSITION.to_owned()
    });
    let mut scrape = connect(served.address);
    ask(&mut scrape, "GET", "/metrics");
    for path in ["/", "/-/healthy", "/none"] {
        assert!([200, 404].contains(&get(served.address, path).status));
    }
    leave.send(()).unwrap();
    assert_eq!(read_reply(&mut scrape, "GET").status, 200);
}

/// Each of these sends its request when the previous one has the first part of its answer, so that none share a
/// rendering.
#[test]
fn clients_that_do_not_read_delay_no_other_client() {
    const SIZE: usize = 12 << 20;
    let served = start(patient(), || "x".repeat(SIZE));
    let _open: Vec<_> = (0..3 * RENDERINGS)
        .map(|_| {
            let mut stream = connect(served.address);
            ask(&mut stream, "GET", "/metrics");
            stream.read_exact(&mut [0; 64]).unwrap();
            stream
        })
        .collect();
    assert_eq!(get(served.address, "/metrics").body.len(), SIZE);
    assert!(served.reports.lines().is_empty());
}

/// A client that shares a rendering with one that does not read waits for it 20 ms in total.
#[test]
fn a_client_that_does_not_read_does_not_delay_clients_that_share_its_rendering() {
    const SIZE: usize = 32 << 20;
    let (leave, gate) = mpsc::channel::<()>();
    let (entered, rendering) = mpsc::channel();
    let gate = Mutex::new(gate);
    let served = start(patient().max_unread_bytes(2 * SIZE), move || {
        entered.send(()).unwrap();
        gate.lock().unwrap().recv().unwrap();
        "x".repeat(SIZE)
    });
    let ask_for_it = || {
        let mut stream = connect(served.address);
        ask(&mut stream, "GET", "/metrics");
        stream
    };
    let first = ask_for_it();
    rendering.recv().unwrap();
    let (mut idler, mut reader) = (ask_for_it(), ask_for_it());
    // It is answered on the same thread, which by then has read the earlier requests.
    assert_eq!(get(served.address, "/").status, 200);
    drop(first);
    leave.send(()).unwrap();
    leave.send(()).unwrap();
    assert_eq!(read_reply(&mut reader, "GET").body.len(), SIZE);
    // The other client still gets the whole page, as long as there is memory for it.
    assert!(rest_of_an_answer(&mut idler) >= SIZE);
}

/// The first part is sent before the rest is rendered.
#[test]
fn a_long_page_that_breaks_off_is_recognisable_and_reported() {
    let served = start_writing(patient(), |out| {
        out.write_all("x".repeat(SENT).as_bytes())?;
        panic!("on purpose");
    });
    let mut stream = connect(served.address);
    ask(&mut stream, "GET", "/metrics");
    let said = rest(&mut stream);
    assert_eq!(status(&said), 200);
    assert!(!said.ends_with("0\r\n\r\n"), "it looks complete");
    assert_eq!(served.reports.lines(), ["the page /metrics panicked: on purpose"]);
    assert!(!served.server.drain(Duration::ZERO));
}

/// Longer than pages that are sent as a whole.
const SENT: usize = 1 << 20;

/// It is rendered only as far as its window.
#[cfg(unix)]
#[test]
fn a_long_page_is_rendered_no_faster_than_it_is_read() {
    let written = Arc::new(AtomicUsize::new(0));
    let served = start_writing(patient(), {
        let written = Arc::clone(&written);
        move |out| {
            for _ in 0..BIG / 1024 {
                out.write_all(&[b'x'; 1024])?;
                written.fetch_add(1024, Ordering::Relaxed);
            }
            Ok(())
        }
    });
    let mut stream = connect_with_a_small_buffer(served.address);
    ask(&mut stream, "GET", "/metrics");
    stream.read_exact(&mut [0; 64]).unwrap();
    std::thread::sleep(SHORT);
    // The kernel's buffers come in addition.
    let ahead = written.load(Ordering::Relaxed);
    assert!(ahead < BIG / 2, "{ahead} of {BIG}");
    assert!(rest_of_an_answer(&mut stream) >= BIG - 64);
}

#[test]
fn a_short_page_has_its_length_and_a_long_one_is_chunked() {
    for (size, length) in [(1_000, Some("1000")), (SENT, None)] {
        let served = start(patient(), move || "x".repeat(size));
        for method in ["GET", "HEAD"] {
            let reply = request(served.address, method, "/metrics");
            assert_eq!((reply.status, reply.header("content-length")), (200, length), "{method}");
        }
        let reply = get(served.address, "/metrics");
        assert_eq!((reply.body.len(), reply.header("transfer-encoding").is_none()), (size, length.is_some()));
    }
}

#[test]
fn a_client_that_reads_is_served_among_clients_that_do_not() {
    const SIZE: usize = 12 << 20;
    let served = start(patient(), || "x".repeat(SIZE));
    let mut reader = connect(served.address);
    ask(&mut reader, "GET", "/metrics");
    let mut left = SIZE;
    let mut idlers = Vec::new();
    while left > 1 << 20 {
        let mut part = vec![0; 1 << 20];
        reader.read_exact(&mut part).unwrap();
        left -= part.len();
        let mut idler = connect(served.address);
        ask(&mut idler, "GET", "/metrics");
        idlers.push(idler);
    }
    assert!(rest_of_an_answer(&mut reader) >= left);
}

#[test]
fn answers_within_the_limit_wait_for_their_clients() {
    const SIZE: usize = 12 << 20;
    let served = start(patient().max_unread_bytes(5 * SIZE), || "x".repeat(SIZE));
    let mut slow: Vec<_> = (0..4)
        .map(|_| {
            let mut stream = connect(served.address);
            ask(&mut stream, "GET", "/metrics");
            stream.read_exact(&mut [0]).unwrap();
            stream
        })
        .collect();
    assert_eq!(get(served.address, "/metrics").body.len(), SIZE);
    for stream in &mut slow {
        assert!(rest_of_an_answer(stream) >= SIZE);
    }
}

/// No client of any rendering reads, and one more requests the page.
#[cfg(unix)]
#[test]
fn unread_pages_are_rendered_only_as_far_as_there_is_room() {
    const LONG: usize = 64 << 20;
    let written = Arc::new(AtomicUsize::new(0));
    let served = start_writing(patient().max_unread_bytes(2 << 20), {
        let written = Arc::clone(&written);
        move |out| {
            for _ in 0..LONG / 1024 {
                out.write_all(&[b'x'; 1024])?;
                written.fetch_add(1024, Ordering::Relaxed);
            }
            Ok(())
        }
    });
    let _open: Vec<_> = (0..=RENDERINGS)
        .map(|_| {
            let mut stream = connect_with_a_small_buffer(served.address);
            ask(&mut stream, "GET", "/metrics");
            stream.read_exact(&mut [0; 64]).unwrap();
            stream
        })
        .collect();
    std::thread::sleep(SHORT);
    let written = written.load(Ordering::Relaxed);
    assert!(written < LONG, "{written}");
}

#[test]
fn a_long_page_ends_with_the_connection_for_an_http_1_0_client() {
    let served = start(patient(), || "x".repeat(SENT));
    for header in ["", "Connection: keep-alive\r\n"] {
        let said = exchange(served.address, format!("GET /metrics HTTP/1.0\r\n{header}\r\n").as_bytes());
        let (head, body) = said.split_once("\r\n\r\n").unwrap();
        assert!(!head.to_lowercase().contains("chunked"), "{head}");
        assert_eq!(body, "x".repeat(SENT));
    }
}

#[test]
fn after_a_long_page_the_connection_stays_usable() {
    let served = start(patient(), || "x".repeat(SENT));
    let mut stream = connect(served.address);
    for (method, path, length) in [
        ("GET", "/metrics", SENT),
        ("GET", "/-/healthy", HEALTHY.len()),
        ("HEAD", "/metrics", 0),
        ("GET", "/metrics", SENT),
    ] {
        ask(&mut stream, method, path);
        assert_eq!(read_reply(&mut stream, method).body.len(), length, "{method} {path}");
    }
}

/// The number of bytes until the server closes, which it does after this answer.
fn rest_of_an_answer(stream: &mut TcpStream) -> usize {
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    rest(stream).len()
}
