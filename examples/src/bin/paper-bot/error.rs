//! What can go wrong in the bot.

use std::io;
use std::time::Duration;

use bot_metrics_examples::recording::RecordingError;

use crate::api::ApiError;

/// Why a cycle did not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BotError {
    /// A call brought no answer.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The exchange asked to be left alone, so nothing was sent.
    #[error("waiting {:.1} s, as the exchange asked", left.as_secs_f64())]
    HeldBack {
        /// What is left of the wait.
        left: Duration,
    },
    /// No price has arrived yet.
    #[error("no market data yet")]
    NoMarketData,
    /// A concurrent part of a cycle panicked.
    #[error("a part of the cycle panicked")]
    Panicked,
}

/// Why the bot cannot run, or had to stop.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FatalError {
    /// The recording cannot be used.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The system refuses something the bot cannot do without.
    #[error("{what}: {source}")]
    System {
        /// What the bot wanted.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// Nobody answers at the exchange's address.
    #[error(
        "no exchange at {url}: {source}; give the address of a running one with --exchange-url, or none at all"
    )]
    NoExchange {
        /// Where the bot looked.
        url: String,
        /// What came back.
        source: ApiError,
    },
    /// The HTTP client cannot be made.
    #[error("cannot make an HTTP client: {0}")]
    Client(#[source] ApiError),
    /// One of the loops ended, which none of them ever does by itself.
    #[error("a loop died: {0}")]
    LoopDied(tokio::task::JoinError),
}
