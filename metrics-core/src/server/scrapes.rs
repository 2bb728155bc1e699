//! Completed scrapes, for a bot that stops and waits for one more.

use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Frame, SizeHint};

use super::Delivered;

/// Clones share one count.
#[derive(Clone, Default)]
pub(super) struct Scrapes(Arc<ScrapeCounts>);

#[derive(Default)]
struct ScrapeCounts {
    progress: Mutex<Progress>,
    delivered: Condvar,
}

#[derive(Default)]
struct Progress {
    /// Whether a page was ever requested.
    is_used: bool,
    /// The number of waits for one more scrape.
    asked: u64,
    /// The last of these waits that has its scrape.
    served: u64,
}

impl Scrapes {
    /// Waits until a scrape that begins after this call is complete, and returns whether one was in time.
    pub(super) fn one_more(&self, timeout: Duration) -> bool {
        let mut progress = self.0.progress();
        progress.asked += 1;
        let mine = progress.asked;
        let waited =
            self.0.delivered.wait_timeout_while(progress, timeout, |progress| progress.served < mine);
        let (progress, _) = waited.unwrap_or_else(PoisonError::into_inner);
        progress.served >= mine
    }

    /// The ticket of a scrape, taken when it is requested, before any metric is read.
    pub(super) fn ticket(&self) -> Ticket {
        let mut progress = self.0.progress();
        progress.is_used = true;
        Ticket { asked: progress.asked, scrapes: self.clone(), delivery: Delivery::default() }
    }

    /// Whether a page was ever requested.
    pub(super) fn are_used(&self) -> bool {
        self.0.progress().is_used
    }

    #[cfg(test)]
    pub(super) fn asked(&self) -> u64 {
        self.0.progress().asked
    }
}

impl ScrapeCounts {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Called when the first client has received a rendering completely. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Delivery(Arc<Mutex<Option<Delivered>>>);

impl Delivery {
    pub(super) fn set(&self, delivered: Delivered) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(delivered);
    }

    fn deliver(&self) {
        let delivered = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(delivered) = delivered {
            delivered();
        }
    }
}

/// A scrape, and the last wait that began before it.
pub(super) struct Ticket {
    asked: u64,
    scrapes: Scrapes,
    delivery: Delivery,
}

impl Ticket {
    /// The ticket of a scrape that is answered with this rendering.
    pub(super) fn of(self, delivery: Delivery) -> Self {
        Self { delivery, ..self }
    }

    /// Records that its last byte was passed to the system.
    fn deliver(self) {
        // First, so that a thread that waits for the scrape finds its counts marked as received.
        self.delivery.deliver();
        let mut progress = self.scrapes.0.progress();
        progress.served = progress.served.max(self.asked);
        self.scrapes.0.delivered.notify_all();
    }
}

/// Passes a scrape from the body of an answer to the stream that writes it, when its last byte waits to be written.
#[derive(Clone, Default)]
pub(super) struct Handover(Arc<Mutex<DeliveredBytes>>);

#[derive(Default)]
struct DeliveredBytes {
    ticket: Option<Ticket>,
    /// Whether the body has begun and not ended.
    is_under_way: bool,
    /// Whether no stream will say that the answer is written.
    is_last: bool,
}

impl Handover {
    /// For an answer that another server writes: it is complete when its body is.
    pub(super) fn without_a_stream() -> Self {
        Self(Arc::new(Mutex::new(DeliveredBytes { is_last: true, ..DeliveredBytes::default() })))
    }

    /// Records that everything passed over is written.
    pub(super) fn written(&self) {
        let ticket = self.state().ticket.take();
        ticket.into_iter().for_each(Ticket::deliver);
    }

    /// Whether more of the answer is to come.
    pub(super) fn is_under_way(&self) -> bool {
        self.state().is_under_way
    }

    fn state(&self) -> MutexGuard<'_, DeliveredBytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body that passes its ticket over when it has ended, but not if it is dropped before.
pub(super) struct Tracked<B> {
    body: B,
    ticket: Option<Ticket>,
    handover: Handover,
}

impl<B: Body> Tracked<B> {
    /// Without a ticket no thread waits for this body's end.
    pub(super) fn new(body: B, ticket: Option<Ticket>, handover: Handover) -> Self {
        Self { body, ticket, handover }
    }
}

impl<B: Body + Unpin> Body for Tracked<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let ended = match &frame {
            Poll::Ready(None) => true,
            Poll::Ready(Some(Ok(_))) => self.body.is_end_stream(),
            Poll::Ready(Some(Err(_))) | Poll::Pending => false,
        };
        let ticket = self.ticket.take_if(|_| ended);
        let mut state = self.handover.state();
        state.is_under_way = !ended;
        // The previous one, if any, was delivered before this one began.
        state.ticket = ticket.or(state.ticket.take());
        let is_last = state.is_last;
        drop(state);
        if ended && is_last {
            self.handover.written();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
