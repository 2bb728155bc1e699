//! How a function's body is run under a guard.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::Outcome;
use crate::guard::{Guard, Unwinding};

/// Runs a body that returns a value, and tells its guard how `judge` sees that value.
///
/// The body is a parameter so that its closure is `FnOnce`; called where it stands it would be inferred as `FnMut`,
/// which breaks bodies that return what they borrow mutably.
pub fn call<G: Guard, R>(guard: G, body: impl FnOnce() -> R, judge: impl FnOnce(&R) -> G::Verdict) -> R {
    let pending = Pending::new(guard);
    let value = body();
    pending.end(|guard| guard.finish(judge(&value)));
    value
}

/// Runs a body for the future that it returns.
pub fn evaluate<R>(body: impl FnOnce() -> R) -> R {
    body()
}

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
#[must_use = "the body runs under this guard"]
pub fn returned<G: Guard<Verdict = Outcome>>(guard: G) -> Returned<G> {
    Returned(Pending::new(guard))
}

/// See [`returned`].
#[derive(Debug)]
pub struct Returned<G: Guard<Verdict = Outcome>>(Pending<G>);

impl<G: Guard<Verdict = Outcome>> Drop for Returned<G> {
    fn drop(&mut self) {
        let panicked = self.0.unwinding.has_begun();
        if let Some(guard) = self.0.guard.take() {
            if panicked { guard.abandon(Outcome::Panic) } else { guard.finish(Outcome::Ok) }
        }
    }
}

/// A guard that is abandoned to the panic that drops it.
#[derive(Debug)]
struct Pending<G: Guard> {
    guard: Option<G>,
    unwinding: Unwinding,
}

impl<G: Guard> Pending<G> {
    fn new(guard: G) -> Self {
        Self { guard: Some(guard), unwinding: Unwinding::at_entry() }
    }

    fn end(mut self, end: impl FnOnce(G)) {
        if let Some(guard) = self.guard.take() {
            end(guard);
        }
    }
}

impl<G: Guard> Drop for Pending<G> {
    fn drop(&mut self) {
        if let Some(guard) = self.guard.take() {
            // A synchronous body that does not return has panicked, whatever else is unwinding.
            guard.abandon(Outcome::Panic);
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
    Instrumented { future, state: State::Waiting(start), judge: Some(judge), output: PhantomData }
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
    let state: State<fn() -> G, G> = State::Pending(guard);
    Instrumented { future, state, judge: Some(judge), output: PhantomData }
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
        state: State<S, G>,
        judge: Option<J>,
        output: PhantomData<fn() -> R>,
    }

    impl<F, S, G, J, R> PinnedDrop for Instrumented<F, S, G, J, R>
    where
        G: Guard,
    {
        fn drop(this: Pin<&mut Self>) {
            match std::mem::replace(this.project().state, State::Ended) {
                State::Waiting(_) | State::Ended => {}
                State::Pending(guard) => guard.abandon(Outcome::Cancelled),
                // The poll that took the guard's place never came back.
                State::Polling(guard) => guard.abandon(Outcome::Panic),
            }
        }
    }
}

/// How far a future has come. A future that is dropped in the middle of its own poll has panicked; between polls it
/// is cancelled. What the thread is unwinding meanwhile says nothing of either.
#[derive(Debug)]
enum State<S, G> {
    Waiting(S),
    Pending(G),
    Polling(G),
    Ended,
}

impl<F, S, G, J, R> Future for Instrumented<F, S, G, J, R>
where
    F: Future<Output = R>,
    S: FnOnce() -> G,
    G: Guard,
    J: FnOnce(&R) -> G::Verdict,
{
    type Output = R;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        let this = self.project();
        *this.state = match std::mem::replace(this.state, State::Ended) {
            State::Waiting(start) => State::Polling(start()),
            State::Pending(guard) | State::Polling(guard) => State::Polling(guard),
            // Polled again after the end: what happens is the future's own affair.
            State::Ended => State::Ended,
        };
        let polled = this.future.poll(context);
        if let State::Polling(guard) = std::mem::replace(this.state, State::Ended) {
            match &polled {
                Poll::Pending => *this.state = State::Pending(guard),
                Poll::Ready(value) => {
                    if let Some(judge) = this.judge.take() {
                        guard.finish(judge(value));
                    }
                }
            }
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    struct Told<'a>(&'a std::cell::Cell<Option<Outcome>>);

    impl Guard for Told<'_> {
        type Verdict = Outcome;

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
