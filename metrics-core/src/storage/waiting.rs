//! Local waiting inside an exchange call: time that is not the exchange's latency.
//!
//! A wait is counted when it ends, in each enclosing scope: in the futures of exchange calls that its thread is
//! polling, innermost first, and in the thread. A scope counts each moment once, even if several waits include it.
//!
//! A future subtracts at its end the total of its scope. A synchronous call subtracts the increase of its thread's
//! total since the call began. It reads the total from its shard, to which the end of each wait copies it, so that a
//! call without waits spends one instruction on this.

use std::cell::Cell;
use std::fmt;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed};

use crate::clock;
use crate::lock::ThreadMark;
use crate::storage::copy_waited;

thread_local! {
    static THREAD: Thread = const {
        Thread { scope: Scope::NEW, polled: Cell::new(ptr::null()), own: Cell::new(0), claimed: Cell::new(0) }
    };
}

/// The waits of a thread, in ticks. Has no destructor, so that it can be used in a thread that is ending.
struct Thread {
    scope: Scope,
    /// The scope of the innermost exchange call's future that is being polled.
    polled: Cell<*const Scope>,
    /// The total outside the futures of exchange calls, for attempts of handles.
    own: Cell<u64>,
    /// The total that attempts subtract by themselves.
    claimed: Cell<u64>,
}

/// The waiting time of a thread, or of the future of an exchange call.
///
/// Only one thread at a time uses it. Its words are atomic so that futures stay `Send` and `Sync`.
#[derive(Debug)]
pub struct Scope {
    total: AtomicU64,
    /// The end of the last wait that was counted.
    until: AtomicU64,
    /// The enclosing scope, while its future is polled.
    outer: AtomicPtr<Scope>,
}

/// The scope of a guard's future, if it has one; other futures do not grow by it.
pub trait Waits: fmt::Debug {
    /// One scope for two guards, if either has one.
    type Or<B: Waits>: Waits;

    /// A scope without waits.
    const NEW: Self;

    /// The scope.
    fn scope(&self) -> Option<&Scope>;
}

impl Waits for () {
    type Or<B: Waits> = B;

    const NEW: Self = ();

    fn scope(&self) -> Option<&Scope> {
        None
    }
}

impl Waits for Scope {
    type Or<B: Waits> = Self;

    const NEW: Self =
        Self { total: AtomicU64::new(0), until: AtomicU64::new(0), outer: AtomicPtr::new(ptr::null_mut()) };

    #[inline]
    fn scope(&self) -> Option<&Scope> {
        Some(self)
    }
}

/// The time that a scope added for a wait.
#[derive(Clone, Copy)]
struct Added {
    ticks: u64,
    /// The end of the scope's last wait before this one.
    after: u64,
}

impl Scope {
    /// Makes it ignore the time before this moment.
    #[inline]
    pub(crate) fn begin(&self, at: u64) {
        self.until.store(at, Relaxed);
    }

    #[inline]
    pub(crate) fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }

    /// Makes it the innermost scope of this thread, until [`leave`](Self::leave).
    ///
    /// # Safety
    ///
    /// The scope must be left on the same thread before it is moved or dropped.
    #[inline]
    pub(crate) unsafe fn enter(&self) {
        let outer = THREAD.with(|thread| thread.polled.replace(self));
        self.outer.store(outer.cast_mut(), Relaxed);
    }

    #[inline]
    pub(crate) fn leave(&self) {
        THREAD.with(|thread| thread.polled.set(self.outer.load(Relaxed)));
    }

    /// Adds the new part of a wait: the part after the last wait that was counted here, and at least as much as the
    /// inner scope added, if that scope's last wait was also the last one here.
    fn add(&self, from: u64, to: u64, inside: Added) -> Added {
        let after = self.until.load(Relaxed);
        let beyond = to.saturating_sub(from.max(after));
        let ticks = if inside.after == after { beyond.max(inside.ticks) } else { beyond };
        self.total.store(self.total().wrapping_add(ticks), Relaxed);
        self.until.store(after.max(to), Relaxed);
        Added { ticks, after }
    }
}

impl Thread {
    fn innermost(&self) -> &Scope {
        // SAFETY: an entered scope exists until it is left, and then the enclosing one becomes innermost.
        unsafe { self.polled.get().as_ref() }.unwrap_or(&self.scope)
    }

    fn count(&self, wait: &LocalWait, from: u64, to: u64) {
        let mut scope = self.innermost();
        // For the scope in which the wait began, the time counted since is known.
        let mut added = if wait.began_in == ptr::from_ref(scope).addr() {
            let counted = scope.total().wrapping_sub(wait.total);
            Added { ticks: to.saturating_sub(from).saturating_sub(counted), after: scope.until.load(Relaxed) }
        } else {
            Added { ticks: 0, after: u64::MAX }
        };
        let is_own = ptr::eq(scope, &raw const self.scope);
        while !ptr::eq(scope, &raw const self.scope) {
            added = scope.add(from, to, added);
            // SAFETY: as in `innermost`; the outer scopes are left later.
            scope = unsafe { scope.outer.load(Relaxed).as_ref() }.unwrap_or(&self.scope);
        }
        added = self.scope.add(from, to, added);
        if is_own {
            let claimed = self.claimed.get().wrapping_sub(wait.claimed);
            self.own.set(self.own.get().wrapping_add(added.ticks.saturating_sub(claimed)));
        }
    }
}

/// The total waiting time of this thread, in ticks from an arbitrary origin.
#[inline]
pub(crate) fn total() -> u64 {
    THREAD.with(|thread| thread.scope.total())
}

/// The time that an attempt of a handle subtracts: waits counted on the thread on which it began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SinceHere {
    thread: ThreadMark,
    own: u64,
}

impl SinceHere {
    pub(crate) fn begin() -> Self {
        Self { thread: ThreadMark::of_this(), own: THREAD.with(|thread| thread.own.get()) }
    }

    /// The number of ticks counted since; none if called on another thread.
    pub(crate) fn waited(self) -> u64 {
        let now = Self::begin();
        if self.thread.is_same(now.thread) { now.own.wrapping_sub(self.own) } else { 0 }
    }
}

/// Records that an attempt of a handle subtracts this many ticks by itself, so that an enclosing wait of its thread
/// does not subtract them again.
pub(crate) fn claim(ticks: u64) {
    THREAD.with(|thread| thread.claimed.set(thread.claimed.get().wrapping_add(ticks)));
}

/// Begins a local wait, which lasts until the returned guard is dropped: for a rate limiter, a backoff, a lock, or
/// any other delay inside the bot. Every enclosing exchange call subtracts it from its latency, at any depth of
/// nesting and through any measured functions in between. Time in several waits counts once.
///
/// ```
/// use bot_metrics::prelude::*;
///
/// # struct Limiter;
/// # impl Limiter { async fn ready(&self) {} }
/// #[exchange_call(op = "place_order", exchange = "binance")]
/// async fn place_order(limiter: &Limiter) -> Result<(), std::io::Error> {
///     let waiting = bot_metrics::local_wait();
///     limiter.ready().await;
///     drop(waiting);
///     // … the request …
///     Ok(())
/// }
/// ```
///
/// The guard may be held across an `.await` and dropped on another thread. Drop it in the call in which the wait
/// began: a synchronous call in which an older wait ends subtracts all of it, though never more than the duration of
/// the call. A wait in a separate task or thread does not belong to the call.
///
/// An attempt begun by a [handle](crate::ExchangeCallHandle) subtracts waits if it ends on the thread on which it began.
/// Held across an `.await` it cannot know which waits are its own, since other tasks run on its thread meanwhile: it
/// subtracts all except those inside the futures of annotated calls. There, use
/// [`CallGuard::local_wait`](crate::CallGuard::local_wait).
/// Outside any measured call it has no effect.
#[must_use = "the wait lasts as long as the guard lives"]
pub fn local_wait() -> LocalWait {
    let from = clock::now_unless_inside();
    THREAD.with(|thread| {
        let scope = thread.innermost();
        LocalWait {
            from,
            began_in: ptr::from_ref(scope).addr(),
            total: scope.total(),
            claimed: thread.claimed.get(),
        }
    })
}

/// A local wait in progress; from [`local_wait`].
#[derive(Debug)]
#[must_use = "the wait lasts as long as the guard lives"]
pub struct LocalWait {
    /// `None` if an allocator began to wait while the clock was being created.
    from: Option<u64>,
    /// The address of the scope, and its total at the beginning.
    began_in: usize,
    total: u64,
    claimed: u64,
}

impl Drop for LocalWait {
    fn drop(&mut self) {
        let Some(from) = self.from else { return };
        let to = clock::now();
        THREAD.with(|thread| thread.count(self, from, to));
        copy_waited();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ends waits in a thread's scopes one after the other, each given as its beginning, the total of its scope at
    /// that time, and its end.
    fn counted(thread: &Thread, waits: &[(u64, u64, u64)]) -> u64 {
        let before = thread.scope.total();
        for (from, total, to) in waits {
            let began_in = ptr::from_ref(thread.innermost()).addr();
            let wait = LocalWait { from: None, began_in, total: *total, claimed: 0 };
            thread.count(&wait, *from, *to);
        }
        thread.scope.total() - before
    }

    fn thread() -> Thread {
        Thread { scope: Scope::NEW, polled: Cell::new(ptr::null()), own: Cell::new(0), claimed: Cell::new(0) }
    }

    #[test]
    fn time_in_several_waits_of_a_thread_counts_once() {
        let waits = |waits| counted(&thread(), waits);
        assert_eq!(waits(&[(10, 0, 20), (30, 10, 40)]), 20, "one after the other");
        assert_eq!(waits(&[(20, 0, 30), (40, 10, 50), (10, 0, 70)]), 60, "one around two");
        assert_eq!(waits(&[(1, 0, 5), (20, 4, 30), (40, 14, 50), (10, 4, 70)]), 64, "and one before");
        assert_eq!(waits(&[(10, 0, 30), (20, 0, 40)]), 30, "one that began in the other");
        assert_eq!(waits(&[(10, 0, 10), (20, 0, 15)]), 0, "a clock that went back");
    }

    #[test]
    fn each_scope_counts_its_own_waits_and_the_outer_ones_those_of_the_inner() {
        let (thread, outer, one, other) = (thread(), Scope::NEW, Scope::NEW, Scope::NEW);
        let inside = |scope: &Scope, waits: &[(u64, u64, u64)]| {
            scope.outer.store(thread.polled.replace(scope).cast_mut(), Relaxed);
            counted(&thread, waits);
            thread.polled.set(scope.outer.load(Relaxed));
        };
        let within = |scope: &Scope, waits: &[(u64, u64, u64)]| {
            outer.outer.store(thread.polled.replace(&raw const outer).cast_mut(), Relaxed);
            inside(scope, waits);
            thread.polled.set(outer.outer.load(Relaxed));
        };
        // A wait with one inside it, and then two futures that wait at the same time.
        within(&one, &[(20, 0, 30), (10, 0, 40)]);
        within(&one, &[(50, 30, 100)]);
        within(&other, &[(51, 0, 101)]);
        assert_eq!([&one, &other, &outer, &thread.scope].map(Scope::total), [80, 50, 81, 81]);
        // A concurrent future that began at 90, with an older wait.
        let beside = Scope::NEW;
        beside.begin(90);
        thread.polled.set(&raw const beside);
        thread.count(&LocalWait { from: None, began_in: 0, total: 0, claimed: 0 }, 60, 110);
        assert_eq!([&beside, &outer, &thread.scope].map(Scope::total), [20, 81, 90]);
        thread.polled.set(ptr::null());
        assert_eq!(thread.own.get(), 0, "all were futures'");
    }

    #[test]
    fn an_attempt_subtracts_what_its_thread_waited_outside_futures_and_did_not_claim() {
        let thread = thread();
        counted(&thread, &[(10, 0, 20)]);
        assert_eq!(thread.own.get(), 10);
        thread.claimed.set(7);
        counted(&thread, &[(30, 10, 50)]);
        assert_eq!(thread.own.get(), 10 + 20 - 7);
    }
}
