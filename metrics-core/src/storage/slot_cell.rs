//! A call site's cache of the storage of its series.

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

use super::recorder::{CallSeries, CallSeriesLease};
use super::running::CallInProgress;
use super::thread::NEAR;
use crate::clock::Clock;
use crate::lock::{self, Lock};
use crate::storage::not_installed;

/// A call site's cache of the slots of one label set, which contain the storage of its series, and of the number by
/// which a thread finds its shard of the call series.
#[derive(Debug)]
pub struct SlotCell<S: 'static> {
    /// The [near number](CallSeries::near) of the call series while calls may take the quick path, which reads the time
    /// stamp counter; otherwise 0, for which no thread has a shard. Wider than necessary, because the compiler extends
    /// an atomic byte twice.
    near: AtomicU32,
    /// Null until they are found. Not a `OnceLock`: for each static the compiler checks whether it has a destructor
    /// and which parts threads may share, which for the fields of that lock takes 40 % of a call site's compile time.
    slots: AtomicPtr<S>,
}

/// The `near` of all cells whose quick path is enabled; `None` once the quick path is disabled for good.
static QUICK_CELLS: Lock<Option<Vec<&'static AtomicU32>>> = Lock::new(Some(Vec::new()));

/// Disables the quick path of all call sites for good, because the time stamp counter was given up.
pub(crate) fn disable_quick_paths() {
    for near in QUICK_CELLS.lock().take().into_iter().flatten() {
        near.store(0, Relaxed);
    }
}

impl<S: Send + Sync> SlotCell<S> {
    /// A cell that has found nothing yet.
    #[expect(clippy::declare_interior_mutable_const, reason = "each static has a copy of its own")]
    pub const EMPTY: Self = Self { near: AtomicU32::new(0), slots: AtomicPtr::new(ptr::null_mut()) };

    /// The slots, if they were found before.
    #[inline]
    pub(crate) fn get(&self) -> Option<&'static S> {
        // SAFETY: it is null, or `get_or_init` has stored a pointer from `Box::leak`, whose target is never changed
        // or freed; it is acquired, so that the target is seen as it was stored.
        unsafe { self.slots.load(Acquire).as_ref() }
    }

    /// The slots; if there are none yet, those that `find` returns. Two threads may both call `find`; one result is
    /// kept.
    pub(crate) fn get_or_init(&self, find: impl FnOnce() -> S) -> &'static S {
        if let Some(slots) = self.get() {
            return slots;
        }
        // Leaked because a cell is a static, which is never dropped.
        let found = ptr::from_mut(Box::leak(Box::new(find())));
        let stored = match self.slots.compare_exchange(ptr::null_mut(), found, Release, Acquire) {
            Ok(_) => found,
            Err(existing) => {
                // SAFETY: leaked above, and not shared with any other thread.
                drop(unsafe { Box::from_raw(found) });
                existing
            }
        };
        // SAFETY: as in `get`.
        unsafe { &*stored }
    }

    /// Stores the slots that `find` returns, unless the cell has some or this thread is inside a lock of the library.
    pub(crate) fn find(&self, find: impl FnOnce() -> S) {
        // An allocator may record an allocation made under a lock of the library; `find` would take that lock again.
        if self.get().is_none() && !lock::is_inside() {
            let _inside = lock::enter();
            self.get_or_init(find);
        }
    }

    /// Begins a call with the time stamp counter. Returns `None` if the quick path of this cell is disabled, or if this
    /// thread has no shard of the call series yet.
    #[inline]
    pub(crate) fn start_quickly<const DATED: bool>(&self) -> Option<CallInProgress<DATED>> {
        CallInProgress::start_quickly(|| {
            let number = self.near.load(Relaxed) as usize;
            // SAFETY: only values of a `u8` are stored, and `NEAR` is the number of its values. Without this a call
            // has two instructions more.
            unsafe { std::hint::assert_unchecked(number < NEAR) };
            number
        })
    }

    /// Begins a call without the quick path; `find` finds the slots the first time, and `lease` chooses the call series.
    /// If `may_be_quick`, later calls may take the quick path; it must be equal at all calls of a cell. The start is not
    /// reduced by the thread's waits, unlike that of [`start_quickly`](Self::start_quickly). If this is an allocator
    /// that records while `find` runs, the call is lost.
    pub(crate) fn start_slowly<const DATED: bool>(
        &'static self,
        may_be_quick: bool,
        find: impl FnOnce() -> S,
        lease: impl FnOnce(&S) -> Option<&CallSeriesLease>,
    ) -> CallInProgress<DATED> {
        self.find(find);
        // Still empty if an allocator records an allocation that `find` makes.
        let Some(lease) = self.get().and_then(lease).filter(|lease| !lease.is_nowhere()) else {
            return CallInProgress::lost();
        };
        if may_be_quick {
            self.enable_quick_path(lease);
        }
        let running = CallInProgress::start(lease.0, &Clock::System);
        if may_be_quick && Clock::System.counts_time_stamps() { running } else { running.on_fallback() }
    }

    fn enable_quick_path(&'static self, series: &CallSeries) {
        // An allocator may record an allocation made under the lock below and must not wait for it; a later call
        // enables the quick path.
        if series.near() == 0 || self.near.load(Relaxed) != 0 || lock::is_inside() {
            return;
        }
        // Only the slow path reports that no settings are installed.
        if !not_installed::is_settled() {
            return;
        }
        // Checked before locking too: without the counter every call comes here.
        if !Clock::System.counts_time_stamps() {
            return;
        }
        let mut cells = QUICK_CELLS.lock();
        if let Some(cells) = cells.as_mut().filter(|_| Clock::System.counts_time_stamps()) {
            cells.push(&self.near);
            self.near.store(series.near().into(), Relaxed);
        }
    }
}
