//! The exchange on which the bot trades: one of its own, or another one.

use std::sync::Arc;

use bot_metrics_examples::exchange::{ExchangeSettings, PaperExchange};
use bot_metrics_examples::fault::Switchboard;
use bot_metrics_examples::recording::Recording;
use reqwest::Url;

use crate::error::FatalError;
use crate::options::Options;
use crate::profile::{PROFILES, Profile};

/// The exchange that the options ask for.
pub(crate) enum Choice {
    /// One of its own, which replays this recording.
    Own(Recording),
    /// The one at this address.
    Other(Url),
}

impl Choice {
    /// Reads the recording, if one is needed.
    pub(crate) fn of(options: &Options) -> Result<Self, FatalError> {
        match (&options.exchange_url, &options.data) {
            (Some(url), _) => Ok(Self::Other(url.clone())),
            (None, Some(path)) => Recording::from_file(path).map(Self::Own).map_err(FatalError::Data),
            (None, None) => Ok(Self::Own(Recording::embedded()?)),
        }
    }
}

/// An exchange that can be traded on. One of its own ends when this is dropped.
#[derive(Debug)]
pub(crate) enum Exchange {
    Own(PaperExchange),
    Other(Url),
}

impl Exchange {
    /// Starts the bot's own exchange, if that is the choice.
    pub(crate) async fn open(
        choice: Choice,
        options: &Options,
        faults: &Switchboard,
    ) -> Result<Self, FatalError> {
        let recording = match choice {
            Choice::Own(recording) => recording,
            Choice::Other(url) => return Ok(Self::Other(url)),
        };
        let settings = ExchangeSettings {
            speed: options.speed,
            accounts: PROFILES.map(Profile::account).to_vec(),
            delay_seed: Some(options.seed),
            disruptions: faults.disruptions(),
            ..ExchangeSettings::new(Arc::new(recording))
        };
        let exchange = PaperExchange::start(settings).await;
        exchange.map(Self::Own).map_err(|source| FatalError::System {
            what: "cannot open a loopback port for the exchange",
            source,
        })
    }

    /// Its base URL.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Own(exchange) => exchange.url(),
            Self::Other(url) => url.as_str().trim_end_matches('/').to_owned(),
        }
    }
}
