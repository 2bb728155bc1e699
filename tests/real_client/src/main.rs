//! An unmodified public Binance client drives the paper exchange: its calls succeed, its errors carry Binance's codes,
//! and the counters of a bot that trades through it equal the exchange's counts.
//!
//! `cargo run --manifest-path tests/real_client/Cargo.toml` ends with code 1 at the first difference.

mod bot;
mod calls;
mod codes;
mod error;

use std::error::Error;
use std::sync::Arc;

use binance::api::Binance;
use binance::config::Config;
use bot_metrics::labels::Exchange;
use bot_metrics_examples::demo;
use bot_metrics_examples::exchange::{AccountSettings, Disruptions, ExchangeSettings, PaperExchange};
use bot_metrics_examples::market::Asset;
use bot_metrics_examples::recording::Recording;

const KEY: &str = "real-client-key";
const SECRET: &str = "real-client-secret";

/// Recorded seconds per second: fast enough that orders fill between two calls.
const SPEED: f64 = 50.0;

/// Makes a client of one part of the API, for the account on the exchange at `url`.
fn connect<T: Binance>(url: &str) -> T {
    connect_as(url, KEY, SECRET)
}

fn connect_as<T: Binance>(url: &str, key: &str, secret: &str) -> T {
    let config = Config::default().set_rest_api_endpoint(url).set_timeout(5);
    T::new_with_config(Some(key.to_owned()), Some(secret.to_owned()), &config)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let metrics = demo::settings()?.exchange(Exchange::Paper).install()?;
    let disruptions = Disruptions::default();
    let settings = ExchangeSettings {
        speed: SPEED,
        accounts: vec![AccountSettings {
            api_key: KEY.to_owned(),
            secret: SECRET.to_owned(),
            funds: vec![(Asset::Usdt, 100_000.into()), (Asset::Btc, 1.into())],
        }],
        disruptions: disruptions.clone(),
        ..ExchangeSettings::new(Arc::new(Recording::embedded()?))
    };
    let exchange = PaperExchange::start(settings).await?;
    let url = exchange.url();

    calls::check(&url).await?;
    println!("every call succeeds");
    codes::check(&url, &disruptions).await?;
    println!("every error carries Binance's code");
    println!("{}", bot::check(&url, &metrics).await?);
    Ok(())
}
