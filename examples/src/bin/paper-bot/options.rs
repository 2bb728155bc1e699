//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use bot_metrics::server::{Format, ServerOptions};
use bot_metrics_examples::demo::CommonOptions;
use bot_metrics_examples::duration::DURATION_FORMAT;
use bot_metrics_examples::fault::{Component, Fault, FaultWindow, RandomFaults, WindowError};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use reqwest::Url;

use crate::output::OutputOptions;

/// Above this speed the recording repeats more than five times a second, which no bot could follow.
const FASTEST: f64 = 1_000.0;

/// A market maker on a paper exchange: it trades over HTTP on a recorded market and misbehaves on demand.
#[derive(Debug, Clone, PartialEq, Parser)]
#[command(name = "paper-bot", version, after_help = faults_help(), args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    /// Options of all demo bots.
    #[command(flatten)]
    pub(crate) common: CommonOptions,

    /// Recorded seconds per second.
    #[arg(
        long,
        value_name = "FACTOR",
        default_value = "10",
        value_parser = parse_speed,
        allow_negative_numbers = true
    )]
    pub(crate) speed: f64,

    /// Seed of the delays of the exchange's answers.
    #[arg(long, value_name = "NUMBER", default_value = "42", value_parser = parse_seed, allow_negative_numbers = true)]
    pub(crate) seed: u64,

    /// Replays this recording, CSV or gzipped CSV, instead of the built-in one.
    #[arg(long, value_name = "FILE", conflicts_with = "exchange_url")]
    pub(crate) data: Option<PathBuf>,

    /// Trades on this exchange instead of the one inside the bot.
    #[arg(long, value_name = "URL", value_parser = parse_exchange_url)]
    pub(crate) exchange_url: Option<Url>,

    /// Keeps orders, fills and positions in this database file, from which a later run continues; without it in memory.
    #[arg(long, value_name = "FILE")]
    pub(crate) db: Option<PathBuf>,

    /// Offers the metrics in the protobuf format too.
    #[arg(long)]
    pub(crate) protobuf: bool,

    /// How it shows what happens.
    #[command(flatten)]
    pub(crate) output: OutputOptions,

    /// Injects a fault; may be given several times. `--fault list` prints all faults.
    #[arg(long = "fault", value_name = "NAME[@AFTER[+FOR]]", value_parser = parse_fault)]
    faults: Vec<FaultArgument>,

    /// Injects random faults, one after another, until the end; equal seeds draw equal faults.
    #[arg(long, value_name = "SEED", value_parser = parse_seed, allow_negative_numbers = true)]
    random_faults: Option<u64>,

    /// A command instead of trading.
    #[command(subcommand)]
    pub(crate) command: Option<BotCommand>,
}

/// An argument of `--fault`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum FaultArgument {
    List,
    Window(FaultWindow),
}

/// A command that does not trade.
#[derive(Debug, Clone, PartialEq, clap::Subcommand)]
pub(crate) enum BotCommand {
    /// Lists the metrics, or writes alert rules and configurations: `paper-bot metrics --help`.
    #[command(disable_help_flag = true)]
    Metrics {
        /// The words for the library's commands.
        #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
}

impl Options {
    /// Ends the process with code 2 and a message if the options contradict each other.
    pub(crate) fn checked(self) -> Self {
        self.check().unwrap_or_else(|error| error.exit());
        self
    }

    /// Whether to print the list of faults instead of trading.
    pub(crate) fn lists_faults(&self) -> bool {
        self.faults.contains(&FaultArgument::List)
    }

    /// The faults to inject.
    pub(crate) fn fault_windows(&self) -> Vec<FaultWindow> {
        let windows = self.faults.iter().filter_map(|argument| match argument {
            FaultArgument::Window(window) => Some(*window),
            FaultArgument::List => None,
        });
        windows.collect()
    }

    /// The random faults to inject, among those that are possible on the exchange.
    pub(crate) fn random_faults(&self) -> Option<RandomFaults> {
        let is_possible = |fault: &Fault| self.exchange_url.is_none() || fault.component() == Component::Bot;
        let faults: Vec<_> = Fault::ALL.iter().copied().filter(is_possible).collect();
        self.random_faults.map(|seed| RandomFaults::new(seed, &faults))
    }

    /// The options of the metrics server.
    pub(crate) fn server(&self) -> ServerOptions {
        let protobuf = self.protobuf.then_some(Format::Protobuf);
        ServerOptions::new().formats([Format::Text, Format::OpenMetrics].into_iter().chain(protobuf))
    }

    /// Checks combinations of options that clap cannot express.
    fn check(&self) -> Result<(), clap::Error> {
        let windows = self.fault_windows();
        let foreign = windows.iter().find(|window| window.fault.component() != Component::Bot);
        match (&self.exchange_url, foreign) {
            (Some(_), Some(window)) => Err(Self::command().error(
                ErrorKind::ArgumentConflict,
                format!(
                    "--fault {} happens inside the bot's own exchange and cannot be used with --exchange-url; \
                     allowed with it: {}",
                    window.fault,
                    bot_faults()
                ),
            )),
            _ => Ok(()),
        }
    }
}

fn bot_faults() -> String {
    let faults = Fault::ALL.iter().filter(|fault| fault.component() == Component::Bot);
    faults.map(|fault| fault.as_str()).collect::<Vec<_>>().join(", ")
}

fn faults_help() -> String {
    format!(
        "Faults, NAME[@AFTER[+FOR]], for example hang-trading@10s+20s:\n  {}\n\
         Without AFTER a fault begins at once, without FOR it lasts to the end.\n\
         Durations: {DURATION_FORMAT}.",
        Fault::list().replace('\n', "\n  ")
    )
}

fn parse_fault(text: &str) -> Result<FaultArgument, WindowError> {
    if text == "list" { Ok(FaultArgument::List) } else { text.parse().map(FaultArgument::Window) }
}

fn parse_seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("must be a whole number from 0 to {}", u64::MAX))
}

fn parse_speed(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|speed: &f64| *speed > 0.0 && *speed <= FASTEST)
        .ok_or_else(|| format!("must be a number above 0 and at most {FASTEST}"))
}

fn parse_exchange_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}; allowed: http://HOST[:PORT]"))?;
    let plain =
        url.scheme() == "http" && url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if plain {
        Ok(url)
    } else {
        Err("allowed: http://HOST[:PORT], without TLS and without a path".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn read(arguments: &[&str]) -> Result<Options, String> {
        let arguments = std::iter::once("paper-bot").chain(arguments.iter().copied());
        let options = Options::try_parse_from(arguments).map_err(|error| error.to_string())?;
        options.check().map_err(|error| error.to_string())?;
        Ok(options)
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let options = read(&[]).unwrap();
        assert_eq!(options.common.metrics.port, None);
        assert_eq!(options.common.metrics.bind, None);
        assert!(!options.common.metrics.require_metrics);
        assert_eq!((options.speed, options.seed), (10.0, 42));
        assert_eq!((options.common.duration, &options.data, &options.exchange_url), (None, &None, &None));
        assert_eq!((options.fault_windows(), options.protobuf), (vec![], false));
    }

    #[test]
    fn every_option_is_read() {
        let options = read(&[
            "--port=0",
            "--bind=127.0.0.1",
            "--duration=30s",
            "--speed=0.5",
            "--seed=7",
            "--exchange-url=http://127.0.0.1:9000",
            "--fault=hang-trading@10s+20s",
            "--fault=remove-profile",
            "--protobuf",
            "--require-metrics",
            "--drain=20s",
        ])
        .unwrap();
        assert_eq!((options.common.metrics.port, options.common.metrics.require_metrics), (Some(0), true));
        assert_eq!(options.common.duration, Some(Duration::from_secs(30)));
        assert_eq!(options.common.metrics.drain, Some(Duration::from_secs(20)));
        assert_eq!((options.speed, options.seed, options.protobuf), (0.5, 7, true));
        assert_eq!(options.exchange_url.as_ref().unwrap().as_str(), "http://127.0.0.1:9000/");
        let faults = options.fault_windows().iter().map(|window| window.fault).collect::<Vec<_>>();
        assert_eq!((faults, options.lists_faults()), (vec![Fault::HangTrading, Fault::RemoveProfile], false));
        assert!(read(&["--fault=list"]).unwrap().lists_faults());
        assert!(options.random_faults().is_none());
        let drawn =
            read(&["--random-faults=7", "--exchange-url=http://127.0.0.1:9000"]).unwrap().random_faults();
        assert!(drawn.unwrap().take(100).all(|window| window.fault.component() == Component::Bot));
    }

    #[test]
    fn the_words_after_metrics_are_left_to_the_library() {
        for words in [&["list", "--json"][..], &["--help"], &[]] {
            let options = read(&[&["metrics"], words].concat()).unwrap();
            let expected = words.iter().map(Into::into).collect();
            assert_eq!(options.command, Some(BotCommand::Metrics { words: expected }));
        }
    }

    #[test]
    fn names_what_is_wrong() {
        for (arguments, message) in [
            (&["--port=65536"][..], "must be a whole number from 0 to 65535"),
            (&["--port", "-1"], "invalid value '-1' for '--port <PORT>'"),
            (
                &["--bind=here:1"],
                "invalid value 'here:1' for '--bind <ADDRESS>': must be an address or a host name without a port",
            ),
            (
                &["--speed=0"],
                "invalid value '0' for '--speed <FACTOR>': must be a number above 0 and at most 1000",
            ),
            (&["--speed=-1"], "above 0"),
            (&["--speed=NaN"], "above 0"),
            (&["--speed=inf"], "at most 1000"),
            (&["--speed=1001"], "at most 1000"),
            (&["--seed", "-1"], "invalid value '-1' for '--seed <NUMBER>'"),
            (&["--random-faults", "-1"], "must be a whole number from 0 to"),
            (&["--seed=x"], "invalid value 'x' for '--seed <NUMBER>': must be a whole number from 0 to"),
            (&["--duration=30"], "`30` is not a duration: a whole number followed by"),
            (&["--duration=0s"], "longer than no time"),
            (&["--drain=soon"], "`soon` is not a duration"),
            (&["--duration", "-1s"], "`-1s` is not a duration: a whole number followed by"),
            (&["--drain", "-1s"], "`-1s` is not a duration"),
            (&["--fault=hang"], "unknown fault `hang`; did you mean `hang-trading`? `--fault list` prints"),
            (&["--fault=list@5s"], "unknown fault `list`"),
            (&["--fault=rate-limit@x"], "when the fault begins: `x` is not a duration"),
            (&["--exchange-url=localhost"], "allowed: http://HOST[:PORT]"),
            (&["--exchange-url=https://api.binance.com"], "without TLS"),
            (&["--exchange-url=http://localhost/api"], "without a path"),
            (&["--exchange-url=http://localhost", "--data=x.csv"], "cannot be used with"),
            (
                &["--exchange-url=http://localhost", "--fault=rate-limit"],
                "cannot be used with --exchange-url",
            ),
            (&["--json", "--plain"], "cannot be used with"),
            (&["--frobnicate"], "unexpected argument '--frobnicate'"),
            (&["now"], "unrecognized subcommand 'now'"),
            (&["--speed=2", "metrics", "list"], "the subcommand 'metrics' cannot be used with"),
        ] {
            let error = read(arguments).unwrap_err();
            assert!(error.contains(message), "{arguments:?}\n{error}");
        }
    }

    #[test]
    fn the_help_explains_every_fault() {
        let help = Options::command().render_help().to_string();
        for line in Fault::list().lines() {
            assert!(help.contains(&format!("\n  {line}\n")), "{line}\n{help}");
        }
    }
}
