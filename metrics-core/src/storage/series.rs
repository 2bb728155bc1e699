//! The series of a family, by their label values.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::lock::Lock;

/// The number of series read under one lock, before threads that want to create one get their turn.
pub(crate) const AT_ONCE: usize = 64;

/// Slots by key, shared with the handles and call sites that write to them.
#[derive(Debug)]
pub(crate) struct SeriesMap<K, S>(Lock<BTreeMap<K, Arc<S>>>);

impl<K, S> Default for SeriesMap<K, S> {
    fn default() -> Self {
        Self(Lock::default())
    }
}

impl<K: Ord + Clone, S> SeriesMap<K, S> {
    /// The slots of `key`, created on first use.
    pub(crate) fn get_or_insert_with(&self, key: &K, make: impl FnOnce() -> S) -> Arc<S> {
        if let Some(slots) = self.0.lock().get(key) {
            return Arc::clone(slots);
        }
        // Created outside the lock, because `make` may do anything.
        let slots = Arc::new(make());
        let mut series = self.0.lock();
        Arc::clone(series.entry(key.clone()).or_insert(slots))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Passes every series to `visit`, in the order of its key. No thread waits for `visit`: the lock is held only to
    /// copy a few references, and again for the next ones.
    pub(crate) fn each(&self, mut visit: impl FnMut(&K, &Arc<S>)) {
        let mut some = Vec::with_capacity(AT_ONCE);
        let mut from = Bound::Unbounded;
        loop {
            let series = self.0.lock();
            let next = series.range((from, Bound::Unbounded)).take(AT_ONCE);
            some.extend(next.map(|(key, slots)| (key.clone(), Arc::clone(slots))));
            drop(series);
            let Some((last, _)) = some.last() else { return };
            from = Bound::Excluded(last.clone());
            for (key, slots) in some.drain(..) {
                visit(&key, &slots);
            }
        }
    }
}
