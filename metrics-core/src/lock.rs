//! Locks that a forked child finds unlocked.
//!
//! A child has only the thread that forked; a lock that another thread held at that moment stays locked in it for
//! ever. So a fork waits until no thread is inside any of these locks, which are held only briefly. After a thread's
//! first call, calls, runs, events and a bot's own families take none. `ProfileHandle::update`, a capital check and a
//! commit of a reconciliation do, and so does market data over its limit, once for each series that becomes free.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, TryLockError};

/// Held for reading inside any lock, and for writing during a fork.
static GATE: RwLock<()> = RwLock::new(());

static GENERATION: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// Identifies this thread among all that ever existed in this process and its ancestors.
    static NUMBER: Cell<u32> = const { Cell::new(0) };
}

/// The number of forks of this process and its ancestors. A wait for a thread of the parent would never end.
pub(crate) fn generation() -> u32 {
    GENERATION.load(Relaxed)
}

/// The number of the thread that continued in this process when it was forked; 0 if it has none, or was not forked.
static SURVIVOR: AtomicU32 = AtomicU32::new(0);

/// Identifies a thread across processes: a child has only one of its parent's threads. The upper half is the generation,
/// the lower half the number; an address does not suffice, because a child's threads can have the addresses of its
/// parent's. Not 0, which means no thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThreadMark(pub(crate) u64);

impl ThreadMark {
    pub(crate) fn of_this() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        if NUMBER.get() == 0 {
            NUMBER.set(NEXT.fetch_add(1, Relaxed).max(1));
        }
        Self(u64::from(generation()) << 32 | u64::from(NUMBER.get()))
    }

    fn number(self) -> u64 {
        self.0 & u64::from(u32::MAX)
    }

    /// Whether the thread belongs to this process; also true for no thread.
    pub(crate) fn is_here(self) -> bool {
        let is_survivor = self.number() == u64::from(SURVIVOR.load(Relaxed));
        self.0 == 0 || self.0 >> 32 == u64::from(generation()) || is_survivor
    }

    /// Whether both are one thread, even if it continued in a forked process.
    pub(crate) fn is_same(self, other: Self) -> bool {
        self.number() == other.number()
    }
}

#[cfg(any(test, feature = "test-util"))]
thread_local! {
    static ENTERED: Cell<u64> = const { Cell::new(0) };
}

/// The number of times this thread took one of these locks.
#[cfg(any(test, feature = "test-util"))]
pub(crate) fn entered() -> u64 {
    ENTERED.get()
}

/// Whether this thread is inside a lock, in which case an allocator that records must take none.
pub(crate) fn is_inside() -> bool {
    DEPTH.get() > 0
}

/// Enters, as if a lock were held.
pub(crate) fn enter() -> Inside {
    #[cfg(unix)]
    forks::watch();
    #[cfg(any(test, feature = "test-util"))]
    ENTERED.set(ENTERED.get() + 1);
    let depth = DEPTH.get();
    // Only the outermost one: a second read lock would wait for a fork that waits for the first.
    let gate = (depth == 0).then(|| GATE.read().unwrap_or_else(PoisonError::into_inner));
    DEPTH.set(depth + 1);
    Inside { _gate: gate }
}

/// Runs `work` inside, unless this thread is inside a lock already.
pub(crate) fn outside<R>(work: impl FnOnce() -> R) -> Option<R> {
    if is_inside() {
        return None;
    }
    let _inside = enter();
    Some(work())
}

/// Like [`enter`], but returns `None` if it would have to wait for a fork.
fn try_enter() -> Option<Inside> {
    #[cfg(unix)]
    forks::watch();
    let depth = DEPTH.get();
    let gate = if depth == 0 { Some(without_waiting(GATE.try_read())?) } else { None };
    DEPTH.set(depth + 1);
    Some(Inside { _gate: gate })
}

fn without_waiting<G>(attempt: Result<G, TryLockError<G>>) -> Option<G> {
    match attempt {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Leaves when dropped.
#[derive(Debug)]
pub(crate) struct Inside {
    _gate: Option<RwLockReadGuard<'static, ()>>,
}

impl Drop for Inside {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// A value that is initialised once. No fork happens during the initialisation, because the child would wait for it
/// for ever.
#[derive(Debug)]
pub(crate) struct Once<T>(OnceLock<T>);

impl<T> Once<T> {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The value, if it was initialised.
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.get()
    }

    /// The value, initialised by `make` the first time.
    #[inline]
    pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        self.0.get().unwrap_or_else(|| {
            // First, because a fork in progress admits no thread, and must not find the initialisation begun.
            let _inside = enter();
            self.0.get_or_init(make)
        })
    }

    /// Like [`get_or_init`](Self::get_or_init), but returns `None` if the value is not initialised and this thread is
    /// inside a lock: this may be an allocator that records an allocation made for the value itself.
    #[inline]
    pub(crate) fn get_unless_inside(&self, make: impl FnOnce() -> T) -> Option<&T> {
        match self.0.get() {
            None if is_inside() => None,
            None => Some(self.get_or_init(make)),
            value => value,
        }
    }
}

/// A mutex that no other thread holds when this one forks.
#[derive(Debug, Default)]
pub(crate) struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Locks it, ignoring poisoning.
    pub(crate) fn lock(&self) -> LockGuard<'_, T> {
        let inside = enter();
        let value = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        #[cfg(bot_metrics_tsan)]
        sanitizer::acquired(&*value);
        LockGuard { value, _inside: inside }
    }

    /// Locks it, unless that would mean to wait; for work that may be skipped while a call is recorded.
    pub(crate) fn try_hold(&self) -> Option<LockGuard<'_, T>> {
        let inside = try_enter()?;
        let value = without_waiting(self.0.try_lock())?;
        #[cfg(bot_metrics_tsan)]
        sanitizer::acquired(&*value);
        Some(LockGuard { value, _inside: inside })
    }
}

/// A [`Lock`] that is held.
#[derive(Debug)]
pub(crate) struct LockGuard<'a, T> {
    // Dropped in this order: first the lock is released, then the inside is left.
    value: MutexGuard<'a, T>,
    _inside: Inside,
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

#[cfg(bot_metrics_tsan)]
impl<T> Drop for LockGuard<'_, T> {
    fn drop(&mut self) {
        sanitizer::releases(&*self.value);
    }
}

/// The standard library's mutex is not instrumented for the thread sanitizer, which is informed here.
#[cfg(bot_metrics_tsan)]
pub(crate) mod sanitizer {
    use std::ffi::c_void;

    unsafe extern "C" {
        fn __tsan_acquire(address: *mut c_void);
        fn __tsan_release(address: *mut c_void);
    }

    pub(crate) fn acquired<T>(value: &T) {
        // SAFETY: the address is only an identifier, and is not read.
        unsafe { __tsan_acquire(std::ptr::from_ref(value).cast_mut().cast()) }
    }

    pub(crate) fn releases<T>(value: &T) {
        // SAFETY: as above.
        unsafe { __tsan_release(std::ptr::from_ref(value).cast_mut().cast()) }
    }
}

/// The handlers that run around a fork.
#[cfg(unix)]
mod forks {
    use std::cell::RefCell;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    use std::sync::{PoisonError, RwLockWriteGuard};

    use super::{DEPTH, GATE, GENERATION, NUMBER, SURVIVOR, is_inside};

    thread_local! {
        static FORKING: RefCell<Option<RwLockWriteGuard<'static, ()>>> = const { RefCell::new(None) };
    }

    /// Registers the handlers at the first lock. Not with a `Once`, which a fork could find half done; registering
    /// twice is harmless.
    pub(super) fn watch() {
        static WATCHES: AtomicBool = AtomicBool::new(false);
        if WATCHES.load(Relaxed) {
            return;
        }
        // SAFETY: the three functions live as long as the process, do not unwind, and are safe to call at any time;
        // there is no other contract.
        // If it fails, for lack of memory, a fork is as dangerous as in any program with threads.
        let _ = unsafe { libc::pthread_atfork(Some(before), Some(after), Some(in_child)) };
        WATCHES.store(true, Relaxed);
    }

    extern "C" fn before() {
        if is_inside() {
            return;
        }
        let gate = GATE.write().unwrap_or_else(PoisonError::into_inner);
        // A thread that is ending has no place to store it, so the gate opens again at once. Fork handlers of other
        // libraries that run while it is stored may record, and must not wait for this thread's own gate.
        let kept = FORKING.try_with(|forking| forking.replace(Some(gate)));
        if kept.is_ok() {
            DEPTH.set(DEPTH.get() + 1);
        }
    }

    /// Runs in the parent and in the child, on the thread that forked.
    extern "C" fn after() {
        if let Ok(Some(_gate)) = FORKING.try_with(RefCell::take) {
            DEPTH.set(DEPTH.get() - 1);
        }
    }

    extern "C" fn in_child() {
        SURVIVOR.store(NUMBER.get(), Relaxed);
        GENERATION.fetch_add(1, Relaxed);
        after();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_during_initialisation_leaves_no_thread_inside_and_allows_another_attempt() {
        let once = Once::new();
        let panicked = std::panic::catch_unwind(|| once.get_or_init(|| panic!("on purpose")));
        assert!(panicked.is_err() && once.get().is_none() && !is_inside());
        assert_eq!(once.get_unless_inside(|| 7), Some(&7));
        assert_eq!(once.get_or_init(|| 8), &7);
    }

    #[test]
    fn a_panic_while_a_lock_is_held_releases_it() {
        let lock = Lock::new(1);
        let panicked = std::panic::catch_unwind(|| {
            let mut held = lock.lock();
            *held = 2;
            panic!("on purpose");
        });
        assert!(panicked.is_err() && !is_inside());
        assert_eq!(*lock.lock(), 2);
    }
}
