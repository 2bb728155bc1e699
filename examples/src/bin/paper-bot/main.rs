//! A market maker on a paper exchange. It trades over HTTP on a recorded market, and `--fault` makes it or its
//! exchange misbehave. `paper-bot --help` lists the options.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may stop where it fails"))]

mod api;
mod booking;
mod bot;
mod capital;
mod database;
mod desk;
mod error;
mod exchange;
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
mod pending;
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
use bot_metrics_examples::fault::{Fault, Switchboard};

use crate::bot::{Bot, PlannedFaults};
use crate::database::Database;
use crate::error::FatalError;
use crate::exchange::{Choice, Exchange};
use crate::options::{BotCommand, Options};
use crate::output::Output;
use crate::profile::PROFILES;
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
    let stop = Stop::listen()?;
    // All input is checked before the address is printed.
    let choice = Choice::of(&options)?;
    let database = Database::open(options.db.as_deref()).map_err(FatalError::from)?;
    let metrics = metrics::install()?;
    // Profiles are known before the first scrape, so that the first violation is an increase.
    for profile in PROFILES {
        let _ = metrics.profile(profile.id);
    }
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|source| FatalError::System { what: "cannot start the runtime", source })?;
    metrics.watch_tokio(runtime.handle());
    let output = options.output.choose();
    let serving = options.common.metrics.serve(&metrics, options.server(), &stop)?;
    let faults = Switchboard::default();
    let exchange = runtime.block_on(Exchange::open(choice, &options, &faults))?;
    let shown = (output, serving.url());
    let outcome = runtime.block_on(trade(&options, &exchange, faults, shown, metrics, database, stop));
    // The exchange answers as long as the metrics are served.
    drop(serving);
    drop(exchange);
    // A pending host name look-up must not delay the end of the process.
    runtime.shutdown_background();
    outcome?;
    Ok(ExitCode::SUCCESS)
}

async fn trade(
    options: &Options,
    exchange: &Exchange,
    faults: Switchboard,
    shown: (Output, Option<String>),
    metrics: Metrics,
    database: (Database, Stored),
    stop: Stop,
) -> Result<(), FatalError> {
    let url = exchange.url();
    say(format_args!("exchange at {url}"));
    let planned = PlannedFaults { windows: options.fault_windows(), random: options.random_faults() };
    for window in &planned.windows {
        say(format_args!("fault {window}"));
    }
    let bot = Arc::new(Bot::new(&url, faults, shown, metrics, database)?);
    bot.run(planned, options.common.duration, stop.come()).await
}
