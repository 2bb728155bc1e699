//! A deadline for a future, after which its measured functions end as timeouts and not as cancelled.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
#[cfg(feature = "tokio")]
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::{ClassifyError, ErrorClass, Outcome};

thread_local! {
    static ELAPSED: Cell<bool> = const { Cell::new(false) };
}

/// The outcome of a call that is dropped between two polls: a timeout if one of our deadlines elapsed, otherwise
/// cancelled.
pub(crate) fn dropped() -> Outcome {
    if ELAPSED.get() { Outcome::Timeout } else { Outcome::Cancelled }
}

/// Runs `future` until it is ready, or until `deadline` is: any future, such as a runtime's sleep.
///
/// Measured functions that are in progress then end as `timeout`, whereas another timeout that drops them makes them
/// `cancelled`. Their durations up to the deadline are observed, even those of cycles of subsystems: without the
/// slowest ones durations would look better during an outage. The duration of a cancelled cycle is not observed,
/// because a shutdown is no measure of the duration of cycles. If placing an order ends this way, the order may be
/// open or not.
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
/// assert!(price.is_err(), "it elapsed");
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn with_deadline<S: Future, F: Future>(deadline: S, future: F) -> WithDeadline<S, F> {
    WithDeadline { future: Some(future), deadline }
}

/// Like [`with_deadline`] with a duration, by tokio's clock. Like tokio's own sleep it panics outside a runtime with
/// a timer.
#[cfg(feature = "tokio")]
pub fn with_timeout<F: Future>(timeout: Duration, future: F) -> WithDeadline<tokio::time::Sleep, F> {
    with_deadline(tokio::time::sleep(timeout), future)
}

pin_project! {
    /// See [`with_deadline`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct WithDeadline<S, F> {
        // `None` once it has elapsed.
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
        // First, so that a value that is ready at the deadline is not discarded.
        if let Some(future) = this.future.as_mut().as_pin_mut()
            && let Poll::Ready(value) = future.poll(context)
        {
            return Poll::Ready(Ok(value));
        }
        this.deadline.poll(context).map(|_| {
            let _elapsed = Elapsing(ELAPSED.replace(true));
            this.future.set(None);
            Err(Elapsed(()))
        })
    }
}

impl<S, F> fmt::Debug for WithDeadline<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithDeadline").finish_non_exhaustive()
    }
}

/// While it lives, calls dropped on this thread have timed out.
struct Elapsing(bool);

impl Drop for Elapsing {
    fn drop(&mut self) {
        ELAPSED.set(self.0);
    }
}

/// The error of a deadline that elapsed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no answer came in time")]
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
