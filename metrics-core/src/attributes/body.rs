//! How a function's body is run under a guard.

use crate::Outcome;
use crate::attributes::guard::Guard;
use crate::outcome::unwinding::Unwinding;

/// Runs a body that returns a value, and tells its guard how `classify` sees that value.
///
/// The body is a parameter so that its closure is `FnOnce`; called where it stands it would be inferred as `FnMut`,
/// which breaks bodies that return what they borrow mutably.
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

/// `T`, written a second time. Clippy checks it only where the user wrote it, in the signature.
pub type Rewritten<T> = T;

/// Runs a body: see [`call`] for why it is not called where it stands.
pub fn evaluate<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// Takes `classify` without calling it: only its type is checked.
pub fn unmeasured<R, V>(_classify: impl FnOnce(&R) -> V) {}

/// A value for a `return` that never runs, which fixes the type of an async block.
#[must_use]
pub fn never<R>() -> R {
    unreachable!("this call stands behind `if false`")
}

/// Stands behind a future that does not end, whatever its type was inferred to be.
pub fn diverge<R>(_: R) -> ! {
    unreachable!("a function that returns `!` has returned")
}

/// The verdict for a value that never means failure: the call returned, so it succeeded.
#[must_use]
pub fn always_ok<R>(_: &R) -> Outcome {
    Outcome::Ok
}

/// A guard for a body whose return says nothing of its success: it ends well unless a panic drops it.
///
/// A panic that begins and is caught while the thread unwinds already is not to be told from a return: the standard
/// library counts panics for itself alone, and a mark at the body's end would change its lints and temporaries.
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

/// A guard that is abandoned to the panic that drops it.
#[derive(Debug)]
pub struct Pending<G: Guard>(pub(super) Option<G>);

impl<G: Guard> Pending<G> {
    /// The body has returned a value of this verdict.
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
            // A synchronous body that does not return has panicked, whatever else is unwinding.
            guard.abandon_here(Outcome::Panic);
        }
    }
}
