//! Situations in which a naive thread-local aborts the process or deadlocks.

use std::cell::RefCell;

use bot_metrics::prelude::*;
use bot_metrics::{Symbol, metrics};

use crate::allocator::recording;
use crate::{METRICS, in_flight, requests};

#[exchange_call(op = "get_account", exchange = "kraken")]
fn get_account() {}

struct Records;

impl Drop for Records {
    fn drop(&mut self) {
        get_account();
    }
}

/// A destructor that runs before the library's own finds the thread's shard, and one that runs after it finds none.
#[test]
fn thread_local_destructors_record() {
    thread_local! {
        static EARLIER: RefCell<Option<Records>> = const { RefCell::new(None) };
        static LATER: RefCell<Option<Records>> = const { RefCell::new(None) };
    }
    let _metrics = &*METRICS;
    let before = requests("get_account", "ok");
    for _ in 0..20 {
        let thread = || {
            EARLIER.set(Some(Records));
            get_account();
            LATER.set(Some(Records));
        };
        std::thread::spawn(thread).join().expect("it ends well");
    }
    assert_eq!(requests("get_account", "ok") - before, 60.0);
    assert_eq!(in_flight("get_account"), 0.0);
}

/// The guard is dropped at the thread's end together with its owner.
#[test]
fn a_guard_that_a_destructor_drops_ends_its_attempt() {
    thread_local! {
        static HELD: RefCell<Option<Box<dyn std::any::Any>>> = const { RefCell::new(None) };
    }
    struct Attempt(bot_metrics::ExchangeCallHandle);
    impl Drop for Attempt {
        fn drop(&mut self) {
            self.0.start().finish(Outcome::Timeout);
        }
    }
    let call = METRICS.exchange_call(labels::Exchange::Kraken, labels::Operation::Subscribe);
    let thread = move || HELD.set(Some(Box::new(Attempt(call))));
    std::thread::spawn(thread).join().expect("it ends well");
    assert_eq!((requests("subscribe", "timeout"), in_flight("subscribe")), (1.0, 0.0));
}

#[exchange_call(op = "get_trades", exchange = "kraken")]
fn get_trades() {}

/// An allocator that records is called while a thread's shard is created, and while a scrape holds locks.
#[test]
fn an_allocator_that_records_neither_deadlocks_nor_recurses() {
    let _metrics = &*METRICS;
    let before = requests("get_candles", "ok");
    let threads: Vec<_> = (0..8)
        .map(|_| {
            std::thread::spawn(|| {
                recording(|| {
                    get_trades();
                    drop(METRICS.exposition());
                });
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("it ends well");
    }
    assert!(requests("get_candles", "ok") > before);
    assert_eq!((in_flight("get_candles"), in_flight("get_trades")), (0.0, 0.0));
    assert_eq!(requests("get_trades", "ok"), 8.0);
}

#[exchange_call(op = "get_order_book", exchange = "kraken")]
fn get_order_book() {}

metrics! {
    /// Recordings after the end of `main`.
    counter endings_total { symbol: Symbol }
}

/// In a separate process, whose thread-locals are destroyed when this is called.
#[test]
fn a_function_called_after_main_records() {
    const ENDS: &str = "BOT_METRICS_TEST_RECORDS_AFTER_MAIN";
    const TOLD: &str = "recorded after main";
    extern "C" fn after_main() {
        get_order_book();
        endings_total("LAST").increment();
        let text = METRICS.exposition();
        let is = |series: &str| text.lines().any(|line| line.contains(series) && line.ends_with(" 2"));
        if is("requests_total{exchange=\"kraken\",operation=\"get_order_book\",outcome=\"ok\"")
            && is("endings_total{symbol=\"LAST\"")
        {
            println!("{TOLD}");
        }
    }
    if std::env::var_os(ENDS).is_some() {
        let _metrics = &*METRICS;
        get_order_book();
        endings_total("LAST").increment();
        // SAFETY: the function lives as long as the process and does not unwind.
        assert_eq!(unsafe { libc::atexit(after_main) }, 0);
        // As at the end of `main`, this thread's thread-locals are destroyed first.
        std::process::exit(0);
    }
    let ended = std::process::Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", "--nocapture", "places::a_function_called_after_main_records"])
        .env(ENDS, "1")
        .output()
        .expect("it starts");
    assert!(ended.status.success(), "{ended:?}");
    assert!(String::from_utf8_lossy(&ended.stdout).contains(TOLD), "{ended:?}");
}

#[exchange_call(op = "get_server_time", exchange = "kraken")]
fn get_server_time() {}

#[test]
fn a_panic_hook_records() {
    let _metrics = &*METRICS;
    std::panic::set_hook(Box::new(|_| get_server_time()));
    let panicked = std::thread::spawn(|| panic!("on purpose")).join();
    drop(std::panic::take_hook());
    assert!(panicked.is_err());
    assert!(requests("get_server_time", "ok") >= 1.0);
}
