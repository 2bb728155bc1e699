//! The series of a family, by their label values.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::lock::Lock;

/// Slots by key, shared with the handles and call sites that write to them.
pub(crate) struct Series<K, S>(Lock<BTreeMap<K, Arc<S>>>);

impl<K: Ord + Clone, S> Series<K, S> {
    pub(crate) fn new() -> Self {
        Self(Lock::new(BTreeMap::new()))
    }

    /// The slots of `key`, made on first use.
    pub(crate) fn get_or_insert_with(&self, key: &K, make: impl FnOnce() -> S) -> Arc<S> {
        if let Some(slots) = self.get(key) {
            return slots;
        }
        // Made outside the lock: what `make` does is not ours to know.
        let slots = Arc::new(make());
        let mut series = self.0.hold();
        Arc::clone(series.entry(key.clone()).or_insert(slots))
    }

    pub(crate) fn get(&self, key: &K) -> Option<Arc<S>> {
        self.0.hold().get(key).cloned()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.hold().len()
    }

    /// Every series in the order of its key.
    pub(crate) fn all(&self) -> Vec<(K, Arc<S>)> {
        let series = self.0.hold();
        series.iter().map(|(key, slots)| (key.clone(), Arc::clone(slots))).collect()
    }
}

impl<K: Ord + Clone, S> fmt::Debug for Series<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Series").field("len", &self.len()).finish_non_exhaustive()
    }
}
