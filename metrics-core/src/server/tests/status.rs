//! The status and the catalogue as JSON.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use super::client::{Reply, get};
use super::{
    Delivered, HealthAnswer, PATIENCE, Pages, Reports, ServerOptions, WaitingClients, serve, start_plain,
};
use crate::exposition::format::RequestedPage;
use crate::labels::{Exchange, Operation, Subsystem};
use crate::status::{Catalogue, Status, SubsystemState};
use crate::testing::instance;
use crate::{Metrics, Mode, Outcome, Settings};

fn ask(address: SocketAddr, path: &str) -> Reply {
    let reply = get(address, path);
    assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    reply
}

fn status(address: SocketAddr, path: &str) -> Status {
    serde_json::from_str(&ask(address, path).body).expect("a status")
}

#[test]
fn the_status_is_that_of_the_instance() {
    let (metrics, _clock) = instance();
    metrics.subsystem(Subsystem::Trading).start().finish(Outcome::Ok);
    metrics.exchange_call(Exchange::Okx, Operation::GetOrder).start().finish(Outcome::Ok);
    let server = metrics.serve("127.0.0.1:0").expect("a free port");
    let first = status(server.local_addr(), "/status.json");
    assert_eq!(first.subsystems[0].state, SubsystemState::Fresh);
    assert_eq!((first.operations[0].calls, first.scrapes.count), (1, 0));
    // Delivered when the last byte was passed to the system, which the client may see first.
    assert_eq!(get(server.local_addr(), "/metrics?name[]=up").status, 200);
    assert_eq!(get(server.local_addr(), "/metrics").status, 200);
    let start = Instant::now();
    while metrics.status().scrapes.count == 0 && start.elapsed() < PATIENCE {
        std::thread::yield_now();
    }
    let scrapes = status(server.local_addr(), "/status.json?since=0").scrapes;
    assert_eq!((scrapes.count, scrapes.last), (1, Some(first.now)), "a part is not a scrape");
    let catalogue: Catalogue =
        serde_json::from_str(&ask(server.local_addr(), "/catalogue").body).expect("a catalogue");
    assert_eq!(catalogue, Metrics::catalogue(&metrics));
}

#[test]
fn a_bad_since_is_refused_with_what_is_allowed() {
    let served = start_plain();
    for since in ["", "-1", "1.5", "abc", "18446744073709551616", "%3Cscript%3E"] {
        let reply = get(served.address, &format!("/status.json?since={since}"));
        assert_eq!(reply.status, 400, "{since}");
        assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
        let allowed = " is not a sequence number; allowed: a whole number from 0 to 18446744073709551615, the \
                       `sequence` of an earlier answer\n";
        assert!(reply.body.starts_with("since=") && reply.body.ends_with(allowed), "{}", reply.body);
    }
    assert_eq!(get(served.address, "/status.json?since=18446744073709551615&other=x").status, 200);
}

#[test]
fn a_server_samples_the_history() {
    let metrics = Settings::new(Mode::Paper).build().expect("legal");
    metrics.subsystem(Subsystem::Trading).start().finish(Outcome::Ok);
    let server = metrics.serve("127.0.0.1:0").expect("a free port");
    let start = Instant::now();
    while status(server.local_addr(), "/status.json").window_seconds.is_none() {
        assert!(start.elapsed() < PATIENCE, "it does not");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Pages whose history is sampled by a function.
struct Sampled<F>(F);

impl<F: Fn() + Send + Sync + 'static> Pages for Sampled<F> {
    fn metrics(
        &self,
        _: &RequestedPage,
        _: &WaitingClients,
        out: &mut dyn io::Write,
    ) -> io::Result<Delivered> {
        out.write_all(b"up 1\n")?;
        Ok(Box::new(|| ()))
    }

    fn is_live(&self) -> bool {
        false
    }

    fn sample(&self) {
        (self.0)();
    }

    fn healthy(&self) -> HealthAnswer {
        HealthAnswer { ok: true, text: String::new() }
    }

    fn ready(&self) -> HealthAnswer {
        self.healthy()
    }
}

/// A sampling may wait for a lock of the bot's; the server goes on meanwhile.
#[test]
fn a_sampling_that_hangs_delays_no_answer_and_is_not_repeated() {
    let samplings = Arc::new(AtomicUsize::new(0));
    let (release, hang) = mpsc::channel::<()>();
    let hang = Mutex::new(hang);
    let counted = Arc::clone(&samplings);
    let sample = move || {
        counted.fetch_add(1, Relaxed);
        let _ = hang.lock().expect("no sampling panics").recv();
    };
    let pages = Arc::new(Sampled(sample));
    let server =
        serve("127.0.0.1:0", ServerOptions::new(), pages, Reports::default().hook()).expect("a free port");
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(2_500) {
        assert_eq!(get(server.local_addr(), "/metrics").status, 200);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(samplings.load(Relaxed), 1);
    drop(release);
}
