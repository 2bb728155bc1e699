//! The fallback of a series for threads without a shard, created when the first of them records.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::recorder::{CallSeries, CallShard, NOWHERE, SeriesShape};
use super::shard::Shard;
use super::shared::Shared;
use crate::lock::{self, Once};

/// A token that is used in place of a shard, and the words to which calls with that token are recorded.
#[derive(Debug)]
pub(super) struct Fallback {
    token: CallShard,
    shared: Shared,
}

/// The number of series to which an allocator can record for the first time while memory is being allocated for
/// another series; no memory can be allocated for these.
const RESERVED: usize = 16;

/// Counts in each of these; more than the core families have.
const RESERVED_COUNTS: usize = 64;

static RESERVE: [(OnceLock<Fallback>, [AtomicU64; RESERVED_COUNTS]); RESERVED] =
    [const { (OnceLock::new(), [const { AtomicU64::new(0) }; RESERVED_COUNTS]) }; RESERVED];

/// The number of lost recordings.
static LOST: AtomicU64 = AtomicU64::new(0);

/// Counts a recording as lost, because the thread may neither allocate nor wait.
pub(crate) fn lose() {
    LOST.fetch_add(1, Relaxed);
}

/// Runs `record`, which takes locks and may allocate, unless this thread is inside a lock. In that case an allocator
/// is recording an allocation made under the lock and must neither wait for it nor allocate, so the recording is
/// lost. An allocator that records an allocation made by `record` itself is refused in the same way.
pub(crate) fn record_outside<R>(record: impl FnOnce() -> R) -> Option<R> {
    let recorded = lock::outside(record);
    if recorded.is_none() {
        lose();
    }
    recorded
}

/// The number of lost recordings of this process.
pub(crate) fn lost() -> u64 {
    LOST.load(Relaxed)
}

impl Fallback {
    /// Returns `None` if there is no memory for it.
    pub(super) fn new(
        recorder: &'static CallSeries,
        shape: &SeriesShape,
        may_allocate: bool,
    ) -> Option<&'static Self> {
        let counts = shape.outcomes + shape.buckets();
        if !may_allocate {
            return Self::reserved(recorder, shape.outcomes, counts);
        }
        let counts = Vec::leak((0..counts).map(|_| AtomicU64::new(0)).collect());
        Some(Box::leak(Box::new(Self::of(recorder, shape.outcomes, counts))))
    }

    fn reserved(recorder: &'static CallSeries, outcomes: usize, counts: usize) -> Option<&'static Self> {
        RESERVE.iter().find_map(|(place, words)| {
            let spare = Self::of(recorder, outcomes, words.get(..counts)?);
            place.set(spare).is_ok().then(|| place.get()).flatten()
        })
    }

    /// The fallback of calls that are not recorded.
    pub(super) fn nowhere() -> &'static Self {
        static NO_SPARE: Once<Fallback> = Once::new();
        // It allocates nothing.
        NO_SPARE.get_or_init(|| Self::of(&NOWHERE, 0, &[]))
    }

    fn of(recorder: &'static CallSeries, outcomes: usize, counts: &'static [AtomicU64]) -> Self {
        // There are no outcomes or buckets, and nothing is counted in the token.
        let token = Shard::new(0, &[], 0, 0, (recorder, 0));
        Self { token, shared: Shared::new(outcomes, counts) }
    }

    pub(super) fn token(&self) -> &CallShard {
        &self.token
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}
