//! Grid bot: one strategy on two exchanges, with the label `exchange` chosen at run time.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bot_metrics::prelude::*;
use bot_metrics_examples::binance::{self, Reason};
use bot_metrics_examples::clock::Clock;
use bot_metrics_examples::demo::{self, CommonOptions, Demo, Failure};
use bot_metrics_examples::exchange::{AccountSettings, ExchangeSettings, PaperExchange};
use bot_metrics_examples::market::{Asset, Side, Symbol};
use bot_metrics_examples::recording::Recording;
use bot_metrics_examples::signature::signed_query;
use reqwest::{Client, Method};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Two paper exchanges that replay one market at different paces.
mod labels {
    pub(crate) use bot_metrics::labels::*;
    use bot_metrics::prelude::LabelValue;

    #[derive(Clone, Copy, Debug, LabelValue)]
    pub(crate) enum Exchange {
        PaperEast,
        PaperWest,
    }
}

const SYMBOL: Symbol = Symbol::BtcUsdt;
const API_KEY: &str = "grid";
const SECRET: &str = "secret of the grid";
/// Number of lines on each side of the initial price.
const LINES: u32 = 5;
/// Distance between lines, in the quote currency: the recorded market crosses a few per minute.
const STEP: Decimal = Decimal::from_parts(8, 0, 0, false, 0);
const QUANTITY: Decimal = Decimal::from_parts(1, 0, 0, false, 3);
/// Capital allocated to each exchange's account, in the quote currency.
const ALLOCATED: Decimal = Decimal::from_parts(2_000, 0, 0, false, 0);

/// One exchange and the grid on it.
struct Venue {
    exchange: labels::Exchange,
    url: String,
    http: Client,
    /// The price in the middle of the grid, once the grid has been placed.
    middle: Option<Decimal>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ticker {
    bid_price: Decimal,
    ask_price: Decimal,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OpenOrder {
    price: Decimal,
    orig_qty: Decimal,
    side: String,
}

#[derive(Deserialize)]
struct Account {
    balances: Vec<Balance>,
}

#[derive(Deserialize)]
struct Balance {
    asset: String,
    free: Decimal,
    locked: Decimal,
}

/// The reason why a call failed.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error("status {status}, {}", reason.as_ref().map_or("without a code", |reason| &reason.msg))]
    Refused { status: u16, reason: Option<Reason> },
}

impl ClassifyError for CallError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Http(error) => error.class(),
            Self::Refused { status, reason } => {
                binance::meaning(*status, reason.as_ref().map(|reason| reason.code)).class
            }
        }
    }
}

impl Venue {
    /// Ensures that every line of the grid has an order: buys below the price, sells above.
    #[timed_subsystem("trading", every = "1s")]
    async fn trading_cycle(&mut self) -> Result<(), CallError> {
        let ticker = self.get_ticker().await?;
        let price = (ticker.bid_price + ticker.ask_price) / Decimal::TWO;
        let middle = *self.middle.get_or_insert_with(|| price.round_dp(0));
        let open = self.get_open_orders().await?;
        self.check_capital(price, &open).await?;
        let taken: BTreeSet<_> = open.iter().map(|order| order.price.normalize()).collect();
        for line in (1..=LINES)
            .flat_map(|line| [middle - STEP * Decimal::from(line), middle + STEP * Decimal::from(line)])
        {
            let side = if line < price { Side::Buy } else { Side::Sell };
            // A line at the current price has just been filled; it is placed again when the price has moved away.
            if !taken.contains(&line.normalize()) && (line - price).abs() > STEP / Decimal::TWO {
                // A failed placement is repeated in the next cycle unless the order turns out to be open.
                let _ = self.place_order(side, line).await;
            }
        }
        Ok(())
    }

    #[capital_check(profile = self.exchange.as_str())]
    async fn check_capital(&self, price: Decimal, open: &[OpenOrder]) -> Result<Capital<Decimal>, CallError> {
        let account = self.get_account().await?;
        let base = account.balances.iter().find(|balance| balance.asset == SYMBOL.base().as_str());
        let positions = base.map_or(Decimal::ZERO, |base| (base.free + base.locked) * price);
        let buys = open.iter().filter(|order| order.side == Side::Buy.as_str());
        let open_orders: Decimal = buys.map(|order| order.price * order.orig_qty).sum();
        Ok(Capital { allocated: ALLOCATED, positions, open_orders, ..Capital::default() })
    }

    #[exchange_call(op = "get_ticker", exchange = self.exchange)]
    async fn get_ticker(&self) -> Result<Ticker, CallError> {
        self.ask(Method::GET, "ticker/bookTicker", &[]).await
    }

    #[exchange_call(op = "get_open_orders", exchange = self.exchange)]
    async fn get_open_orders(&self) -> Result<Vec<OpenOrder>, CallError> {
        self.ask(Method::GET, "openOrders", &[]).await
    }

    #[exchange_call(op = "get_account", exchange = self.exchange)]
    async fn get_account(&self) -> Result<Account, CallError> {
        self.ask(Method::GET, "account", &[]).await
    }

    #[operational_event(type = "ORDER_PLACED", severity = "INFO", symbol = SYMBOL.as_str(), profile = self.exchange.as_str())]
    #[operational_event(
        type = "ORDER_REJECTED",
        severity = "WARNING",
        on = [rejected, rate_limited, banned, auth],
        symbol = SYMBOL.as_str(),
        profile = self.exchange.as_str()
    )]
    // After any other error the order may be open: only these classes mean that the exchange did not accept it.
    #[operational_event(
        type = "ORDER_UNKNOWN",
        severity = "ERROR",
        on = [err, cancelled, !rejected, !rate_limited, !banned, !auth],
        symbol = SYMBOL.as_str(),
        profile = self.exchange.as_str()
    )]
    #[exchange_call(op = "place_order", exchange = self.exchange)]
    async fn place_order(&self, side: Side, price: Decimal) -> Result<OpenOrder, CallError> {
        let (price, quantity) = (price.to_string(), QUANTITY.to_string());
        let order = [
            ("side", side.as_str()),
            ("type", "LIMIT_MAKER"),
            ("price", &price),
            ("quantity", &quantity),
            ("newOrderRespType", "RESULT"),
        ];
        self.ask(Method::POST, "order", &order).await
    }

    #[exchange_call(op = "cancel_all_orders", exchange = self.exchange)]
    async fn cancel_all_orders(&self) -> Result<Vec<serde_json::Value>, CallError> {
        self.ask(Method::DELETE, "openOrders", &[]).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, CallError> {
        let mut parameters = vec![("symbol", SYMBOL.as_str())];
        parameters.extend(query);
        let query = signed_query(SECRET, &parameters, Clock::system().now());
        let url = format!("{}/api/v3/{path}?{query}", self.url);
        let answer = self.http.request(method, url).header("X-MBX-APIKEY", API_KEY).send().await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer.json().await?);
        }
        // The status identifies the refusal even if its body breaks off.
        let reason = Reason::read(&answer.bytes().await.unwrap_or_default());
        Err(CallError::Refused { status: status.as_u16(), reason })
    }
}

async fn open_exchange(speed: f64, delay_seed: u64) -> Result<PaperExchange, Failure> {
    let funds = vec![(Asset::Usdt, 1_000.into()), (SYMBOL.base(), Decimal::new(1, 2))];
    let settings = ExchangeSettings {
        speed,
        delay_seed: Some(delay_seed),
        accounts: vec![AccountSettings { api_key: API_KEY.to_owned(), secret: SECRET.to_owned(), funds }],
        ..ExchangeSettings::new(Arc::new(Recording::embedded()?))
    };
    Ok(PaperExchange::start(settings).await?)
}

async fn run(demo: &Demo) -> Result<(), Failure> {
    let exchanges = [
        (labels::Exchange::PaperEast, open_exchange(10.0, 1).await?),
        (labels::Exchange::PaperWest, open_exchange(20.0, 2).await?),
    ];
    // Requests to the loopback exchanges must not go through a proxy from the environment.
    let http = Client::builder().timeout(Duration::from_secs(5)).no_proxy().build()?;
    let venue = |(exchange, paper): &(_, PaperExchange)| Venue {
        exchange: *exchange,
        url: paper.url(),
        http: http.clone(),
        middle: None,
    };
    let mut venues: Vec<_> = exchanges.iter().map(venue).collect();
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            () = demo.end() => break,
            _ = ticks.tick() => {}
        }
        for venue in &mut venues {
            if let Err(error) = venue.trading_cycle().await {
                demo::complain(format_args!("{}: {error}", venue.exchange.as_str()));
            }
        }
    }
    for venue in &venues {
        let cancelled = venue.cancel_all_orders().await.map_or(0, |orders| orders.len());
        demo::say(format_args!("{}: {cancelled} orders cancelled", venue.exchange.as_str()));
    }
    Ok(())
}

/// Places a grid of orders on two paper exchanges.
#[derive(clap::Parser)]
struct Options {
    #[command(flatten)]
    common: CommonOptions,
}

fn main() -> ExitCode {
    demo::main(|options: Options| {
        let demo = Demo::start(options.common)?;
        let metrics = demo::settings()?.exchange(labels::Exchange::PaperEast).install()?;
        // Call sites whose exchange is chosen at run time are exported from the start only for the exchange in the
        // settings, and profiles never are.
        for exchange in [labels::Exchange::PaperEast, labels::Exchange::PaperWest] {
            let _ = metrics.profile(exchange.as_str());
        }
        let _serving = demo.serve(&metrics)?;
        tokio::runtime::Runtime::new()?.block_on(run(&demo))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_an_answer_determines_its_class() {
        for (status, body, class) in [
            (400, &br#"{"code":-2010,"msg":"no money"}"#[..], ErrorClass::Rejected),
            (400, br#"{"code":-1007,"msg":"execution status unknown"}"#, ErrorClass::Timeout),
            (408, b"", ErrorClass::Timeout),
            (403, b"<html>", ErrorClass::Banned),
        ] {
            assert_eq!(CallError::Refused { status, reason: Reason::read(body) }.class(), class, "{status}");
        }
    }
}
