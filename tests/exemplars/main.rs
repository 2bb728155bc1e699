//! Exemplars, whose source is that of the process.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::sync::Once;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bot_metrics::exemplars::{self, Exemplar};
use bot_metrics::labels::{Exchange, Operation, Subsystem};
use bot_metrics::prelude::*;
use bot_metrics::server::{Format, Server, ServerOptions};
use bot_metrics::testing::{ManualClock, Samples, instance};

metrics! {
    /// Time to decide, in seconds.
    pub histogram decision_seconds buckets(0.1, 1)
}

thread_local! {
    static TRACE: RefCell<Option<&'static str>> = const { RefCell::new(None) };
    static ASKED: Cell<u32> = const { Cell::new(0) };
}

/// A source with the trace of the thread.
fn set_source() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        exemplars::set_source(|| {
            ASKED.set(ASKED.get() + 1);
            let trace = TRACE.with_borrow(|trace| *trace)?;
            assert_ne!(trace, "panic");
            decision_seconds().observe(0.5);
            Exemplar::new([("trace_id", trace), ("bot", "a\"b")]).ok()
        })
        .expect("it is the first one");
    });
}

/// The number of times the source is asked in `work`, inside a trace.
fn asked_in(trace: &'static str, work: impl FnOnce()) -> u32 {
    set_source();
    let before = ASKED.get();
    TRACE.set(Some(trace));
    work();
    TRACE.set(None);
    ASKED.get() - before
}

fn serve(metrics: &Metrics) -> Server {
    let options = ServerOptions::new().formats([Format::Text, Format::OpenMetrics, Format::Protobuf]);
    metrics.serve_with("127.0.0.1:0", options).expect("a free port")
}

fn page(server: &Server, format: Format) -> Vec<u8> {
    let url = format!("http://{}/metrics", server.local_addr());
    let answer = ureq::get(url).header("Accept", format.content_type()).call();
    answer.expect("it answers").body_mut().read_to_vec().expect("a page")
}

/// The exemplars of a family's buckets in OpenMetrics, each as the bound, the count and the exemplar without its time.
fn found(server: &Server, family: &str) -> Vec<String> {
    let page = page(server, Format::OpenMetrics);
    let _ = Samples::parse_page(&page, Format::OpenMetrics).expect("a sound page");
    let page = String::from_utf8(page).expect("UTF-8");
    let lines = page.lines().filter(|line| line.starts_with(&format!("bytelyst_bot_{family}_bucket")));
    lines
        .filter_map(|line| {
            let (sample, exemplar) = line.split_once(" # ")?;
            let (exemplar, time) = exemplar.rsplit_once(' ').expect("a time");
            let time: f64 = time.parse().expect("a number");
            assert!(time > 1.7e9, "{line}");
            let bound = sample.split("le=\"").nth(1).expect("a bound").replace("\"}", "");
            Some(format!("{bound} {exemplar}"))
        })
        .collect()
}

fn call(metrics: &Metrics, clock: &ManualClock, lasts: Duration) {
    let handle = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    let attempt = handle.start();
    clock.advance(lasts);
    attempt.finish(Outcome::Ok);
}

const LATENCY: &str = "exchange_api_latency_seconds";

const SHORT: Duration = Duration::from_millis(1);

#[test]
fn a_bucket_has_one_new_exemplar_for_each_scrape() {
    let (metrics, clock) = instance();
    let server = serve(&metrics);
    assert_eq!(asked_in("one", || call(&metrics, &clock, SHORT)), 1);
    assert_eq!(asked_in("two", || (0..5).for_each(|_| call(&metrics, &clock, SHORT))), 0, "one is taken");
    let one = r#"0.005 6 {trace_id="one",bot="a\"b"} 0.001"#;
    assert_eq!(found(&server, LATENCY), [one]);
    assert_eq!(found(&server, LATENCY), [one], "another scraper receives it too");
    assert_eq!(asked_in("three", || (0..5).for_each(|_| call(&metrics, &clock, SHORT))), 1);
    assert_eq!(found(&server, LATENCY), [r#"0.005 11 {trace_id="three",bot="a\"b"} 0.001"#]);
}

#[test]
fn the_text_format_has_none_and_does_not_use_them_up() {
    let (metrics, clock) = instance();
    let server = serve(&metrics);
    asked_in("one", || call(&metrics, &clock, SHORT));
    let text = String::from_utf8(page(&server, Format::Text)).expect("UTF-8");
    assert!(!text.contains("trace_id"), "{text}");
    assert_eq!(asked_in("two", || call(&metrics, &clock, SHORT)), 0);
    assert_eq!(found(&server, LATENCY).len(), 1);
}

#[test]
fn each_bucket_has_its_own_and_the_last_one_too() {
    let (metrics, clock) = instance();
    let server = serve(&metrics);
    for (trace, ms) in [("quick", 1), ("slow", 300), ("slowest", 3_600_000)] {
        asked_in(trace, || call(&metrics, &clock, Duration::from_millis(ms)));
    }
    let expected = [
        r#"0.005 1 {trace_id="quick",bot="a\"b"} 0.001"#,
        r#"0.3 2 {trace_id="slow",bot="a\"b"} 0.3"#,
        r#"+Inf 3 {trace_id="slowest",bot="a\"b"} 3600"#,
    ];
    assert_eq!(found(&server, LATENCY), expected);
    let protobuf = page(&server, Format::Protobuf);
    let _ = Samples::parse_page(&protobuf, Format::Protobuf).expect("a sound page");
    for trace in ["quick", "slow", "slowest"] {
        let count = protobuf.windows(trace.len()).filter(|bytes| *bytes == trace.as_bytes()).count();
        assert_eq!(count, if trace == "slow" { 2 } else { 1 }, "{trace}");
    }
}

#[test]
fn without_a_trace_there_is_none() {
    let (metrics, clock) = instance();
    let server = serve(&metrics);
    set_source();
    call(&metrics, &clock, SHORT);
    assert_eq!(found(&server, LATENCY), [""; 0]);
}

/// The storage of a series is used again by later instances.
#[test]
fn a_new_instance_has_none_of_an_earlier_one() {
    for round in 0..20 {
        let (metrics, clock) = instance();
        let server = serve(&metrics);
        set_source();
        call(&metrics, &clock, SHORT);
        assert_eq!(found(&server, LATENCY), [""; 0], "round {round}");
        asked_in("earlier", || call(&metrics, &clock, SHORT));
    }
}

#[test]
fn a_source_that_panics_costs_only_the_exemplar() {
    let (metrics, clock) = instance();
    let server = serve(&metrics);
    assert_eq!(asked_in("panic", || call(&metrics, &clock, SHORT)), 1);
    assert_eq!(found(&server, LATENCY), [""; 0]);
    let calls = Samples::of(&metrics).sum("bytelyst_bot_exchange_api_latency_seconds_count", &[]);
    assert_eq!(calls, 1.0);
    asked_in("sound", || call(&metrics, &clock, SHORT));
    assert_eq!(found(&server, LATENCY).len(), 1);
}

#[test]
fn runs_of_subsystems_have_them_unless_they_are_not_observed() {
    let (metrics, clock) = instance();
    let server = serve(&metrics);
    let trading = metrics.subsystem(Subsystem::Trading);
    let run = |outcome| {
        let run = trading.start();
        clock.advance(Duration::from_millis(700));
        run.finish(outcome);
    };
    assert_eq!(asked_in("skipped", || run(Outcome::Skipped)), 0);
    assert_eq!(asked_in("failed", || run(Outcome::Error)), 1);
    assert_eq!(found(&server, "subsystem_duration_seconds"), [r#"1.0 1 {trace_id="failed",bot="a\"b"} 0.7"#]);
}

#[exchange_call(op = "get_ticker", exchange = "okx")]
async fn ticker() {
    let mut is_ready = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut is_ready, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[timed(decision_seconds)]
fn decide() {}

/// Only this test may observe the declared family outside the source.
#[test]
fn annotated_functions_have_them() {
    let metrics = Settings::new(Mode::Paper).install().expect("the first one");
    let server = serve(&metrics);
    let asked = asked_in("future", || {
        let mut future = pin!(ticker());
        let mut cx = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut cx).is_pending());
        assert!(future.as_mut().poll(&mut cx).is_ready());
    });
    assert_eq!(asked, 1);
    let latency = found(&server, LATENCY);
    assert!(matches!(&*latency, [one] if one.contains("{trace_id=\"future\"")), "{latency:?}");
    assert_eq!(asked_in("timed", decide), 1);
    let decisions = found(&server, "decision_seconds");
    assert!(
        matches!(&*decisions, [one] if one.starts_with("0.1 ") && one.contains("timed")),
        "{decisions:?}"
    );
}

#[test]
fn a_second_source_is_refused() {
    set_source();
    let refused = exemplars::set_source(|| None).expect_err("there is one").to_string();
    assert_eq!(refused, "the source of exemplars is set already: call `exemplars::set_source` once");
}
