//! A market maker on a paper exchange. It trades over HTTP on a recorded market, and `--fault` makes it or
//! its exchange misbehave. `paper-bot --help` tells how.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may stop where it fails"))]

mod api;
mod bot;
mod capital;
mod console;
mod desk;
mod error;
mod journal;
mod market_data;
mod metrics;
mod monitor;
mod options;
mod order_database;
mod profile;
mod progress;
mod quoting;
mod reconciliation;
#[cfg(test)]
mod rehearsal;
mod roster;
mod shutdown;
mod strategy;
mod throttle;
mod trading;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use bot_metrics::Metrics;
use bot_metrics_examples::exchange::{ExchangeSettings, PaperExchange};
use bot_metrics_examples::fault::Switchboard;
use bot_metrics_examples::recording::Recording;
use tokio::signal::unix::{SignalKind, signal};

use crate::bot::Bot;
use crate::console::{complain, say};
use crate::error::FatalError;
use crate::options::Options;
use crate::profile::PROFILES;

fn main() -> ExitCode {
    let options = Options::from_command_line();
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error);
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> Result<(), FatalError> {
    let metrics = metrics::install()?;
    // Known before the first scrape, so that the first violation is an increase.
    for profile in PROFILES {
        let _ = metrics.profile(profile.id);
    }
    let _server = metrics::serve(&metrics, &options.metrics)?;
    tokio::runtime::Runtime::new()
        .map_err(|source| FatalError::System { what: "cannot start the runtime", source })
        .and_then(|runtime| {
            let outcome = runtime.block_on(trade(options, metrics));
            // A name that is still being looked up must not keep the process.
            runtime.shutdown_background();
            outcome
        })
}

async fn trade(options: Options, metrics: Metrics) -> Result<(), FatalError> {
    let stop = stop_signal()?;
    let faults = Switchboard::default();
    let (url, _exchange) = if let Some(url) = &options.exchange_url {
        (url.as_str().trim_end_matches('/').to_owned(), None)
    } else {
        let exchange = start_exchange(&options, &faults).await?;
        (exchange.url(), Some(exchange))
    };
    say(format_args!("exchange at {url}"));
    for window in &options.faults {
        say(format_args!("fault {window}"));
    }
    let bot = Arc::new(Bot::new(&url, faults, Instant::now(), metrics)?);
    bot.run(options.faults, options.duration, stop).await
}

async fn start_exchange(options: &Options, faults: &Switchboard) -> Result<PaperExchange, FatalError> {
    let recording = match &options.data {
        Some(path) => Recording::from_file(path)?,
        None => Recording::embedded()?,
    };
    let settings = ExchangeSettings {
        speed: options.speed,
        accounts: PROFILES.map(|profile| (profile.api_key.to_owned(), profile.funds.to_vec())).to_vec(),
        delay_seed: Some(options.seed),
        faults: faults.clone(),
        ..ExchangeSettings::new(Arc::new(recording))
    };
    PaperExchange::start(settings)
        .await
        .map_err(|source| FatalError::System { what: "cannot open a loopback port for the exchange", source })
}

/// Registers at once, so that no signal is lost, and completes with the first Ctrl-C or SIGTERM.
fn stop_signal() -> Result<impl Future<Output = ()>, FatalError> {
    let listen = |kind| {
        signal(kind).map_err(|source| FatalError::System { what: "cannot listen for signals", source })
    };
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
