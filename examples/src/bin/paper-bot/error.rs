//! Errors of the bot.

use std::io;
use std::time::Duration;

use bot_metrics::ErrorClass;
use bot_metrics_examples::fault::Fault;
use bot_metrics_examples::recording::RecordingError;

use crate::api::ApiError;
use crate::database::{DatabaseError, Unwritten};

/// The reason why a cycle failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BotError {
    /// A call failed.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The exchange asked for a pause, so nothing was sent.
    #[error("waiting {:.1} s, as the exchange asked", left.as_secs_f64())]
    HeldBack {
        /// The rest of the wait.
        left: Duration,
        /// The class of the answer that asked for it.
        class: ErrorClass,
    },
    /// The database of orders fails, so no order is sent.
    #[error(transparent)]
    Unwritten(#[from] Unwritten),
    /// No price has arrived yet.
    #[error("no market data yet")]
    NoMarketData,
    /// The cycle or a concurrent part of it panicked.
    #[error("the cycle panicked")]
    Panicked,
    /// The cycle fails because a fault asks for it.
    #[error("the fault {0} is active")]
    Injected(Fault),
}

/// The reason why the bot cannot start or had to stop.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FatalError {
    /// The built-in recording cannot be used.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The given recording cannot be used.
    #[error("--data {0}")]
    Data(#[source] RecordingError),
    /// The database of orders cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The system refused something that the bot needs.
    #[error("{what}: {source}")]
    System {
        /// The failed operation.
        what: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The exchange does not answer at its address.
    #[error(
        "no exchange at {url}: {source}; give the address of a running one with --exchange-url, or none at all"
    )]
    NoExchange {
        /// The address that was tried.
        url: String,
        /// The error of the attempt.
        source: ApiError,
    },
    /// The HTTP client cannot be created.
    #[error("cannot make an HTTP client: {0}")]
    Client(#[source] ApiError),
    /// One of the loops ended, although none ever returns by itself.
    #[error("a loop died: {0}")]
    LoopDied(tokio::task::JoinError),
}
