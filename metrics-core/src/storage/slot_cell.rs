//! The per-call-site cache of a label set's slots.

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

use super::recorder::{CallSeries, CallSeriesLease};
use super::running::CallInProgress;
use super::thread::NEAR;
use crate::clock::Clock;
use crate::lock::{self, Lock};
use crate::storage::not_installed;

/// The slots of one label set, cached by a call site once it has found them.
///
/// It is a pointer and not a `OnceLock`: for each static the compiler checks whether it has a destructor and which
/// parts are shared between threads, which takes long for that lock's fields. With a `OnceLock` a call site took 40 %
/// longer to compile.
#[derive(Debug)]
pub struct SlotCell<S: 'static> {
    /// The near number of its call series, while calls may begin and end with the time stamp counter; otherwise 0, for
    /// which no thread has a shard. Wider than necessary, because the compiler extends an atomic byte twice.
    near: AtomicU32,
    slots: AtomicPtr<S>,
}

/// The near numbers that cells have published; `None` once they were withdrawn.
static PUBLISHED: Lock<Option<Vec<&'static AtomicU32>>> = Lock::new(Some(Vec::new()));

/// Prevents further calls of call sites from beginning with the time stamp counter.
pub(crate) fn withdraw_time_stamps() {
    for near in PUBLISHED.lock().take().into_iter().flatten() {
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

    /// The slots, found by `find` the first time.
    pub(crate) fn get_or_init(&self, find: impl FnOnce() -> S) -> &'static S {
        if let Some(slots) = self.get() {
            return slots;
        }
        // A static is never dropped, so nothing is leaked; of two concurrent threads one keeps its copy.
        let found = ptr::from_mut(Box::leak(Box::new(find())));
        let kept = match self.slots.compare_exchange(ptr::null_mut(), found, Release, Acquire) {
            Ok(_) => found,
            Err(standing) => {
                // SAFETY: leaked above, and not shared with any other thread.
                drop(unsafe { Box::from_raw(found) });
                standing
            }
        };
        // SAFETY: as in `get`.
        unsafe { &*kept }
    }

    /// Lets `find` find the slots, unless they were found before.
    pub(crate) fn find(&self, find: impl FnOnce() -> S) {
        // Not inside a lock, where an allocator may be recording; see `start_slowly`.
        if self.get().is_none() && !lock::is_inside() {
            let _inside = lock::enter();
            self.get_or_init(find);
        }
    }

    /// Begins a call, unless this is the thread's first one or the time stamp counter is not trusted.
    #[inline]
    pub(crate) fn start<const DATED: bool>(&self) -> Option<CallInProgress<DATED>> {
        CallInProgress::start_quickly(|| {
            let number = self.near.load(Relaxed) as usize;
            // SAFETY: the stored value was a byte, and `NEAR` is the number of bytes. Without this a call has two
            // instructions more.
            unsafe { std::hint::assert_unchecked(number < NEAR) };
            number
        })
    }

    /// Begins a call in any case, recorded to the slots that `find` finds the first time. Unless `may_be_quick`, no
    /// call of this cell begins or ends quickly.
    pub(crate) fn start_slowly<const DATED: bool>(
        &'static self,
        may_be_quick: bool,
        find: impl FnOnce() -> S,
        lease: impl FnOnce(&S) -> Option<&CallSeriesLease>,
    ) -> CallInProgress<DATED> {
        self.find(find);
        // An allocator makes its first recording for an allocation made while this thread looks for slots.
        let Some(lease) = self.get().and_then(lease).filter(|lease| !lease.is_nowhere()) else {
            return CallInProgress::nowhere();
        };
        if may_be_quick {
            self.publish(lease);
        }
        let running = CallInProgress::start(lease.0, &Clock::System);
        if may_be_quick && Clock::System.counts_time_stamps() { running } else { running.with_token() }
    }

    fn publish(&'static self, recorder: &CallSeries) {
        // An allocator that records allocations made under this lock must not wait for it; a later call publishes.
        if recorder.near() == 0 || self.near.load(Relaxed) != 0 || lock::is_inside() {
            return;
        }
        // Until settings are installed every call takes this path, which detects their absence.
        if !not_installed::is_settled() {
            return;
        }
        // Without the counter every call takes this path, and must not take a lock for it.
        if !Clock::System.counts_time_stamps() {
            return;
        }
        let mut published = PUBLISHED.lock();
        if let Some(published) = published.as_mut().filter(|_| Clock::System.counts_time_stamps()) {
            published.push(&self.near);
            self.near.store(recorder.near().into(), Relaxed);
        }
    }
}
