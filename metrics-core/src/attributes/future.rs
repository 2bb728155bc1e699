//! A future that runs under guards.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::guards::{Guards, StartGuards};
use crate::storage::waiting::{Scope, Waits};

/// Boxes the future of a function that returns a boxed one.
pub fn pinned<F>(future: F) -> Pin<Box<F>> {
    Box::pin(future)
}

/// Runs a future under guards, if the function's signature names the future's output. `end` ends each of them with its
/// verdict.
///
/// The type of `future` is left to the signature: a bound here would report errors in it a second time. `output` is a
/// closure that is never called. Its type represents `R` in the returned type, which may then outlive `R`, as the
/// future itself may.
pub fn instrument_typed<F, S, P, E, T, R>(
    _output: T,
    start: S,
    future: F,
    end: E,
) -> Instrumented<F, Option<S>, P, E, Known<T>>
where
    T: FnOnce() -> R,
    S: FnOnce() -> P,
    P: Guards,
    E: FnOnce(&mut P, &R),
{
    Instrumented::new(Some(start), HeldGuards::new(), future, end)
}

/// Like [`instrument_typed`], if the signature does not name the future's output.
pub fn instrument_future<F, S, P, E>(start: S, future: F, end: E) -> Instrumented<F, Option<S>, P, E, Unknown>
where
    F: Future,
    S: FnOnce() -> P,
    P: Guards,
    E: FnOnce(&mut P, &F::Output),
{
    Instrumented::new(Some(start), HeldGuards::new(), future, end)
}

/// Runs the body of an `async fn`, which is already being polled, under its guards: those of all its attributes, because
/// one nested future for each would exhaust the compiler's recursion limit in calls a few levels deep.
///
/// The type is hidden because the compiler checks the bounds of an opaque type faster than those of an
/// implementation.
pub fn instrument_async<F, P, E>(guards: P, future: F, end: E) -> impl Future<Output = F::Output>
where
    F: Future,
    P: Guards,
    E: FnOnce(&mut P, &F::Output),
{
    Instrumented::<_, _, _, _, Unknown>::new((), HeldGuards::begun(guards), future, end)
}

pin_project! {
    /// See [`instrument_future`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Instrumented<F, S, P, E, O>
    where
        P: Guards,
    {
        // The compiler computes the layout of guards here, before it descends into the future, at whose depth the
        // recursion limit may not suffice any more.
        known: [P; 0],
        #[pin]
        future: F,
        start: S,
        // After the future, so that it is dropped after it, and waits that the future ends when it is dropped are
        // counted.
        held: HeldGuards<P>,
        end: Option<E>,
        output: PhantomData<fn() -> O>,
    }

    impl<F, S, P, E, O> PinnedDrop for Instrumented<F, S, P, E, O>
    where
        P: Guards,
    {
        fn drop(this: Pin<&mut Self>) {
            let held = this.project().held;
            if let Some(scope) = held.waits.scope() {
                held.dropping = true;
                // SAFETY: the scope is left when this is dropped, after the future and without having moved.
                unsafe { scope.enter() };
            }
        }
    }
}

/// The output of an instrumented future is the return type of the closure type `T`.
#[derive(Debug)]
pub struct Known<T>(PhantomData<T>);

/// The output is that of the inner future.
#[derive(Debug)]
pub struct Unknown;

impl<F, S, P: Guards, E, O> Instrumented<F, S, P, E, O> {
    fn new(start: S, held: HeldGuards<P>, future: F, end: E) -> Self {
        Self { known: [], future, start, held, end: Some(end), output: PhantomData }
    }
}

/// The guards of a future.
#[derive(Debug)]
struct HeldGuards<P: Guards> {
    // From the first poll to the end.
    guards: P,
    // A future that is dropped during its own poll has panicked; between polls it is cancelled. Whether the thread is
    // unwinding does not tell either.
    polling: bool,
    // Whether the future is being dropped, inside the scope.
    dropping: bool,
    // Whether the guards have subtracted the future's waits.
    subtracted: bool,
    waits: P::Waits,
}

impl<P: Guards> HeldGuards<P> {
    fn new() -> Self {
        Self { guards: P::none(), polling: false, dropping: false, subtracted: false, waits: P::Waits::NEW }
    }

    fn begun(guards: P) -> Self {
        let mut held = Self::new();
        held.begin(guards);
        held
    }

    #[inline]
    fn begin(&mut self, mut guards: P) {
        if let Some(scope) = self.waits.scope() {
            scope.begin(guards.begin_future());
        }
        self.guards = guards;
    }

    /// Subtracts the waits, before the guards end.
    #[inline]
    fn subtract(&mut self) {
        let waited = self.waits.scope().map_or(0, Scope::total);
        if waited != 0 && !self.subtracted {
            self.subtracted = true;
            subtract(&mut self.guards, waited);
        }
    }
}

impl<P: Guards> Drop for HeldGuards<P> {
    fn drop(&mut self) {
        if let Some(scope) = self.waits.scope().filter(|_| self.dropping) {
            scope.leave();
        }
        self.subtract();
        self.guards.abandon(self.polling);
    }
}

/// Inside a future's scope, until its poll ends in any way.
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

impl<F, S, P, E, O> Instrumented<F, S, P, E, O>
where
    F: Future,
    S: StartGuards<P>,
    P: Guards,
    E: FnOnce(&mut P, &F::Output),
{
    #[inline]
    fn poll_under_guards(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if let Some(guards) = this.start.start() {
            this.held.begin(guards);
        }
        this.held.polling = true;
        let polled = {
            let _polling = Polling::begin(this.held.waits.scope());
            this.future.poll(context)
        };
        if let Poll::Ready(value) = &polled
            && let Some(end) = this.end.take()
        {
            this.held.subtract();
            end(&mut this.held.guards, value);
        }
        this.held.polling = false;
        polled
    }
}

impl<F, S, P, E, T, R> Future for Instrumented<F, S, P, E, Known<T>>
where
    T: FnOnce() -> R,
    F: Future<Output = R>,
    S: StartGuards<P>,
    P: Guards,
    E: FnOnce(&mut P, &R),
{
    type Output = R;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        self.poll_under_guards(context)
    }
}

impl<F, S, P, E> Future for Instrumented<F, S, P, E, Unknown>
where
    F: Future,
    S: StartGuards<P>,
    P: Guards,
    E: FnOnce(&mut P, &F::Output),
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.poll_under_guards(context)
    }
}

#[cold]
#[inline(never)]
fn subtract<P: Guards>(guards: &mut P, waited: u64) {
    guards.subtract(waited);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;
    use crate::attributes::body::enter;
    use crate::attributes::guards::Guard;
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
    fn a_future_that_is_polled_several_times_ends_with_the_outcome_of_its_value() {
        let told = std::cell::Cell::new(None);
        let mut polls = 0;
        let slow = std::future::poll_fn(|_| {
            polls += 1;
            if polls < 3 { Poll::Pending } else { Poll::Ready(Err::<(), ()>(())) }
        });
        let mut instrumented = Box::pin(instrument_future(
            || enter(Told(&told)),
            slow,
            |guards, value| guards.end_future(if value.is_ok() { Outcome::Ok } else { Outcome::Error }),
        ));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..2 {
            assert!(instrumented.as_mut().poll(&mut context).is_pending());
            assert_eq!(told.get(), None);
        }
        assert!(instrumented.as_mut().poll(&mut context).is_ready());
        assert_eq!(told.get(), Some(Outcome::Error));
    }
}
