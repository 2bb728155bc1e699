//! The destination of a page while it is rendered.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::Delivered;
use super::answer::Answer;
use super::flow::{Flow, FlowEnd, Offer, Readers};
use super::scrapes::Delivery;
use super::unread::Unread;

/// A page up to this length is sent as a whole, with its length; most bots' pages are. A longer one is never in
/// memory as a whole.
const WHOLE: usize = 256 * 1024;

/// The length of the pieces of a longer page.
const PIECE: usize = 64 * 1024;

/// The form of an answer, known when the first part of it can be sent.
pub(super) enum Rendered {
    Whole(Answer),
    Streamed(Offer),
}

/// Only one of several renderings of a page is active at a time, so that clients of any number and speed cost the
/// time of one processor.
#[derive(Default)]
pub(super) struct Turn {
    is_taken: Mutex<bool>,
    free: Condvar,
    /// The number of clients that wait for the end of renderings that wait for slow clients.
    hurried: AtomicUsize,
}

/// The writer of an exposition. A short one is held until it is complete.
pub(super) struct Outlet {
    text: Vec<u8>,
    /// Taken by the first step that decides the form of the answer.
    rendered: Option<oneshot::Sender<Rendered>>,
    flow: Option<Arc<Flow>>,
    /// The time for which quick clients have waited for slow ones.
    waited: Duration,
    /// The time for which it has waited for room.
    room_awaited: Duration,
    turn: Arc<Turn>,
    unread: Unread,
    delivery: Delivery,
}

/// Makes renderings that wait for slow clients end soon, until dropped.
pub(super) struct Hurry<'a>(&'a Turn);

impl Turn {
    fn take(&self) {
        let taken = self.is_taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = self.free.wait_while(taken, |taken| *taken).unwrap_or_else(PoisonError::into_inner);
        *taken = true;
    }

    fn give(&self) {
        *self.is_taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.free.notify_one();
    }

    pub(super) fn hurry(&self) -> Hurry<'_> {
        self.hurried.fetch_add(1, Relaxed);
        Hurry(self)
    }
}

impl Drop for Hurry<'_> {
    fn drop(&mut self) {
        self.0.hurried.fetch_sub(1, Relaxed);
    }
}

impl Outlet {
    /// Waits for its turn.
    pub(super) fn new(
        rendered: oneshot::Sender<Rendered>,
        turn: Arc<Turn>,
        unread: Unread,
        delivery: Delivery,
    ) -> Self {
        turn.take();
        let (text, waited, room_awaited) = (Vec::new(), Duration::ZERO, Duration::ZERO);
        Self { text, rendered: Some(rendered), flow: None, waited, room_awaited, turn, unread, delivery }
    }

    /// Sets the function that is called when a client has received the whole exposition, which is now written.
    pub(super) fn on_delivery(&self, delivered: Delivered) {
        self.delivery.set(delivered);
    }

    /// Ends a completely written exposition, which is the body of `answer`.
    pub(super) fn finish(mut self, answer: &Answer) {
        let text = std::mem::take(&mut self.text);
        let Some(flow) = &self.flow else { return self.answer(answer.clone().with_body(text.into())) };
        if !text.is_empty() {
            flow.push(&self.unread.count(text.into()));
        }
        flow.end(FlowEnd::Whole);
    }

    /// Answers with the given page.
    pub(super) fn answer(mut self, answer: Answer) {
        if let Some(rendered) = self.rendered.take() {
            // The client may be gone.
            let _ = rendered.send(Rendered::Whole(answer));
        }
    }

    /// Sends the part written so far to the clients.
    fn pass_on(&mut self) -> io::Result<()> {
        let piece = self.unread.count(std::mem::replace(&mut self.text, Vec::with_capacity(PIECE)).into());
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let flow = if let Some(flow) = &self.flow {
            flow
        } else {
            let flow = self.flow.insert(Flow::new());
            let rendered = self.rendered.take().ok_or_else(gone)?;
            rendered.send(Rendered::Streamed(flow.offer())).map_err(|_| gone())?;
            flow
        };
        flow.push(&piece);
        drop(piece);
        if flow.is_full() {
            self.turn.give();
            let hurried = &self.turn.hurried;
            let waited = flow.wait(&mut self.waited, || hurried.load(Relaxed) > 0);
            if let Ok(Readers::LeftBehind) = waited {
                self.unread.make_room_here(&mut self.room_awaited);
            }
            self.turn.take();
            waited?;
        }
        Ok(())
    }

    /// Reserves exactly the needed capacity, so that a page takes no more memory than its length.
    fn reserve(&mut self, more: usize) {
        let needed = self.text.len() + more;
        if needed > self.text.capacity() {
            let most = if self.flow.is_some() { PIECE } else { WHOLE };
            self.text.reserve_exact((2 * needed).min(most.max(needed)) - self.text.len());
        }
    }
}

impl Write for Outlet {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let most = if self.flow.is_some() { PIECE } else { WHOLE };
        let some = &text[..text.len().min(most - self.text.len())];
        self.reserve(some.len());
        self.text.extend_from_slice(some);
        if self.text.len() == most {
            self.pass_on()?;
        }
        Ok(some.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        // After a panic, or without clients; a complete stream has ended before.
        self.flow.iter().for_each(|flow| flow.end(FlowEnd::Broken));
        self.turn.give();
    }
}
