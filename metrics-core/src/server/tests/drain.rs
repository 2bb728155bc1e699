//! A bot that stops waits for one more complete scrape.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

#[cfg(unix)]
use super::client::connect_with_a_small_buffer;
use super::client::{ask, connect, eventually, get, read_reply, request, rest, status};
use super::{EXPOSITION, PATIENCE, Served, Server, patient, start, start_plain};

/// Long enough for an event that must not happen.
const MOMENT: Duration = Duration::from_millis(200);

/// More than the kernel buffers for a client that does not read.
const BIG: usize = 32 << 20;

/// A drain that has begun.
fn draining(server: &Arc<Server>, timeout: Duration) -> JoinHandle<bool> {
    let before = server.scrapes.asked();
    let drain = std::thread::spawn({
        let server = Arc::clone(server);
        move || server.drain(timeout)
    });
    eventually("the drain begins", || server.scrapes.asked() > before);
    drain
}

fn shared(served: Served) -> (Arc<Server>, SocketAddr) {
    let address = served.address;
    (Arc::new(served.server), address)
}

#[test]
fn a_scrape_that_begins_after_the_call_ends_it() {
    let (server, address) = shared(start_plain());
    let drain = draining(&server, PATIENCE);
    assert_eq!(get(address, "/metrics").status, 200);
    assert!(drain.join().unwrap());
}

#[test]
fn every_drain_that_waits_gets_the_same_scrape() {
    let (server, address) = shared(start_plain());
    let drains: Vec<_> = (0..3).map(|_| draining(&server, PATIENCE)).collect();
    assert_eq!(get(address, "/metrics").status, 200);
    assert!(drains.into_iter().all(|drain| drain.join().unwrap()));
}

#[test]
fn a_scrape_on_a_connection_that_was_open_before_counts_too() {
    let (server, address) = shared(start_plain());
    let mut scraper = connect(address);
    ask(&mut scraper, "GET", "/metrics");
    read_reply(&mut scraper, "GET");
    let drain = draining(&server, PATIENCE);
    ask(&mut scraper, "GET", "/metrics");
    read_reply(&mut scraper, "GET");
    assert!(drain.join().unwrap());
}

#[test]
fn without_a_scrape_it_returns_false() {
    let (server, address) = shared(start_plain());
    assert_eq!(get(address, "/metrics").status, 200);
    assert!(!server.drain(Duration::ZERO), "that scrape was before");
    assert!(!server.drain(MOMENT));
    let again = draining(&server, PATIENCE);
    assert_eq!(get(address, "/metrics").status, 200);
    assert!(again.join().unwrap());
}

#[test]
fn a_scrape_that_had_begun_before_does_not_count() {
    let (entered, rendering) = mpsc::channel();
    let (go_on, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let (server, address) = shared(start(patient(), move || {
        entered.send(()).unwrap();
        let _ = gate.lock().unwrap().recv();
        EXPOSITION.to_owned()
    }));
    let mut scrape = connect(address);
    ask(&mut scrape, "GET", "/metrics");
    rendering.recv().unwrap();
    let drain = draining(&server, PATIENCE);
    go_on.send(()).unwrap();
    assert_eq!(read_reply(&mut scrape, "GET").status, 200);
    std::thread::sleep(MOMENT);
    assert!(!drain.is_finished(), "it may lack later recordings");
    drop(go_on);
    assert_eq!(get(address, "/metrics").status, 200);
    assert!(drain.join().unwrap());
}

#[test]
fn other_requests_do_not_count() {
    let (server, address) = shared(start_plain());
    let drain = draining(&server, PATIENCE);
    for path in ["/", "/-/healthy", "/-/ready", "/metrics/", "/nothing"] {
        get(address, path);
    }
    assert_eq!(request(address, "HEAD", "/metrics").status, 200);
    assert_eq!(request(address, "POST", "/metrics").status, 405);
    std::thread::sleep(MOMENT);
    assert!(!drain.is_finished());
    get(address, "/metrics");
    assert!(drain.join().unwrap());
}

#[test]
fn a_scrape_that_fails_does_not_count() {
    let (server, address) = shared(start(patient(), || panic!("on purpose")));
    let drain = draining(&server, MOMENT);
    assert_eq!(get(address, "/metrics").status, 500);
    assert!(!drain.join().unwrap());

    let (server, address) = shared(start(patient().render_timeout(Duration::from_millis(20)), || {
        std::thread::sleep(MOMENT / 2);
        EXPOSITION.to_owned()
    }));
    let drain = draining(&server, MOMENT);
    assert_eq!(get(address, "/metrics").status, 503);
    assert!(!drain.join().unwrap());
}

#[cfg(unix)]
#[test]
fn a_scrape_counts_when_its_last_byte_has_left() {
    let (server, address) = shared(start(patient(), || "x".repeat(BIG)));
    let drain = draining(&server, PATIENCE);
    let mut slow = connect_with_a_small_buffer(address);
    ask(&mut slow, "GET", "/metrics");
    // The other half is more than the sender's buffer holds.
    let mut some = vec![0; BIG / 2];
    slow.read_exact(&mut some).unwrap();
    std::thread::sleep(MOMENT);
    assert!(!drain.is_finished(), "half of it is still here");
    slow.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(rest(&mut slow).len() >= BIG / 2);
    assert!(drain.join().unwrap());
}

#[test]
fn a_scraper_that_leaves_in_the_middle_does_not_count() {
    let (server, address) = shared(start(patient(), || "x".repeat(BIG)));
    let drain = draining(&server, PATIENCE);
    let mut leaving = connect(address);
    ask(&mut leaving, "GET", "/metrics");
    leaving.read_exact(&mut [0; 1000]).unwrap();
    drop(leaving);
    std::thread::sleep(MOMENT);
    assert!(!drain.is_finished());
    assert_eq!(status(&rest_of_a_scrape(address)), 200);
    assert!(drain.join().unwrap());
}

/// A complete scrape with HTTP/1.0, ended by the server's close.
fn rest_of_a_scrape(address: SocketAddr) -> String {
    let mut stream = connect(address);
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    rest(&mut stream)
}

#[test]
fn a_rendering_is_delivered_once_with_the_first_client_that_received_it_completely() {
    for length in [EXPOSITION.len(), BIG] {
        let served = start(patient(), move || "x".repeat(length));
        let (address, delivered) = (served.address, Arc::clone(&served.delivered));
        let delivered = || delivered.load(Relaxed);
        assert_eq!(request(address, "HEAD", "/metrics").status, 200);
        get(address, "/-/healthy");
        if length == BIG {
            let mut leaving = connect(address);
            ask(&mut leaving, "GET", "/metrics");
            leaving.read_exact(&mut [0; 1000]).unwrap();
        }
        std::thread::sleep(MOMENT);
        assert_eq!(delivered(), 0, "{length}");
        for n in 1..=2 {
            assert_eq!(status(&rest_of_a_scrape(address)), 200);
            eventually("it is delivered", || delivered() == n);
        }
    }
}
