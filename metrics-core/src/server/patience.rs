//! The time for which a connection may wait for its client's next request.
//!
//! hyper has one limit, which runs from the last answer to the end of the next header. Here an idle connection has
//! one limit and an incomplete header another: a scraper sends its next request after its interval, a slow client
//! never completes its header.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

use super::ServerOptions;
use super::activity::{Activity, Phase};

/// The polling interval for a connection that is being answered.
const RECHECK: Duration = Duration::from_millis(250);

/// hyper's timer for one connection. hyper uses it only for the time limit of a header.
pub(super) struct Patience {
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

impl Patience {
    pub(super) fn new(activity: Arc<Activity>, options: &ServerOptions) -> Self {
        Self { activity, header_timeout: options.header_timeout, idle_timeout: options.idle_timeout }
    }
}

impl Timer for Patience {
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
        let (phase, since) = self.activity.now();
        match phase {
            Phase::Head => Some(since + self.header_timeout),
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
