//! A paper exchange for bots without an async runtime.

use std::io;
use std::sync::Arc;

use tokio::runtime::Runtime;

use super::Failure;
use crate::exchange::{ExchangeSettings, PaperExchange};
use crate::recording::Recording;

/// The recorded market runs ten times as fast, so that a spectator sees it move.
const SPEED: f64 = 10.0;

/// An arbitrary seed, constant so that every run has the same delays.
const DELAYS: u64 = 42;

/// A paper exchange on a separate thread, which ends when this is dropped.
#[derive(Debug)]
pub struct OwnExchange {
    exchange: PaperExchange,
    runtime: Option<Runtime>,
}

impl OwnExchange {
    /// Starts an exchange that replays the built-in recording and has no accounts.
    ///
    /// # Errors
    ///
    /// If the system has no port or thread for it.
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

    /// The exchange's base URL.
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
