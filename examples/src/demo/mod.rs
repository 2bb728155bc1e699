//! The command line, terminal output and shutdown that all demo bots share.
//!
//! A real bot needs none of it: it calls `Settings::from_env`, `install` and `serve`.

mod console;
mod endpoint;
mod exchange;
mod stop;

use std::error::Error;
use std::process::{ExitCode, Termination};
use std::time::{Duration, Instant};

use bot_metrics::server::ServerOptions;
use bot_metrics::{EnvReader, Metrics, Mode, Settings};
use clap::Parser;

pub use console::{
    Held, Line, NoScreen, Tone, check_screen, complain, escaped, hold, print_json, say, say_in, say_json,
    shortened,
};
pub use endpoint::{MetricsEndpoint, Serving, reachable};
pub use exchange::OwnExchange;
pub use stop::Stop;

use crate::duration::parse_duration;

/// An error of a demo bot, printed in one line.
pub type Failure = Box<dyn Error + Send + Sync>;

/// The error of a demo bot that is asked to trade live.
#[derive(Debug, thiserror::Error)]
#[error(
    "PAPER_TRADING asks for live trading, but {} has no real exchange: unset it, or set it to true, 1, yes or on",
    console::program()
)]
pub struct NotPaper;

/// The settings from the environment. The mode is paper by default, because a demo bot cannot trade live.
///
/// # Errors
///
/// If a variable has an unknown value, or asks for live trading.
pub fn settings() -> Result<Settings, Failure> {
    let settings = EnvReader::new().mode_if_unset(Mode::Paper).read()?;
    if settings.is_paper() { Ok(settings) } else { Err(NotPaper.into()) }
}

/// The options of every demo bot.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct CommonOptions {
    /// Where the metrics are served.
    #[command(flatten)]
    pub metrics: MetricsEndpoint,

    /// Stops after this time; by default the bot runs until Ctrl-C.
    #[arg(long, value_name = "TIME", value_parser = parse_run_time, allow_hyphen_values = true)]
    pub duration: Option<Duration>,
}

/// Parses the run time of a bot.
///
/// # Errors
///
/// If the text is not a duration, or is zero.
pub fn parse_run_time(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(Duration::ZERO) => Err("must be longer than no time at all".to_owned()),
        other => other.map_err(|error| error.to_string()),
    }
}

/// Parses the command line, runs `bot` and prints its error in one line.
///
/// An invalid command line ends the process with code 2.
pub fn main<O: Parser, T: Termination>(bot: impl FnOnce(O) -> Result<T, Failure>) -> ExitCode {
    let code = match bot(O::parse()) {
        Ok(ended) => ended.report(),
        Err(error) => {
            complain(error);
            ExitCode::FAILURE
        }
    };
    console::flush();
    code
}

/// A running demo bot: its options, its signals and its start.
#[derive(Debug)]
pub struct Demo {
    options: CommonOptions,
    stop: Stop,
    started: Instant,
}

impl Demo {
    /// Listens for Ctrl-C, SIGTERM, SIGHUP and SIGQUIT from now on.
    ///
    /// # Errors
    ///
    /// If the system does not permit it.
    pub fn start(options: CommonOptions) -> Result<Self, Failure> {
        let stop = Stop::listen()?;
        Ok(Self { options, stop, started: Instant::now() })
    }

    /// Serves the metrics at the address from the command line or the environment, until the result is dropped. If
    /// that fails, the bot continues without them unless they are required.
    ///
    /// # Errors
    ///
    /// If the metrics cannot be served although they are required.
    pub fn serve(&self, metrics: &Metrics) -> Result<Serving, Failure> {
        Ok(self.options.metrics.serve(metrics, ServerOptions::new(), &self.stop)?)
    }

    /// Waits, then returns whether the bot continues.
    #[must_use]
    pub fn goes_on_after(&self, wait: Duration) -> bool {
        match self.options.duration.map(|duration| duration.saturating_sub(self.started.elapsed())) {
            Some(left) if left <= wait => {
                let _ = self.stop.wait(left);
                false
            }
            _ => !self.stop.wait(wait),
        }
    }

    /// Returns when the bot has to stop.
    pub async fn end(&self) {
        let left = self.options.duration.map(|duration| duration.saturating_sub(self.started.elapsed()));
        let time_is_up = async {
            match left {
                Some(left) => tokio::time::sleep(left).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.stop.come() => {}
            () = time_is_up => {}
        }
    }
}
