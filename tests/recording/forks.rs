use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bot_metrics::labels::{EventType, Severity};
use bot_metrics::prelude::*;

use crate::{METRICS, NO_FORKS, full, in_flight, requests};

#[exchange_call(op = "get_positions", exchange = "kraken")]
fn get_positions() {}

#[exchange_call(op = "get_balances", exchange = "kraken")]
fn get_balances() {}

/// F5: children are forked while other threads record, start and end, create series and scrape.
#[test]
fn forked_children_record_and_scrape() {
    let _no_other = NO_FORKS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let children = if full() { 1_000 } else { 50 };
    let done = AtomicBool::new(false);
    let busy = |work: fn(u64)| {
        let done = &done;
        move || {
            let mut n = 0;
            while !done.load(Relaxed) {
                work(n);
                n += 1;
            }
        }
    };
    let _metrics = &*METRICS;
    let (mut late, mut took) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        scope.spawn(busy(|_| get_positions()));
        scope.spawn(busy(|_| drop(std::thread::spawn(get_positions).join())));
        scope.spawn(busy(|n| {
            let symbol = format!("SYMBOL{}", n % 500);
            METRICS.event(Severity::Info, EventType::OrderFilled).symbol(&symbol).record();
        }));
        scope.spawn(busy(|_| drop(METRICS.exposition())));
        for child in 0..children {
            let start = Instant::now();
            if let Err(what) = fork_and(records_and_scrapes) {
                late.push(format!("child {child}: {what}"));
            }
            took.push(start.elapsed());
        }
        done.store(true, Relaxed);
    });
    took.sort_unstable();
    println!("{children} children: p50 {:?}, longest {:?}", took[children / 2], took[children - 1]);
    assert!(late.is_empty(), "{late:?}");
}

fn records_and_scrapes() -> bool {
    // The parent makes none of these calls.
    (0..3).for_each(|_| get_balances());
    requests("get_balances", "ok") == 3.0 && in_flight("get_balances") == 0.0
}

/// The state of a child forked while another thread of its parent records for the first time, which includes the
/// calibration of the clock. Each moment of the fork has its own process.
#[test]
fn children_forked_during_the_first_recording_record_and_scrape() {
    const MOMENT: &str = "BOT_METRICS_TEST_FORKS_AFTER_MICROSECONDS";
    let _no_other = NO_FORKS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Ok(microseconds) = std::env::var(MOMENT) {
        let moment = Duration::from_micros(microseconds.parse().expect("a number"));
        let work = if microseconds.ends_with('1') { first_instance } else { first_of_everything };
        let first = std::thread::spawn(work);
        std::thread::sleep(moment);
        assert_eq!(fork_and(work), Ok(()));
        assert!(first.join().expect("it does not panic"));
        return;
    }
    let moments = if full() { 0..400 } else { 0..20 };
    // Covers the 20 ms of the calibration, and the time before and after it.
    let step = 26_000 / moments.end / 10 * 10;
    for moment in moments.map(|moment| moment * step).flat_map(|moment| [moment, moment + 1]) {
        let this_test = std::env::current_exe().expect("a path");
        let child = std::process::Command::new(this_test)
            .args(["--exact", "forks::children_forked_during_the_first_recording_record_and_scrape"])
            .env(MOMENT, moment.to_string())
            .output()
            .expect("it starts");
        assert!(child.status.success(), "forked after {moment} us: {child:?}");
    }
}

#[operational_event(type = "STARTED", severity = "INFO")]
fn started() {}

fn first_of_everything() -> bool {
    get_positions();
    started();
    let metrics = Settings::new(Mode::Paper).install().expect("the same settings each time");
    metrics.exposition().contains("operation=\"get_positions\"")
}

/// The clock is also used outside the process-wide instance.
fn first_instance() -> bool {
    let metrics = Settings::new(Mode::Paper).build().expect("settings that are allowed");
    metrics.exchange_call(labels::Exchange::Kraken, labels::Operation::GetTrades).start().finish(Outcome::Ok);
    metrics.exposition().contains("operation=\"get_trades\"")
}

fn fork_and(work: fn() -> bool) -> Result<(), &'static str> {
    // SAFETY: the child calls only functions that this library promises to work there, and `_exit`.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let done = work();
        // SAFETY: it ends the child without running destructors of the parent twice.
        unsafe { libc::_exit(i32::from(!done)) }
    }
    let deadline = Instant::now() + Duration::from_millis(if cfg!(debug_assertions) { 2_000 } else { 100 });
    let mut status = 0;
    while Instant::now() < deadline {
        // SAFETY: `status` is valid for writing.
        if unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) } == pid {
            return if status == 0 { Ok(()) } else { Err("did not scrape what it recorded") };
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    // SAFETY: the child is ours and was not waited for yet.
    unsafe {
        libc::kill(pid, libc::SIGKILL);
        libc::waitpid(pid, &raw mut status, 0);
    }
    Err("hangs")
}

/// The child has copies of the server's descriptors.
#[cfg(target_os = "linux")]
#[test]
fn a_forked_child_keeps_neither_the_port_nor_the_connections_of_a_server() {
    let _no_other = NO_FORKS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let server = METRICS.serve("127.0.0.1:0").expect("a free port");
    let address = server.local_addr();
    let mut idle = TcpStream::connect(address).expect("it listens");
    idle.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout above zero");
    idle.write_all(b"GET /-/ready HTTP/1.1\r\nHost: bot\r\n\r\n").expect("it reads");
    idle.read_exact(&mut [0]).expect("an answer");
    // SAFETY: the child calls only functions that are allowed after a fork.
    let child = unsafe { libc::fork() };
    if child == 0 {
        loop {
            // SAFETY: it only waits for a signal.
            unsafe { libc::pause() };
        }
    }
    server.shutdown();
    let refused = TcpStream::connect(address);
    let ended = idle.read_to_end(&mut Vec::new());
    let again = METRICS.serve(address);
    // SAFETY: the child is ours and was not waited for yet; `null` is allowed for the status.
    unsafe {
        libc::kill(child, libc::SIGKILL);
        libc::waitpid(child, std::ptr::null_mut(), 0);
    }
    assert_eq!(refused.expect_err("the port is free").kind(), std::io::ErrorKind::ConnectionRefused);
    ended.expect("the connection ends");
    drop(again.expect("the port is free"));
}

/// Calls that begin on the forking thread and end on another one are balanced only by that thread's count, which the
/// child keeps.
#[test]
fn in_a_forked_child_calls_that_ended_on_another_thread_are_not_in_flight() {
    let _no_other = NO_FORKS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let call = METRICS.exchange_call(labels::Exchange::Kraken, labels::Operation::ReplaceOrder);
    let (hand_over, guards) = mpsc::channel::<bot_metrics::CallGuard<'_>>();
    let (ended, wait) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for guard in guards {
                guard.finish(Outcome::Ok);
                ended.send(()).expect("it waits");
            }
        });
        for _ in 0..5 {
            hand_over.send(call.start()).expect("it takes them");
            wait.recv().expect("it ends");
        }
        assert_eq!(in_flight("replace_order"), 0.0);
        assert_eq!(fork_and(|| in_flight("replace_order") == 0.0), Ok(()));
        let _one = call.start();
        assert_eq!(fork_and(|| in_flight("replace_order") == 1.0), Ok(()), "it continues in the child");
        drop(hand_over);
    });
}

#[timed_subsystem("trading", max_age = "1h")]
fn trading(until: &mpsc::Receiver<()>, inside: impl FnOnce()) {
    inside();
    let _ = until.recv();
}

/// The forking thread's run continues in the child; all others are the parent's.
#[test]
fn in_a_forked_child_the_parents_runs_are_not_in_progress() {
    let is_running = || {
        let trading = METRICS.health().into_iter().find(|health| health.subsystem == "trading");
        trading.expect("it is linked").running_for.is_some()
    };
    let (release, until) = mpsc::channel();
    let (begun, beginning) = mpsc::channel();
    let other = std::thread::spawn(move || trading(&until, || begun.send(()).expect("it waits")));
    beginning.recv().expect("it begins");
    let (ended, at_once) = mpsc::channel();
    drop(ended);
    let child_fails = |check: &dyn Fn() -> bool| {
        // SAFETY: the child calls only functions that this library promises to work there, and `_exit`.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            // SAFETY: it ends the child without running destructors of the parent twice.
            unsafe { libc::_exit(i32::from(!check())) }
        }
        let mut status = 0;
        // SAFETY: `status` is valid for writing.
        unsafe { libc::waitpid(pid, &raw mut status, 0) };
        status
    };
    assert!(is_running());
    assert_eq!(child_fails(&|| !is_running()), 0);
    assert_eq!(
        child_fails(&|| {
            trading(&at_once, || {});
            !is_running()
        }),
        0
    );
    trading(&at_once, || assert_eq!(child_fails(&|| is_running()), 0));
    // A grandchild, forked by a thread whose address one of the parent's threads had.
    let grandchild = || {
        std::thread::spawn(move || {
            // SAFETY: as above.
            let pid = unsafe { libc::fork() };
            if pid == 0 {
                // SAFETY: as above.
                unsafe { libc::_exit(i32::from(is_running())) }
            }
            let mut status = 0;
            // SAFETY: as above.
            unsafe { libc::waitpid(pid, &raw mut status, 0) };
            status == 0
        })
        .join()
        .expect("it waits")
    };
    assert_eq!(child_fails(&grandchild), 0);
    assert!(is_running(), "it continues here");
    drop(release);
    other.join().expect("it ends");
    assert!(!is_running());
}
