//! The series of a family, by their label values.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use crate::lock::Lock;

/// Series that are read under one lock, before those who want to make one have their turn.
const AT_ONCE: usize = 64;

/// Shows `visit` some of the series; says which of them was the last, if there are more.
pub(crate) fn visit_some<T>(mut series: impl Iterator<Item = T>, mut visit: impl FnMut(&T)) -> Option<T> {
    let mut last = None;
    for one in series.by_ref().take(AT_ONCE) {
        visit(&one);
        last = Some(one);
    }
    series.next().and(last)
}

/// Where those begin that come after this one.
pub(crate) fn after<T: ?Sized>(last: Option<&T>) -> (Bound<&T>, Bound<&T>) {
    (last.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}

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

    /// Shows `visit` every series in the order of its key. Nobody waits for it meanwhile: the lock is held for as long as
    /// it takes to copy a few references, and again for the next ones.
    pub(crate) fn each(&self, mut visit: impl FnMut(&K, &Arc<S>)) {
        let mut some = Vec::with_capacity(AT_ONCE);
        let mut from = Bound::Unbounded;
        loop {
            let series = self.0.hold();
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

impl<K: Ord + Clone, S> fmt::Debug for Series<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Series").field("len", &self.len()).finish_non_exhaustive()
    }
}
