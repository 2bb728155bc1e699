//! A bot with three loops. `PAPER_TRADING=true cargo run` starts it, `cargo run -- metrics --help` lists its commands.

mod bot;
mod exchange;
mod labels;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt::Debug;
use std::process::ExitCode;
use std::time::Duration;

use bot_metrics::prelude::*;
use bot_metrics::server::Server;
use bot_metrics::{EnvReader, Mode, catalogue, operations};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::bot::{Bot, PROFILE};

/// The longest wait for a last scrape: longer than a scrape interval, shorter than a supervisor's patience.
const DRAIN: Duration = Duration::from_secs(20);

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut words = std::env::args_os().skip(1);
    match words.next() {
        None => {}
        Some(word) if word == "metrics" => {
            // The rules are the same for paper and live. Only list --json and doctor compare the mode.
            let settings = named(EnvReader::new().mode_if_unset(Mode::Paper).read()?);
            return Ok(operations::run(words, &settings).print());
        }
        Some(word) => {
            eprintln!("unknown argument {word:?}; allowed are none, which starts the bot, and metrics");
            return Ok(ExitCode::from(2));
        }
    }
    let metrics = named(Settings::from_env()?).install()?;
    let _ = metrics.profile(PROFILE); // exported from the first scrape on
    let server = metrics.serve(metrics.settings().address())?;
    println!("status page: {}/", server.url());
    let runtime = tokio::runtime::Runtime::new()?;
    metrics.watch_tokio(runtime.handle());
    runtime.block_on(run(&metrics, server))?;
    // A wait for a scrape that was cut short must not delay the end.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

/// The settings of this bot, from those of the environment.
fn named(settings: Settings) -> Settings {
    settings
        .app("my-bot")
        .version(env!("CARGO_PKG_VERSION"))
        .exchange(labels::Exchange::MyExchange)
        .expect_events([(labels::Severity::Info, labels::EventType::Stopped)])
        .expect_families([&catalogue::TOKIO_SCHEDULER_LAG_SECONDS])
}

async fn run(metrics: &Metrics, server: Server) -> Result<(), Box<dyn Error>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let bot = Bot::default();
    let (stop, stopped) = watch::channel(());
    let loops = async {
        tokio::join!(
            repeat(2, stopped.clone(), async || bot.trading_cycle().await),
            repeat(5, stopped.clone(), async || bot.monitor_cycle().await),
            repeat(10, stopped, async || bot.reconciliation_cycle().await),
        );
    };
    // A cycle may wait for an answer that never comes.
    let told_twice = async {
        told(&mut interrupt, &mut terminate).await;
        drop(stop);
        println!("waiting for the cycles in progress; Ctrl-C cuts them short");
        told(&mut interrupt, &mut terminate).await;
    };
    tokio::select! {
        () = loops => {}
        () = told_twice => {}
    }
    // Cancel open orders here.
    metrics.event(labels::Severity::Info, labels::EventType::Stopped).record();
    println!("waiting up to {DRAIN:?} for a last scrape; Ctrl-C ends at once");
    tokio::select! {
        is_scraped = tokio::task::spawn_blocking(move || server.drain(DRAIN)) => {
            println!("the last values were {}scraped", if is_scraped? { "" } else { "not " });
        }
        () = told(&mut interrupt, &mut terminate) => {}
    }
    Ok(())
}

/// Runs cycles until the bot is told to stop. A cycle that has begun is cut short only if this future is dropped.
async fn repeat<T, E: Debug>(
    seconds: u64,
    mut stopped: watch::Receiver<()>,
    cycle: impl AsyncFn() -> Result<T, E>,
) {
    let mut ticks = tokio::time::interval(Duration::from_secs(seconds));
    // Otherwise the ticks that a slow cycle missed would follow it at once.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                if let Err(error) = cycle().await {
                    eprintln!("{error:?}"); // and counted, by the attribute
                }
            }
            _ = stopped.changed() => return,
        }
    }
}

async fn told(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
