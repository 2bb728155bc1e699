//! Runs a function's body under a guard.

use crate::Outcome;
use crate::attributes::guards::Guard;
use crate::outcome::unwinding::Unwinding;

/// Runs a body that returns a value, and passes its guard the verdict of `classify` on that value.
///
/// The body is a parameter so that its closure is `FnOnce`; called directly, it would be inferred as `FnMut`, which
/// breaks bodies that return mutable borrows.
pub fn call<G: Guard, R>(guard: G, body: impl FnOnce() -> R, classify: impl FnOnce(&R) -> G::Verdict) -> R {
    let pending = Pending(Some(guard));
    let value = body();
    pending.end(classify(&value));
    value
}

/// Holds the guard of a body that runs next.
pub fn enter<G: Guard>(guard: G) -> Pending<G> {
    Pending(Some(guard))
}

/// `T`, written a second time. Clippy checks it only in the signature, where the user wrote it.
pub type Rewritten<T> = T;

/// Runs a body; see [`call`] for why it is not called directly.
pub fn evaluate<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// Accepts `classify` without calling it, so that its type is checked.
pub fn unmeasured<R, V>(_classify: impl FnOnce(&R) -> V) {}

/// A value for a `return` that never runs, which fixes the type of an async block.
#[must_use]
pub fn never<R>() -> R {
    unreachable!("this call is inside `if false`")
}

/// Follows a future that does not end, of any inferred type.
pub fn diverge<R>(_: R) -> ! {
    unreachable!("a function that returns `!` has returned")
}

/// The verdict on a value that never means failure: the call returned, so it succeeded.
#[must_use]
pub fn always_ok<R>(_: &R) -> Outcome {
    Outcome::Ok
}

/// A guard for a body whose return value is independent of its success: it ends successfully unless a panic drops it.
///
/// A panic that begins and is caught while the thread is already unwinding is indistinguishable from a return: the
/// standard library keeps its panic count private, and a flag at the body's end would change its lints and
/// temporaries.
#[must_use = "the body runs under this guard"]
pub fn returned<G: Guard<Verdict = Outcome>>(guard: G) -> Returned<G> {
    Returned(Pending(Some(guard)), Unwinding::at_entry())
}

/// See [`returned`].
#[derive(Debug)]
pub struct Returned<G: Guard<Verdict = Outcome>>(Pending<G>, Unwinding);

impl<G: Guard<Verdict = Outcome>> Drop for Returned<G> {
    fn drop(&mut self) {
        let panicked = self.1.has_begun();
        if let Some(guard) = self.0.0.take() {
            if panicked { guard.abandon_here(Outcome::Panic) } else { guard.finish_here(Outcome::Ok) }
        }
    }
}

/// A guard that is abandoned if a panic drops it.
#[derive(Debug)]
pub struct Pending<G: Guard>(pub(super) Option<G>);

impl<G: Guard> Pending<G> {
    /// Ends the guard with the verdict on the returned value.
    #[inline]
    pub fn end(mut self, verdict: G::Verdict) {
        if let Some(guard) = self.0.take() {
            guard.finish_here(verdict);
        }
    }

    /// Like [`end`](Self::end) for a future, which may have moved to another thread since it began.
    #[inline]
    pub fn end_future(&mut self, verdict: G::Verdict) {
        if let Some(guard) = self.0.take() {
            guard.finish(verdict);
        }
    }
}

impl<G: Guard> Drop for Pending<G> {
    fn drop(&mut self) {
        if let Some(guard) = self.0.take() {
            // A synchronous body that does not return has panicked, even if the thread was already unwinding.
            guard.abandon_here(Outcome::Panic);
        }
    }
}
