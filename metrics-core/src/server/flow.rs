//! The stream of a page that is too long to be held as a whole: its rendering waits until clients have read some of
//! it.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::time::{Sleep, sleep};

/// A rendering pauses while a client has this much unread.
const WINDOW: usize = 256 * 1024;

/// The total time for which the other clients of a rendering wait for slower ones. Each crowd of clients that read nothing
/// costs a scrape this time.
const PATIENCE: Duration = Duration::from_millis(20);

/// The polling interval for other renderings that wait for their turn.
const PAUSE: Duration = Duration::from_millis(10);

/// The channel from a rendering to its clients.
pub(super) struct Flow {
    state: Mutex<FlowState>,
    changed: Condvar,
}

#[derive(Default)]
struct FlowState {
    /// `None` until the clients are known.
    readers: Option<Vec<Reader>>,
    end: Option<FlowEnd>,
}

#[derive(Default)]
struct Reader {
    pieces: VecDeque<Bytes>,
    /// The unread bytes.
    ahead: usize,
    /// Whether the rendering no longer waits for it.
    left_behind: bool,
    is_gone: bool,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FlowEnd {
    /// Everything was written.
    Whole,
    /// The rest cannot be rendered.
    Broken,
}

/// The remaining clients after a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readers {
    Waited,
    /// Some have more unread data than the window, which [`Unread`](super::unread::Unread) limits.
    LeftBehind,
}

impl Flow {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), changed: Condvar::new() })
    }

    /// An offer to the task that knows the clients.
    pub(super) fn offer(self: &Arc<Self>) -> Offer {
        Offer(Arc::clone(self))
    }

    /// Sends a piece to every client.
    pub(super) fn push(&self, piece: &Bytes) {
        let mut state = self.state();
        while state.readers.is_none() && state.end.is_none() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        for reader in state.readers.iter_mut().flatten().filter(|reader| !reader.is_gone) {
            reader.pieces.push_back(piece.clone());
            reader.ahead += piece.len();
            reader.wake();
        }
    }

    /// Waits until the clients have read some of the data. `waited` is the time for which quicker clients have waited
    /// for slower ones so far; clients that are slower than that are left behind, and so are all if `is_hurried`.
    pub(super) fn wait(&self, waited: &mut Duration, is_hurried: impl Fn() -> bool) -> io::Result<Readers> {
        let mut state = self.state();
        loop {
            let readers = state.readers.as_deref_mut().unwrap_or_default();
            if readers.iter().all(|reader| reader.is_gone) {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            let (mut slow, mut quick) = (0, 0);
            for reader in readers.iter().filter(|reader| reader.is_waited_for()) {
                *if reader.ahead >= WINDOW { &mut slow } else { &mut quick } += 1;
            }
            if slow > 0 && (is_hurried() || quick > 0 && *waited >= PATIENCE) {
                for reader in readers.iter_mut() {
                    reader.left_behind |= reader.ahead >= WINDOW;
                }
                slow = 0;
            }
            if slow == 0 {
                let some = readers.iter().any(|reader| reader.left_behind && !reader.is_gone);
                return Ok(if some { Readers::LeftBehind } else { Readers::Waited });
            }
            let since = Instant::now();
            let result = self.changed.wait_timeout(state, PAUSE);
            (state, _) = result.unwrap_or_else(PoisonError::into_inner);
            if quick > 0 {
                *waited += since.elapsed();
            }
        }
    }

    /// Whether a client has so much unread that it is time to wait, or to check whether there is room for more.
    pub(super) fn is_full(&self) -> bool {
        let state = self.state();
        let readers = state.readers.as_deref().unwrap_or_default();
        let is_slow = |reader: &Reader| !reader.is_gone && reader.ahead >= WINDOW;
        readers.iter().any(is_slow) || readers.iter().all(|reader| reader.is_gone)
    }

    /// Ends the stream, unless it has ended.
    pub(super) fn end(&self, end: FlowEnd) {
        let mut state = self.state();
        state.end.get_or_insert(end);
        state.readers.iter_mut().flatten().for_each(Reader::wake);
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, FlowState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream whose clients are not known yet.
pub(super) struct Offer(Arc<Flow>);

impl Offer {
    /// Bodies for this many clients. A piece that takes longer than `timeout` to arrive ends them.
    pub(super) fn bodies(self, clients: usize, timeout: Duration) -> Vec<Streamed> {
        let flow = &self.0;
        flow.state().readers = Some((0..clients).map(|_| Reader::default()).collect());
        flow.changed.notify_all();
        let body =
            |reader| Streamed { flow: Arc::clone(flow), reader, timeout, deadline: Box::pin(sleep(timeout)) };
        (0..clients).map(body).collect()
    }
}

impl Drop for Offer {
    /// Without this the rendering would wait for clients for ever if the server ends before they are known.
    fn drop(&mut self) {
        let is_refused = self.0.state().readers.is_none();
        if is_refused {
            self.0.end(FlowEnd::Broken);
        }
    }
}

impl Reader {
    fn is_waited_for(&self) -> bool {
        !self.is_gone && !self.left_behind
    }

    fn wake(&mut self) {
        self.waker.take().into_iter().for_each(Waker::wake);
    }
}

/// The body that one client reads.
pub(super) struct Streamed {
    flow: Arc<Flow>,
    reader: usize,
    timeout: Duration,
    /// The deadline of the next piece.
    deadline: Pin<Box<Sleep>>,
}

impl Body for Streamed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        let mut state = this.flow.state();
        let end = state.end;
        let Some(reader) = state.readers.as_mut().and_then(|readers| readers.get_mut(this.reader)) else {
            return Poll::Ready(None);
        };
        if let Some(piece) = reader.pieces.pop_front() {
            reader.ahead -= piece.len();
            this.flow.changed.notify_all();
            this.deadline.as_mut().reset(tokio::time::Instant::now() + this.timeout);
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match end {
            Some(FlowEnd::Whole) => return Poll::Ready(None),
            Some(FlowEnd::Broken) => return Poll::Ready(Some(Err(io::ErrorKind::BrokenPipe.into()))),
            None => {}
        }
        reader.waker = Some(cx.waker().clone());
        drop(state);
        this.deadline.as_mut().poll(cx).map(|()| Some(Err(io::ErrorKind::TimedOut.into())))
    }
}

impl Drop for Streamed {
    fn drop(&mut self) {
        let mut state = self.flow.state();
        let readers = state.readers.as_mut();
        let pieces = readers.and_then(|readers| readers.get_mut(self.reader)).map(|reader| {
            reader.is_gone = true;
            std::mem::take(&mut reader.pieces)
        });
        drop(state);
        drop(pieces);
        self.flow.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rendering_without_clients_is_told_so() {
        let flow = Flow::new();
        drop(flow.offer());
        flow.push(&Bytes::from_static(b"x"));
        assert!(flow.is_full());
        assert!(flow.wait(&mut Duration::default(), || false).is_err());
    }
}
