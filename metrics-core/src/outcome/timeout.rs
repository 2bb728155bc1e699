//! Drops a future at a deadline, and records the measured calls in it as timed out, not as cancelled.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
#[cfg(feature = "tokio")]
use std::pin::pin;
use std::task::{Context, Poll};
#[cfg(feature = "tokio")]
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::{ClassifyError, ErrorClass, Outcome};

thread_local! {
    /// Whether this thread is dropping a future whose deadline has elapsed.
    static DROPS_AT_DEADLINE: Cell<bool> = const { Cell::new(false) };
}

/// The outcome of a call that is being dropped between two polls: a timeout if a [`WithDeadline`] drops it because its
/// deadline has elapsed, otherwise cancelled.
pub(crate) fn outcome_of_dropped() -> Outcome {
    if DROPS_AT_DEADLINE.get() { Outcome::Timeout } else { Outcome::Cancelled }
}

/// Polls `future` and `deadline`, which is any future, such as a runtime's sleep. If both are ready, `future` takes
/// precedence.
///
/// Measured calls in progress inside `future` are recorded as `timeout` when the deadline elapses; other timeouts, such
/// as tokio's, record them as `cancelled`. Tasks that `future` has spawned are not dropped. The durations up to the
/// deadline are observed, even those of cycles of subsystems: without the slowest cycles durations would look better
/// during an outage. The duration of a cancelled cycle is not observed, because a cycle that a shutdown cuts short says
/// nothing about how long cycles take.
///
/// # Errors
///
/// The returned future's output is `Err(Elapsed)` if `deadline` is ready before `future`, which is then dropped. If
/// `future` placed an order, it is unknown whether the exchange has accepted it.
///
/// ```
/// use bot_metrics::prelude::*;
/// use std::time::Duration;
///
/// #[exchange_call(op = "get_ticker", exchange = "kraken")]
/// async fn get_ticker() -> Result<f64, std::io::Error> {
/// #   std::future::pending::<()>().await;
///     // … one request …
///     Ok(1.0)
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let sleep = tokio::time::sleep(Duration::from_millis(5));
/// let price = bot_metrics::with_deadline(sleep, get_ticker()).await;
/// assert!(price.is_err(), "the deadline did not elapse");
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn with_deadline<S: Future, F: Future>(deadline: S, future: F) -> WithDeadline<S, F> {
    WithDeadline { future: Some(future), deadline }
}

/// [`with_deadline`] with `tokio::time::sleep(timeout)` as deadline.
///
/// # Errors
///
/// The returned future's output is `Err(Elapsed)` if `future` is not ready after `timeout`, as with [`with_deadline`].
///
/// # Panics
///
/// Outside a tokio runtime, or if the runtime has no time driver (`enable_time`).
///
/// ```
/// use std::time::Duration;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let answer = bot_metrics::with_timeout(Duration::from_millis(5), std::future::pending::<f64>()).await;
/// assert!(answer.is_err(), "the deadline did not elapse");
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[cfg(feature = "tokio")]
pub fn with_timeout<F: Future>(timeout: Duration, future: F) -> WithDeadline<tokio::time::Sleep, F> {
    with_deadline(tokio::time::sleep(timeout), future)
}

pin_project! {
    /// See [`with_deadline`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct WithDeadline<S, F> {
        // `None` once the deadline has elapsed.
        #[pin]
        future: Option<F>,
        #[pin]
        deadline: S,
    }
}

impl<S: Future, F: Future> Future for WithDeadline<S, F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let had_budget = has_budget();
        // Polled first, so that a value that is ready at the deadline is not discarded.
        if let Some(future) = this.future.as_mut().as_pin_mut()
            && let Poll::Ready(value) = future.poll(context)
        {
            return Poll::Ready(Ok(value));
        }
        poll_deadline(this.deadline, had_budget, context).map(|_| {
            let _reset = Reset(DROPS_AT_DEADLINE.replace(true));
            this.future.set(None);
            Err(Elapsed(()))
        })
    }
}

/// Whether the current task may make progress by tokio's cooperative budget.
fn has_budget() -> bool {
    #[cfg(feature = "tokio")]
    return tokio::task::coop::has_budget_remaining();
    #[cfg(not(feature = "tokio"))]
    true
}

/// Polls the deadline, without tokio's budget if the future has used it up: a future that does so in each poll would
/// otherwise keep tokio's sleep from ever being ready. In other cases the budget applies, so that a task whose deadlines
/// have all elapsed still yields.
fn poll_deadline<S: Future>(
    deadline: Pin<&mut S>,
    had_budget: bool,
    context: &mut Context<'_>,
) -> Poll<S::Output> {
    #[cfg(feature = "tokio")]
    if had_budget && !has_budget() {
        return pin!(tokio::task::coop::unconstrained(deadline)).poll(context);
    }
    #[cfg(not(feature = "tokio"))]
    let _ = had_budget;
    deadline.poll(context)
}

impl<S, F> fmt::Debug for WithDeadline<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithDeadline").finish_non_exhaustive()
    }
}

/// Resets [`DROPS_AT_DEADLINE`] to the value that it contains, even if a destructor panics.
struct Reset(bool);

impl Drop for Reset {
    fn drop(&mut self) {
        DROPS_AT_DEADLINE.set(self.0);
    }
}

/// The error of a [deadline](with_deadline) that elapsed before its future was ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the deadline elapsed")]
pub struct Elapsed(());

impl ClassifyError for Elapsed {
    fn class(&self) -> ErrorClass {
        ErrorClass::Timeout
    }
}

/// With tokio's own timeout the call inside it still ends as [`Cancelled`](Outcome::Cancelled), unlike with
/// [`with_timeout`].
#[cfg(feature = "tokio")]
impl ClassifyError for tokio::time::error::Elapsed {
    fn class(&self) -> ErrorClass {
        ErrorClass::Timeout
    }
}

impl From<Elapsed> for io::Error {
    fn from(elapsed: Elapsed) -> Self {
        Self::new(io::ErrorKind::TimedOut, elapsed)
    }
}

#[cfg(all(test, feature = "tokio"))]
mod tests {
    use std::future::poll_fn;

    use tokio::runtime::Builder;
    use tokio::task::consume_budget;

    use super::*;

    /// A future that is ready after 500 polls, each of which takes 1 ms and uses up tokio's cooperative budget.
    async fn greedy() {
        let mut polls = 0;
        poll_fn(|context| {
            std::thread::sleep(Duration::from_millis(1));
            while pin!(consume_budget()).poll(context).is_ready() {}
            polls += 1;
            if polls < 500 { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }

    #[test]
    fn a_timeout_elapses_although_each_poll_of_its_future_uses_up_the_budget() {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let timeout = Duration::from_millis(5);
        assert_eq!(runtime.block_on(async { with_timeout(timeout, greedy()).await }), Err(Elapsed(())));
        let sleep = async { tokio::time::sleep(timeout).await };
        assert_eq!(runtime.block_on(async { with_deadline(sleep, greedy()).await }), Err(Elapsed(())));
    }
}
