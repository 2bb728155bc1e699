//! A paper exchange for bots that have no async runtime of their own.

use std::io;
use std::sync::Arc;

use tokio::runtime::Runtime;

use super::Failure;
use crate::exchange::{ExchangeSettings, PaperExchange};
use crate::recording::Recording;

/// The recorded market moves ten times as fast as it did: something happens while one watches.
const SPEED: f64 = 10.0;

/// Any seed will do, as long as it is the same in every run.
const DELAYS: u64 = 42;

/// A paper exchange on a thread of its own; it ends when this is dropped.
#[derive(Debug)]
pub struct OwnExchange {
    exchange: PaperExchange,
    runtime: Option<Runtime>,
}

impl OwnExchange {
    /// Opens one that replays the built-in recording and has no accounts.
    ///
    /// # Errors
    ///
    /// Where the system has no port or thread for it.
    pub fn start() -> Result<Self, Failure> {
        let settings = ExchangeSettings {
            speed: SPEED,
            delay_seed: Some(DELAYS),
            ..ExchangeSettings::new(Arc::new(Recording::embedded()?))
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let exchange = runtime.block_on(PaperExchange::start(settings)).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot open a loopback port for the exchange: {error}"))
        })?;
        Ok(Self { exchange, runtime: Some(runtime) })
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        self.exchange.url()
    }
}

impl Drop for OwnExchange {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
