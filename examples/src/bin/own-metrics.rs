//! Own metrics: a bot's own label values and families, declared with `metrics!` and exported beside the library's.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use bot_metrics::prelude::*;
use bot_metrics::{Symbol, metrics};
use bot_metrics_examples::demo::{self, CommonOptions, Demo, Failure, OwnExchange};
use serde::Deserialize;

/// The labels used by attributes and families: the library's, and this bot's own.
mod labels {
    pub(crate) use bot_metrics::labels::*;
    use bot_metrics::prelude::LabelValue;

    #[derive(Clone, Copy, Debug, LabelValue)]
    pub(crate) enum Subsystem {
        Signals,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, LabelValue)]
    pub(crate) enum Trend {
        Rising,
        Falling,
        Flat,
    }
}

metrics! {
    /// Signals that the strategy gave, by trend.
    counter signals_total { trend: labels::Trend }

    /// Price halfway between bid and ask, in the quote currency.
    gauge mid_price { symbol: Symbol }

    /// Distance between bid and ask in basis points of the price.
    histogram spread_basis_points { symbol: Symbol }
        buckets(0.01, 0.05, 0.1, 0.5, 1, 5, 10) objective(threshold = 5, ratio = 0.99)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ticker {
    symbol: String,
    bid_price: rust_decimal::Decimal,
    ask_price: rust_decimal::Decimal,
}

#[exchange_call(op = "get_ticker", exchange = "paper")]
fn get_tickers(exchange: &str) -> Result<Vec<Ticker>, Failure> {
    let text =
        ureq::get(format!("{exchange}/api/v3/ticker/bookTicker")).call()?.body_mut().read_to_string()?;
    Ok(serde_json::from_str(&text)?)
}

/// The last known prices.
#[derive(Default)]
struct Strategy(BTreeMap<String, f64>);

impl Strategy {
    #[timed_subsystem("signals", every = "1s")]
    fn cycle(&mut self, exchange: &str) -> Result<(), Failure> {
        for ticker in get_tickers(exchange)? {
            let (bid, ask): (f64, f64) = (ticker.bid_price.try_into()?, ticker.ask_price.try_into()?);
            let mid = f64::midpoint(bid, ask);
            mid_price(&ticker.symbol).set(mid);
            spread_basis_points(&ticker.symbol).observe((ask - bid) / mid * 10_000.0);
            let trend = self.trend(ticker.symbol, mid);
            signals_total(trend).increment();
        }
        Ok(())
    }

    /// A line for the terminal.
    fn prices(&self) -> String {
        let prices = self.0.iter().map(|(symbol, price)| format!("{symbol} {price:.2}"));
        prices.collect::<Vec<_>>().join(", ")
    }

    fn trend(&mut self, symbol: String, mid: f64) -> labels::Trend {
        match self.0.insert(symbol, mid) {
            Some(last) if mid > last => labels::Trend::Rising,
            Some(last) if mid < last => labels::Trend::Falling,
            _ => labels::Trend::Flat,
        }
    }
}

fn run(demo: &Demo) -> Result<(), Failure> {
    let metrics = demo::settings()?.install()?;
    let _serving = demo.serve(&metrics)?;
    let exchange = OwnExchange::start()?;
    let mut strategy = Strategy::default();
    while demo.goes_on_after(Duration::from_secs(1)) {
        match strategy.cycle(&exchange.url()) {
            Ok(()) => demo::say(strategy.prices()),
            Err(error) => demo::complain(error),
        }
    }
    Ok(())
}

/// A bot with its own label values and metric families.
#[derive(clap::Parser)]
struct Options {
    #[command(flatten)]
    common: CommonOptions,
}

fn main() -> ExitCode {
    demo::main(|options: Options| run(&Demo::start(options.common)?))
}
