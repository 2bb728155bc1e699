//! The bot's own record of its orders, which is compared with the exchange's.

use std::collections::{BTreeMap, VecDeque};

use bot_metrics_examples::market::{Side, Symbol};
use rust_decimal::Decimal;

use crate::api::{AccountTrade, NewOrder};

/// Number of closed orders that are kept, since their last trades may still arrive.
const REMEMBERED: usize = 1_000;

/// An order the bot has sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnOrder {
    pub(crate) client_id: String,
    pub(crate) symbol: Symbol,
    pub(crate) side: Side,
    pub(crate) price: Decimal,
    pub(crate) quantity: Decimal,
    pub(crate) executed: Decimal,
    pub(crate) state: OrderState,
}

impl OwnOrder {
    fn terms(&self) -> String {
        format!("{} {} at {}", self.side, self.quantity.normalize(), self.price.normalize())
    }
}

/// The state of one of the bot's orders, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderState {
    /// Sent but not answered yet.
    Sent,
    /// No answer came to the order or to its cancellation, so it may be open or not.
    Unknown {
        /// The exchange's id of the order, if known.
        order_id: Option<u64>,
    },
    /// Open at the exchange.
    Open {
        /// The exchange's id of the order.
        order_id: u64,
    },
    /// A cancellation was sent but not answered yet.
    Cancelling {
        /// The exchange's id of the order.
        order_id: u64,
    },
    /// No longer open.
    Closed {
        /// The exchange's id of the order, if it had one.
        order_id: Option<u64>,
    },
}

impl OrderState {
    /// The exchange's id of the order, once known.
    pub(crate) const fn order_id(self) -> Option<u64> {
        match self {
            Self::Sent => None,
            Self::Open { order_id } | Self::Cancelling { order_id } => Some(order_id),
            Self::Unknown { order_id } | Self::Closed { order_id } => order_id,
        }
    }
}

/// The effect of a trade on its order, with the order's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fill {
    /// Part of the order remains.
    Partial(String),
    /// Nothing remains.
    Complete(String),
}

/// All orders of one profile.
#[derive(Debug, Clone, Default)]
pub(crate) struct OrderDatabase {
    orders: BTreeMap<String, OwnOrder>,
    closed: VecDeque<String>,
    next_trade: BTreeMap<Symbol, u64>,
}

impl OrderDatabase {
    /// Records an order that is about to be sent.
    pub(crate) fn sent(&mut self, order: &NewOrder) {
        let order = OwnOrder {
            client_id: order.client_id.clone(),
            symbol: order.symbol,
            side: order.side,
            price: order.price,
            quantity: order.quantity,
            executed: Decimal::ZERO,
            state: OrderState::Sent,
        };
        self.orders.insert(order.client_id.clone(), order);
    }

    /// Records that the exchange accepted the order.
    pub(crate) fn opened(&mut self, client_id: &str, order_id: u64) {
        self.set(client_id, OrderState::Open { order_id });
    }

    /// Records that a cancellation is about to be sent.
    pub(crate) fn cancelling(&mut self, client_id: &str) {
        if let Some(order_id) = self.state(client_id).and_then(OrderState::order_id) {
            self.set(client_id, OrderState::Cancelling { order_id });
        }
    }

    /// Records that the cancellation failed, so that the order is still open.
    pub(crate) fn not_cancelled(&mut self, client_id: &str) {
        if let Some(OrderState::Cancelling { order_id }) = self.state(client_id) {
            self.set(client_id, OrderState::Open { order_id });
        }
    }

    /// Records that the order or its cancellation got no answer.
    pub(crate) fn unknown(&mut self, client_id: &str) {
        if let Some(state) = self.state(client_id) {
            self.set(client_id, OrderState::Unknown { order_id: state.order_id() });
        }
    }

    /// Gives up all pending answers: the state of their orders is unknown. Returns the markets of those orders.
    pub(crate) fn give_up_waiting(&mut self) -> Vec<Symbol> {
        let waiting =
            |order: &&mut OwnOrder| matches!(order.state, OrderState::Sent | OrderState::Cancelling { .. });
        let give_up = |order: &mut OwnOrder| {
            order.state = OrderState::Unknown { order_id: order.state.order_id() };
            order.symbol
        };
        self.orders.values_mut().filter(waiting).map(give_up).collect()
    }

    /// Records that the order is not open, or never was.
    pub(crate) fn closed(&mut self, client_id: &str) {
        let Some(state) = self.state(client_id) else { return };
        if matches!(state, OrderState::Closed { .. }) {
            return;
        }
        self.set(client_id, OrderState::Closed { order_id: state.order_id() });
        self.closed.push_back(client_id.to_owned());
        if self.closed.len() > REMEMBERED
            && let Some(oldest) = self.closed.pop_front()
        {
            self.orders.remove(&oldest);
        }
    }

    /// Books a trade on its order; `None` if the bot has no such order.
    pub(crate) fn filled(&mut self, trade: &AccountTrade) -> Option<Fill> {
        let order = self.orders.values_mut().find(|order| order.state.order_id() == Some(trade.order_id))?;
        order.executed += trade.qty;
        let terms = order.terms();
        if order.executed < order.quantity {
            return Some(Fill::Partial(terms));
        }
        let client_id = order.client_id.clone();
        self.closed(&client_id);
        Some(Fill::Complete(terms))
    }

    /// The first trade of a market that has not been booked; `None` before the first look.
    pub(crate) fn next_trade(&self, symbol: Symbol) -> Option<u64> {
        self.next_trade.get(&symbol).copied()
    }

    /// Trades of a market below `next` have been booked, or happened before the bot started.
    pub(crate) fn set_next_trade(&mut self, symbol: Symbol, next: u64) {
        self.next_trade.insert(symbol, next);
    }

    /// Orders of a market that are believed to be open.
    pub(crate) fn open_orders(&self, symbol: Symbol) -> Vec<OwnOrder> {
        let open =
            |order: &&OwnOrder| order.symbol == symbol && matches!(order.state, OrderState::Open { .. });
        self.orders.values().filter(open).cloned().collect()
    }

    /// Client ids of orders of a market whose state is unknown.
    pub(crate) fn unsettled(&self, symbol: Symbol) -> Vec<String> {
        self.find(symbol, |state| matches!(state, OrderState::Unknown { .. }))
    }

    /// Client ids of orders of a market that are or may be open.
    pub(crate) fn not_closed(&self, symbol: Symbol) -> Vec<String> {
        self.find(symbol, |state| !matches!(state, OrderState::Closed { .. }))
    }

    /// The state of an order.
    pub(crate) fn state(&self, client_id: &str) -> Option<OrderState> {
        self.orders.get(client_id).map(|order| order.state)
    }

    /// All orders, including closed ones that are still kept.
    pub(crate) fn all(&self) -> impl Iterator<Item = &OwnOrder> {
        self.orders.values()
    }

    /// The terms of an order for the journal; empty if the order is no longer kept.
    pub(crate) fn terms(&self, client_id: &str) -> String {
        self.orders.get(client_id).map(OwnOrder::terms).unwrap_or_default()
    }

    /// The number of orders that are or may be open.
    pub(crate) fn open_count(&self) -> usize {
        self.orders.values().filter(|order| !matches!(order.state, OrderState::Closed { .. })).count()
    }

    fn find(&self, symbol: Symbol, wanted: impl Fn(OrderState) -> bool) -> Vec<String> {
        let found = self.orders.values().filter(|order| order.symbol == symbol && wanted(order.state));
        found.map(|order| order.client_id.clone()).collect()
    }

    fn set(&mut self, client_id: &str, state: OrderState) {
        if let Some(order) = self.orders.get_mut(client_id) {
            order.state = state;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::OrderKind;

    const TERMS: &str = "BUY 3 at 143";

    fn new_order(client_id: &str) -> NewOrder {
        NewOrder {
            client_id: client_id.to_owned(),
            symbol: Symbol::SolUsdt,
            side: Side::Buy,
            kind: OrderKind::Limit,
            price: 143.into(),
            quantity: 3.into(),
        }
    }

    fn trade(order_id: u64, qty: i64) -> AccountTrade {
        AccountTrade { id: 1, order_id, qty: qty.into() }
    }

    #[test]
    fn trades_close_an_order_when_nothing_is_left() {
        let mut database = OrderDatabase::default();
        database.sent(&new_order("mine"));
        assert_eq!(database.filled(&trade(7, 1)), None, "the exchange's id is not known yet");
        database.opened("mine", 7);
        assert_eq!(database.filled(&trade(7, 1)), Some(Fill::Partial(TERMS.to_owned())));
        assert_eq!(database.open_orders(Symbol::SolUsdt).len(), 1);
        assert_eq!(database.filled(&trade(7, 2)), Some(Fill::Complete(TERMS.to_owned())));
        assert_eq!((database.open_orders(Symbol::SolUsdt).len(), database.open_count()), (0, 0));
        assert_eq!(database.filled(&trade(8, 1)), None);
    }

    #[test]
    fn late_trades_find_a_closed_order() {
        let mut database = OrderDatabase::default();
        database.sent(&new_order("mine"));
        database.opened("mine", 7);
        database.closed("mine");
        assert_eq!(database.filled(&trade(7, 1)), Some(Fill::Partial(TERMS.to_owned())));
        assert_eq!(database.open_count(), 0);
    }

    #[test]
    fn a_failed_cancellation_leaves_the_order_open() {
        let mut database = OrderDatabase::default();
        database.sent(&new_order("mine"));
        database.opened("mine", 7);
        database.cancelling("mine");
        assert_eq!(database.open_orders(Symbol::SolUsdt), [], "it must not be cancelled twice");
        assert_eq!(database.open_count(), 1);
        database.not_cancelled("mine");
        assert_eq!(database.state("mine"), Some(OrderState::Open { order_id: 7 }));
    }

    #[test]
    fn giving_up_makes_all_pending_orders_unknown() {
        let mut database = OrderDatabase::default();
        for (client_id, order_id) in [("sent", None), ("open", Some(7)), ("cancelling", Some(8))] {
            database.sent(&new_order(client_id));
            if let Some(order_id) = order_id {
                database.opened(client_id, order_id);
            }
        }
        database.cancelling("cancelling");
        assert_eq!(database.give_up_waiting(), [Symbol::SolUsdt; 2]);
        assert_eq!(database.unsettled(Symbol::SolUsdt), ["cancelling", "sent"]);
        assert_eq!(database.state("cancelling"), Some(OrderState::Unknown { order_id: Some(8) }));
        assert_eq!(database.not_closed(Symbol::SolUsdt).len(), 3);
        assert_eq!(database.give_up_waiting(), []);
    }

    #[test]
    fn only_the_last_closed_orders_are_kept() {
        let mut database = OrderDatabase::default();
        for number in 0..REMEMBERED + 5 {
            let client_id = number.to_string();
            database.sent(&new_order(&client_id));
            database.closed(&client_id);
            database.closed(&client_id);
        }
        assert_eq!(database.all().count(), REMEMBERED);
        assert_eq!(database.state("4"), None);
        assert_eq!(database.state("5"), Some(OrderState::Closed { order_id: None }));
    }
}
