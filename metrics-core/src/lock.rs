//! Locks that a fork leaves open.
//!
//! A child has one thread, the one that forked; a lock that another thread held at that moment stays locked in it for
//! ever. So a fork waits until no thread is inside any of these locks. They are never held for long. After a thread's first
//! call, calls, runs, events and families of a bot's own take none; `Profile::update`, a capital check and a commit of a
//! reconciliation do, and market data beyond its bound once for each place that came free.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, TryLockError};

/// Held for reading inside any lock, and for writing during a fork.
static GATE: RwLock<()> = RwLock::new(());

static GENERATION: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// Tells this thread from all that there ever were here and in the processes that this one comes from.
    static NUMBER: Cell<u32> = const { Cell::new(0) };
}

/// How often this process and those it comes from were forked: what waits for a thread of the parent waits in vain.
pub(crate) fn generation() -> u32 {
    GENERATION.load(Relaxed)
}

/// The number of the thread that went on in this process when it was forked; 0 where it has none, or was not.
static SURVIVOR: AtomicU32 = AtomicU32::new(0);

/// A thread, told from those of other processes: a child has one alone of its parent's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThreadMark {
    generation: u32,
    /// No address will do: a child's threads live where its parent's did.
    number: u32,
}

impl ThreadMark {
    pub(crate) fn of_this() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        if NUMBER.get() == 0 {
            NUMBER.set(NEXT.fetch_add(1, Relaxed).max(1));
        }
        Self { generation: generation(), number: NUMBER.get() }
    }

    /// Whether the thread is one of this process; so is none.
    pub(crate) fn is_here(self) -> bool {
        self.number == 0 || self.generation == generation() || self.number == SURVIVOR.load(Relaxed)
    }

    /// Whether both are one thread, even if it went on in a forked process.
    pub(crate) fn is_same(self, other: Self) -> bool {
        self.number == other.number
    }

    /// As one word, which is not 0.
    pub(crate) fn bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.number)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the two halves of a word")]
    pub(crate) fn of_bits(bits: u64) -> Self {
        Self { generation: (bits >> 32) as u32, number: bits as u32 }
    }
}

#[cfg(any(test, feature = "test-util"))]
thread_local! {
    static ENTERED: Cell<u64> = const { Cell::new(0) };
}

/// How often this thread took one of these locks.
#[cfg(any(test, feature = "test-util"))]
pub(crate) fn entered() -> u64 {
    ENTERED.get()
}

/// Whether this thread is inside a lock: then an allocator that records must take none.
pub(crate) fn is_inside() -> bool {
    DEPTH.get() > 0
}

/// Goes inside, as if a lock were held.
pub(crate) fn enter() -> Inside {
    #[cfg(unix)]
    forks::watch();
    #[cfg(any(test, feature = "test-util"))]
    ENTERED.set(ENTERED.get() + 1);
    let depth = DEPTH.get();
    // Only the outermost: a second reading would wait for a fork that waits for the first.
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

/// Like [`enter`], but gives up where it would wait for a fork.
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

/// Inside until dropped.
#[derive(Debug)]
pub(crate) struct Inside {
    _gate: Option<RwLockReadGuard<'static, ()>>,
}

impl Drop for Inside {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// A value that is made once. No fork comes while it is being made: in the child the others would wait for it for ever.
#[derive(Debug)]
pub(crate) struct Once<T>(OnceLock<T>);

impl<T> Once<T> {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The value, if it was made.
    pub(crate) fn into_inner(self) -> Option<T> {
        self.0.into_inner()
    }

    /// The value, once it was made.
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.get()
    }

    /// The value, made by `make` the first time.
    #[inline]
    pub(crate) fn get_or_make(&self, make: impl FnOnce() -> T) -> &T {
        self.0.get().unwrap_or_else(|| {
            // First: a fork that is under way lets nobody in, and must not find the making begun.
            let _inside = enter();
            self.0.get_or_init(make)
        })
    }

    /// The same, or none where this thread is inside a lock and the value is not made as yet: this may be an allocator
    /// that records what is allocated for the very value.
    #[inline]
    pub(crate) fn get_unless_inside(&self, make: impl FnOnce() -> T) -> Option<&T> {
        match self.0.get() {
            None if is_inside() => None,
            None => Some(self.get_or_make(make)),
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

    /// Holds it. What a panic left behind is taken as it is.
    pub(crate) fn hold(&self) -> Held<'_, T> {
        let inside = enter();
        let value = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        #[cfg(bot_metrics_tsan)]
        sanitizer::acquired(&*value);
        Held { value, _inside: inside }
    }
}

impl<T> Lock<T> {
    /// Holds it, unless that would mean to wait: for what may be left out while a call is recorded.
    pub(crate) fn try_hold(&self) -> Option<Held<'_, T>> {
        let inside = try_enter()?;
        let value = without_waiting(self.0.try_lock())?;
        #[cfg(bot_metrics_tsan)]
        sanitizer::acquired(&*value);
        Some(Held { value, _inside: inside })
    }
}

/// A [`Lock`] that is held.
#[derive(Debug)]
pub(crate) struct Held<'a, T> {
    // Dropped in this order: let go of the lock, then leave.
    value: MutexGuard<'a, T>,
    _inside: Inside,
}

impl<T> Deref for Held<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Held<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

#[cfg(bot_metrics_tsan)]
impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        sanitizer::releases(&*self.value);
    }
}

/// The standard library's mutex is not compiled for the thread sanitizer, which is told of it here.
#[cfg(bot_metrics_tsan)]
pub(crate) mod sanitizer {
    use std::ffi::c_void;

    unsafe extern "C" {
        fn __tsan_acquire(address: *mut c_void);
        fn __tsan_release(address: *mut c_void);
    }

    pub(crate) fn acquired<T>(value: &T) {
        // SAFETY: the address is a name, and is not read.
        unsafe { __tsan_acquire(std::ptr::from_ref(value).cast_mut().cast()) }
    }

    pub(crate) fn releases<T>(value: &T) {
        // SAFETY: as above.
        unsafe { __tsan_release(std::ptr::from_ref(value).cast_mut().cast()) }
    }
}

/// What is done around a fork.
#[cfg(unix)]
mod forks {
    use std::cell::RefCell;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    use std::sync::{PoisonError, RwLockWriteGuard};

    use super::{DEPTH, GATE, GENERATION, NUMBER, SURVIVOR, is_inside};

    thread_local! {
        static FORKING: RefCell<Option<RwLockWriteGuard<'static, ()>>> = const { RefCell::new(None) };
    }

    /// Watches from the first lock on. No `Once`, which a fork would find half done; to be told twice does no harm.
    pub(super) fn watch() {
        static WATCHES: AtomicBool = AtomicBool::new(false);
        if WATCHES.load(Relaxed) {
            return;
        }
        // SAFETY: the three are functions that live as long as the process, do not unwind, and are safe to call at any
        // time; no other contract is asked for.
        // Where it fails, for want of memory, a fork is as dangerous as it is in any program with threads.
        let _ = unsafe { libc::pthread_atfork(Some(before), Some(after), Some(in_child)) };
        WATCHES.store(true, Relaxed);
    }

    extern "C" fn before() {
        if is_inside() {
            return;
        }
        let gate = GATE.write().unwrap_or_else(PoisonError::into_inner);
        // In a thread that is ending there is no place to keep it: then it opens again at once. Handlers of others that
        // run while it is kept may record, and must not wait for this thread's own gate.
        let kept = FORKING.try_with(|forking| forking.replace(Some(gate)));
        if kept.is_ok() {
            DEPTH.set(DEPTH.get() + 1);
        }
    }

    /// In the parent and in the child, by the thread that forked.
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
    fn what_panicked_while_it_was_made_is_made_the_next_time_and_nobody_is_inside() {
        let once = Once::new();
        let panicked = std::panic::catch_unwind(|| once.get_or_make(|| panic!("on purpose")));
        assert!(panicked.is_err() && once.get().is_none() && !is_inside());
        assert_eq!(once.get_unless_inside(|| 7), Some(&7));
        assert_eq!(once.get_or_make(|| 8), &7);
    }

    #[test]
    fn what_panicked_while_a_lock_was_held_leaves_it_open() {
        let lock = Lock::new(1);
        let panicked = std::panic::catch_unwind(|| {
            let mut held = lock.hold();
            *held = 2;
            panic!("on purpose");
        });
        assert!(panicked.is_err() && !is_inside());
        assert_eq!(*lock.hold(), 2);
    }
}
