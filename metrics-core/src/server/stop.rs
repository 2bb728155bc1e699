//! The signal that ends the server, and the wait for the tasks that have to react to it.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::watch;

/// Raised once, from any thread.
#[derive(Clone)]
pub(super) struct StopSignal(Arc<watch::Sender<bool>>);

impl StopSignal {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    pub(super) fn raise(&self) {
        self.0.send_replace(true);
    }

    pub(super) fn listen(&self) -> StopListener {
        StopListener(self.0.subscribe())
    }

    /// Ready when no listener is left.
    pub(super) async fn heeded(&self) {
        self.0.closed().await;
    }
}

/// Held by every task that has to end before the server has ended.
pub(super) struct StopListener(watch::Receiver<bool>);

impl StopListener {
    /// Ready at the signal.
    pub(super) async fn stopped(mut self) {
        // An error means that no one can give the signal any more.
        let _ = self.0.wait_for(|&stopped| stopped).await;
    }

    /// The result of the work, or `None` if the signal comes first.
    pub(super) async fn unless_stopped<F: Future>(&mut self, work: F) -> Option<F::Output> {
        let mut work = pin!(work);
        let mut stopped = pin!(self.0.wait_for(|&stopped| stopped));
        poll_fn(|cx| match stopped.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending => work.as_mut().poll(cx).map(Some),
        })
        .await
    }
}
