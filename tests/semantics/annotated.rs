//! Behaviour that attributes have and handles do not, in the process-wide instance, which all tests here share.

use std::future::{Future, pending};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread::{sleep, spawn};
use std::time::Duration;

use bot_metrics::testing::{Samples, flush_reports, instance};
use bot_metrics::{LabelValue, SubsystemHealth, assert_metric, prelude::*};

mod labels {
    use bot_metrics::LabelValue;

    #[derive(Clone, Copy, Debug, LabelValue)]
    pub(crate) enum Subsystem {
        Disabled,
        DisabledAndRun,
        HangsBesideOthers,
        Between,
        Migrates,
    }
}

pub(crate) static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
    use labels::Subsystem::{Disabled, DisabledAndRun};
    Settings::new(Mode::Paper)
        .disable(Disabled)
        .disable(DisabledAndRun)
        .on_report(Arc::new(told))
        .install()
        .expect("one installation")
});

fn subsystem_gauge(name: &str, subsystem: &str) -> Option<f64> {
    Samples::of(&METRICS).value(name, &[("subsystem", subsystem)])
}

fn health(subsystem: labels::Subsystem) -> Option<SubsystemHealth> {
    METRICS.health().into_iter().find(|health| health.subsystem == subsystem.as_str())
}

#[timed_subsystem("disabled", every = "5s")]
fn disabled() {}

#[timed_subsystem("disabled_and_run", every = "5s")]
fn disabled_and_run() {}

#[test]
fn an_optional_subsystem_that_is_not_started_is_left_out() {
    let series = |subsystem| {
        Samples::of(&METRICS)
            .iter()
            .any(|(series, _)| series.labels.get("subsystem").is_some_and(|label| label == subsystem))
    };
    assert!(!series("disabled"));
    let _ = disabled;
    assert!(!series("disabled_and_run"));
    disabled_and_run();
    assert_eq!(
        subsystem_gauge("bytelyst_bot_subsystem_alive", "disabled_and_run"),
        Some(1.0),
        "and counts from its first run"
    );
    assert_eq!(subsystem_gauge("bytelyst_bot_subsystem_max_age_seconds", "disabled_and_run"), Some(15.0));
}

#[timed_subsystem("hangs_beside_others", max_age = "60ms")]
fn hangs_beside_others(until: &mpsc::Receiver<()>) {
    let _ = until.recv();
}

#[test]
fn a_single_run_that_hangs_is_detected_although_others_progress() {
    let _ = &*METRICS;
    let (release, until) = mpsc::channel();
    let hung = spawn(move || hangs_beside_others(&until));
    let others = || {
        let (ended, until) = mpsc::channel();
        drop(ended);
        hangs_beside_others(&until);
    };
    for _ in 0..100 {
        others();
        sleep(Duration::from_millis(1));
    }
    let seen = health(labels::Subsystem::HangsBesideOthers).expect("registered");
    assert!(seen.is_alive(), "the others succeed");
    assert!(seen.hung_for.is_some_and(|hung| hung >= Duration::from_millis(90)), "{seen:?}");
    drop(release);
    hung.join().expect("it ends");
    let seen = health(labels::Subsystem::HangsBesideOthers).expect("registered");
    assert_eq!((seen.hung_for, seen.running_for), (None, None));
}

#[timed_subsystem("migrates", max_age = "40ms")]
async fn migrates(ends: bool) {
    if !ends {
        pending::<()>().await;
    }
    let mut first = true;
    std::future::poll_fn(|_| if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) }).await;
}

#[test]
fn runs_that_go_from_thread_to_thread_leave_none_in_progress_and_one_that_hangs_is_detected() {
    let _ = &*METRICS;
    let poll = |future: &mut std::pin::Pin<Box<dyn Future<Output = ()> + Send>>| {
        future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
    };
    for _ in 0..20 {
        let mut run: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(migrates(true));
        assert!(!poll(&mut run));
        spawn(move || assert!(poll(&mut run))).join().expect("it ended there");
    }
    sleep(Duration::from_millis(50));
    let seen = health(labels::Subsystem::Migrates).expect("registered");
    assert_eq!((seen.running_for, seen.hung_for), (None, None));
    let mut hangs = pin!(migrates(false));
    assert!(hangs.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    sleep(Duration::from_millis(50));
    assert!(health(labels::Subsystem::Migrates).expect("registered").hung_for.is_some());
}

mod picked {
    pub(crate) mod labels {
        use bot_metrics::LabelValue;

        #[derive(Clone, Copy, Debug, LabelValue)]
        pub(crate) enum Subsystem {
            Contradicts,
        }
    }
}

#[timed_subsystem(which, max_age = "7s", labels = crate::annotated::picked::labels)]
fn picks(which: picked::labels::Subsystem) {}

/// The reported lines.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn told(line: &str) {
    // A hook that records to the reported site does not wait.
    picks(picked::labels::Subsystem::Contradicts);
    let _ = METRICS_ARE_THERE.get().map(Metrics::exposition);
    TOLD.lock().expect("no hook panics").push(line.to_owned());
}

static METRICS_ARE_THERE: OnceLock<Metrics> = OnceLock::new();

#[test]
fn an_age_of_a_site_chosen_at_run_time_counts_from_install_on_and_no_handle_contradicts_it() {
    let metrics = METRICS_ARE_THERE.get_or_init(|| METRICS.clone());
    let subsystem = picked::labels::Subsystem::Contradicts;
    let handle = metrics.subsystem(subsystem);
    assert_eq!(subsystem_gauge("bytelyst_bot_subsystem_max_age_seconds", "contradicts"), Some(7.0));
    assert!(handle.with_max_age(Duration::from_secs(3)).is_err());
    picks(subsystem);
    flush_reports(metrics);
    let told = TOLD.lock().expect("no hook panics");
    assert!(!told.iter().any(|line| line.contains("contradicts")), "{told:?}");
}

mod calls {
    //! Attempts of annotated functions: local waits, retries and deadlines. Sums are compared with deliberate sleeps,
    //! which are many times longer than the delays of a busy machine.

    use std::io;
    use std::time::Instant;

    use bot_metrics::{local_wait, with_deadline, with_timeout};

    use super::*;

    const WAIT: Duration = Duration::from_millis(300);

    pub(super) mod labels {
        use bot_metrics::LabelValue;
        pub(crate) use bot_metrics::labels::Exchange;

        #[derive(Clone, Copy, Debug, LabelValue)]
        pub(crate) enum Operation {
            Outer,
            Inner,
            Quick,
            OuterFuture,
            InnerFuture,
            Beside,
            Panics,
            Retried,
            TimesOut,
            IsCancelled,
            OuterOfTimeout,
            CutOff,
            BeganBefore,
            PanicsLater,
            AroundFuture,
            Joins,
            Joined,
            JoinsNothing,
            Reenters,
        }
    }

    fn calls(name: &str, operation: &str) -> f64 {
        let name = format!("bytelyst_bot_exchange_api_{name}");
        Samples::of(&METRICS).sum(&name, &[("operation", operation)])
    }

    fn requests(operation: &str, outcome: &str) -> f64 {
        let labels = [("operation", operation), ("outcome", outcome)];
        Samples::of(&METRICS).sum("bytelyst_bot_exchange_api_requests_total", &labels)
    }

    #[exchange_call(op = "outer", exchange = "kraken")]
    fn outer() -> io::Result<()> {
        between()?;
        // A nested wait counts once.
        let _waiting = local_wait();
        let _inside = local_wait();
        sleep(WAIT);
        Ok(())
    }

    #[timed_subsystem("between", labels = super::labels)]
    fn between() -> io::Result<()> {
        inner()
    }

    #[exchange_call(op = "inner", exchange = "kraken")]
    fn inner() -> io::Result<()> {
        let waiting = local_wait();
        sleep(WAIT);
        drop(waiting);
        Err(io::ErrorKind::TimedOut.into())
    }

    #[exchange_call(op = "panics", exchange = "kraken")]
    fn panics() {
        let _waiting = local_wait();
        sleep(WAIT);
        panic!("on purpose");
    }

    #[exchange_call(op = "quick", exchange = "kraken")]
    fn quick(wait: Duration) {
        let _waiting = local_wait();
        sleep(wait);
    }

    #[test]
    fn local_waiting_is_subtracted_through_nested_calls_however_they_end() {
        let _ = &*METRICS;
        for _ in 0..2 {
            assert!(outer().is_err());
            assert!(std::panic::catch_unwind(panics).is_err());
        }
        for operation in ["outer", "inner", "panics"] {
            assert_eq!(calls("latency_seconds_count", operation), 2.0);
            let seconds = calls("latency_seconds_sum", operation);
            assert!(seconds < 0.5 * WAIT.as_secs_f64(), "{operation}: {seconds} s");
        }
        let started = Instant::now();
        assert!(outer().is_err());
        assert!(started.elapsed() >= WAIT, "it did wait");
    }

    #[test]
    fn waits_shorter_than_the_first_bucket_are_subtracted_too_and_later_calls_are_unaffected() {
        let _ = &*METRICS;
        let (calls_made, wait) = (100, Duration::from_millis(2));
        let started = Instant::now();
        (0..calls_made).for_each(|_| quick(wait));
        let (waited, seconds) = (started.elapsed(), calls("latency_seconds_sum", "quick"));
        assert!(waited >= wait * calls_made);
        assert!(seconds < 0.5 * f64::from(calls_made) * wait.as_secs_f64(), "{seconds} s of {waited:?}");
        assert_eq!(calls("latency_seconds_count", "quick"), f64::from(calls_made));
    }

    #[exchange_call(op = "outer_future", exchange = "kraken")]
    async fn outer_future() -> io::Result<()> {
        inner_future().await
    }

    #[exchange_call(op = "inner_future", exchange = "kraken")]
    async fn inner_future() -> io::Result<()> {
        let waiting = local_wait();
        tokio::time::sleep(WAIT).await;
        drop(waiting);
        Ok(())
    }

    #[exchange_call(op = "beside", exchange = "kraken")]
    async fn beside() {
        tokio::time::sleep(WAIT).await;
    }

    #[test]
    fn local_waiting_of_a_future_is_separate_from_concurrent_futures() {
        let _ = &*METRICS;
        for threads in [1, 2] {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(threads)
                .enable_time()
                .build()
                .expect("it starts");
            runtime.block_on(async {
                let tasks: Vec<_> = (0..5)
                    .flat_map(|_| {
                        [
                            tokio::spawn(async { outer_future().await.is_ok() }),
                            tokio::spawn(async {
                                beside().await;
                                true
                            }),
                        ]
                    })
                    .collect();
                for task in tasks {
                    assert!(task.await.expect("no task panics"));
                }
            });
        }
        for operation in ["outer_future", "inner_future"] {
            let seconds = calls("latency_seconds_sum", operation);
            assert!(seconds < 5.0 * WAIT.as_secs_f64(), "{operation}: {seconds} s");
        }
        let seconds = calls("latency_seconds_sum", "beside");
        assert!(seconds >= 10.0 * WAIT.as_secs_f64(), "not its waiting: {seconds} s");
        assert_eq!(calls("in_flight", "outer_future"), 0.0);
    }

    #[exchange_call(op = "cut_off", exchange = "kraken")]
    async fn cut_off() {
        let _waiting = local_wait();
        pending::<()>().await;
    }

    #[exchange_call(op = "began_before", exchange = "kraken")]
    async fn began_before(waiting: bot_metrics::LocalWait) {
        tokio::time::sleep(WAIT).await;
        drop(waiting);
        sleep(WAIT);
    }

    #[exchange_call(op = "panics_later", exchange = "kraken")]
    async fn panics_later() {
        drop({
            let waiting = local_wait();
            sleep(WAIT);
            waiting
        });
        panic!("on purpose");
    }

    #[test]
    fn local_waiting_of_a_future_is_subtracted_however_it_ends_and_no_more_than_its_own() {
        let _ = &*METRICS;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("it starts");
        let seconds = |operation| calls("latency_seconds_sum", operation) / WAIT.as_secs_f64();
        assert!(runtime.block_on(async { with_timeout(WAIT, cut_off()).await }).is_err());
        assert!(seconds("cut_off") < 0.5, "{} waits", seconds("cut_off"));

        let waiting = local_wait();
        sleep(2 * WAIT);
        runtime.block_on(began_before(waiting));
        assert!(seconds("began_before") > 0.9, "{} waits", seconds("began_before"));

        let panicked = std::panic::catch_unwind(|| runtime.block_on(panics_later()));
        assert!(panicked.is_err());
        assert!(seconds("panics_later") < 0.5, "{} waits", seconds("panics_later"));
        assert_eq!(requests("panics_later", "panic"), 1.0);
        assert_eq!(calls("in_flight", "panics_later"), 0.0);
        let metrics = Settings::new(Mode::Paper).build().expect("settings that are allowed");
        let call = metrics.exchange_call(labels::Exchange::Kraken, labels::Operation::Inner);
        let attempt = call.start();
        let waiting = local_wait();
        sleep(WAIT);
        drop(waiting);
        attempt.finish(Outcome::Ok);
        let seconds = Samples::of(&metrics).sum("bytelyst_bot_exchange_api_latency_seconds_sum", &[]);
        assert!(seconds < 0.5 * WAIT.as_secs_f64(), "outside any future again: {seconds} s");
    }

    /// Records the latency of a synchronous call and of the future that it blocks on in one series.
    #[exchange_call(op = "around_future", exchange = "kraken")]
    fn around_future(runtime: &tokio::runtime::Runtime) {
        let waiting = local_wait();
        sleep(WAIT);
        drop(waiting);
        runtime.block_on(inside());
        runtime.block_on(inside());
    }

    #[exchange_call(op = "around_future", exchange = "kraken")]
    async fn inside() {
        let _waiting = local_wait();
        tokio::time::sleep(WAIT).await;
    }

    #[test]
    fn a_synchronous_call_subtracts_its_own_waits_and_those_of_futures_that_it_blocks_on() {
        let _ = &*METRICS;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("it starts");
        around_future(&runtime);
        let seconds = calls("latency_seconds_sum", "around_future");
        assert_eq!(calls("latency_seconds_count", "around_future"), 3.0);
        assert!(seconds < 0.5 * WAIT.as_secs_f64(), "{seconds} s");
    }

    #[exchange_call(op = "joins", exchange = "kraken")]
    async fn joins() {
        tokio::time::sleep(2 * WAIT).await;
        tokio::join!(joined(1), joined(2));
    }

    /// A wait with a nested one, beside a request that takes twice as long.
    #[exchange_call(op = "joined", exchange = "kraken")]
    async fn joined(waits: u32) {
        let waiting = local_wait();
        let inside = local_wait();
        tokio::time::sleep(WAIT).await;
        drop(inside);
        tokio::time::sleep(waits * WAIT).await;
        drop(waiting);
        tokio::time::sleep(WAIT).await;
    }

    #[exchange_call(op = "joins_nothing", exchange = "kraken")]
    async fn joins_nothing() {
        let wait = |waits: u32| async move {
            let _waiting = local_wait();
            tokio::time::sleep(waits * WAIT).await;
        };
        tokio::time::sleep(2 * WAIT).await;
        tokio::join!(wait(1), wait(2), wait(3));
    }

    #[test]
    fn waits_of_one_future_at_the_same_time_are_subtracted_once() {
        let _ = &*METRICS;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("it starts");
        runtime.block_on(joins());
        runtime.block_on(joins_nothing());
        let waits = |operation| calls("latency_seconds_sum", operation) / WAIT.as_secs_f64();
        let within = |waits: f64, least: f64| waits >= least - 0.05 && waits < least + 0.5;
        assert!(within(waits("joined"), 2.0), "{} waits", waits("joined"));
        assert!(within(waits("joins"), 3.0), "{} waits", waits("joins"));
        assert!(within(waits("joins_nothing"), 2.0), "{} waits", waits("joins_nothing"));
    }

    /// Calls itself, so that two calls of one series are in progress on its thread.
    #[exchange_call(op = "reenters", exchange = "kraken")]
    fn reenters(depth: u32) {
        if depth > 0 {
            let waiting = local_wait();
            sleep(WAIT);
            drop(waiting);
            reenters(depth - 1);
        }
    }

    #[test]
    fn each_of_several_calls_of_one_series_on_a_thread_subtracts_the_waits_since_it_began() {
        let _ = &*METRICS;
        reenters(3);
        let seconds = calls("latency_seconds_sum", "reenters");
        assert!(seconds < 0.5 * WAIT.as_secs_f64(), "{seconds} s");
    }

    #[exchange_call(op = "retried", exchange = "kraken")]
    fn retried(attempt: u32) -> io::Result<()> {
        if attempt < 3 { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }

    #[test]
    fn each_attempt_is_one_observation_a_retry_is_another() {
        let _ = &*METRICS;
        assert!((1..=3).any(|attempt| retried(attempt).is_ok()));
        assert_eq!(calls("latency_seconds_count", "retried"), 3.0);
        assert_eq!((requests("retried", "transport"), requests("retried", "ok")), (2.0, 1.0));
    }

    #[exchange_call(op = "times_out", exchange = "kraken")]
    async fn times_out() -> io::Result<()> {
        pending().await
    }

    #[exchange_call(op = "is_cancelled", exchange = "kraken")]
    async fn is_cancelled() -> io::Result<()> {
        pending().await
    }

    #[exchange_call(op = "outer_of_timeout", exchange = "kraken")]
    async fn outer_of_timeout() -> io::Result<()> {
        with_timeout(Duration::from_millis(5), times_out()).await?
    }

    #[operational_event(type = "ORDER_FAILURE", severity = "ERROR", on = err, labels = bot_metrics::labels)]
    async fn fails_to_place() -> io::Result<()> {
        pending().await
    }

    #[operational_event(type = "ORDER_UNKNOWN", severity = "ERROR", on = cancelled, labels = bot_metrics::labels)]
    async fn is_left() -> io::Result<()> {
        pending().await
    }

    #[operational_event(type = "ORDER_EXPIRED", severity = "ERROR", on = timeout, labels = bot_metrics::labels)]
    async fn is_late() -> io::Result<()> {
        pending().await
    }

    /// "A timeout on placing is `ORDER_UNKNOWN`": the call returned no error.
    #[test]
    fn a_future_that_a_deadline_drops_is_an_event_for_cancelled_and_for_timeout() {
        let _ = &*METRICS;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("it starts");
        runtime.block_on(async {
            assert!(with_deadline(std::future::ready(()), fails_to_place()).await.is_err());
            assert!(with_deadline(std::future::ready(()), is_left()).await.is_err());
            assert!(with_deadline(std::future::ready(()), is_late()).await.is_err());
        });
        let events = |kind| {
            let labels = [("type", kind), ("severity", "ERROR")];
            Samples::of(&METRICS).sum("bytelyst_bot_operational_events_total", &labels)
        };
        let kinds = ["ORDER_FAILURE", "ORDER_UNKNOWN", "ORDER_EXPIRED"];
        assert_eq!(kinds.map(events), [0.0, 1.0, 1.0]);
    }

    #[test]
    fn a_future_dropped_by_a_deadline_of_ours_is_a_timeout_and_by_anything_else_cancelled() {
        let _ = &*METRICS;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("it starts");
        runtime.block_on(async {
            let error = outer_of_timeout().await.expect_err("nobody answers");
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            assert!(with_deadline(std::future::ready(()), times_out()).await.is_err());
            assert_eq!(
                with_deadline(std::future::ready(()), async { 7 }).await,
                Ok(7),
                "a ready value is not discarded"
            );
            assert!(tokio::time::timeout(Duration::from_millis(5), is_cancelled()).await.is_err());
            drop(with_deadline(pending::<()>(), is_cancelled()));
            let mut dropped = Box::pin(with_deadline(pending::<()>(), is_cancelled()));
            assert!(dropped.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        });
        assert_eq!((requests("times_out", "timeout"), requests("times_out", "cancelled")), (2.0, 0.0));
        assert_eq!((requests("is_cancelled", "timeout"), requests("is_cancelled", "cancelled")), (0.0, 2.0));
        assert_eq!(requests("outer_of_timeout", "timeout"), 1.0, "by its error");
        assert_eq!(calls("latency_seconds_count", "times_out"), 2.0, "otherwise an outage makes p99 better");
        assert_eq!((calls("in_flight", "times_out"), calls("in_flight", "is_cancelled")), (0.0, 0.0));
    }
}

/// A likely mistake is to look there for the recordings of attributes.
#[test]
fn a_failing_assertion_on_a_separate_instance_says_where_attributes_record() {
    let message = |metrics: &Metrics| {
        let fails = || assert_metric!(metrics, "bytelyst_bot_build_info", 2);
        let panic = std::panic::catch_unwind(AssertUnwindSafe(fails)).expect_err("it is 1");
        panic.downcast_ref::<String>().expect("a formatted message").clone()
    };
    let note =
        "\nnote: annotated functions do not record to this instance, but to the one of `Settings::install`";
    let (own, _) = instance();
    assert!(message(&own).ends_with(note), "{}", message(&own));
    assert!(!message(&METRICS).contains(note));
}
