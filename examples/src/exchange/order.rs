//! Orders and trades as the exchange keeps them.

use std::time::Duration;

use rust_decimal::Decimal;

use super::refusal::Refusal;
use crate::market::{Asset, Side, Symbol, TradingRules};

/// An order as submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// The market.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// The type of execution and the limit price.
    pub execution: Execution,
    /// In the base currency.
    pub quantity: Decimal,
    /// The client's id of the order; if absent, the exchange generates one.
    pub client_id: Option<String>,
}

/// How an order is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Execution {
    /// Executes at this price or better as far as possible; the rest stays open.
    Limit(Decimal),
    /// Executes at this price or better as far as possible; the rest expires.
    ImmediateOrCancel(Decimal),
    /// Executes at this price or better completely; otherwise nothing of it is executed.
    FillOrKill(Decimal),
    /// Stays open at this price; rejected if it would execute at once.
    LimitMaker(Decimal),
    /// Executes at the touch as far as possible; the rest expires.
    Market,
}

impl Execution {
    /// The limit price; `None` for a market order.
    #[must_use]
    pub const fn price(&self) -> Option<Decimal> {
        match self {
            Self::Limit(price)
            | Self::ImmediateOrCancel(price)
            | Self::FillOrKill(price)
            | Self::LimitMaker(price) => Some(*price),
            Self::Market => None,
        }
    }

    /// Binance's name of the order type.
    #[must_use]
    pub const fn order_type(&self) -> &'static str {
        match self {
            Self::Limit(_) | Self::ImmediateOrCancel(_) | Self::FillOrKill(_) => "LIMIT",
            Self::LimitMaker(_) => "LIMIT_MAKER",
            Self::Market => "MARKET",
        }
    }

    /// Binance's name of the time in force.
    #[must_use]
    pub const fn time_in_force(&self) -> &'static str {
        match self {
            Self::ImmediateOrCancel(_) => "IOC",
            Self::FillOrKill(_) => "FOK",
            Self::Limit(_) | Self::LimitMaker(_) | Self::Market => "GTC",
        }
    }
}

impl NewOrder {
    /// Checks the order against its market's rules; `market_price` values a market order, if the market has one.
    ///
    /// # Errors
    /// The filter that rejects the order.
    pub fn check(&self, rules: &TradingRules, market_price: Option<Decimal>) -> Result<(), Refusal> {
        if let Some(price) = self.execution.price()
            && !is_positive_multiple(price, rules.tick, rules.max_price)
        {
            return Err(Refusal::Filter("PRICE_FILTER"));
        }
        if !is_positive_multiple(self.quantity, rules.step, rules.max_quantity) {
            return Err(Refusal::Filter("LOT_SIZE"));
        }
        let Some(price) = self.execution.price().or(market_price) else { return Ok(()) };
        if price.checked_mul(self.quantity).is_none_or(|notional| notional < rules.min_notional) {
            return Err(Refusal::Filter("NOTIONAL"));
        }
        Ok(())
    }
}

fn is_positive_multiple(number: Decimal, unit: Decimal, most: Decimal) -> bool {
    number > Decimal::ZERO && number <= most && (number % unit).is_zero()
}

/// The state of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderStatus {
    /// Open, nothing executed.
    New,
    /// Open, partly executed.
    PartiallyFilled,
    /// Completely executed.
    Filled,
    /// Cancelled by its owner.
    Canceled,
    /// The rest could not be executed at once and the order type does not keep it open.
    Expired,
}

impl OrderStatus {
    /// Whether the order is open.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::New | Self::PartiallyFilled)
    }

    /// Binance's name of the status.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::PartiallyFilled => "PARTIALLY_FILLED",
            Self::Filled => "FILLED",
            Self::Canceled => "CANCELED",
            Self::Expired => "EXPIRED",
        }
    }
}

/// An order the exchange has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The exchange's id of the order, increasing.
    pub id: u64,
    /// The owner's id of the order.
    pub client_id: String,
    /// The market.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// How it is executed.
    pub execution: Execution,
    /// The worst price at which it may execute; for a market order, the touch at its arrival. Funds are locked at
    /// this price.
    pub limit: Decimal,
    /// In the base currency.
    pub quantity: Decimal,
    /// The executed part of the quantity.
    pub executed: Decimal,
    /// The amount paid or received, in the quote currency.
    pub executed_quote: Decimal,
    /// The state of the order.
    pub status: OrderStatus,
    /// When it was accepted, since the Unix epoch.
    pub placed: Duration,
    /// When it last changed, since the Unix epoch.
    pub updated: Duration,
}

impl Order {
    /// The quantity that is not executed yet.
    #[must_use]
    pub fn remaining(&self) -> Decimal {
        self.quantity - self.executed
    }
}

/// One execution of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trade {
    /// The exchange's id of the trade, increasing.
    pub id: u64,
    /// The order that was executed.
    pub order_id: u64,
    /// The market.
    pub symbol: Symbol,
    /// The order's side.
    pub side: Side,
    /// In the quote currency.
    pub price: Decimal,
    /// In the base currency.
    pub quantity: Decimal,
    /// The fee.
    pub commission: Decimal,
    /// The asset in which the fee is paid: that which the order receives.
    pub commission_asset: Asset,
    /// Whether the order was open before and was matched.
    pub is_maker: bool,
    /// Since the Unix epoch.
    pub time: Duration,
}
