//! What a connection is doing, and since when.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// What a connection is doing, in the order in which connections have to make room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// No complete request header yet.
    Head,
    /// Answered, and nothing asked since.
    Idle,
    /// The client does not take its answer, or not as fast as it is given; since it last took some.
    Stalled,
    /// Being answered.
    Busy,
}

/// Written by the connection, read when room has to be made and by its [timer](super::patience).
pub(super) struct Activity(Mutex<(Phase, Instant)>);

impl Activity {
    pub(super) fn new() -> Self {
        Self(Mutex::new((Phase::Head, Instant::now())))
    }

    pub(super) fn now(&self) -> (Phase, Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes have come in.
    pub(super) fn received(&self) {
        if self.now().0 == Phase::Idle {
            self.enter(Phase::Head);
        }
    }

    /// A request is complete.
    pub(super) fn requested(&self) {
        self.enter(Phase::Busy);
    }

    /// The socket takes no more for now.
    pub(super) fn blocked(&self) {
        if self.now().0 != Phase::Stalled {
            self.enter(Phase::Stalled);
        }
    }

    /// The socket has taken some of the answer.
    pub(super) fn progressed(&self) {
        if self.now().0 == Phase::Stalled {
            self.enter(Phase::Stalled);
        }
    }

    /// The socket has taken all that there is of the answer, and more is to come.
    pub(super) fn caught_up(&self) {
        if self.now().0 == Phase::Stalled {
            self.enter(Phase::Busy);
        }
    }

    /// The answer has left.
    pub(super) fn answered(&self) {
        self.enter(Phase::Idle);
    }

    fn enter(&self, phase: Phase) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (phase, Instant::now());
    }
}
