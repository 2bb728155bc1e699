//! A family whose series each thread finds in its cache, by the label set of each recording.

use std::sync::Arc;
use std::time::Duration;

use super::bounded::{self, BoundedSeries};
use super::cache;
use super::entry::Entry;
use super::label_set::{FamilyKey, LabelSetQuery, QueriedLabel};
use super::limits::Bound;
use crate::catalogue::Family;
use crate::clock::Clock;
use crate::labels::bounds::DEFAULT_SERIES;
use crate::lock::{self, Lock, LockGuard};
use crate::storage::{Sink, Slot, lose};

/// The series of a family, and the clock that dates them.
#[derive(Debug)]
pub(crate) struct CachedSeries {
    key: FamilyKey,
    series: Lock<BoundedSeries>,
    pub(crate) clock: Clock,
}

impl CachedSeries {
    pub(crate) fn new(family: &'static Family, bounds: Vec<Bound>, clock: Clock) -> Self {
        let series = BoundedSeries::new(family, false, bounds, DEFAULT_SERIES);
        Self { key: FamilyKey::new(), series: Lock::new(series), clock }
    }

    /// Records to the series of a label set, or to "other" if there is no capacity.
    pub(crate) fn record(&self, labels: &[QueriedLabel<'_>], record: impl Fn(&Slot)) {
        let query = LabelSetQuery::new(self.key, labels);
        if cache::remembered(&query, |entry| entry.record(&record)).is_none() {
            self.record_slowly(&query, record);
        }
    }

    /// Called for a thread's first recording to a label set.
    #[cold]
    #[inline(never)]
    fn record_slowly(&self, query: &LabelSetQuery<'_>, record: impl Fn(&Slot)) {
        if lock::is_inside() {
            // An allocator makes its first recording for an allocation made under this very lock.
            return lose();
        }
        let found_at = cache::epoch();
        let entry = self.find(query);
        entry.record(record);
        cache::remember(&entry, found_at);
    }

    /// The entry of a label set, exported from here on.
    pub(crate) fn get_or_create(&self, labels: &[QueriedLabel<'_>]) -> Arc<Entry> {
        self.find(&LabelSetQuery::new(self.key, labels))
    }

    fn find(&self, query: &LabelSetQuery<'_>) -> Arc<Entry> {
        let now = self.clock.boot_time();
        self.lock().get_or_create(query, now)
    }

    /// Removes the series of a label set.
    pub(crate) fn remove(&self, labels: &[QueriedLabel<'_>]) {
        let entry = self.get_or_create(labels);
        self.lock().remove(&entry, self.clock.boot_time());
    }

    pub(crate) fn lock(&self) -> LockGuard<'_, BoundedSeries> {
        self.series.lock()
    }

    pub(crate) fn collect(&self, now: Duration, namespace: &str, sink: &mut dyn Sink) {
        bounded::collect(&self.series, now, sink);
        self.lock().collect_overflow(namespace, sink);
    }
}
