//! A bot whose labels are paths and arguments, without a module `labels` in scope; prints the recorded metrics.
#![deny(warnings)]
use bot_metrics::labels::Exchange;
use bot_metrics::{LabelValue, Mode, Settings, exchange_call, operational_event, timed_subsystem};

/// The library's operations and this bot's own.
#[derive(Clone, Copy, Debug, LabelValue)]
pub enum Operation {
    /// The library's values.
    #[label(extends)]
    Common(bot_metrics::labels::Operation),
    /// Queries the fees.
    GetFees,
    /// With an explicit text.
    #[label("xfer")]
    Transfer,
}

#[timed_subsystem(bot_metrics::labels::Subsystem::Monitor)]
fn watch() {}

#[exchange_call(op = bot_metrics::labels::Operation::GetTicker, exchange = Exchange::Kraken)]
fn ticker() {}

#[exchange_call(op = Operation::GetFees, exchange = venue)]
fn fees(venue: Exchange) {
    let _ = venue;
}

#[exchange_call(op = operation, exchange = *venue)]
fn any(operation: Operation, venue: &Exchange) {
    let _ = (operation, venue);
}

struct Client {
    venue: Exchange,
}

impl Client {
    #[exchange_call(op = Operation::Transfer, exchange = self.venue as Exchange)]
    fn transfer(&self) {}
}

#[operational_event(type = bot_metrics::labels::EventType::Started, severity = bot_metrics::labels::Severity::Info)]
fn start() {}

fn main() {
    watch();
    ticker();
    fees(Exchange::Okx);
    any(Operation::Common(bot_metrics::labels::Operation::GetTrades), &Exchange::Bybit);
    any(Operation::Transfer, &Exchange::Bybit);
    Client { venue: Exchange::Deribit }.transfer();
    start();
    let metrics = Settings::new(Mode::Paper).exchange(Exchange::Okx).install().unwrap();
    let exposition = metrics.exposition();
    for line in exposition.lines().filter(|line| line.ends_with(" 1")) {
        let label = |name: &str| {
            let (_, rest) = line.split_once(&format!("{name}=\""))?;
            rest.split('"').next()
        };
        if line.starts_with("bytelyst_bot_exchange_api_latency_seconds_count{") {
            println!("{} {}", label("exchange").unwrap(), label("operation").unwrap());
        } else if line.starts_with("bytelyst_bot_subsystem_duration_seconds_count{") {
            println!("{}", label("subsystem").unwrap());
        } else if line.starts_with("bytelyst_bot_operational_events_total{") {
            println!("{} {}", label("severity").unwrap(), label("type").unwrap());
        }
    }
}
