//! The command line.

use std::path::PathBuf;

use bot_metrics::server::{Format, ServerOptions};
use bot_metrics_examples::demo::CommonOptions;
use bot_metrics_examples::fault::{Fault, FaultWindow, Seat};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use reqwest::Url;

/// Above this speed the recording repeats more than five times a second, which no bot could follow.
const FASTEST: f64 = 1_000.0;

const FAULTS: &str = "\
Faults, NAME[@AFTER[+FOR]], for example hang-trading@10s+20s:
  hang-trading          the trading cycle waits for an answer that never comes
  rate-limit            the exchange answers 429 with Retry-After to everything
  blind-reconciliation  the exchange fails to list open orders
  negative-capital      one profile's allocation is cut below what it holds
  remove-profile        one profile cancels its orders and is forgotten
  foreign-order         an order nobody placed through the bot stands on one account
  halt-markets          the exchange halts its markets: quotes go on, no order is accepted
Without AFTER a fault begins at once, without FOR it lasts to the end.
Durations: a whole number followed by ms, s, m or h.";

/// A market maker on a paper exchange: it trades over HTTP on a recorded market and misbehaves on demand.
#[derive(Debug, Clone, PartialEq, Parser)]
#[command(name = "paper-bot", after_help = FAULTS)]
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

    /// Injects a fault; may be given several times.
    #[arg(long = "fault", value_name = "NAME[@AFTER[+FOR]]")]
    pub(crate) faults: Vec<FaultWindow>,
}

impl Options {
    /// Ends the process with code 2 and a message if the options contradict each other.
    pub(crate) fn checked(self) -> Self {
        self.check().unwrap_or_else(|error| error.exit());
        self
    }

    /// The options of the metrics server.
    pub(crate) fn server(&self) -> ServerOptions {
        let protobuf = self.protobuf.then_some(Format::Protobuf);
        ServerOptions::new().formats([Format::Text, Format::OpenMetrics].into_iter().chain(protobuf))
    }

    /// Checks combinations of options that clap cannot express.
    fn check(&self) -> Result<(), clap::Error> {
        let foreign = self.faults.iter().find(|window| window.fault.seat() == Seat::Exchange);
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
    let faults = Fault::ALL.into_iter().filter(|fault| fault.seat() == Seat::Bot);
    faults.map(Fault::as_str).collect::<Vec<_>>().join(", ")
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
        assert_eq!((options.common.duration, options.data, options.exchange_url), (None, None, None));
        assert_eq!((options.faults, options.protobuf), (vec![], false));
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
        assert_eq!(options.exchange_url.unwrap().as_str(), "http://127.0.0.1:9000/");
        let faults = options.faults.iter().map(|window| window.fault).collect::<Vec<_>>();
        assert_eq!(faults, [Fault::HangTrading, Fault::RemoveProfile]);
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
            (&["--seed=x"], "invalid value 'x' for '--seed <NUMBER>': must be a whole number from 0 to"),
            (&["--duration=30"], "`30` is not a duration: a whole number followed by"),
            (&["--duration=0s"], "longer than no time"),
            (&["--drain=soon"], "`soon` is not a duration"),
            (
                &["--fault=hang"],
                "unknown fault `hang`; known: hang-trading, rate-limit, blind-reconciliation",
            ),
            (&["--fault=rate-limit@x"], "when the fault begins: `x` is not a duration"),
            (&["--exchange-url=localhost"], "allowed: http://HOST[:PORT]"),
            (&["--exchange-url=https://api.binance.com"], "without TLS"),
            (&["--exchange-url=http://localhost/api"], "without a path"),
            (&["--exchange-url=http://localhost", "--data=x.csv"], "cannot be used with"),
            (
                &["--exchange-url=http://localhost", "--fault=rate-limit"],
                "cannot be used with --exchange-url",
            ),
            (&["--frobnicate"], "unexpected argument '--frobnicate'"),
            (&["now"], "unexpected argument 'now'"),
        ] {
            let error = read(arguments).unwrap_err();
            assert!(error.contains(message), "{arguments:?}\n{error}");
        }
    }

    #[test]
    fn the_help_explains_every_fault() {
        let help = Options::command().render_help().to_string();
        for fault in Fault::ALL {
            assert!(help.contains(&format!("\n  {fault} ")), "{fault}\n{help}");
        }
    }
}
