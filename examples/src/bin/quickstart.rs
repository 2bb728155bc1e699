//! Quickstart: a minimal bot in one file, to copy.

use std::{io, thread, time::Duration};

use bot_metrics::prelude::*;

#[timed_subsystem("trading", every = "1s")] // duration, outcome, last success, alive
fn trading_cycle() -> io::Result<()> {
    place_order("BTCUSDT")
}

#[operational_event(type = "ORDER_PLACED", severity = "INFO", symbol = symbol)] // counted when it succeeds
#[exchange_call(op = "place_order", exchange = "binance")] // latency and outcome of each attempt
fn place_order(symbol: &str) -> io::Result<()> {
    thread::sleep(Duration::from_millis(40)); // your request, up to the decoded answer
    Ok(())
}

fn main() -> Result<(), bot_metrics::Error> {
    let metrics = Settings::from_env()?.app("my-bot").install()?;
    let server = metrics.serve(metrics.settings().address())?; // on a thread of its own
    println!("status page: {}/", server.url());
    loop {
        let _ = trading_cycle(); // its outcome is in the metrics
        thread::sleep(Duration::from_secs(1));
    }
}
