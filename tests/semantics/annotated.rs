//! What attributes do that handles do not, in the process-wide instance, which all tests here share.

use std::future::{Future, pending};
use std::pin::pin;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread::{sleep, spawn};
use std::time::Duration;

use bot_metrics::testing::Samples;
use bot_metrics::{LabelValue, SubsystemHealth, prelude::*};

mod labels {
    use bot_metrics::LabelValue;

    #[derive(Clone, Copy, Debug, LabelValue)]
    pub(crate) enum Subsystem {
        Disabled,
        DisabledAndRun,
        HangsBesideOthers,
        Migrates,
    }
}

static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
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
fn a_subsystem_that_this_run_does_not_start_is_left_out() {
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
fn a_single_run_that_hangs_is_seen_although_others_move() {
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
fn runs_that_go_from_thread_to_thread_leave_none_in_progress_and_one_that_hangs_is_seen() {
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

/// What the library told, and what the hook did meanwhile.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn told(line: &str) {
    // A hook that records to the very site of which it is told waits for nothing.
    picks(picked::labels::Subsystem::Contradicts);
    let _ = METRICS_ARE_THERE.get().map(Metrics::exposition);
    TOLD.lock().expect("no hook panics").push(line.to_owned());
}

static METRICS_ARE_THERE: OnceLock<Metrics> = OnceLock::new();

#[test]
fn an_age_that_a_site_picked_at_run_time_contradicts_is_told_and_the_hook_may_record() {
    let metrics = METRICS_ARE_THERE.get_or_init(|| METRICS.clone());
    let subsystem = picked::labels::Subsystem::Contradicts;
    let _handle = metrics.subsystem(subsystem).with_max_age(Duration::from_secs(3)).expect("the first");
    for _ in 0..3 {
        picks(subsystem);
    }
    let told = TOLD.lock().expect("no hook panics");
    let lines: Vec<_> = told.iter().filter(|line| line.contains("contradicts")).collect();
    assert_eq!(lines.len(), 1, "{told:?}");
    assert!(lines[0].starts_with("subsystem contradicts is stalled after 3s"), "{told:?}");
    assert_eq!(subsystem_gauge("bytelyst_bot_subsystem_max_age_seconds", "contradicts"), Some(3.0));
}
