//! How late tokio's scheduler is: a task that blocks a worker delays every other one on it, and no duration of theirs
//! shows why.

use std::sync::Weak;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

use crate::catalogue::{self, TOKIO_SCHEDULER_LAG_BUCKETS};
use crate::registry::Core;
use crate::storage::{CounterSlot, Sink};

/// Often enough to catch a block of a tenth of a second once, and no work worth naming.
const PERIOD: Duration = Duration::from_millis(100);

/// How late tasks of the runtimes that are watched were woken.
#[derive(Debug, Default)]
pub(crate) struct SchedulerLag {
    is_watched: AtomicBool,
    buckets: [CounterSlot; TOKIO_SCHEDULER_LAG_BUCKETS.len() + 1],
    nanoseconds: AtomicU64,
}

impl SchedulerLag {
    fn observe(&self, lag: Duration) {
        let bucket = TOKIO_SCHEDULER_LAG_BUCKETS.partition_point(|bound| *bound < lag.as_secs_f64());
        self.nanoseconds.fetch_add(u64::try_from(lag.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        self.buckets[bucket].add(1);
    }

    pub(crate) fn collect(&self, sink: &mut dyn Sink) {
        if self.is_watched.load(Relaxed) {
            let buckets: Vec<u64> = self.buckets.iter().map(CounterSlot::value).collect();
            let seconds = Duration::from_nanos(self.nanoseconds.load(Relaxed)).as_secs_f64();
            sink.histogram(&catalogue::TOKIO_SCHEDULER_LAG_SECONDS, &[], &buckets, seconds);
        }
    }
}

/// Watches the runtime until it or the instance is gone.
pub(crate) fn watch(core: Weak<Core>, runtime: &Handle) {
    if let Some(core) = core.upgrade() {
        core.scheduler_lag.is_watched.store(true, Relaxed);
    }
    runtime.spawn(async move {
        loop {
            let due = Instant::now() + PERIOD;
            sleep_until(due).await;
            let Some(core) = core.upgrade() else { return };
            core.scheduler_lag.observe(due.elapsed());
        }
    });
}
