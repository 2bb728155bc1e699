//! The built-in label values, which the attributes find through the name of this module.
//!
//! A literal in an attribute names a value of a type in the module `labels` that is in scope; the
//! [prelude](crate::prelude) exports this one. A bot that has its own values writes its own module and imports it by
//! name, which takes precedence over the prelude's:
//!
//! ```
//! mod labels {
//!     pub use bot_metrics::labels::*; // the types that stay as they are
//!     use bot_metrics::LabelValue;
//!
//!     #[derive(Clone, Copy, Debug, LabelValue)]
//!     pub enum Subsystem {
//!         Trading,
//!         Monitor,
//!         Reconciliation,
//!         Hedging,
//!     }
//! }
//!
//! mod hedging {
//!     use crate::labels;
//!     use bot_metrics::prelude::*;
//!
//!     #[timed_subsystem("hedging", every = "5s")]
//!     pub fn hedge() {}
//! }
//!
//! fn main() {
//!     hedging::hedge();
//! }
//! ```
//!
//! In the file of the module itself, and with `use super::*;`, no import is needed. If two glob imports each provide
//! a `labels`, the compiler requires the import by name.
//!
//! A bot's enum replaces the one of the same name here, including its values. To keep these and add others,
//! [extend](derive@crate::LabelValue#values-of-another-set) it.
//!
//! Other items with the name of a label type do not interfere: a trait `Exchange`, a generic parameter `Operation` or
//! an imported `Subsystem` has no effect. Each crate of a binary has its own label types. An exported macro names
//! those of its crate, which has `pub use bot_metrics;` at its root:
//!
//! ```
//! # mod labels { pub use bot_metrics::labels::*; }
//! #[macro_export]
//! macro_rules! audited {
//!     ($name:ident) => {
//!         #[$crate::bot_metrics::timed_subsystem(
//!             "reconciliation",
//!             labels = $crate::labels,
//!             crate = $crate::bot_metrics,
//!         )]
//!         fn $name() {}
//!     };
//! }
//! # audited!(audit);
//! # fn main() { audit(); }
//! ```

pub(crate) mod bounds;
pub(crate) mod value;
pub(crate) mod vocabulary;

use crate::LabelValue;

/// A core loop of a bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, LabelValue)]
pub enum Subsystem {
    /// Decides and places orders.
    Trading,
    /// Watches positions, capital and market data.
    Monitor,
    /// Compares the bot's records with the exchange's.
    Reconciliation,
}

/// The operation of an exchange call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, LabelValue)]
pub enum Operation {
    /// Places one order.
    PlaceOrder,
    /// Cancels one order.
    CancelOrder,
    /// Cancels every open order.
    CancelAllOrders,
    /// Cancels an order and places another in one call.
    ReplaceOrder,
    /// Reads one order.
    GetOrder,
    /// Reads the open orders.
    GetOpenOrders,
    /// Reads balances.
    GetBalances,
    /// Reads positions.
    GetPositions,
    /// Reads the account.
    GetAccount,
    /// Reads the best bid and ask or the last price.
    GetTicker,
    /// Reads the order book.
    GetOrderBook,
    /// Reads trades, the account's or the market's.
    GetTrades,
    /// Reads candles.
    GetCandles,
    /// Reads the exchange's symbols, filters and limits.
    GetExchangeInfo,
    /// Reads the exchange's clock, or pings it.
    GetServerTime,
    /// Subscribes to a stream.
    Subscribe,
}

#[cfg(any(feature = "page", feature = "operations"))]
impl Operation {
    /// The operations that place an order.
    pub(crate) const PLACING: &[Self] = &[Self::PlaceOrder, Self::ReplaceOrder];
}

/// An exchange or broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, LabelValue)]
#[expect(missing_docs, reason = "the names are their own explanation")]
pub enum Exchange {
    Binance,
    Bybit,
    Okx,
    Coinbase,
    Kraken,
    Bitfinex,
    Bitstamp,
    Kucoin,
    GateIo,
    Deribit,
    Hyperliquid,
    Alpaca,
    InteractiveBrokers,
    /// A simulated exchange.
    Paper,
}

/// A limit of an exchange, each in its own unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, LabelValue)]
pub enum RateLimit {
    /// The weight of requests, if requests have different weights.
    RequestWeight,
    /// The number of requests.
    Requests,
    /// The number of orders within seconds.
    Orders,
    /// The number of orders within a day.
    OrdersPerDay,
    /// The number of connections or of messages on them.
    Connections,
}

/// The severity of an event, in increasing order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, LabelValue)]
#[label(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Severity {
    /// For the journal only.
    Info,
    /// To be checked.
    Warning,
    /// Something failed.
    Error,
    /// Requires immediate action.
    Critical,
}

/// The type of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, LabelValue)]
#[label(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventType {
    /// The exchange accepted an order.
    OrderPlaced,
    /// An order was filled, wholly or in part.
    OrderFilled,
    /// An order was cancelled.
    OrderCancelled,
    /// The exchange rejected an order.
    OrderRejected,
    /// An order could not be placed or cancelled for another reason.
    OrderFailure,
    /// It is unknown whether an order is open, because the answer was lost.
    OrderUnknown,
    /// An order ran out of time.
    OrderExpired,
    /// A risk rule prevented an order.
    RiskBlock,
    /// A circuit breaker stopped trading.
    CircuitBreaker,
    /// Available capital fell below zero.
    CapitalViolation,
    /// Available capital is no longer below zero.
    CapitalRestored,
    /// A capital amount was not a number.
    InvalidCapital,
    /// A call to the exchange failed.
    ApiFailure,
    /// Local state and exchange state differ.
    ReconciliationMismatch,
    /// The exchange refused calls because of its rate limit.
    RateLimited,
    /// The exchange banned the bot.
    Banned,
    /// A connection was re-established.
    Reconnect,
    /// Market data is older than it should be.
    StaleMarketData,
    /// A stop loss fired.
    StopLoss,
    /// A profile was added.
    ProfileAdded,
    /// A profile was removed.
    ProfileRemoved,
    /// The configuration changed.
    ConfigChanged,
    /// A loop or the bot failed in a way for which there is no other type.
    InternalError,
    /// The bot started.
    Started,
    /// The bot stopped.
    Stopped,
}

/// The side on which an item is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, LabelValue)]
pub enum Source {
    /// Missing from the database although the exchange has it: an orphan.
    Db,
    /// Missing from the exchange although the database has it: a ghost.
    Exchange,
}
