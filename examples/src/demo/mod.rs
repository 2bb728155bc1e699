//! What every demo bot's command line, terminal and end have in common.
//!
//! A bot of one's own needs none of it: it calls `Settings::from_env`, `install` and `serve`, and ends as it likes.

mod console;
mod endpoint;
mod exchange;
mod stop;

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bot_metrics::{Metrics, Mode, Settings};
use clap::Parser;

pub use console::{complain, say};
pub use endpoint::{MetricsEndpoint, Serving, reachable};
pub use exchange::OwnExchange;
pub use stop::Stop;

use crate::duration::parse_duration;

/// What can go wrong in a demo bot, told in one line.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Why a demo bot refuses to start.
#[derive(Debug, thiserror::Error)]
#[error(
    "PAPER_TRADING asks for live trading, but {} has no real exchange: unset it, or set it to true, 1, yes or on",
    console::program()
)]
pub struct NotPaper;

/// The settings that the environment asks for. A demo bot knows nothing but paper, so that is its mode where the
/// environment does not say.
///
/// # Errors
///
/// Where a variable has a value that is not allowed, or asks for live trading.
pub fn settings() -> Result<Settings, Failure> {
    let settings = Settings::from_env_or(Mode::Paper)?;
    if settings.is_paper() { Ok(settings) } else { Err(NotPaper.into()) }
}

/// The options that every demo bot has.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct CommonOptions {
    /// Where the metrics are served.
    #[command(flatten)]
    pub metrics: MetricsEndpoint,

    /// Ends by itself after this time; otherwise it runs until Ctrl-C.
    #[arg(long, value_name = "TIME", value_parser = parse_run_time)]
    pub duration: Option<Duration>,
}

/// Reads how long a bot is to run.
///
/// # Errors
///
/// Where that is no duration, or none at all.
pub fn parse_run_time(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(Duration::ZERO) => Err("must be longer than no time at all".to_owned()),
        other => other.map_err(|error| error.to_string()),
    }
}

/// Reads the command line, runs `bot` and tells in one line what went wrong.
///
/// A command line that cannot be read ends the process with code 2.
pub fn main<O: Parser>(bot: impl FnOnce(O) -> Result<(), Failure>) -> ExitCode {
    let code = match bot(O::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error);
            ExitCode::FAILURE
        }
    };
    console::flush();
    code
}

/// A demo bot that runs: its settings, its server, and when it is to end.
#[derive(Debug)]
pub struct Demo {
    options: CommonOptions,
    stop: Stop,
    started: Instant,
}

impl Demo {
    /// Listens for Ctrl-C and SIGTERM from here on.
    ///
    /// # Errors
    ///
    /// Where the system does not let it.
    pub fn start(options: CommonOptions) -> Result<Self, Failure> {
        let stop = Stop::listen()?;
        Ok(Self { options, stop, started: Instant::now() })
    }

    /// Serves the metrics where the command line or the environment says, until what it returns is dropped. Where it
    /// cannot, the bot goes on without, unless it was told not to.
    ///
    /// # Errors
    ///
    /// Where they cannot be served although they must.
    pub fn serve(&self, metrics: &Metrics) -> Result<Serving, Failure> {
        Ok(self.options.metrics.serve(metrics, &self.stop)?)
    }

    /// Waits, and says whether the bot goes on then.
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

    /// Returns when the bot is to end.
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
