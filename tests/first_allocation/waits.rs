//! An allocator that waits while its thread creates a shard of a call series: the calls in progress exclude the wait.

use std::process::Command;
use std::thread;
use std::time::Duration;

use bot_metrics::assert_metric;
use bot_metrics::labels::{Exchange, Operation};
use bot_metrics::prelude::*;

use crate::{NESTED, RECORDS, ends_well};

const WAIT: Duration = Duration::from_millis(200);

const CHILD: &str = "BOT_METRICS_TEST_ALLOCATOR_WAITS";

fn wait() {
    let waiting = bot_metrics::local_wait();
    thread::sleep(WAIT);
    drop(waiting);
}

#[exchange_call(op = "get_order_book", exchange = "kraken")]
fn around(inner: &bot_metrics::ExchangeCallHandle) {
    NESTED.set(false);
    RECORDS.set(Some(wait));
    let attempt = inner.start();
    RECORDS.set(None);
    attempt.finish(Outcome::Ok);
}

#[test]
fn a_wait_of_an_allocator_during_the_first_call_of_another_series_is_excluded() {
    if std::env::var_os(CHILD).is_none() {
        let mut child = Command::new(std::env::current_exe().expect("a path"));
        child.args([
            "--exact",
            "waits::a_wait_of_an_allocator_during_the_first_call_of_another_series_is_excluded",
        ]);
        return ends_well(child.env(CHILD, "1"), "waits");
    }
    // Takes the lowest numbers, so that the thread's list of shards has no spare capacity after the outer call began.
    let separate = Settings::new(Mode::Paper).build().expect("valid settings");
    let operations =
        [Operation::PlaceOrder, Operation::GetOrder, Operation::CancelOrder, Operation::GetTrades];
    let _handles = operations.map(|operation| separate.exchange_call(Exchange::Okx, operation));
    let metrics = Settings::new(Mode::Paper).install().expect("one installation");
    let inner = metrics.exchange_call(Exchange::Okx, Operation::PlaceOrder);
    thread::scope(|scope| scope.spawn(|| around(&inner)).join().expect("no panic"));
    assert_metric!(
        metrics,
        "bytelyst_bot_exchange_api_latency_seconds_sum{operation='get_order_book'}",
        ..WAIT.as_secs_f64()
    );
}
