//! The label values of the seed, found by the attributes through this module's name.
//!
//! A literal in an attribute names a value of a type in the module `labels` that is in scope; the
//! [prelude](crate::prelude) brings this one. A bot with values of its own writes its own module and imports it
//! by name, which takes precedence over the prelude's:
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
//! In the file of the module itself, and where `use super::*;` brings it, nothing more is needed. Beside two globs of
//! which each brings a `labels`, the compiler asks for the import by name.
//!
//! An enum of one's own replaces the one of its name here, values and all. To keep these and add others,
//! [extend](derive@crate::LabelValue#values-of-another-set) it.
//!
//! Nothing else that has the name of a label type comes between: a trait `Exchange`, a generic parameter `Operation` and
//! an imported `Subsystem` are the bot's own affair. Each crate of a binary has its own vocabulary. A macro that is
//! exported names its crate's, which has `pub use bot_metrics;` at its root:
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

/// What is asked of an exchange.
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

/// What an exchange limits, each in its own unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, LabelValue)]
pub enum RateLimit {
    /// The weight of requests, where they weigh differently.
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

/// How grave an event is; the gravest is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, LabelValue)]
#[label(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Severity {
    /// Worth a line in the journal.
    Info,
    /// Worth a look.
    Warning,
    /// Something failed.
    Error,
    /// Somebody must act now.
    Critical,
}

/// Its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, LabelValue)]
#[label(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventType {
    /// The exchange accepted an order.
    OrderPlaced,
    /// An order was filled, wholly or in part.
    OrderFilled,
    /// An order was cancelled.
    OrderCancelled,
    /// The exchange refused an order.
    OrderRejected,
    /// An order could not be placed or cancelled for another reason.
    OrderFailure,
    /// Nobody knows whether an order stands: the answer was lost.
    OrderUnknown,
    /// An order ran out of time.
    OrderExpired,
    /// A risk rule kept an order back.
    RiskBlock,
    /// A circuit breaker stopped trading.
    CircuitBreaker,
    /// Available capital fell below zero.
    CapitalViolation,
    /// Available capital is no longer below zero.
    CapitalRestored,
    /// A capital figure was no number.
    InvalidCapital,
    /// A call of the exchange brought no answer.
    ApiFailure,
    /// Local state and exchange state differ.
    ReconciliationMismatch,
    /// The exchange refused calls for their rate.
    RateLimited,
    /// The exchange shut the bot out.
    Banned,
    /// A connection was made anew.
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
    /// A loop or the bot failed in a way that no other type names.
    InternalError,
    /// The bot started.
    Started,
    /// The bot stopped.
    Stopped,
}

/// Where an item is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, LabelValue)]
pub enum Source {
    /// Missing from the database though the exchange has it: an orphan.
    Db,
    /// Missing from the exchange though the database has it: a ghost.
    Exchange,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_the_seed_are_spelled_as_it_spells_them() {
        assert_eq!(Subsystem::VALUES, ["trading", "monitor", "reconciliation"]);
        assert_eq!(Source::VALUES, ["db", "exchange"]);
        assert_eq!(Severity::VALUES, ["INFO", "WARNING", "ERROR", "CRITICAL"]);
        assert_eq!(EventType::OrderFailure.as_str(), "ORDER_FAILURE");
        assert_eq!(Exchange::GateIo.as_str(), "gate_io");
        assert_eq!(Exchange::InteractiveBrokers.as_str(), "interactive_brokers");
        assert_eq!(Operation::CancelAllOrders.as_str(), "cancel_all_orders");
        assert_eq!((EventType::NAME, Exchange::NAME), ("event type", "exchange"));
    }
}
