//! The guards of function bodies, for the code that the attributes generate.

use crate::Outcome;
use crate::attributes::guards::Guard;
use crate::outcome::unwinding::Unwinding;

/// Runs a body that returns a value, and passes its guard the verdict of `classify` on that value.
///
/// The body is a parameter so that its closure is `FnOnce`. A closure that is called where it is written is inferred as
/// `FnMut`, and cannot return a mutable borrow of a captured variable.
pub fn call<G: Guard, R>(guard: G, body: impl FnOnce() -> R, classify: impl FnOnce(&R) -> G::Verdict) -> R {
    let pending = Pending(Some(guard));
    let value = body();
    pending.end(classify(&value));
    value
}

/// Wraps the guard of a body that runs next, so that it is abandoned unless the body reaches its end.
pub fn enter<G: Guard>(guard: G) -> Pending<G> {
    Pending(Some(guard))
}

/// `T`, where an attribute repeats a type of the function's signature: Clippy reports a type behind an alias only in the
/// signature, where the user wrote it.
pub type Rewritten<T> = T;

/// Runs a body without a guard; [`call`] explains why the body is a parameter.
pub fn evaluate<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// Used instead of [`call`] for a function that is not measured: checks the type of `classify` without calling it.
pub fn unmeasured<R, V>(_classify: impl FnOnce(&R) -> V) {}

/// Generated as `if false { return never(); }`, which fixes the output type of an async block.
#[must_use]
pub fn never<R>() -> R {
    unreachable!("this call is inside `if false`")
}

/// Converts the inferred output of a body that never returns to `!`.
pub fn diverge<R>(_: R) -> ! {
    unreachable!("a function that returns `!` has returned")
}

/// The verdict on a value that never means failure: the call returned, so it succeeded.
#[must_use]
pub fn always_ok<R>(_: &R) -> Outcome {
    Outcome::Ok
}

/// Ends the guard of a future whose every output is a success.
pub fn end_ok<G: Guard<Verdict = Outcome>, R>(guard: &mut Pending<G>, _: &R) {
    guard.end_future(Outcome::Ok);
}

/// A guard for a body whose return value is independent of its success: when dropped it records a success, unless a panic
/// has begun since it was created.
///
/// A panic that begins and is caught while the thread is already unwinding is indistinguishable from a return: the
/// standard library keeps its panic count private, and a statement after the body would change when its temporaries are
/// dropped, and which lints apply to it.
#[must_use = "dropping the guard ends the measurement; bind it to a variable"]
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

/// A guard that is abandoned with [`Outcome::Panic`] if it is dropped before its end. `Guards::abandon` takes out the guard
/// of a future that is dropped, and chooses the outcome.
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
