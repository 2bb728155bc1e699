//! The delay of tokio's scheduler: a task that blocks a worker delays every other one on it, without a sign in their
//! durations.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

use crate::catalogue::{self, TOKIO_SCHEDULER_LAG_BUCKETS};
use crate::storage::{ENABLED, HistogramWords, Sink};

/// Often enough to catch a block of a tenth of a second, at negligible cost.
const PERIOD: Duration = Duration::from_millis(100);

/// The delays of tasks of the watched runtimes.
#[derive(Debug)]
pub(crate) struct SchedulerLag {
    is_watched: AtomicBool,
    seconds: HistogramWords,
}

impl SchedulerLag {
    pub(crate) fn new() -> Self {
        Self {
            is_watched: AtomicBool::new(false),
            seconds: HistogramWords::new(&TOKIO_SCHEDULER_LAG_BUCKETS),
        }
    }

    fn observe(&self, lag: Duration) {
        self.seconds.observe(lag.as_secs_f64());
    }

    pub(crate) fn collect(&self, sink: &mut dyn Sink) {
        if self.is_watched.load(Relaxed) {
            self.seconds.show(|buckets, sum| {
                sink.histogram(&catalogue::TOKIO_SCHEDULER_LAG_SECONDS, &[], buckets, sum);
            });
        }
    }
}

/// Watches the runtime until it or the instance is gone.
pub(crate) fn watch(lag: &Arc<SchedulerLag>, runtime: &Handle) {
    if !ENABLED {
        return;
    }
    lag.is_watched.store(true, Relaxed);
    let lag = Arc::downgrade(lag);
    runtime.spawn(async move {
        loop {
            let due = Instant::now() + PERIOD;
            sleep_until(due).await;
            let Some(lag) = lag.upgrade() else { return };
            lag.observe(due.elapsed());
        }
    });
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::catalogue::Families;
    use crate::storage::{SnapshotBuilder, Value};

    fn read(lag: &SchedulerLag) -> (u64, f64) {
        let mut snapshot = SnapshotBuilder::new(Families::All);
        lag.collect(&mut snapshot);
        match &snapshot.finish().families[0].samples[0].value {
            Value::Histogram(histogram) => (histogram.count(), histogram.sum()),
            other => panic!("a histogram, not {other:?}"),
        }
    }

    #[test]
    fn the_sum_is_that_of_the_buckets_while_lags_are_observed() {
        const LAGS: u64 = 200_000;
        let lag = SchedulerLag::new();
        lag.is_watched.store(true, Relaxed);
        thread::scope(|scope| {
            scope.spawn(|| (0..LAGS).for_each(|_| lag.observe(Duration::from_millis(500))));
            loop {
                let (count, sum) = read(&lag);
                #[expect(clippy::cast_precision_loss, reason = "some thousands")]
                let expected = count as f64 * 0.5;
                assert!((sum - expected).abs() < 0.1, "{count} lags of 0.5 s are {sum} s");
                if count == LAGS {
                    return;
                }
            }
        });
    }
}
