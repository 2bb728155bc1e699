//! The messages between bot and exchange, as far as the bot uses them.

use bot_metrics_examples::market::{Asset, Level, Side, Symbol, Touch};
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::own_orders::End;

/// A limit order to place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewOrder {
    pub(crate) client_id: String,
    pub(crate) symbol: Symbol,
    pub(crate) side: Side,
    pub(crate) kind: OrderKind,
    pub(crate) price: Decimal,
    pub(crate) quantity: Decimal,
}

/// Whether a limit order may take liquidity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderKind {
    /// It may.
    Limit,
    /// It is rejected if it would.
    PostOnly,
}

/// An order as the exchange reports it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderReport {
    pub(crate) order_id: u64,
    pub(crate) client_order_id: String,
    pub(crate) orig_qty: Decimal,
    pub(crate) executed_qty: Decimal,
    pub(crate) status: RemoteStatus,
}

impl OrderReport {
    /// Whether the exchange accepted the order: one that ended without an execution may have been rejected.
    pub(crate) fn was_placed(&self) -> bool {
        self.status != RemoteStatus::Ended || !self.executed_qty.is_zero()
    }
}

/// The state of an order as reported by the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum RemoteStatus {
    New,
    PartiallyFilled,
    Filled,
    Canceled,
    /// Rejected, expired, or any state added later: no longer open.
    #[serde(other)]
    Ended,
}

impl RemoteStatus {
    /// How an order in this state ended otherwise than by its trades; `None` if its trades tell.
    pub(crate) const fn ended(self) -> Option<End> {
        match self {
            Self::New | Self::PartiallyFilled | Self::Filled => None,
            Self::Canceled => Some(End::Cancelled),
            Self::Ended => Some(End::Expired),
        }
    }
}

/// A cancelled order as the exchange reports it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CancelReport {
    pub(crate) order_id: u64,
    pub(crate) orig_client_order_id: String,
}

/// One execution of one of the account's orders.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountTrade {
    pub(crate) id: u64,
    pub(crate) order_id: u64,
    pub(crate) price: Decimal,
    pub(crate) qty: Decimal,
    /// The fee.
    pub(crate) commission: Decimal,
    /// The currency of the fee.
    pub(crate) commission_asset: String,
}

/// The balances of the account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct AccountReport {
    balances: Vec<BalanceReport>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct BalanceReport {
    asset: String,
    free: Decimal,
    locked: Decimal,
}

impl AccountReport {
    /// The balance of `asset`, including the part locked by open orders.
    pub(crate) fn total(&self, asset: Asset) -> Decimal {
        self.find(asset).map_or(Decimal::ZERO, |balance| balance.free + balance.locked)
    }

    /// The part of `asset` that is available to new orders.
    pub(crate) fn free(&self, asset: Asset) -> Decimal {
        self.find(asset).map_or(Decimal::ZERO, |balance| balance.free)
    }

    /// The part of `asset` that open orders lock.
    pub(crate) fn locked(&self, asset: Asset) -> Decimal {
        self.find(asset).map_or(Decimal::ZERO, |balance| balance.locked)
    }

    fn find(&self, asset: Asset) -> Option<&BalanceReport> {
        self.balances.iter().find(|balance| balance.asset == asset.as_str())
    }
}

/// The best bid and ask of one market.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ticker {
    symbol: String,
    bid_price: Decimal,
    bid_qty: Decimal,
    ask_price: Decimal,
    ask_qty: Decimal,
}

impl Ticker {
    /// The market and its touch; `None` for a market the bot does not trade or that has no quotes.
    pub(crate) fn touch(&self) -> Option<(Symbol, Touch)> {
        // Binance writes zeros for an empty book.
        if self.bid_price.is_zero() || self.ask_price.is_zero() {
            return None;
        }
        let bid = Level { price: self.bid_price, quantity: self.bid_qty };
        let ask = Level { price: self.ask_price, quantity: self.ask_qty };
        Some((self.symbol.parse().ok()?, Touch { bid, ask }))
    }
}

/// The exchange's limits and the state of its markets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExchangeInfo {
    rate_limits: Vec<RateLimit>,
    symbols: Vec<Market>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Market {
    symbol: String,
    status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RateLimit {
    #[serde(rename = "rateLimitType")]
    kind: String,
    interval: String,
    interval_num: u32,
    limit: u32,
}

impl ExchangeInfo {
    /// The request weight allowed per minute.
    pub(crate) fn weight_limit(&self) -> Option<u32> {
        let limit = self.rate_limits.iter().find(|limit| {
            limit.kind == "REQUEST_WEIGHT" && limit.interval == "MINUTE" && limit.interval_num == 1
        });
        limit.map(|limit| limit.limit)
    }

    /// Whether none of the markets that the bot trades accepts orders.
    pub(crate) fn is_halted(&self) -> bool {
        let mut ours = self.symbols.iter().filter(|market| market.symbol.parse::<Symbol>().is_ok());
        ours.all(|market| market.status != "TRADING")
    }
}

/// The exchange's clock, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServerTime {
    pub(crate) server_time: u64,
}
