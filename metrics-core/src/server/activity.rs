//! The phase of a connection, and its beginning.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// The phases of a connection, in the order in which connections are closed to make room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// No complete request header yet.
    Head,
    /// The answer was sent, and no new request has begun.
    Idle,
    /// The client does not accept its answer, or more slowly than it is sent; measured since it last accepted some.
    Stalled,
    /// Being answered.
    Busy,
}

/// Written by the connection, and read when room has to be made and by its [timer](super::patience).
pub(super) struct Activity(Mutex<(Phase, Instant)>);

impl Activity {
    pub(super) fn new() -> Self {
        Self(Mutex::new((Phase::Head, Instant::now())))
    }

    pub(super) fn now(&self) -> (Phase, Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes have arrived.
    pub(super) fn received(&self) {
        if self.now().0 == Phase::Idle {
            self.enter(Phase::Head);
        }
    }

    /// A request is complete.
    pub(super) fn requested(&self) {
        self.enter(Phase::Busy);
    }

    /// The socket accepts no more for now.
    pub(super) fn blocked(&self) {
        if self.now().0 != Phase::Stalled {
            self.enter(Phase::Stalled);
        }
    }

    /// The socket has accepted part of the answer.
    pub(super) fn progressed(&self) {
        if self.now().0 == Phase::Stalled {
            self.enter(Phase::Stalled);
        }
    }

    /// The socket has accepted all that there is of the answer so far, and more is to come.
    pub(super) fn caught_up(&self) {
        if self.now().0 == Phase::Stalled {
            self.enter(Phase::Busy);
        }
    }

    /// The whole answer has been sent.
    pub(super) fn answered(&self) {
        self.enter(Phase::Idle);
    }

    fn enter(&self, phase: Phase) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (phase, Instant::now());
    }
}
