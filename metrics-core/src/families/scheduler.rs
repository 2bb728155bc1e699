//! The lag of a tokio runtime's scheduler. A task that blocks its worker thread delays the other tasks of that worker;
//! durations of functions that start late do not include that delay.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

use crate::catalogue::{self, TOKIO_SCHEDULER_LAG_BUCKETS};
use crate::panics::contained;
use crate::storage::{ENABLED, HistogramWords, Sink};

/// How often the probe task wakes. On a runtime with one thread, a block of at least this length delays a wake-up; a
/// longer one delays one wake-up by its remainder, not several.
const PERIOD: Duration = Duration::from_millis(100);

/// How late the probe tasks of all watched runtimes woke.
#[derive(Debug)]
pub(crate) struct SchedulerLag {
    /// Whether a runtime was ever watched; without one the histogram is not exported.
    has_probe: AtomicBool,
    histogram: HistogramWords,
}

impl SchedulerLag {
    pub(crate) fn new() -> Self {
        Self {
            has_probe: AtomicBool::new(false),
            histogram: HistogramWords::new(&TOKIO_SCHEDULER_LAG_BUCKETS),
        }
    }

    fn observe(&self, lag: Duration) {
        self.histogram.observe(lag.as_secs_f64());
    }

    pub(crate) fn collect(&self, sink: &mut dyn Sink) {
        if self.has_probe.load(Relaxed) {
            self.histogram.show(|buckets, sum| {
                sink.histogram(&catalogue::TOKIO_SCHEDULER_LAG_SECONDS, &[], buckets, sum);
            });
        }
    }
}

/// Starts a probe task on the runtime, which ends when the runtime shuts down or the metrics instance is dropped. Does
/// nothing if the runtime has no time driver, apart from the message of tokio's panic.
pub(crate) fn watch(lags: &Arc<SchedulerLag>, runtime: &Handle) {
    if !ENABLED {
        return;
    }
    // Without a time driver a sleep panics. In the task it would leave an empty histogram, which looks like no lag.
    let entered = runtime.enter();
    if contained(|| drop(sleep_until(Instant::now()))).is_err() {
        return;
    }
    drop(entered);
    lags.has_probe.store(true, Relaxed);
    let lags = Arc::downgrade(lags);
    runtime.spawn(async move {
        loop {
            let due = Instant::now() + PERIOD;
            sleep_until(due).await;
            let Some(lags) = lags.upgrade() else { return };
            lags.observe(due.elapsed());
        }
    });
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::catalogue::Families;
    use crate::storage::{SnapshotBuilder, Value};

    fn read(lags: &SchedulerLag) -> (u64, f64) {
        let mut snapshot = SnapshotBuilder::new(Families::All);
        lags.collect(&mut snapshot);
        match &snapshot.finish().families[0].samples[0].value {
            Value::Histogram(histogram) => (histogram.count(), histogram.sum()),
            other => panic!("expected a histogram, found {other:?}"),
        }
    }

    #[test]
    fn the_sum_is_that_of_the_buckets_while_lags_are_observed() {
        const LAGS: u64 = 200_000;
        let lags = SchedulerLag::new();
        lags.has_probe.store(true, Relaxed);
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..LAGS {
                    lags.observe(Duration::from_millis(500));
                    // So that a reader gets a moment without an observation, in a build that is not optimised too.
                    (0..20).for_each(|_| std::hint::spin_loop());
                }
            });
            loop {
                let (count, sum) = read(&lags);
                #[expect(clippy::cast_precision_loss, reason = "at most 200,000")]
                let expected = count as f64 * 0.5;
                assert!((sum - expected).abs() < 0.1, "the sum of {count} lags of 0.5 s is {sum} s");
                if count == LAGS {
                    return;
                }
            }
        });
    }

    #[test]
    fn a_runtime_without_a_time_driver_is_not_exported_as_one_without_lag() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let lags = Arc::new(SchedulerLag::new());
        watch(&lags, runtime.handle());
        runtime.block_on(tokio::task::yield_now());
        let mut snapshot = SnapshotBuilder::new(Families::All);
        lags.collect(&mut snapshot);
        assert!(snapshot.finish().families.is_empty());
    }
}
