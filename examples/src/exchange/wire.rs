//! The JSON shapes of the answers, as Binance documents them.

use std::time::Duration;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::account::{Account, MAKER_FEE, TAKER_FEE};
use super::order::{Order, Trade};
use super::order_count::ORDER_LIMITS;
use super::params::Detail;
use super::venue::MOST_OPEN_ORDERS;
use crate::market::{Asset, Level, Side, Symbol, Touch, TradingRules};

/// The id of the order list of an order that is in none.
const NO_LIST: i32 = -1;

/// Decimals are sent as strings with eight places.
fn eight_places<S: Serializer>(number: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{number:.8}"))
}

/// Times are sent as milliseconds since the Unix epoch.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BookTicker {
    symbol: &'static str,
    #[serde(serialize_with = "eight_places")]
    bid_price: Decimal,
    #[serde(serialize_with = "eight_places")]
    bid_qty: Decimal,
    #[serde(serialize_with = "eight_places")]
    ask_price: Decimal,
    #[serde(serialize_with = "eight_places")]
    ask_qty: Decimal,
}

impl BookTicker {
    /// An empty book has zeros.
    pub(super) fn new(symbol: Symbol, touch: Option<Touch>) -> Self {
        let level = |side| touch.map(|touch| touch.against(side)).unwrap_or_default();
        let (bid, ask) = (level(Side::Sell), level(Side::Buy));
        Self {
            symbol: symbol.as_str(),
            bid_price: bid.price,
            bid_qty: bid.quantity,
            ask_price: ask.price,
            ask_qty: ask.quantity,
        }
    }
}

/// The whole book, which consists of the touch.
pub(super) fn depth(last_update: u64, touch: Option<Touch>) -> Value {
    let levels = |side| -> Vec<_> {
        let level = touch.map(|touch| touch.against(side)).filter(|level| !level.quantity.is_zero());
        level
            .map(|Level { price, quantity }| [format!("{price:.8}"), format!("{quantity:.8}")])
            .into_iter()
            .collect()
    };
    json!({ "lastUpdateId": last_update, "bids": levels(Side::Sell), "asks": levels(Side::Buy) })
}

/// The fields common to all answers about one order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderBody {
    symbol: &'static str,
    order_id: u64,
    order_list_id: i32,
    client_order_id: String,
    #[serde(serialize_with = "eight_places")]
    price: Decimal,
    #[serde(serialize_with = "eight_places")]
    orig_qty: Decimal,
    #[serde(serialize_with = "eight_places")]
    executed_qty: Decimal,
    // Binance's own spelling.
    #[serde(serialize_with = "eight_places")]
    cummulative_quote_qty: Decimal,
    #[serde(serialize_with = "eight_places")]
    orig_quote_order_qty: Decimal,
    status: &'static str,
    time_in_force: &'static str,
    #[serde(rename = "type")]
    order_type: &'static str,
    side: &'static str,
    self_trade_prevention_mode: &'static str,
}

impl OrderBody {
    fn new(order: &Order) -> Self {
        Self {
            symbol: order.symbol.as_str(),
            order_id: order.id,
            order_list_id: NO_LIST,
            client_order_id: order.client_id.clone(),
            price: order.execution.price().unwrap_or_default(),
            orig_qty: order.quantity,
            executed_qty: order.executed,
            cummulative_quote_qty: order.executed_quote,
            orig_quote_order_qty: Decimal::ZERO,
            status: order.status.as_str(),
            time_in_force: order.execution.time_in_force(),
            order_type: order.execution.order_type(),
            side: order.side.as_str(),
            // Orders of customers never meet each other.
            self_trade_prevention_mode: "NONE",
        }
    }
}

/// An order's current state.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderState {
    #[serde(flatten)]
    order: OrderBody,
    #[serde(serialize_with = "eight_places")]
    stop_price: Decimal,
    #[serde(serialize_with = "eight_places")]
    iceberg_qty: Decimal,
    time: u64,
    update_time: u64,
    working_time: u64,
    is_working: bool,
}

impl OrderState {
    pub(super) fn new(order: &Order) -> Self {
        Self {
            order: OrderBody::new(order),
            stop_price: Decimal::ZERO,
            iceberg_qty: Decimal::ZERO,
            time: millis(order.placed),
            working_time: millis(order.placed),
            update_time: millis(order.updated),
            is_working: order.status.is_open(),
        }
    }
}

/// The answer to a new order, as detailed as the client asks.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Placed {
    Ack(Acknowledged),
    Result(Executed),
    Full {
        #[serde(flatten)]
        order: Executed,
        fills: Vec<Fill>,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Acknowledged {
    symbol: &'static str,
    order_id: u64,
    order_list_id: i32,
    client_order_id: String,
    transact_time: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Executed {
    #[serde(flatten)]
    order: OrderBody,
    transact_time: u64,
    working_time: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fill {
    #[serde(serialize_with = "eight_places")]
    price: Decimal,
    #[serde(serialize_with = "eight_places")]
    qty: Decimal,
    #[serde(serialize_with = "eight_places")]
    commission: Decimal,
    commission_asset: &'static str,
    trade_id: u64,
}

impl Placed {
    pub(super) fn new<'a>(order: &Order, trades: impl Iterator<Item = &'a Trade>, detail: Detail) -> Self {
        let time = millis(order.updated);
        let executed = || Executed { order: OrderBody::new(order), transact_time: time, working_time: time };
        match detail {
            Detail::Ack => Self::Ack(Acknowledged {
                symbol: order.symbol.as_str(),
                order_id: order.id,
                order_list_id: NO_LIST,
                client_order_id: order.client_id.clone(),
                transact_time: time,
            }),
            Detail::Result => Self::Result(executed()),
            Detail::Full => {
                let fills = trades.filter(|trade| trade.order_id == order.id).map(Fill::new).collect();
                Self::Full { order: executed(), fills }
            }
        }
    }
}

impl Fill {
    fn new(trade: &Trade) -> Self {
        Self {
            price: trade.price,
            qty: trade.quantity,
            commission: trade.commission,
            commission_asset: trade.commission_asset.as_str(),
            trade_id: trade.id,
        }
    }
}

/// The answer to a cancellation.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cancelled {
    #[serde(flatten)]
    order: OrderBody,
    orig_client_order_id: String,
    transact_time: u64,
}

impl Cancelled {
    pub(super) fn new(order: &Order) -> Self {
        Self {
            order: OrderBody::new(order),
            orig_client_order_id: order.client_id.clone(),
            transact_time: millis(order.updated),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TradeBody {
    symbol: &'static str,
    id: u64,
    order_id: u64,
    order_list_id: i32,
    #[serde(serialize_with = "eight_places")]
    price: Decimal,
    #[serde(serialize_with = "eight_places")]
    qty: Decimal,
    #[serde(serialize_with = "eight_places")]
    quote_qty: Decimal,
    #[serde(serialize_with = "eight_places")]
    commission: Decimal,
    commission_asset: &'static str,
    time: u64,
    is_buyer: bool,
    is_maker: bool,
    is_best_match: bool,
}

impl TradeBody {
    pub(super) fn new(trade: &Trade) -> Self {
        Self {
            symbol: trade.symbol.as_str(),
            id: trade.id,
            order_id: trade.order_id,
            order_list_id: NO_LIST,
            price: trade.price,
            qty: trade.quantity,
            quote_qty: trade.price * trade.quantity,
            commission: trade.commission,
            commission_asset: trade.commission_asset.as_str(),
            time: millis(trade.time),
            is_buyer: trade.side == Side::Buy,
            is_maker: trade.is_maker,
            is_best_match: true,
        }
    }
}

pub(super) fn account(account: &Account, now: Duration) -> Value {
    let balances = Asset::ALL.map(|asset| {
        let balance = account.balance(asset);
        json!({
            "asset": asset.as_str(),
            "free": format!("{:.8}", balance.free),
            "locked": format!("{:.8}", balance.locked),
        })
    });
    // Binance cuts them to whole hundredths of a percent.
    let points = |fee: Decimal| (fee * Decimal::from(10_000)).to_u32();
    let rate = |fee: Decimal| format!("{fee:.8}");
    json!({
        "makerCommission": points(MAKER_FEE),
        "takerCommission": points(TAKER_FEE),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": rate(MAKER_FEE), "taker": rate(TAKER_FEE), "buyer": "0.00000000", "seller": "0.00000000",
        },
        "canTrade": true,
        "canWithdraw": false,
        "canDeposit": false,
        "brokered": false,
        "requireSelfTradePrevention": false,
        "preventSor": false,
        "updateTime": millis(now),
        "accountType": "SPOT",
        "balances": balances,
        "permissions": ["SPOT"],
    })
}

pub(super) fn exchange_info(weight_limit: u32, now: Duration, is_halted: bool) -> Value {
    let weight = json!({
        "rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": weight_limit,
    });
    let orders = ORDER_LIMITS.map(|limit| {
        json!({
            "rateLimitType": "ORDERS", "interval": limit.interval, "intervalNum": limit.interval_num,
            "limit": limit.most,
        })
    });
    let limits: Vec<_> = [weight].into_iter().chain(orders).collect();
    json!({
        "timezone": "UTC",
        "serverTime": millis(now),
        "rateLimits": limits,
        "exchangeFilters": [],
        "symbols": Symbol::ALL.map(|symbol| market(symbol, is_halted)),
    })
}

fn market(symbol: Symbol, is_halted: bool) -> Value {
    json!({
        "symbol": symbol.as_str(),
        "status": if is_halted { "BREAK" } else { "TRADING" },
        "baseAsset": symbol.base().as_str(),
        "baseAssetPrecision": 8,
        "quoteAsset": Asset::Usdt.as_str(),
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
        "icebergAllowed": false,
        "ocoAllowed": false,
        "otoAllowed": false,
        "quoteOrderQtyMarketAllowed": false,
        "allowTrailingStop": false,
        "cancelReplaceAllowed": false,
        "isSpotTradingAllowed": true,
        "isMarginTradingAllowed": false,
        "filters": filters(&symbol.rules()),
        "permissions": ["SPOT"],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    })
}

fn filters(rules: &TradingRules) -> Value {
    let (tick, step) = (format!("{:.8}", rules.tick), format!("{:.8}", rules.step));
    let highest_value = rules.max_price * rules.max_quantity;
    json!([
        {
            "filterType": "PRICE_FILTER",
            "minPrice": tick, "maxPrice": format!("{:.8}", rules.max_price), "tickSize": tick,
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": step, "maxQty": format!("{:.8}", rules.max_quantity), "stepSize": step,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": format!("{:.8}", rules.min_notional), "applyMinToMarket": true,
            "maxNotional": format!("{highest_value:.8}"), "applyMaxToMarket": false,
            // The value of a market order is that at the touch, not an average.
            "avgPriceMins": 0,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": MOST_OPEN_ORDERS},
    ])
}
