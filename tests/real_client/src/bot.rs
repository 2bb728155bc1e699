//! A small bot that trades through the public client, with attributes on its calls.

use std::error::Error;
use std::time::Duration;

use binance::account::{Account, OrderCancellation, OrderRequest, OrdersQuery};
use binance::market::Market;
use binance::rest_model::{Order, OrderSide, OrderStatus, OrderType, Tickers, TimeInForce, Transaction};
use bot_metrics::prelude::*;
use bot_metrics::testing::Samples;

use crate::connect;
use crate::error::CallError;

const SYMBOL: &str = "ETHUSDT";
const QUANTITY: f64 = 0.01;
const ROUNDS: usize = 10;
const PAUSE: Duration = Duration::from_millis(200);

struct Bot {
    market: Market,
    account: Account,
}

impl Bot {
    #[exchange_call(op = "get_ticker")]
    async fn ticker(&self) -> Result<Tickers, CallError> {
        Ok(self.market.get_book_ticker(SYMBOL).await?)
    }

    #[exchange_call(op = "place_order")]
    async fn place(&self, order: OrderRequest) -> Result<Transaction, CallError> {
        Ok(self.account.place_order(order).await?)
    }

    #[exchange_call(op = "cancel_order")]
    async fn cancel(&self, order_id: u64) -> Result<(), CallError> {
        let order_id = Some(order_id);
        let order = OrderCancellation { symbol: SYMBOL.to_owned(), order_id, ..OrderCancellation::default() };
        self.account.cancel_order(order).await?;
        Ok(())
    }

    /// Buys at the market, bids for the same quantity at this part of the best bid, and cancels that order if it is
    /// still open.
    #[timed_subsystem("trading", every = "1s")]
    async fn round(&self, part: f64) -> Result<(), CallError> {
        let market = OrderRequest {
            symbol: SYMBOL.to_owned(),
            side: OrderSide::Buy,
            order_type: OrderType::Market,
            quantity: Some(QUANTITY),
            ..OrderRequest::default()
        };
        self.place(market).await?;
        let ticker = self.ticker().await?;
        let limit = OrderRequest {
            symbol: SYMBOL.to_owned(),
            side: OrderSide::Buy,
            order_type: OrderType::Limit,
            time_in_force: Some(TimeInForce::GTC),
            quantity: Some(QUANTITY),
            price: Some((ticker.bid_price * part).round()),
            ..OrderRequest::default()
        };
        let placed = self.place(limit).await?;
        tokio::time::sleep(PAUSE).await;
        match self.cancel(placed.order_id).await {
            // It has been filled.
            Err(error) if error.code() == Some(-2011) => Ok(()),
            other => other,
        }
    }

    async fn orders(&self) -> Result<Vec<Order>, CallError> {
        let query = OrdersQuery { symbol: SYMBOL.to_owned(), ..OrdersQuery::default() };
        Ok(self.account.get_all_orders(query).await?)
    }
}

/// Trades a few rounds and compares the bot's counters with the exchange's orders; the result in one line.
///
/// # Errors
/// An error of a call, or the first difference.
pub(crate) async fn check(url: &str, metrics: &Metrics) -> Result<String, Box<dyn Error + Send + Sync>> {
    let bot = Bot { market: connect(url), account: connect(url) };
    for round in 0..ROUNDS {
        // A bid above the market is filled at once; one far below it stays open.
        bot.round(if round % 2 == 0 { 1.05 } else { 0.5 }).await?;
    }
    let orders = bot.orders().await?;
    let limits_that_are = |status: OrderStatus| {
        let limits = orders.iter().filter(|order| order.order_type == OrderType::Limit);
        limits.filter(|order| order.status == status).count()
    };
    let cancelled = limits_that_are(OrderStatus::Canceled);
    let filled = limits_that_are(OrderStatus::Filled);
    let samples = Samples::of(metrics);
    for (operation, outcome, expected) in [
        ("get_ticker", "ok", ROUNDS),
        ("place_order", "ok", orders.len()),
        ("place_order", "rejected", 0),
        ("cancel_order", "ok", cancelled),
        ("cancel_order", "rejected", filled),
    ] {
        let labels = [("operation", operation), ("outcome", outcome), ("exchange", "paper")];
        let counted = samples.sum("bytelyst_bot_exchange_api_requests_total", &labels);
        if counted.to_string() != expected.to_string() {
            return Err(
                format!("{operation} {outcome}: {counted} counted, {expected} at the exchange").into()
            );
        }
    }
    if (orders.len(), cancelled + filled) != (2 * ROUNDS, ROUNDS) || cancelled == 0 || filled == 0 {
        let found =
            format!("{} orders at the exchange, {cancelled} cancelled, {filled} filled", orders.len());
        return Err(found.into());
    }
    Ok(format!(
        "the bot's counters equal the exchange's: {} orders, {cancelled} cancelled, {filled} filled before that",
        orders.len()
    ))
}
