//! The per-thread cache of label sets.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::entry::Entry;
use super::hand;
use super::label_set::LabelSetQuery;

/// The initial number of slots; it doubles whenever half of them are used.
const FEWEST: usize = 1 << 8;

/// The maximum number of slots: a thread that records more than half as many label sets looks some of them up again.
const MOST: usize = 1 << 14;

/// The number of adjacent slots in which a label set can be, at each of two positions: a table that is half full has
/// a free one.
const PROBES: usize = 8;

/// Counts changes that invalidate cached entries: a series was removed, or capacity was released for a value over the
/// limit.
static EPOCH: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static CACHE: RefCell<Cache> = const { RefCell::new(Cache::EMPTY) };
}

struct Cache {
    epoch: u64,
    /// Empty until there is something to cache; then a power of two. The hash is not stored: a look-up reads the
    /// entry anyway, and it would double the size of a slot.
    places: Vec<Option<Arc<Entry>>>,
    taken: usize,
}

/// A state of the series, to detect outdated look-ups.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Epoch(pub(super) u64);

/// Must be read before a look-up of a series, so that a result that became outdated meanwhile is not cached.
pub(crate) fn epoch() -> Epoch {
    Epoch(EPOCH.load(Relaxed))
}

/// Invalidates the caches of all threads.
pub(super) fn forget() {
    EPOCH.fetch_add(1, Relaxed);
}

/// Passes the entry of a label set to `record`, if this thread has cached it.
#[inline]
pub(crate) fn remembered<R>(query: &LabelSetQuery<'_>, record: impl FnOnce(&Arc<Entry>) -> R) -> Option<R> {
    with(query.hash, |entry| entry.is(query), record)
}

#[inline]
pub(super) fn with<R>(
    hash: u64,
    is: impl Fn(&Entry) -> bool,
    found: impl FnOnce(&Arc<Entry>) -> R,
) -> Option<R> {
    // It is borrowed if an allocator records an allocation made below, and gone in a thread that is ending.
    let find = |cache: &RefCell<Cache>| {
        let cache = cache.try_borrow().ok()?;
        if cache.epoch != EPOCH.load(Relaxed) {
            return None;
        }
        let is = |place: usize| cache.places.get(place)?.as_ref().filter(|entry| is(entry));
        let entry = places(hash, cache.places.len()).find_map(is)?;
        Some(found(entry))
    };
    CACHE.try_with(find).ok().flatten()
}

/// Caches an entry that this thread looked up at this epoch.
pub(crate) fn remember(entry: &Arc<Entry>, Epoch(epoch): Epoch) {
    let put = |cache: &RefCell<Cache>| {
        let mut cache = cache.try_borrow_mut().ok()?;
        let is_old = cache.epoch != epoch;
        let forgotten = is_old.then(|| std::mem::replace(&mut *cache, Cache::EMPTY));
        cache.epoch = epoch;
        let outgrown = cache.make_room(entry);
        let replaced = cache.put(Arc::clone(entry));
        Some((forgotten, outgrown, replaced))
    };
    // A replaced entry is dropped here, where nothing is borrowed any more.
    if let Ok(Some((Some(_forgotten), ..))) = CACHE.try_with(put) {
        hand::empty();
    }
}

impl Cache {
    const EMPTY: Self = Self { epoch: 0, places: Vec::new(), taken: 0 };

    /// Grows the table if half of its slots are used; returns the entries that found no slot in the larger table.
    fn make_room(&mut self, entry: &Entry) -> Vec<Arc<Entry>> {
        let is_full = self.taken * 2 >= self.places.len() && self.places.len() < MOST && !entry.is_others();
        if !is_full && !self.places.is_empty() {
            return Vec::new();
        }
        let places = vec![None; (self.places.len() * 2).max(FEWEST)];
        let former = std::mem::replace(&mut self.places, places);
        self.taken = 0;
        former.into_iter().flatten().filter_map(|entry| self.put(entry)).collect()
    }

    /// Returns the entry that was replaced, or the given entry if it was not stored.
    fn put(&mut self, entry: Arc<Entry>) -> Option<Arc<Entry>> {
        let hash = entry.hash();
        let all = || places(hash, self.places.len()).filter(|place| *place < self.places.len());
        let is_others = |place: &usize| self.places[*place].as_ref().is_some_and(|entry| entry.is_others());
        let free = all().find(|place| self.places[*place].is_none()).or_else(|| all().find(is_others));
        // Any number of label sets may be over the limit: they replace each other but never one with its own series,
        // and the table does not grow for them.
        let victim = || all().nth((hash >> 60) as usize).filter(|_| !entry.is_others());
        let Some(place) = free.or_else(victim) else { return Some(entry) };
        let replaced = self.places[place].replace(entry);
        self.taken += usize::from(replaced.is_none());
        replaced
    }
}

/// The slots in which a label set can be, in a table of this size.
#[inline]
fn places(hash: u64, len: usize) -> impl Iterator<Item = usize> {
    let mask = len.wrapping_sub(1);
    #[expect(clippy::cast_possible_truncation, reason = "any bits do")]
    let spots = [hash as usize, (hash >> 32) as usize];
    spots.into_iter().flat_map(move |spot| (0..PROBES).map(move |probe| spot.wrapping_add(probe) & mask))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use crate::series::{Bound, BoundedSeries, FamilyKey, LabelSetQuery, QueriedLabel};
    use std::time::Duration;

    #[test]
    fn thousands_of_label_sets_are_remembered() {
        let key = FamilyKey::new();
        let bounds = vec![Bound::Closed, Bound::Closed, Bound::Open(100_000), Bound::Open(100_000)];
        let mut family = BoundedSeries::new(&catalogue::OPERATIONAL_EVENTS_TOTAL, false, bounds, 100_000);
        let symbols: Vec<String> = (0..4_000).map(|n| format!("{n}USDT")).collect();
        let labels = |symbol: &'static str| {
            [
                QueriedLabel::Closed("INFO"),
                QueriedLabel::Closed("ORDER_FILLED"),
                QueriedLabel::Open(b""),
                QueriedLabel::Open(symbol.as_bytes()),
            ]
        };
        let symbols: Vec<&'static str> = symbols.into_iter().map(|symbol| &*symbol.leak()).collect();
        let mut remember_all = || {
            for symbol in &symbols {
                let labels = labels(symbol);
                let asked = LabelSetQuery::new(key, &labels);
                let found_at = epoch();
                remember(&family.get_or_create(&asked, Duration::ZERO), found_at);
            }
            let is_missing = |symbol: &&&'static str| {
                let labels = labels(symbol);
                remembered(&LabelSetQuery::new(key, &labels), |entry| entry.record(|slot| slot.add(1)))
                    .is_none()
            };
            symbols.iter().filter(is_missing).count()
        };
        // Concurrent tests remove series, after which all are looked up again.
        let missing = loop {
            let epoch = EPOCH.load(Relaxed);
            let missing = remember_all();
            if epoch == EPOCH.load(Relaxed) {
                break missing;
            }
        };
        // The distribution is random: a missing entry costs a look-up under the lock at each recording.
        assert!(missing <= symbols.len() / 1_000, "{missing} of {}", symbols.len());
    }

    #[test]
    fn no_slot_is_outside_the_table() {
        for len in [0, FEWEST, MOST] {
            assert!(places(u64::MAX, len).all(|place| place < len.max(1) || len == 0), "{len}");
        }
    }

    #[test]
    fn no_result_from_before_a_removal_is_cached() {
        let bounds = vec![Bound::Closed, Bound::Closed, Bound::Open(1), Bound::Open(1)];
        let mut family = BoundedSeries::new(&catalogue::OPERATIONAL_EVENTS_TOTAL, false, bounds, 1);
        let labels = [
            QueriedLabel::Closed("INFO"),
            QueriedLabel::Closed("ORDER_FILLED"),
            QueriedLabel::Open(b""),
            QueriedLabel::Open(b"BTCUSDT"),
        ];
        let asked = LabelSetQuery::new(FamilyKey::new(), &labels);
        let entry = family.get_or_create(&asked, Duration::ZERO);
        let is_remembered = || remembered(&asked, |_| ()).is_some();
        // Concurrent tests remove series.
        let found_at = loop {
            let now = epoch();
            remember(&entry, now);
            if is_remembered() {
                break now;
            }
        };
        forget();
        assert!(!is_remembered());
        remember(&entry, found_at);
        assert!(!is_remembered(), "it was looked up before");
        let other = family.get_or_create(&LabelSetQuery::new(FamilyKey::new(), &labels), Duration::ZERO);
        remember(&other, epoch());
        assert!(!is_remembered(), "nor does it return with others");
    }
}
