//! Every call that a bot needs, once, with the client's own types.

use binance::account::{Account, OrderCancellation, OrderRequest, OrderStatusRequest, OrdersQuery};
use binance::errors::Result;
use binance::general::General;
use binance::market::Market;
use binance::rest_model::{OrderSide, OrderStatus, OrderType, TimeInForce};

use crate::connect;

const SYMBOL: &str = "BTCUSDT";

/// A purchase that stays open: far below the market, of 0.001 bitcoin.
pub(crate) fn resting_purchase() -> OrderRequest {
    OrderRequest {
        symbol: SYMBOL.to_owned(),
        side: OrderSide::Buy,
        order_type: OrderType::Limit,
        time_in_force: Some(TimeInForce::GTC),
        price: Some(20_000.0),
        quantity: Some(0.001),
        ..OrderRequest::default()
    }
}

/// Makes every call once.
///
/// # Errors
/// The first error of a call.
///
/// # Panics
/// If an answer is not the expected one.
pub(crate) async fn check(url: &str) -> Result<()> {
    check_public(url).await?;
    let account: Account = connect(url);
    let placed = account.place_order(resting_purchase()).await?;
    assert_eq!((placed.status, placed.price, placed.orig_qty), (OrderStatus::New, 20_000.0, 0.001));

    let id = Some(placed.order_id);
    let query =
        OrderStatusRequest { symbol: SYMBOL.to_owned(), order_id: id, ..OrderStatusRequest::default() };
    let queried = account.order_status(query.clone()).await?;
    assert_eq!((queried.client_order_id, queried.status), (placed.client_order_id, OrderStatus::New));
    for open in [account.get_open_orders(SYMBOL).await?, account.get_all_open_orders().await?] {
        assert_eq!(open.iter().map(|order| Some(order.order_id)).collect::<Vec<_>>(), [id]);
    }
    let balance = account.get_balance("USDT").await?;
    assert_eq!((balance.free, balance.locked), (99_980.0, 20.0));
    assert!(account.get_account().await?.can_trade);

    let cancellation =
        OrderCancellation { symbol: SYMBOL.to_owned(), order_id: id, ..OrderCancellation::default() };
    assert_eq!(Some(account.cancel_order(cancellation).await?.order_id), id);
    assert_eq!(account.order_status(query).await?.status, OrderStatus::Canceled);
    let all = OrdersQuery { symbol: SYMBOL.to_owned(), ..OrdersQuery::default() };
    assert_eq!(account.get_all_orders(all).await?.len(), 1);
    assert!(account.trade_history(SYMBOL).await?.is_empty());
    Ok(())
}

async fn check_public(url: &str) -> Result<()> {
    let general: General = connect(url);
    general.ping().await?;
    general.get_server_time().await?;
    let info = general.exchange_info().await?;
    assert!(info.symbols.iter().any(|symbol| symbol.symbol == SYMBOL && !symbol.filters.is_empty()));
    assert!(!info.rate_limits.is_empty());

    let market: Market = connect(url);
    let ticker = market.get_book_ticker(SYMBOL).await?;
    assert!(ticker.bid_price > 0.0 && ticker.bid_price < ticker.ask_price, "{ticker:?}");
    market.get_all_book_tickers().await?;
    market.get_depth(SYMBOL).await?;
    Ok(())
}
