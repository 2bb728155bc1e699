//! Counts of a removed profile that a reader has received completely are dropped at the end of the profile's grace
//! period; others are kept for another one.

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use bot_metrics::labels::{EventType, Severity};
use bot_metrics::push::Pushgateway;
use bot_metrics::testing::{self, Samples};
use bot_metrics::{Metrics, Mode, Settings};

/// Whether counts are dropped after `read` has read them.
fn are_seen(read: impl FnOnce(&Metrics)) -> bool {
    let (settings, clock) = testing::with_manual_clock(Settings::new(Mode::Paper));
    let metrics = settings.build().expect("settings that are allowed");
    metrics.event(Severity::Error, EventType::OrderFailure).profile("maker").count(3).record();
    read(&metrics);
    metrics.profile("maker").remove();
    clock.advance(Duration::from_mins(6));
    let value = || {
        let labels = [("profile_id", "maker"), ("type", "ORDER_FAILURE")];
        Samples::of(&metrics).value("bytelyst_bot_operational_events_total", &labels)
    };
    let value_now = value();
    assert!(matches!(value_now, None | Some(3.0)), "{value_now:?}");
    clock.advance(Duration::from_mins(6));
    assert_eq!(value(), None, "not for another grace period");
    value_now.is_none()
}

/// The server's answer to this request, up to the end of the connection.
fn request(metrics: &Metrics, request: &str) -> String {
    let server = metrics.serve("127.0.0.1:0").expect("a loopback server answers");
    let mut stream = TcpStream::connect(server.local_addr()).expect("a loopback server answers");
    write!(stream, "{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .expect("a loopback server answers");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("a loopback server answers");
    answer
}

#[test]
fn a_whole_scrape_has_seen_what_is_in_it() {
    assert!(are_seen(|metrics| assert!(request(metrics, "GET /metrics").contains("profile_id=\"maker\""))));
}

#[test]
fn a_request_without_the_exposition_has_seen_nothing() {
    for (line, status) in
        [("HEAD /metrics", "200"), ("GET /", "200"), ("GET /-/ready", "200"), ("GET /x", "404")]
    {
        assert!(!are_seen(|metrics| assert!(request(metrics, line)[9..].starts_with(status))), "{line}");
    }
}

#[test]
fn an_exposition_without_a_known_reader_does_not_count_as_received() {
    assert!(!are_seen(|metrics| drop(metrics.exposition())));
    assert!(!are_seen(|metrics| drop(metrics.snapshot())));
    assert!(!are_seen(|metrics| drop(Samples::of(metrics))));
}

#[test]
fn a_written_exposition_was_seen_unless_the_writer_failed() {
    /// Accepts all but the last bytes.
    struct Full(usize);
    impl io::Write for Full {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            let taken = text.len().min(self.0);
            self.0 -= taken;
            if taken == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(taken) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    assert!(are_seen(|metrics| metrics.write_exposition(&mut Vec::new()).unwrap()));
    assert!(!are_seen(|metrics| {
        let length = metrics.exposition().len();
        assert!(metrics.write_exposition(&mut Full(length - 1)).is_err());
    }));
}

#[test]
fn an_exposition_that_a_buffer_could_not_pass_on_was_not_seen() {
    /// Accepts everything but fails to flush.
    struct Broken;
    impl io::Write for Broken {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
    assert!(!are_seen(|metrics| {
        let error = metrics.write_exposition(&mut Broken).expect_err("it is not passed on");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }));
    assert!(are_seen(|metrics| {
        let mut page = io::BufWriter::with_capacity(1 << 20, Vec::new());
        metrics.write_exposition(&mut page).unwrap();
        assert!(page.buffer().is_empty() && !page.get_ref().is_empty());
    }));
}

/// Reads a request including its body.
fn read_request(stream: &mut TcpStream) {
    let mut request = io::BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        request.read_line(&mut line).expect("a whole request");
        if let Some((_, value)) = line.split_once("ontent-length: ").or(line.split_once("ontent-Length: ")) {
            length = value.trim().parse().expect("a length");
        }
        if line == "\r\n" {
            break;
        }
    }
    request.read_exact(&mut vec![0; length]).expect("a whole request");
}

#[test]
fn a_push_has_seen_what_the_gateway_accepted() {
    for (status, is_accepted) in
        [("200 OK", true), ("202 Accepted", true), ("400 Bad Request", false), ("500 x", false)]
    {
        let push = |metrics: &Metrics| {
            let gateway = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}", gateway.local_addr().unwrap());
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let (mut stream, _) = gateway.accept().unwrap();
                    read_request(&mut stream);
                    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                        .unwrap();
                });
                let gateway = Pushgateway::new(&url, "backtest").unwrap();
                assert_eq!(gateway.push(metrics).is_ok(), is_accepted);
            });
        };
        assert_eq!(are_seen(push), is_accepted, "{status}");
    }
    let nobody = |metrics: &Metrics| {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let gateway = Pushgateway::new(&format!("http://{closed}"), "backtest").unwrap();
        assert!(gateway.push_add(metrics).is_err());
    };
    assert!(!are_seen(nobody));
}
