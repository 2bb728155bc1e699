//! Which scrapes have come through whole, for a bot that ends and waits for one more.

use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Frame, SizeHint};

use super::Delivered;

/// Clones share one count.
#[derive(Clone, Default)]
pub(super) struct Scrapes(Arc<Shared>);

#[derive(Default)]
struct Shared {
    progress: Mutex<Progress>,
    delivered: Condvar,
}

#[derive(Default)]
struct Progress {
    /// Whether a page was ever asked for.
    is_used: bool,
    /// How often somebody asked for one more.
    asked: u64,
    /// The last of them that has it.
    served: u64,
}

impl Scrapes {
    /// Waits until a scrape that begins from here on has come through whole, and says whether one did in time.
    pub(super) fn one_more(&self, timeout: Duration) -> bool {
        let mut progress = self.0.progress();
        progress.asked += 1;
        let mine = progress.asked;
        let waited =
            self.0.delivered.wait_timeout_while(progress, timeout, |progress| progress.served < mine);
        let (progress, _) = waited.unwrap_or_else(PoisonError::into_inner);
        progress.served >= mine
    }

    /// Given to a scrape when it is asked for, before anything is read of the metrics.
    pub(super) fn ticket(&self) -> Ticket {
        let mut progress = self.0.progress();
        progress.is_used = true;
        Ticket { asked: progress.asked, scrapes: self.clone(), delivery: Delivery::default() }
    }

    /// Whether a page was ever asked for.
    pub(super) fn are_used(&self) -> bool {
        self.0.progress().is_used
    }

    #[cfg(test)]
    pub(super) fn asked(&self) -> u64 {
        self.0.progress().asked
    }
}

impl Shared {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Called when the first client has received a rendering whole. Clones share it.
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

/// A scrape, and who waited when it began.
pub(super) struct Ticket {
    asked: u64,
    scrapes: Scrapes,
    delivery: Delivery,
}

impl Ticket {
    /// Of a scrape that is answered with this rendering.
    pub(super) fn of(self, delivery: Delivery) -> Self {
        Self { delivery, ..self }
    }

    /// Its last byte is the system's to deliver.
    fn deliver(self) {
        // First, so that who waits for the scrape finds its counts seen.
        self.delivery.deliver();
        let mut progress = self.scrapes.0.progress();
        progress.served = progress.served.max(self.asked);
        self.scrapes.0.delivered.notify_all();
    }
}

/// From the body of an answer to the stream that writes it: the scrape whose last byte waits to be written.
#[derive(Clone, Default)]
pub(super) struct Handover(Arc<Mutex<Written>>);

#[derive(Default)]
struct Written {
    ticket: Option<Ticket>,
    /// Whether the body has begun and not ended.
    is_under_way: bool,
}

impl Handover {
    /// All that was handed over is written.
    pub(super) fn written(&self) {
        let ticket = self.state().ticket.take();
        ticket.into_iter().for_each(Ticket::deliver);
    }

    /// Whether more of the answer is to come.
    pub(super) fn is_under_way(&self) -> bool {
        self.state().is_under_way
    }

    fn state(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body that hands its ticket over when it has ended; one that is dropped before hands nothing over.
pub(super) struct Tracked<B> {
    body: B,
    ticket: Option<Ticket>,
    handover: Handover,
}

impl<B: Body> Tracked<B> {
    /// Without a ticket nobody waits for this body's end.
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
        // The former one, if any, was delivered before this one began.
        state.ticket = ticket.or(state.ticket.take());
        drop(state);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
