//! The ways in which the exchange can be made to misbehave.

use crate::switches::Switches;

/// One way in which the exchange misbehaves while it is switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disruption {
    /// Every request is refused with 429 and the code -1003; `Retry-After` asks for 2 s.
    RateLimit,
    /// Every request is refused with 418 and the code -1003; `Retry-After` asks for 5 s.
    Ban,
    /// Every request is answered with 503 and the code -1000 and is not executed.
    ServerError,
    /// New orders are accepted, but the connection is closed instead of an answer.
    LostReply,
    /// Placing an order takes 2 s longer; every other call is as fast as ever.
    SlowOrders,
    /// No request is executed or answered until this ends; if the client has gone by then, its request is dropped.
    NoAnswer,
    /// The exchange's clock is 30 s ahead, so it refuses requests with an API key with the code -1021.
    ClockSkew,
    /// Orders are refused with the code -1013; quotes continue and orders can be cancelled.
    HaltMarkets,
    /// Quotes and trades stop: the books are empty, prices are 0, and no order executes.
    StopQuotes,
    /// Listing open orders fails with 503; every other call works.
    HideOpenOrders,
    /// The first account has an order that its bot did not place; it is cancelled when this ends.
    OrphanOrder,
    /// The exchange forgets one open order of the first account: it can be neither listed, queried nor cancelled, and
    /// its funds are free. An order is forgotten as soon as there is one; it does not return.
    GhostOrder,
}

/// The active disruptions of an exchange, switched by its owner. Clones share the state.
///
/// ```
/// use bot_metrics_examples::exchange::{Disruption, Disruptions};
///
/// let disruptions = Disruptions::default();
/// disruptions.begin(Disruption::Ban);
/// assert!(disruptions.is_on(Disruption::Ban));
/// disruptions.end(Disruption::Ban);
/// ```
pub type Disruptions = Switches<Disruption>;
