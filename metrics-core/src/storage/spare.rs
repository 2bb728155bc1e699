//! What a series has for threads without a share, made when the first of them records.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::recorder::{NOWHERE, Recorder, Shape, Share};
use super::shard::Shard;
use super::shared::Shared;
use crate::lock::{self, Once};

/// A token to be given in place of a share, and where calls with that token are recorded.
#[derive(Debug)]
pub(super) struct Spare {
    token: Share,
    shared: Shared,
}

/// Series that an allocator can record to for the first time while memory is being got for some series: then it cannot
/// be asked for any.
const RESERVED: usize = 16;

/// Counts of each of these; more than the seed's families have.
const RESERVED_COUNTS: usize = 64;

static RESERVE: [(OnceLock<Spare>, [AtomicU64; RESERVED_COUNTS]); RESERVED] =
    [const { (OnceLock::new(), [const { AtomicU64::new(0) }; RESERVED_COUNTS]) }; RESERVED];

/// Recordings that found no place.
static LOST: AtomicU64 = AtomicU64::new(0);

/// A recording is lost: where it comes from nothing may be allocated or waited for.
pub(crate) fn lose() {
    LOST.fetch_add(1, Relaxed);
}

/// Runs `record`, which takes locks and may allocate, unless this thread is inside a lock. There an allocator records what is
/// allocated under that lock, and must neither wait for it nor allocate: the recording is lost. An allocator that records what
/// `record` allocates comes here again, and is refused.
pub(crate) fn record_outside<R>(record: impl FnOnce() -> R) -> Option<R> {
    let recorded = lock::outside(record);
    if recorded.is_none() {
        lose();
    }
    recorded
}

/// How many were lost in this process.
pub(crate) fn lost() -> u64 {
    LOST.load(Relaxed)
}

impl Spare {
    /// None where there is no memory for it.
    pub(super) fn new(
        recorder: &'static Recorder,
        shape: &Shape,
        may_allocate: bool,
    ) -> Option<&'static Self> {
        let counts = shape.outcomes + shape.buckets();
        if !may_allocate {
            return Self::reserved(recorder, shape.outcomes, counts);
        }
        let counts = Vec::leak((0..counts).map(|_| AtomicU64::new(0)).collect());
        Some(Box::leak(Box::new(Self::of(recorder, shape.outcomes, counts))))
    }

    fn reserved(recorder: &'static Recorder, outcomes: usize, counts: usize) -> Option<&'static Self> {
        RESERVE.iter().find_map(|(place, words)| {
            let spare = Self::of(recorder, outcomes, words.get(..counts)?);
            place.set(spare).is_ok().then(|| place.get()).flatten()
        })
    }

    /// Where nothing is recorded.
    pub(super) fn nowhere() -> &'static Self {
        static NO_SPARE: Once<Spare> = Once::new();
        // Nothing of it is allocated.
        NO_SPARE.get_or_make(|| Self::of(&NOWHERE, 0, &[]))
    }

    fn of(recorder: &'static Recorder, outcomes: usize, counts: &'static [AtomicU64]) -> Self {
        // Without shares there is nothing to count in the token.
        let token = Shard::new(0, &[], 0, 0, (recorder, 0));
        Self { token, shared: Shared::new(outcomes, counts) }
    }

    pub(super) fn token(&self) -> &Share {
        &self.token
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}
