//! How a function's body is run under a guard.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::guard::{Guard, Unwinding};
use crate::waiting::{Scope, Waits};
use crate::{Outcome, timeout};

/// Runs a body that returns a value, and tells its guard how `judge` sees that value.
///
/// The body is a parameter so that its closure is `FnOnce`; called where it stands it would be inferred as `FnMut`,
/// which breaks bodies that return what they borrow mutably.
pub fn call<G: Guard, R>(guard: G, body: impl FnOnce() -> R, judge: impl FnOnce(&R) -> G::Verdict) -> R {
    let pending = Pending(Some(guard));
    let value = body();
    pending.end(judge(&value));
    value
}

/// Holds the guard of a body that runs next.
pub fn begun<G: Guard>(guard: G) -> Pending<G> {
    Pending(Some(guard))
}

/// Runs a body: see [`call`] for why it is not called where it stands.
pub fn evaluate<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// Takes a judge for values of `R` and never asks it: its type alone is checked.
pub fn unmeasured<R, V>(_judge: impl FnOnce(&R) -> V) {}

/// A value for a `return` that never runs, which fixes the type of an async block.
#[must_use]
pub fn never<R>() -> R {
    unreachable!("this call stands behind `if false`")
}

/// Stands behind a future that does not end, whatever its type was inferred to be.
pub fn endless<R>(_: R) -> ! {
    unreachable!("a function that returns `!` has returned")
}

/// The verdict on a value that says nothing of how the call ended: well, since it returned.
#[must_use]
pub fn good<R>(_: &R) -> Outcome {
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
pub struct Pending<G: Guard>(Option<G>);

impl<G: Guard> Pending<G> {
    /// The body has returned a value of this verdict.
    #[inline]
    pub fn end(mut self, verdict: G::Verdict) {
        if let Some(guard) = self.0.take() {
            guard.finish_here(verdict);
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

/// Boxes the future of a function that returns it boxed.
pub fn pinned<F>(future: F) -> Pin<Box<F>> {
    Box::pin(future)
}

/// Runs a future under a guard, where the function's signature names what the future ends with.
///
/// The type of `future` is left to the signature: a bound here would report a second time what is wrong with it.
pub fn declared<F, S, G, J, R>(start: S, future: F, judge: J) -> Instrumented<F, S, G, J, R>
where
    S: FnOnce() -> G,
    G: Guard,
    J: FnOnce(&R) -> G::Verdict,
{
    Instrumented { future, start: Some(start), held: Held::new(), judge: Some(judge), output: PhantomData }
}

/// Runs a future under a guard that `start` makes at the first poll.
pub fn future<F, S, G, J>(start: S, future: F, judge: J) -> Instrumented<F, S, G, J, F::Output>
where
    F: Future,
    S: FnOnce() -> G,
    G: Guard,
    J: FnOnce(&F::Output) -> G::Verdict,
{
    declared(start, future, judge)
}

/// Runs the body of an `async fn`, which is polled already, under its guard.
///
/// The type is hidden because the compiler is quicker with what a hidden type promises than with the bounds of an
/// implementation.
pub fn running<F, G, J>(guard: G, future: F, judge: J) -> impl Future<Output = F::Output>
where
    F: Future,
    G: Guard,
    J: FnOnce(&F::Output) -> G::Verdict,
{
    let start: Option<fn() -> G> = None;
    let mut held = Held::new();
    held.begin(guard);
    Instrumented { future, start, held, judge: Some(judge), output: PhantomData }
}

pin_project! {
    /// See [`future`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Instrumented<F, S, G, J, R>
    where
        G: Guard,
    {
        #[pin]
        future: F,
        // Before the first poll.
        start: Option<S>,
        // Behind the future, so that it is dropped after it: waits that the future ends when it is dropped are counted.
        held: Held<G>,
        judge: Option<J>,
        output: PhantomData<fn() -> R>,
    }

    impl<F, S, G, J, R> PinnedDrop for Instrumented<F, S, G, J, R>
    where
        G: Guard,
    {
        fn drop(this: Pin<&mut Self>) {
            let held = this.project().held;
            if let Some(scope) = held.waits.scope() {
                held.dropping = true;
                // SAFETY: it is left when it is dropped, after the future and without having moved.
                unsafe { scope.enter() };
            }
        }
    }
}

/// The guard of a future.
#[derive(Debug)]
struct Held<G: Guard> {
    // From the first poll to the end.
    guard: Option<G>,
    // A future that is dropped in the middle of its own poll has panicked; between polls it is cancelled. What the
    // thread is unwinding meanwhile says nothing of either.
    polling: bool,
    // Whether the future is being dropped, inside the scope.
    dropping: bool,
    waits: G::Waits,
}

impl<G: Guard> Held<G> {
    fn new() -> Self {
        Self { guard: None, polling: false, dropping: false, waits: G::Waits::NEW }
    }

    #[inline]
    fn begin(&mut self, mut guard: G) {
        if let Some(scope) = self.waits.scope() {
            scope.begin(guard.begin_future());
        }
        self.guard = Some(guard);
    }

    /// The guard, less what the future waited.
    #[inline]
    fn take(&mut self) -> Option<G> {
        let waited = self.waits.scope().map_or(0, Scope::total);
        if waited != 0 {
            subtract(&mut self.guard, waited);
        }
        self.guard.take()
    }
}

impl<G: Guard> Drop for Held<G> {
    fn drop(&mut self) {
        if let Some(scope) = self.waits.scope().filter(|_| self.dropping) {
            scope.leave();
        }
        if let Some(guard) = self.take() {
            guard.abandon(if self.polling { Outcome::Panic } else { timeout::dropped() });
        }
    }
}

/// Inside a future's scope, however its poll ends.
struct Polling<'a>(Option<&'a Scope>);

impl<'a> Polling<'a> {
    #[inline]
    fn begin(scope: Option<&'a Scope>) -> Self {
        if let Some(scope) = scope {
            // SAFETY: it is borrowed until it is left below.
            unsafe { scope.enter() };
        }
        Self(scope)
    }
}

impl Drop for Polling<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(scope) = self.0 {
            scope.leave();
        }
    }
}

impl<F, S, G, J, R> Future for Instrumented<F, S, G, J, R>
where
    F: Future<Output = R>,
    S: FnOnce() -> G,
    G: Guard,
    J: FnOnce(&R) -> G::Verdict,
{
    type Output = R;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        let this = self.project();
        if let Some(start) = this.start.take() {
            this.held.begin(start());
        }
        this.held.polling = true;
        let polled = {
            let _polling = Polling::begin(this.held.waits.scope());
            this.future.poll(context)
        };
        if let Poll::Ready(value) = &polled
            && let Some(verdict) = this.judge.take().map(|judge| judge(value))
            && let Some(guard) = this.held.take()
        {
            guard.finish(verdict);
        }
        this.held.polling = false;
        polled
    }
}

#[cold]
#[inline(never)]
fn subtract<G: Guard>(guard: &mut Option<G>, waited: u64) {
    if let Some(guard) = guard {
        guard.subtract(waited);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    struct Told<'a>(&'a std::cell::Cell<Option<Outcome>>);

    impl Guard for Told<'_> {
        type Verdict = Outcome;
        type Waits = ();

        fn finish(self, outcome: Outcome) {
            self.0.set(Some(outcome));
        }

        fn abandon(self, outcome: Outcome) {
            self.finish(outcome);
        }
    }

    #[test]
    fn a_future_that_is_polled_several_times_ends_as_its_value_says() {
        let told = std::cell::Cell::new(None);
        let mut polls = 0;
        let slow = std::future::poll_fn(|_| {
            polls += 1;
            if polls < 3 { Poll::Pending } else { Poll::Ready(Err::<(), ()>(())) }
        });
        let judge = |value: &Result<(), ()>| if value.is_ok() { Outcome::Ok } else { Outcome::Error };
        let mut instrumented = Box::pin(future(|| Told(&told), slow, judge));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..2 {
            assert!(instrumented.as_mut().poll(&mut context).is_pending());
            assert_eq!(told.get(), None);
        }
        assert!(instrumented.as_mut().poll(&mut context).is_ready());
        assert_eq!(told.get(), Some(Outcome::Error));
    }
}
