//! What a thread remembers of the label sets that it has recorded.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::{Asked, Entry};

/// Label sets that a thread remembers; of more than these it asks again for some. The table takes 16 KiB of each thread
/// that records open labels, and an entry about 200 bytes.
const PLACES: usize = 1 << 10;

/// Places in which a label set can be.
const PROBES: usize = 4;

/// Counts what makes remembered entries wrong: a series is gone, or a place is free for a value that had none.
static EPOCH: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static CACHE: RefCell<Cache> = const { RefCell::new(Cache { epoch: 0, places: Vec::new() }) };
}

struct Cache {
    epoch: u64,
    /// Empty until there is something to remember.
    places: Vec<Option<(u64, Arc<Entry>)>>,
}

/// Makes every thread ask again.
pub(super) fn forget() {
    EPOCH.fetch_add(1, Relaxed);
}

#[inline]
pub(super) fn with<R>(asked: &Asked<'_>, found: impl FnOnce(&Arc<Entry>) -> R) -> Option<R> {
    // It is borrowed where an allocator records what is allocated below, and gone in a thread that is ending.
    let find = |cache: &RefCell<Cache>| {
        let cache = cache.try_borrow().ok()?;
        if cache.epoch != EPOCH.load(Relaxed) {
            return None;
        }
        let is = |place: usize| {
            cache.places.get(place)?.as_ref().filter(|(hash, entry)| *hash == asked.hash && entry.is(asked))
        };
        let (_, entry) = places(asked.hash).find_map(is)?;
        Some(found(entry))
    };
    CACHE.try_with(find).ok().flatten()
}

pub(super) fn insert(entry: &Arc<Entry>) {
    let hash = entry.hash;
    let put = |cache: &RefCell<Cache>| {
        let mut cache = cache.try_borrow_mut().ok()?;
        let epoch = EPOCH.load(Relaxed);
        let mut forgotten = Vec::new();
        if cache.epoch != epoch || cache.places.is_empty() {
            forgotten = std::mem::replace(&mut cache.places, vec![None; PLACES]);
            cache.epoch = epoch;
        }
        let free = places(hash).find(|place| cache.places[*place].is_none());
        let place = free.unwrap_or_else(|| victim(hash));
        let replaced = cache.places[place].replace((hash, Arc::clone(entry)));
        Some((forgotten, replaced))
    };
    // What goes is dropped here, where nothing is borrowed any more.
    drop(CACHE.try_with(put));
}

fn places(hash: u64) -> impl Iterator<Item = usize> {
    #[expect(clippy::cast_possible_truncation, reason = "any bits do")]
    let first = hash as usize;
    (0..PROBES).map(move |probe| first.wrapping_add(probe) % PLACES)
}

/// Which of its places a label set takes where none is free.
fn victim(hash: u64) -> usize {
    places(hash).nth((hash >> 62) as usize).unwrap_or_default()
}
