//! Quickstart: a minimal bot with one loop and one exchange call, without an async runtime.

use std::process::ExitCode;
use std::time::Duration;

use bot_metrics::prelude::*;
use bot_metrics_examples::demo::{self, CommonOptions, Demo, Failure, OwnExchange};

#[timed_subsystem("trading", every = "1s")] // duration, outcome, last successful run, alive
fn trading_cycle(exchange: &str) -> Result<(), ureq::Error> {
    let ticker = get_ticker(exchange)?;
    demo::say(ticker); // a bot with a strategy would place an order here
    Ok(())
}

#[exchange_call(op = "get_ticker", exchange = "paper")] // latency and outcome of each attempt
fn get_ticker(exchange: &str) -> Result<String, ureq::Error> {
    let url = format!("{exchange}/api/v3/ticker/bookTicker?symbol=BTCUSDT");
    ureq::get(url).call()?.body_mut().read_to_string()
}

fn run(demo: &Demo) -> Result<(), Failure> {
    let metrics = demo::settings()?.install()?; // NODE_ENV, PAPER_TRADING, METRICS_ADDR
    let _serving = demo.serve(&metrics)?; // on a thread of its own
    let exchange = OwnExchange::start()?;
    while demo.goes_on_after(Duration::from_secs(1)) {
        let _ = trading_cycle(&exchange.url()); // its outcome is in the metrics
    }
    Ok(())
}

/// A minimal bot with one loop and one exchange call, without an async runtime.
#[derive(clap::Parser)]
struct Options {
    #[command(flatten)]
    common: CommonOptions,
}

fn main() -> ExitCode {
    demo::main(|options: Options| run(&Demo::start(options.common)?))
}
