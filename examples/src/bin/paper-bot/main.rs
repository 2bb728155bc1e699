//! A market maker on a paper exchange. It trades over HTTP on a recorded market, and `--fault` makes it or its
//! exchange misbehave. `paper-bot --help` lists the options.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may stop where it fails"))]

mod api;
mod bot;
mod capital;
mod database;
mod desk;
mod error;
mod figures;
#[cfg(test)]
mod generated;
mod journal;
mod market_data;
mod metrics;
mod monitor;
mod options;
mod output;
mod own_orders;
mod profile;
mod progress;
mod quoting;
mod reconciliation;
#[cfg(test)]
mod rehearsal;
mod roster;
mod sampler;
mod screen;
mod shutdown;
mod strategy;
mod tables;
mod throttle;
mod trading;

use std::process::ExitCode;
use std::sync::Arc;

use bot_metrics::{Metrics, operations};
use bot_metrics_examples::demo::{self, Failure, Stop, say};
use bot_metrics_examples::exchange::{ExchangeSettings, PaperExchange};
use bot_metrics_examples::fault::{Fault, Switchboard};
use bot_metrics_examples::recording::Recording;

use crate::bot::{Bot, PlannedFaults};
use crate::database::Database;
use crate::error::FatalError;
use crate::options::{BotCommand, Options};
use crate::output::Output;
use crate::profile::{PROFILES, Profile};
use crate::tables::Stored;

fn main() -> ExitCode {
    demo::main(|options: Options| run(options.checked()))
}

fn run(options: Options) -> Result<ExitCode, Failure> {
    if let Some(BotCommand::Metrics { words }) = options.command {
        return Ok(operations::run(words, &metrics::settings()?).print());
    }
    if options.lists_faults() {
        say(Fault::list());
        return Ok(ExitCode::SUCCESS);
    }
    let database = Database::open(options.db.as_deref()).map_err(FatalError::from)?;
    let metrics = metrics::install()?;
    // Profiles are known before the first scrape, so that the first violation is an increase.
    for profile in PROFILES {
        let _ = metrics.profile(profile.id);
    }
    let stop = Stop::listen()?;
    let output = options.output.choose();
    let serving = options.common.metrics.serve(&metrics, options.server(), &stop)?;
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|source| FatalError::System { what: "cannot start the runtime", source })?;
    metrics.watch_tokio(runtime.handle());
    let outcome = runtime.block_on(trade(options, (output, serving.url()), metrics, database, stop));
    // A pending host name look-up must not delay the end of the process.
    runtime.shutdown_background();
    outcome?;
    Ok(ExitCode::SUCCESS)
}

async fn trade(
    options: Options,
    shown: (Output, Option<String>),
    metrics: Metrics,
    database: (Database, Stored),
    stop: Stop,
) -> Result<(), FatalError> {
    let faults = Switchboard::default();
    let (url, _exchange) = if let Some(url) = &options.exchange_url {
        (url.as_str().trim_end_matches('/').to_owned(), None)
    } else {
        let exchange = start_exchange(&options, &faults).await?;
        (exchange.url(), Some(exchange))
    };
    say(format_args!("exchange at {url}"));
    let planned = PlannedFaults { windows: options.fault_windows(), random: options.random_faults() };
    for window in &planned.windows {
        say(format_args!("fault {window}"));
    }
    let bot = Arc::new(Bot::new(&url, faults, shown, metrics, database)?);
    bot.run(planned, options.common.duration, stop.come()).await
}

async fn start_exchange(options: &Options, faults: &Switchboard) -> Result<PaperExchange, FatalError> {
    let recording = match &options.data {
        Some(path) => Recording::from_file(path)?,
        None => Recording::embedded()?,
    };
    let settings = ExchangeSettings {
        speed: options.speed,
        accounts: PROFILES.map(Profile::account).to_vec(),
        delay_seed: Some(options.seed),
        disruptions: faults.disruptions(),
        ..ExchangeSettings::new(Arc::new(recording))
    };
    PaperExchange::start(settings)
        .await
        .map_err(|source| FatalError::System { what: "cannot open a loopback port for the exchange", source })
}
