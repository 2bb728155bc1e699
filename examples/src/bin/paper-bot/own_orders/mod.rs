//! The bot's own record of one profile's orders and positions. Every change is also queued for the database.
//!
//! Several loops record what they learn, in any order. Therefore open and closed orders are kept apart: a change of state
//! finds an open order only, so that no late answer opens an order again, and each event of an order happens once.

mod closed;
mod order;
mod position;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use bot_metrics_examples::clock::Clock;
use bot_metrics_examples::market::Symbol;
use rust_decimal::Decimal;

use self::closed::ClosedOrders;
pub(crate) use self::order::{End, OrderState, OwnOrder};
pub(crate) use self::position::Position;
use crate::api::{AccountTrade, NewOrder, TIMEOUT};
use crate::database::Database;
use crate::pending::{PositionRow, Write};
use crate::tables::StoredProfile;

/// The time after which the exchange executes a request no more, and a second for the requests that it is executing.
pub(crate) const LATEST_ARRIVAL: Duration = TIMEOUT.saturating_add(Duration::from_secs(1));

/// The effect of a trade, with the terms of its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Booking {
    /// Part of the order remains.
    Partial(String),
    /// Nothing of the order remains.
    Complete(String),
    /// The trade has been booked already, or belongs to an order that the bot did not place.
    Passed,
    /// The trade may belong to an order that the exchange has not confirmed yet, and must be booked again later.
    Waits,
}

/// All orders and positions of one profile.
#[derive(Debug)]
pub(crate) struct OwnOrders {
    profile: &'static str,
    database: Database,
    /// The orders that are or may be open, by client id.
    open: BTreeMap<String, OwnOrder>,
    closed: ClosedOrders,
    /// The client ids of confirmed orders by the exchange's ids. If an exchange that counts anew gives an id again, it
    /// is that of the later order.
    confirmed: BTreeMap<(Symbol, u64), String>,
    positions: BTreeMap<Symbol, Position>,
    next_trade: BTreeMap<Symbol, u64>,
    /// The next trades according to the database, until the exchange's trades have been seen.
    stored_next_trade: BTreeMap<Symbol, u64>,
}

impl OwnOrders {
    /// The orders of a profile, which continue the stored ones. The states of orders that were open are unknown, because
    /// much may have happened since. Of closed ones the last trades may be missing.
    pub(crate) fn new(profile: &'static str, database: Database, stored: StoredProfile) -> Self {
        let StoredProfile { orders, closed, positions } = stored;
        let mut own = Self {
            profile,
            database,
            open: BTreeMap::new(),
            closed: ClosedOrders::default(),
            confirmed: BTreeMap::new(),
            positions: positions.iter().map(|(symbol, (position, _))| (*symbol, *position)).collect(),
            next_trade: BTreeMap::new(),
            stored_next_trade: positions.iter().map(|(symbol, (_, next))| (*symbol, *next)).collect(),
        };
        for order in closed {
            own.note_id(&order);
            own.remember(order);
        }
        for order in orders {
            own.note_id(&order);
            let state = OrderState::Unknown { order_id: order.state.order_id() };
            own.open.insert(order.client_id.clone(), OwnOrder { state, ..order });
        }
        own
    }

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
            sent_at: Clock::system().now(),
        };
        self.write(&order);
        self.open.insert(order.client_id.clone(), order);
    }

    /// Records that the order is open at the exchange. Returns its terms if the exchange had not confirmed it before.
    pub(crate) fn opened(&mut self, client_id: &str, order_id: u64) -> Option<String> {
        let before = self.change(client_id, |_| Some(OrderState::Open { order_id }))?;
        let order = self.open.get(client_id)?;
        let terms = order.terms();
        self.confirmed.insert((order.symbol, order_id), client_id.to_owned());
        before.order_id().is_none().then_some(terms)
    }

    /// Records that a cancellation is about to be sent. Returns whether there is anything to cancel: an order that is or
    /// may be open, and that the exchange has confirmed.
    pub(crate) fn cancelling(&mut self, client_id: &str) -> bool {
        let cancelling = |state: OrderState| Some(OrderState::Cancelling { order_id: state.order_id()? });
        self.change(client_id, cancelling).is_some()
    }

    /// Records that the cancellation failed, so that the order is still open.
    pub(crate) fn not_cancelled(&mut self, client_id: &str) {
        self.change(client_id, |state| match state {
            OrderState::Cancelling { order_id } => Some(OrderState::Open { order_id }),
            _ => None,
        });
    }

    /// Records that the order or its cancellation got no answer.
    pub(crate) fn unknown(&mut self, client_id: &str) {
        self.change(client_id, |state| Some(OrderState::Unknown { order_id: state.order_id() }));
    }

    /// Gives up all pending answers: the state of their orders is unknown. Returns the markets of those orders.
    pub(crate) fn give_up_waiting(&mut self) -> Vec<Symbol> {
        let waiting =
            |order: &&OwnOrder| matches!(order.state, OrderState::Sent | OrderState::Cancelling { .. });
        let (client_ids, symbols): (Vec<_>, Vec<_>) =
            self.open.values().filter(waiting).map(|order| (order.client_id.clone(), order.symbol)).unzip();
        for client_id in &client_ids {
            self.unknown(client_id);
        }
        symbols
    }

    /// Records that the order is not open, or never was. Returns its terms if it was not closed before.
    pub(crate) fn closed(&mut self, client_id: &str, ended: End) -> Option<String> {
        let order = self.close(client_id, ended)?;
        self.write(&order);
        Some(order.terms())
    }

    /// Closes an open order of which the exchange has executed everything, and whose trades are all booked. Until then
    /// it stays open, since the last trade closes it.
    pub(crate) fn close_if_filled(&mut self, client_id: &str) {
        if self.open.get(client_id).is_some_and(OwnOrder::is_filled) {
            self.closed(client_id, End::Filled);
        }
    }

    /// Books a trade on its order and its position, once. The trades of a market are to be booked in their sequence.
    pub(crate) fn book(&mut self, symbol: Symbol, trade: &AccountTrade) -> Booking {
        if self.next_trade(symbol).is_some_and(|next| trade.id < next) {
            return Booking::Passed;
        }
        let client_id = self.confirmed.get(&(symbol, trade.order_id)).cloned();
        let is_open = client_id.as_ref().is_some_and(|client_id| self.open.contains_key(client_id));
        if !is_open && self.has_unconfirmed(symbol) {
            // Even the id of a closed order may be that of the unconfirmed one, if the exchange counts anew.
            return Booking::Waits;
        }
        if let Some(order) = client_id.and_then(|client_id| self.execute(&client_id, trade.qty)) {
            return self.book_on(order, trade);
        }
        self.set_next_trade(symbol, trade.id + 1);
        Booking::Passed
    }

    /// Adds to the executed quantity of an order, which closes it when nothing is left.
    fn execute(&mut self, client_id: &str, quantity: Decimal) -> Option<OwnOrder> {
        let Some(order) = self.open.get_mut(client_id) else {
            return self.closed.execute(client_id, quantity);
        };
        order.executed += quantity;
        if order.is_filled() {
            return self.close(client_id, End::Filled);
        }
        Some(order.clone())
    }

    /// Adds a trade to the position. Trade, order and position are written together.
    fn book_on(&mut self, order: OwnOrder, trade: &AccountTrade) -> Booking {
        let symbol = order.symbol;
        self.positions.entry(symbol).or_default().add(symbol, order.side, trade);
        self.next_trade.insert(symbol, trade.id + 1);
        let terms = order.terms();
        let booking = if order.is_filled() { Booking::Complete(terms) } else { Booking::Partial(terms) };
        let position = self.position_row(symbol, trade.id + 1);
        self.database.write(Write::Fill { trade: trade.clone(), position, order });
        booking
    }

    /// The first trade of a market that has not been booked; `None` before the first look.
    pub(crate) fn next_trade(&self, symbol: Symbol) -> Option<u64> {
        self.next_trade.get(&symbol).copied()
    }

    /// Determines the first trade to book, if the exchange's next one is `newest`, and returns it: the stored one; without
    /// it, what happened before the bot started is not booked. If the exchange is behind the stored one, it counts
    /// anew, so that the known ids of orders mean others. If another loop was faster, nothing changes.
    pub(crate) fn begin_trades(&mut self, symbol: Symbol, newest: u64) -> u64 {
        if let Some(next) = self.next_trade(symbol) {
            return next;
        }
        let stored = self.stored_next_trade.get(&symbol).copied();
        if stored.is_some_and(|stored| newest < stored) {
            self.confirmed.retain(|(of, _), _| *of != symbol);
        }
        let first = stored.map_or(newest, |stored| newest.min(stored));
        self.set_next_trade(symbol, first);
        first
    }

    fn set_next_trade(&mut self, symbol: Symbol, next: u64) {
        if self.next_trade.insert(symbol, next) != Some(next) {
            self.database.write(Write::Position(self.position_row(symbol, next)));
        }
    }

    fn position_row(&self, symbol: Symbol, next_trade: u64) -> PositionRow {
        let position = self.position(symbol);
        PositionRow { profile: self.profile, symbol, position, next_trade }
    }

    /// The sum of a market's fills.
    pub(crate) fn position(&self, symbol: Symbol) -> Position {
        self.positions.get(&symbol).copied().unwrap_or_default()
    }

    /// Whether an order that the exchange does not know may still reach it, since it was sent a moment ago.
    pub(crate) fn may_arrive(&self, client_id: &str) -> bool {
        let sent_at = self.open.get(client_id).map(|order| order.sent_at);
        // In both directions, since the clock may be set back.
        sent_at.is_some_and(|sent_at| Clock::system().now().abs_diff(sent_at) <= LATEST_ARRIVAL)
    }

    /// Whether an order of a market has no id yet, so that its trades cannot be told from those of others.
    fn has_unconfirmed(&self, symbol: Symbol) -> bool {
        self.open.values().any(|order| order.symbol == symbol && order.state.is_unconfirmed())
    }

    /// When the last of the orders was sent that the exchange has not confirmed, since the Unix epoch.
    pub(crate) fn last_unconfirmed(&self) -> Option<Duration> {
        let unconfirmed = |order: &&OwnOrder| matches!(order.state, OrderState::Unknown { order_id: None });
        self.open.values().filter(unconfirmed).map(|order| order.sent_at).max()
    }

    /// Orders of a market that are believed to be open.
    pub(crate) fn open_orders(&self, symbol: Symbol) -> Vec<OwnOrder> {
        let open =
            |order: &&OwnOrder| order.symbol == symbol && matches!(order.state, OrderState::Open { .. });
        self.open.values().filter(open).cloned().collect()
    }

    /// Client ids of orders of a market whose state is unknown.
    pub(crate) fn unsettled(&self, symbol: Symbol) -> Vec<String> {
        self.find(symbol, |state| matches!(state, OrderState::Unknown { .. }))
    }

    /// Client ids of orders of a market that are or may be open.
    pub(crate) fn not_closed(&self, symbol: Symbol) -> Vec<String> {
        self.find(symbol, |_| true)
    }

    /// An order, unless it was closed so long ago that it is forgotten.
    pub(crate) fn get(&self, client_id: &str) -> Option<&OwnOrder> {
        self.open.get(client_id).or_else(|| self.closed.get(client_id))
    }

    /// The state of an order.
    pub(crate) fn state(&self, client_id: &str) -> Option<OrderState> {
        self.get(client_id).map(|order| order.state)
    }

    /// All orders, including closed ones that are still kept.
    pub(crate) fn all(&self) -> impl Iterator<Item = &OwnOrder> {
        self.open.values().chain(self.closed.values())
    }

    /// The number of orders that are or may be open.
    pub(crate) fn open_count(&self) -> usize {
        self.open.len()
    }

    fn find(&self, symbol: Symbol, wanted: impl Fn(OrderState) -> bool) -> Vec<String> {
        let found = self.open.values().filter(|order| order.symbol == symbol && wanted(order.state));
        found.map(|order| order.client_id.clone()).collect()
    }

    /// Changes the state of an open order, and returns the one before; `None` if the order is closed, or `next` permits
    /// no change.
    fn change(
        &mut self,
        client_id: &str,
        next: impl FnOnce(OrderState) -> Option<OrderState>,
    ) -> Option<OrderState> {
        let order = self.open.get_mut(client_id)?;
        let before = order.state;
        order.state = next(before)?;
        let order = order.clone();
        self.write(&order);
        Some(before)
    }

    /// Moves an order from the open ones to the closed ones.
    fn close(&mut self, client_id: &str, ended: End) -> Option<OwnOrder> {
        let order = self.open.remove(client_id)?;
        let state = OrderState::Closed { order_id: order.state.order_id(), ended };
        let order = OwnOrder { state, ..order };
        self.remember(order.clone());
        Some(order)
    }

    fn remember(&mut self, order: OwnOrder) {
        let Some(forgotten) = self.closed.insert(order) else { return };
        if let Some(order_id) = forgotten.state.order_id() {
            let key = (forgotten.symbol, order_id);
            if self.confirmed.get(&key) == Some(&forgotten.client_id) {
                self.confirmed.remove(&key);
            }
        }
    }

    fn note_id(&mut self, order: &OwnOrder) {
        if let Some(order_id) = order.state.order_id() {
            self.confirmed.insert((order.symbol, order_id), order.client_id.clone());
        }
    }

    fn write(&self, order: &OwnOrder) {
        self.database.write(Write::Order { profile: self.profile, order: order.clone() });
    }
}
