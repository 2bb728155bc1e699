//! Mistakes of the client's user, and the codes with which Binance answers them.

use binance::account::{Account, OrderCancellation, OrderRequest, OrderStatusRequest};
use binance::errors::{Error, Result};
use binance::market::Market;
use bot_metrics_examples::exchange::{Disruption, Disruptions};

use crate::calls::resting_purchase;
use crate::error::CallError;
use crate::{KEY, SECRET, connect, connect_as};

/// Makes each mistake once.
///
/// # Errors
/// The first answer with another code.
pub(crate) async fn check(url: &str, disruptions: &Disruptions) -> std::result::Result<(), String> {
    let market: Market = connect(url);
    let account: Account = connect(url);
    let stranger: Account = connect_as(url, KEY, "not the secret");

    expect(-1121, "an unknown symbol", market.get_book_ticker("NOSUCH").await)?;
    let off_tick = OrderRequest { price: Some(20_000.001), ..resting_purchase() };
    expect(-1013, "a price between two ticks", account.place_order(off_tick).await)?;
    let off_step = OrderRequest { quantity: Some(0.001_000_5), ..resting_purchase() };
    expect(-1013, "a quantity between two steps", account.place_order(off_step).await)?;
    let small = OrderRequest { quantity: Some(0.000_2), ..resting_purchase() };
    expect(-1013, "an order of less than 5 dollars", account.place_order(small).await)?;
    let dear = OrderRequest { quantity: Some(6.0), ..resting_purchase() };
    expect(-2010, "an order that the account cannot pay", account.place_order(dear).await)?;
    let no_price = OrderRequest { price: None, ..resting_purchase() };
    expect(-1102, "a limit order without a price", account.place_order(no_price).await)?;

    let id = Some(u64::from(u32::MAX));
    let symbol = resting_purchase().symbol;
    let cancellation =
        OrderCancellation { symbol: symbol.clone(), order_id: id, ..OrderCancellation::default() };
    expect(-2011, "a cancellation of no order", account.cancel_order(cancellation).await)?;
    let query = OrderStatusRequest { symbol, order_id: id, ..OrderStatusRequest::default() };
    expect(-2013, "a query of no order", account.order_status(query).await)?;

    expect(-1022, "the wrong secret", stranger.get_account().await)?;
    disruptions.begin(Disruption::ClockSkew);
    let late = account.get_account().await;
    disruptions.end(Disruption::ClockSkew);
    expect(-1021, "a clock that is 30 s late", late)?;
    // The client drops the code of an answer with the status 401.
    let unknown: Account = connect_as(url, "unknown-key", SECRET);
    match unknown.get_account().await {
        Err(Error::Unauthorized) => Ok(()),
        other => Err(format!("an unknown key: {other:?}")),
    }
}

fn expect<T>(code: i32, mistake: &str, answer: Result<T>) -> std::result::Result<(), String> {
    match answer.map_err(CallError::from) {
        Err(error) if error.code() == Some(code) => Ok(()),
        Err(error) => Err(format!("{mistake}: expected {code}, found {error}")),
        Ok(_) => Err(format!("{mistake}: expected {code}, but it succeeds")),
    }
}
