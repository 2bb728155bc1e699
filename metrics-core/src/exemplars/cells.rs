//! The exemplars of one histogram series.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

use once_cell::race::OnceBox;

use super::{BucketExemplar, source};
use crate::lock::{self, Lock, LockGuard};

/// The exemplars of a series, without the feature none.
#[derive(Debug)]
pub(crate) struct Exemplars {
    /// Not a `OnceLock`, which takes twice as many bytes in each series.
    cells: [OnceBox<Cells>; cfg!(feature = "exemplars") as usize],
}

/// Enough for the buckets of any histogram.
const WORDS: usize = 4;

#[derive(Debug, Default)]
struct Cells {
    /// For each bucket whether its exemplar was not exported yet, in which case it is not replaced.
    are_new: [AtomicU64; WORDS],
    by_bucket: Lock<BTreeMap<usize, BucketExemplar>>,
}

impl Exemplars {
    pub(crate) const fn new() -> Self {
        Self { cells: [const { OnceBox::new() }; cfg!(feature = "exemplars") as usize] }
    }

    fn cells(&self) -> Option<&Cells> {
        self.cells.first()?.get()
    }

    /// The cells, created if there are none, unless this thread is inside a lock.
    fn cells_or_new(&self) -> Option<&Cells> {
        self.cells()
            .or_else(|| lock::outside(|| self.cells.first().map(|cells| cells.get_or_init(Box::default)))?)
    }

    /// Takes an exemplar for an observation, given as its bucket and its value, if there is a source that has one and
    /// the bucket needs one. Never waits.
    #[inline]
    pub(crate) fn offer(&self, observed: impl FnOnce() -> (usize, f64)) {
        if source::is_set() {
            self.offer_slowly(observed);
        }
    }

    #[cold]
    #[inline(never)]
    fn offer_slowly(&self, observed: impl FnOnce() -> (usize, f64)) {
        let (bucket, value) = observed();
        if self.cells().is_some_and(|cells| cells.has_new(bucket)) || lock::is_inside() {
            return;
        }
        let Some(exemplar) = source::ask() else { return };
        let Some(cells) = self.cells_or_new() else { return };
        if let Some(mut by_bucket) = cells.by_bucket.try_hold() {
            let unix_time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            by_bucket.insert(bucket, BucketExemplar { bucket, exemplar, value, unix_time });
            cells.are_new[bucket / 64].fetch_or(1 << (bucket % 64), Relaxed);
        }
    }

    /// All of them, in the order of the buckets. From here on they may be replaced.
    pub(crate) fn export(&self) -> Vec<BucketExemplar> {
        self.cells().map(|cells| cells.replaceable().values().cloned().collect()).unwrap_or_default()
    }

    /// Removes all of them.
    pub(crate) fn clear(&self) {
        if let Some(cells) = self.cells() {
            cells.replaceable().clear();
        }
    }
}

impl Cells {
    fn has_new(&self, bucket: usize) -> bool {
        self.are_new[bucket / 64].load(Relaxed) >> (bucket % 64) & 1 == 1
    }

    /// All of them, none of which is new from here on.
    fn replaceable(&self) -> LockGuard<'_, BTreeMap<usize, BucketExemplar>> {
        let by_bucket = self.by_bucket.lock();
        self.are_new.iter().for_each(|word| word.store(0, Relaxed));
        by_bucket
    }
}
