//! The phase of a connection, its beginning, and its time limit.
//!
//! hyper has one time limit, which runs from the last answer to the end of the next header. Here an idle connection has
//! one limit and an incomplete header another: a scraper sends its next request after its interval, a slow client
//! never completes its header.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

use super::ServerOptions;

/// A client that waits this long before its next request has ended its burst. A scraper waits for its interval.
const PAUSE: Duration = Duration::from_millis(250);

/// The polling interval for a connection that is being answered.
const RECHECK: Duration = Duration::from_millis(250);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// No complete request header yet, nor a complete greeting of TLS.
    Head,
    /// The client has greeted as TLS begins, or has just completed the handshake, and has sent no part of a request.
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "no connection has a handshake"))]
    Handshake,
    /// The answer was sent, and no new request has begun.
    Idle,
    /// The client does not accept its answer, or more slowly than it is sent; measured since it last accepted some.
    Stalled,
    /// Being answered.
    Busy,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) since: Instant,
    /// The number of requests in the present burst.
    requests: u32,
    has_sent_more: bool,
}

impl State {
    /// The number of requests in the present burst, as far as they were seen. It is at most 1 for a client that asks
    /// once a second or less.
    pub(super) fn burst(&self) -> u32 {
        self.requests.saturating_add(self.has_sent_more.into())
    }

    /// Whether the client has sent more than the request that is being answered.
    pub(super) fn has_sent_more(&self) -> bool {
        self.has_sent_more
    }
}

/// Written by the connection, and read when room has to be made and by its timer.
pub(super) struct Activity(Mutex<State>);

impl Activity {
    pub(super) fn new() -> Self {
        let (phase, since) = (Phase::Head, Instant::now());
        Self(Mutex::new(State { phase, since, requests: 0, has_sent_more: false }))
    }

    pub(super) fn now(&self) -> State {
        *self.state()
    }

    /// The client has completed a step of its TLS handshake.
    #[cfg(feature = "tls")]
    pub(super) fn handshake_progressed(&self) {
        self.state().enter(Phase::Handshake);
    }

    /// These bytes have arrived.
    pub(super) fn received(&self, bytes: &[u8]) {
        let mut state = self.state();
        match state.phase {
            Phase::Idle | Phase::Handshake => {
                if state.since.elapsed() >= PAUSE {
                    state.requests = 0;
                }
                state.enter(Phase::Head);
                state.has_sent_more = continues_after_a_header(bytes);
            }
            Phase::Head => state.has_sent_more |= continues_after_a_header(bytes),
            Phase::Stalled | Phase::Busy => state.has_sent_more = true,
        }
    }

    /// A request is complete.
    pub(super) fn requested(&self) {
        let mut state = self.state();
        state.requests = state.requests.saturating_add(1);
        state.enter(Phase::Busy);
    }

    /// Whether no request is being answered.
    pub(super) fn is_unasked(&self) -> bool {
        matches!(self.now().phase, Phase::Head | Phase::Handshake | Phase::Idle)
    }

    /// The socket accepts no more for now.
    pub(super) fn blocked(&self) {
        let mut state = self.state();
        if state.phase != Phase::Stalled {
            state.enter(Phase::Stalled);
        }
    }

    /// The socket has accepted part of the answer.
    pub(super) fn progressed(&self) {
        let mut state = self.state();
        if state.phase == Phase::Stalled {
            state.enter(Phase::Stalled);
        }
    }

    /// The socket has accepted all that there is of the answer so far, and more is to come.
    pub(super) fn caught_up(&self) {
        let mut state = self.state();
        if state.phase == Phase::Stalled {
            state.enter(Phase::Busy);
        }
    }

    /// The whole answer has been sent.
    pub(super) fn answered(&self) {
        let mut state = self.state();
        state.has_sent_more = false;
        state.enter(Phase::Idle);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enter(&mut self, phase: Phase) {
        (self.phase, self.since) = (phase, Instant::now());
    }
}

/// Whether these bytes contain the end of a header and more.
fn continues_after_a_header(bytes: &[u8]) -> bool {
    const END: &[u8] = b"\r\n\r\n";
    bytes.windows(END.len()).position(|window| window == END).is_some_and(|end| end + END.len() < bytes.len())
}

/// hyper's timer for one connection. hyper uses it only for the time limit of a header.
pub(super) struct ConnectionTimer {
    activity: Arc<Activity>,
    header_timeout: Duration,
    idle_timeout: Duration,
}

/// Ready when the client has used up the time of its connection's current phase.
struct PhaseTimeout {
    activity: Arc<Activity>,
    header_timeout: Duration,
    idle_timeout: Duration,
    sleep: Pin<Box<tokio::time::Sleep>>,
}

impl ConnectionTimer {
    pub(super) fn new(activity: Arc<Activity>, options: &ServerOptions) -> Self {
        Self { activity, header_timeout: options.header_timeout, idle_timeout: options.idle_timeout }
    }
}

impl Timer for ConnectionTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(PhaseTimeout {
            activity: Arc::clone(&self.activity),
            header_timeout: self.header_timeout,
            idle_timeout: self.idle_timeout,
            sleep: Box::pin(tokio::time::sleep_until(deadline.into())),
        })
    }
}

impl PhaseTimeout {
    /// The end of the time limit, if the connection is waiting for its client.
    fn deadline(&self) -> Option<Instant> {
        let State { phase, since, .. } = self.activity.now();
        match phase {
            Phase::Head | Phase::Handshake => Some(since + self.header_timeout),
            Phase::Idle => Some(since + self.idle_timeout),
            Phase::Stalled | Phase::Busy => None,
        }
    }
}

impl Future for PhaseTimeout {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(deadline) = self.deadline() {
            if self.sleep.deadline() != deadline.into() {
                self.sleep.as_mut().reset(deadline.into());
            }
            return self.sleep.as_mut().poll(cx);
        }
        // hyper polls this before the answer has been sent, and not again afterwards unless it is woken.
        self.sleep.as_mut().reset((Instant::now() + RECHECK).into());
        let _ = self.sleep.as_mut().poll(cx);
        Poll::Pending
    }
}

impl Sleep for PhaseTimeout {}
