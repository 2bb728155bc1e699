//! The bot's own record of one profile's orders and positions. Every change is also queued for the database.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bot_metrics_examples::clock::Clock;
use bot_metrics_examples::market::{Asset, Side, Symbol};
use rust_decimal::Decimal;

use crate::api::{AccountTrade, NewOrder, TIMEOUT};
use crate::database::Database;
use crate::tables::{PositionRow, StoredProfile, Write};

/// The time after which the exchange executes a request no more, and a second for the requests that it is executing.
pub(crate) const LATEST_ARRIVAL: Duration = TIMEOUT.saturating_add(Duration::from_secs(1));

/// Number of closed orders that are kept in memory, since their last trades may still arrive.
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
    /// Just before it was sent, since the Unix epoch.
    pub(crate) sent_at: Duration,
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
        /// How it ended.
        ended: End,
    },
}

/// How an order ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Completely executed.
    Filled,
    /// Cancelled by the bot or its operator.
    Cancelled,
    /// Ended by the exchange in another way.
    Expired,
    /// The exchange rejected the order.
    Rejected,
    /// The exchange refused the request, whatever it contained.
    Refused,
    /// It was not sent.
    NotSent,
    /// The exchange does not know it.
    NotFound,
}

impl End {
    const ALL: [Self; 7] = [
        Self::Filled,
        Self::Cancelled,
        Self::Expired,
        Self::Rejected,
        Self::Refused,
        Self::NotSent,
        Self::NotFound,
    ];

    /// The name in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Filled => "filled",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Refused => "refused",
            Self::NotSent => "not_sent",
            Self::NotFound => "not_found",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.as_str() == name)
    }
}

impl OrderState {
    /// The exchange's id of the order, once known.
    pub(crate) const fn order_id(self) -> Option<u64> {
        match self {
            Self::Sent => None,
            Self::Open { order_id } | Self::Cancelling { order_id } => Some(order_id),
            Self::Unknown { order_id } | Self::Closed { order_id, .. } => order_id,
        }
    }

    /// Whether the exchange may have the order although it has not confirmed it.
    pub(crate) const fn is_unconfirmed(self) -> bool {
        matches!(self, Self::Sent | Self::Unknown { order_id: None })
    }

    /// How the order ended; `None` while it may be open.
    pub(crate) const fn ended(self) -> Option<End> {
        match self {
            Self::Closed { ended, .. } => Some(ended),
            _ => None,
        }
    }

    /// The name in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Unknown { .. } => "unknown",
            Self::Open { .. } => "open",
            Self::Cancelling { .. } => "cancelling",
            Self::Closed { .. } => "closed",
        }
    }

    /// The state with this name; `None` if there is none, or if it needs an id or an end.
    pub(crate) fn parse(name: &str, order_id: Option<u64>, ended: Option<&str>) -> Option<Self> {
        match name {
            "sent" => Some(Self::Sent),
            "unknown" => Some(Self::Unknown { order_id }),
            "open" => order_id.map(|order_id| Self::Open { order_id }),
            "cancelling" => order_id.map(|order_id| Self::Cancelling { order_id }),
            "closed" => End::parse(ended?).map(|ended| Self::Closed { order_id, ended }),
            _ => None,
        }
    }
}

/// The sum of all fills of one market, after fees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Bought less sold, in the base currency.
    pub(crate) quantity: Decimal,
    /// Received less paid, in the quote currency.
    pub(crate) cash: Decimal,
}

impl Position {
    /// Adds a fill with its fee. A fee in a third currency is in neither amount.
    fn add(&mut self, symbol: Symbol, side: Side, trade: &AccountTrade) {
        let signed = match side {
            Side::Buy => trade.qty,
            Side::Sell => -trade.qty,
        };
        self.quantity += signed;
        self.cash -= signed * trade.price;
        if trade.commission_asset == symbol.base().as_str() {
            self.quantity -= trade.commission;
        } else if trade.commission_asset == Asset::Usdt.as_str() {
            self.cash -= trade.commission;
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

/// All orders and positions of one profile.
#[derive(Debug)]
pub(crate) struct OwnOrders {
    profile: &'static str,
    database: Database,
    orders: BTreeMap<String, OwnOrder>,
    closed: VecDeque<String>,
    positions: BTreeMap<Symbol, Position>,
    next_trade: BTreeMap<Symbol, u64>,
    /// The next trades according to the database, until the exchange's trades have been seen.
    stored_next_trade: BTreeMap<Symbol, u64>,
}

impl OwnOrders {
    /// The orders of a profile, which continue what is stored. The states of all stored orders are unknown, because
    /// much may have happened since.
    pub(crate) fn new(profile: &'static str, database: Database, stored: StoredProfile) -> Self {
        let unknown = |order: OwnOrder| {
            let state = OrderState::Unknown { order_id: order.state.order_id() };
            (order.client_id.clone(), OwnOrder { state, ..order })
        };
        let positions = stored.positions.iter();
        Self {
            profile,
            database,
            orders: stored.orders.into_iter().map(unknown).collect(),
            closed: VecDeque::new(),
            positions: positions.clone().map(|(symbol, (position, _))| (*symbol, *position)).collect(),
            next_trade: BTreeMap::new(),
            stored_next_trade: positions.map(|(symbol, (_, next))| (*symbol, *next)).collect(),
        }
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
        self.database.write(Write::Order { profile: self.profile, order: order.clone() });
        self.orders.insert(order.client_id.clone(), order);
    }

    /// Records that the exchange accepted the order. An order that was filled since the exchange answered stays closed.
    pub(crate) fn opened(&mut self, client_id: &str, order_id: u64) {
        if self.state(client_id).is_some_and(|state| state.ended().is_none()) {
            self.set(client_id, OrderState::Open { order_id });
        }
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
            |order: &&OwnOrder| matches!(order.state, OrderState::Sent | OrderState::Cancelling { .. });
        let (client_ids, symbols): (Vec<_>, Vec<_>) =
            self.orders.values().filter(waiting).map(|order| (order.client_id.clone(), order.symbol)).unzip();
        for client_id in &client_ids {
            self.unknown(client_id);
        }
        symbols
    }

    /// Records that the order is not open, or never was.
    pub(crate) fn closed(&mut self, client_id: &str, ended: End) {
        if let Some(state) = self.state(client_id) {
            self.close(client_id, state.order_id(), ended);
        }
    }

    /// Records that the exchange does not know the order, so that no trade can be one of it.
    pub(crate) fn not_found(&mut self, client_id: &str) {
        self.close(client_id, None, End::NotFound);
    }

    /// Closes an order unless it is closed already.
    fn close(&mut self, client_id: &str, order_id: Option<u64>, ended: End) {
        if self.state(client_id).is_none_or(|state| state.ended().is_some()) {
            return;
        }
        self.set(client_id, OrderState::Closed { order_id, ended });
        self.closed.push_back(client_id.to_owned());
        if self.closed.len() > REMEMBERED
            && let Some(oldest) = self.closed.pop_front()
        {
            self.orders.remove(&oldest);
        }
    }

    /// Books a trade on its order and its position; `None` if the bot has no such order, or has booked the trade.
    pub(crate) fn filled(&mut self, symbol: Symbol, trade: &AccountTrade) -> Option<Fill> {
        if self.next_trade(symbol).is_some_and(|next| trade.id < next) {
            return None;
        }
        let is_its =
            |order: &&mut OwnOrder| order.symbol == symbol && order.state.order_id() == Some(trade.order_id);
        let order = self.orders.values_mut().find(is_its)?;
        order.executed += trade.qty;
        let order = order.clone();
        self.positions.entry(symbol).or_default().add(symbol, order.side, trade);
        self.next_trade.insert(symbol, trade.id + 1);
        let terms = order.terms();
        let is_complete = order.executed >= order.quantity;
        self.database.write(Write::Fill {
            trade: trade.clone(),
            position: self.position_row(symbol, trade.id + 1),
            order: order.clone(),
        });
        if !is_complete {
            return Some(Fill::Partial(terms));
        }
        self.closed(&order.client_id, End::Filled);
        Some(Fill::Complete(terms))
    }

    /// The first trade of a market that has not been booked; `None` before the first look.
    pub(crate) fn next_trade(&self, symbol: Symbol) -> Option<u64> {
        self.next_trade.get(&symbol).copied()
    }

    /// The first trade to book, if the exchange's next one is `newest`: the stored one, unless the exchange counts
    /// anew; without a stored one what happened before the bot started is not booked.
    pub(crate) fn first_trade(&self, symbol: Symbol, newest: u64) -> u64 {
        self.stored_next_trade.get(&symbol).map_or(newest, |stored| newest.min(*stored))
    }

    /// Trades of a market below `next` have been booked, or happened before the bot started. Never goes back, since two
    /// loops look for trades.
    pub(crate) fn set_next_trade(&mut self, symbol: Symbol, next: u64) {
        let next = self.next_trade(symbol).map_or(next, |known| known.max(next));
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
        let sent_at = self.orders.get(client_id).map(|order| order.sent_at);
        sent_at.is_some_and(|sent_at| Clock::system().now() <= sent_at + LATEST_ARRIVAL)
    }

    /// Whether an order of a market has no id yet, so that its trades cannot be told from those of others.
    pub(crate) fn has_unconfirmed(&self, symbol: Symbol) -> bool {
        self.orders.values().any(|order| order.symbol == symbol && order.state.is_unconfirmed())
    }

    /// When the last of the orders was sent that the exchange has not confirmed, since the Unix epoch.
    pub(crate) fn last_unconfirmed(&self) -> Option<Duration> {
        let unconfirmed = |order: &&OwnOrder| matches!(order.state, OrderState::Unknown { order_id: None });
        let unknown = self.orders.values().filter(unconfirmed);
        unknown.map(|order| order.sent_at).max()
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
            self.database.write(Write::Order { profile: self.profile, order: order.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::OrderKind;

    fn empty() -> OwnOrders {
        let (database, mut stored) = Database::open(None).unwrap();
        OwnOrders::new("maker", database, stored.take("maker"))
    }

    const SOL: Symbol = Symbol::SolUsdt;
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

    fn trade(id: u64, order_id: u64, qty: i64) -> AccountTrade {
        let (commission, commission_asset) = (Decimal::new(qty, 3), "SOL".to_owned());
        AccountTrade { id, order_id, price: 143.into(), qty: qty.into(), commission, commission_asset }
    }

    #[test]
    fn trades_close_an_order_when_nothing_is_left() {
        let mut database = empty();
        database.sent(&new_order("mine"));
        assert_eq!(database.filled(SOL, &trade(1, 7, 1)), None, "the exchange's id is not known yet");
        database.opened("mine", 7);
        assert_eq!(database.filled(SOL, &trade(1, 7, 1)), Some(Fill::Partial(TERMS.to_owned())));
        assert_eq!(database.filled(SOL, &trade(1, 7, 1)), None, "it is booked already");
        assert_eq!(database.open_orders(Symbol::SolUsdt).len(), 1);
        assert_eq!(database.filled(SOL, &trade(2, 7, 2)), Some(Fill::Complete(TERMS.to_owned())));
        assert_eq!((database.open_orders(Symbol::SolUsdt).len(), database.open_count()), (0, 0));
        assert_eq!(database.filled(SOL, &trade(3, 8, 1)), None);
        let quantity = Decimal::new(2_997, 3);
        assert_eq!(database.position(SOL), Position { quantity, cash: (-3 * 143).into() });
    }

    #[test]
    fn a_fee_is_taken_from_the_currency_in_which_it_is_paid() {
        let with_fee = |side, asset: &str| {
            let mut position = Position::default();
            let commission_asset = asset.to_owned();
            position.add(SOL, side, &AccountTrade { commission_asset, ..trade(1, 7, 2) });
            (position.quantity, position.cash)
        };
        let fee = Decimal::new(2, 3);
        let (two, price) = (Decimal::TWO, Decimal::from(2 * 143));
        assert_eq!(with_fee(Side::Buy, "SOL"), (two - fee, -price));
        assert_eq!(with_fee(Side::Sell, "USDT"), (-two, price - fee));
        assert_eq!(with_fee(Side::Sell, "BNB"), (-two, price));
    }

    #[test]
    fn an_answer_that_comes_after_the_fill_does_not_reopen_the_order() {
        let mut orders = empty();
        orders.sent(&new_order("mine"));
        orders.opened("mine", 7);
        assert_eq!(orders.filled(SOL, &trade(1, 7, 3)), Some(Fill::Complete(TERMS.to_owned())));
        orders.opened("mine", 7);
        assert_eq!(orders.open_count(), 0);
    }

    #[test]
    fn a_loop_that_looks_late_does_not_make_trades_count_twice() {
        let mut orders = empty();
        orders.sent(&new_order("mine"));
        orders.opened("mine", 7);
        for id in 1..=2 {
            assert!(orders.filled(SOL, &trade(id, 7, 1)).is_some());
        }
        orders.set_next_trade(SOL, 2);
        assert_eq!(orders.filled(SOL, &trade(2, 7, 1)), None);
    }

    #[test]
    fn late_trades_find_a_closed_order() {
        let mut database = empty();
        database.sent(&new_order("mine"));
        database.opened("mine", 7);
        database.closed("mine", End::Cancelled);
        assert_eq!(database.filled(SOL, &trade(1, 7, 1)), Some(Fill::Partial(TERMS.to_owned())));
        assert_eq!(database.open_count(), 0);
    }

    #[test]
    fn a_failed_cancellation_leaves_the_order_open() {
        let mut database = empty();
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
        let mut database = empty();
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
        let mut database = empty();
        for number in 0..REMEMBERED + 5 {
            let client_id = number.to_string();
            database.sent(&new_order(&client_id));
            database.closed(&client_id, End::Rejected);
            database.closed(&client_id, End::Cancelled);
        }
        assert_eq!(database.all().count(), REMEMBERED);
        assert_eq!(database.state("4"), None);
        assert_eq!(database.state("5"), Some(OrderState::Closed { order_id: None, ended: End::Rejected }));
    }
}
