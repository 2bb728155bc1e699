//! Orders and trades as the exchange keeps them.

use std::time::Duration;

use rust_decimal::Decimal;

use super::refusal::Refusal;
use crate::market::{Side, Symbol, TradingRules};

/// What an account asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// The market.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// How it is executed, and at which price at worst.
    pub execution: Execution,
    /// In the base currency.
    pub quantity: Decimal,
    /// The client's name for the order; the exchange makes one up when there is none.
    pub client_id: Option<String>,
}

/// How an order is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Execution {
    /// Takes what it can get at this price or better; the rest stands.
    Limit(Decimal),
    /// Takes what it can get at this price or better; the rest expires.
    ImmediateOrCancel(Decimal),
    /// Stands at this price and is refused if it would take.
    LimitMaker(Decimal),
    /// Takes what the touch offers; the rest expires.
    Market,
}

impl Execution {
    /// The limit, which a market order has not.
    #[must_use]
    pub const fn price(&self) -> Option<Decimal> {
        match self {
            Self::Limit(price) | Self::ImmediateOrCancel(price) | Self::LimitMaker(price) => Some(*price),
            Self::Market => None,
        }
    }

    /// The exchange's name for the order type.
    #[must_use]
    pub const fn order_type(&self) -> &'static str {
        match self {
            Self::Limit(_) | Self::ImmediateOrCancel(_) => "LIMIT",
            Self::LimitMaker(_) => "LIMIT_MAKER",
            Self::Market => "MARKET",
        }
    }

    /// The exchange's name for how long the order stands.
    #[must_use]
    pub const fn time_in_force(&self) -> &'static str {
        match self {
            Self::ImmediateOrCancel(_) => "IOC",
            Self::Limit(_) | Self::LimitMaker(_) | Self::Market => "GTC",
        }
    }
}

impl NewOrder {
    /// Checks the order against its market's rules; `market_price` prices a market order.
    ///
    /// # Errors
    /// The filter it fails.
    pub fn check(&self, rules: &TradingRules, market_price: Decimal) -> Result<(), Refusal> {
        if let Some(price) = self.execution.price()
            && !is_positive_multiple(price, rules.tick)
        {
            return Err(Refusal::Filter("PRICE_FILTER"));
        }
        if !is_positive_multiple(self.quantity, rules.step) {
            return Err(Refusal::Filter("LOT_SIZE"));
        }
        let notional = self.execution.price().unwrap_or(market_price).checked_mul(self.quantity);
        if notional.is_none_or(|notional| notional < rules.min_notional) {
            return Err(Refusal::Filter("NOTIONAL"));
        }
        Ok(())
    }
}

/// The bound keeps price times quantity far inside what a decimal can hold.
fn is_positive_multiple(number: Decimal, unit: Decimal) -> bool {
    number > Decimal::ZERO && number <= Decimal::from(1_000_000_000) && (number % unit).is_zero()
}

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderStatus {
    /// Stands, nothing executed.
    New,
    /// Stands, partly executed.
    PartiallyFilled,
    /// Completely executed.
    Filled,
    /// Taken back by its owner.
    Canceled,
    /// The rest could not be executed at once and was not to stand.
    Expired,
}

impl OrderStatus {
    /// Whether the order stands in the book.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::New | Self::PartiallyFilled)
    }

    /// The exchange's name for the status.
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
    /// The exchange's name for the order, counted up.
    pub id: u64,
    /// The owner's name for it.
    pub client_id: String,
    /// The market.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// How it is executed.
    pub execution: Execution,
    /// The worst price it may trade at; a market order's is the touch it met. Funds are locked at this price.
    pub limit: Decimal,
    /// In the base currency.
    pub quantity: Decimal,
    /// Of the quantity, what has been executed.
    pub executed: Decimal,
    /// What was paid or received for it, in the quote currency.
    pub executed_quote: Decimal,
    /// What became of it.
    pub status: OrderStatus,
    /// When it was accepted, since the Unix epoch.
    pub placed: Duration,
    /// When it last changed, since the Unix epoch.
    pub updated: Duration,
}

impl Order {
    /// What is left to execute.
    #[must_use]
    pub fn remaining(&self) -> Decimal {
        self.quantity - self.executed
    }
}

/// One execution of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trade {
    /// The exchange's name for the trade, counted up.
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
    /// Whether the order stood in the book and was met.
    pub is_maker: bool,
    /// Since the Unix epoch.
    pub time: Duration,
}
