//! The matching engine: accounts trade against the recorded market, in price-time order among themselves.
//!
//! A resting order fills when a quote of the other side or a trade reaches its price, at its own price, and by no
//! more than that quote or trade offers. An order that meets the touch executes against it at once. The model is
//! kinder than a real exchange: customers never trade with each other, their orders come before all others at the
//! same price.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rust_decimal::Decimal;

use super::account::{Account, commission};
use super::order::{Execution, NewOrder, Order, OrderStatus, Trade};
use super::refusal::Refusal;
use crate::market::{Asset, Level, Side, Symbol, Touch};
use crate::recording::{MarketEvent, MarketEventKind};

/// The most open orders of an account in one market.
pub(super) const MOST_OPEN_ORDERS: usize = 200;

/// All accounts and markets. Independent of HTTP; the time is passed in.
#[derive(Debug, Default)]
pub struct Venue {
    accounts: BTreeMap<String, Account>,
    books: BTreeMap<Symbol, Book>,
    last_order: u64,
    last_trade: u64,
    events: u64,
}

/// One market: the recorded touch and the customers' open orders.
#[derive(Debug, Default)]
struct Book {
    touch: Option<Touch>,
    bids: BTreeSet<(Reverse<Decimal>, u64, String)>,
    asks: BTreeSet<(Decimal, u64, String)>,
}

impl Book {
    /// The order of `side` that is executed next, if `price` reaches it.
    fn first(&self, side: Side, price: Decimal) -> Option<(u64, String)> {
        let (limit, id, owner) = match side {
            Side::Buy => self.bids.first().map(|(limit, id, owner)| (limit.0, *id, owner))?,
            Side::Sell => self.asks.first().map(|(limit, id, owner)| (*limit, *id, owner))?,
        };
        side.reaches(limit, price).then(|| (id, owner.clone()))
    }

    fn insert(&mut self, order: &Order, owner: &str) {
        match order.side {
            Side::Buy => self.bids.insert((Reverse(order.limit), order.id, owner.to_owned())),
            Side::Sell => self.asks.insert((order.limit, order.id, owner.to_owned())),
        };
    }

    fn remove(&mut self, order: &Order, owner: &str) {
        match order.side {
            Side::Buy => self.bids.remove(&(Reverse(order.limit), order.id, owner.to_owned())),
            Side::Sell => self.asks.remove(&(order.limit, order.id, owner.to_owned())),
        };
    }

    /// Removes `quantity` from the touch that `side` trades against, until the next quote.
    fn take(&mut self, side: Side, quantity: Decimal) {
        if let Some(touch) = &mut self.touch {
            match side {
                Side::Buy => touch.ask.quantity -= quantity,
                Side::Sell => touch.bid.quantity -= quantity,
            }
        }
    }
}

impl Venue {
    /// Opens an account with the balances `funds`; an existing one is replaced.
    pub fn open_account(&mut self, api_key: &str, funds: impl IntoIterator<Item = (Asset, Decimal)>) {
        self.accounts.insert(api_key.to_owned(), Account::with_funds(funds));
    }

    /// The account of `api_key`.
    ///
    /// # Errors
    /// [`Refusal::UnknownApiKey`].
    pub fn account(&self, api_key: &str) -> Result<&Account, Refusal> {
        self.accounts.get(api_key).ok_or(Refusal::UnknownApiKey)
    }

    /// The best bid and ask of a market; `None` before its first quote.
    #[must_use]
    pub fn touch(&self, symbol: Symbol) -> Option<Touch> {
        self.books.get(&symbol).and_then(|book| book.touch)
    }

    /// The number of events of the recording that have been applied.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// Applies an event of the recorded market.
    pub fn apply(&mut self, event: &MarketEvent, now: Duration) {
        self.events += 1;
        let symbol = event.symbol;
        match event.kind {
            MarketEventKind::Quote(touch) => {
                self.books.entry(symbol).or_default().touch = Some(touch);
                for side in Side::ALL {
                    let offered = touch.against(side);
                    let left = self.sweep(symbol, side, offered, now);
                    self.books.entry(symbol).or_default().take(side, offered.quantity - left);
                }
            }
            MarketEventKind::Trade { price, quantity, .. } => {
                let quantity = self.sweep(symbol, Side::Buy, Level { price, quantity }, now);
                self.sweep(symbol, Side::Sell, Level { price, quantity }, now);
            }
        }
    }

    /// Fills open orders of `side` that `offered` reaches, and returns the remaining quantity.
    fn sweep(&mut self, symbol: Symbol, side: Side, offered: Level, now: Duration) -> Decimal {
        let mut left = offered.quantity;
        while left > Decimal::ZERO {
            let Some((id, owner)) = self.books.get(&symbol).and_then(|book| book.first(side, offered.price))
            else {
                break;
            };
            left -= self.fill(&owner, id, left, None, now);
        }
        left
    }

    /// Executes up to `quantity` of an open order, at `taken_at` or else at its own limit, and returns the executed
    /// quantity.
    fn fill(
        &mut self,
        owner: &str,
        id: u64,
        quantity: Decimal,
        taken_at: Option<Decimal>,
        now: Duration,
    ) -> Decimal {
        let Some(account) = self.accounts.get_mut(owner) else { return Decimal::ZERO };
        let Some(order) = account.open_order(id) else { return Decimal::ZERO };
        let quantity = quantity.min(order.remaining());
        self.last_trade += 1;
        let price = taken_at.unwrap_or(order.limit);
        let is_maker = taken_at.is_none();
        let (commission_asset, commission) = commission(order.symbol, order.side, quantity, price, is_maker);
        let trade = Trade {
            id: self.last_trade,
            order_id: id,
            symbol: order.symbol,
            side: order.side,
            price,
            quantity,
            commission,
            commission_asset,
            is_maker,
            time: now,
        };
        if quantity == order.remaining() {
            self.books.entry(order.symbol).or_default().remove(order, owner);
        }
        account.fill(trade);
        quantity
    }

    /// Accepts an order and executes it as far as possible at once.
    ///
    /// # Errors
    /// If the account does not exist or cannot pay, a filter rejects the order, the client order id is in use, or a
    /// post-only order would execute at once.
    pub fn place(&mut self, api_key: &str, new: &NewOrder, now: Duration) -> Result<Order, Refusal> {
        let account = self.account(api_key)?;
        let met = self.touch(new.symbol).map(|touch| touch.against(new.side));
        new.check(&new.symbol.rules(), met.map(|met| met.price))?;
        if let Some(client_id) = &new.client_id
            && account.find_open(|order| order.client_id == *client_id).is_some()
        {
            return Err(Refusal::DuplicateOrder);
        }
        if account.open_orders().filter(|order| order.symbol == new.symbol).count() >= MOST_OPEN_ORDERS {
            return Err(Refusal::Filter("MAX_NUM_ORDERS"));
        }
        let limit = new.execution.price().or(met.map(|met| met.price)).unwrap_or_default();
        let met = met.filter(|met| new.side.reaches(limit, met.price));
        if met.is_some() && matches!(new.execution, Execution::LimitMaker(_)) {
            return Err(Refusal::WouldTake);
        }
        let id = self.accept(api_key, new, limit, now)?;
        let at_least =
            if matches!(new.execution, Execution::FillOrKill(_)) { new.quantity } else { Decimal::ZERO };
        if let Some(met) = met.filter(|met| met.quantity > Decimal::ZERO && met.quantity >= at_least) {
            let taken = self.fill(api_key, id, met.quantity, Some(met.price), now);
            self.books.entry(new.symbol).or_default().take(new.side, taken);
        }
        if !matches!(new.execution, Execution::Limit(_) | Execution::LimitMaker(_)) {
            self.end(api_key, id, OrderStatus::Expired, now);
        }
        self.order(api_key, new.symbol, &OrderReference::Id(id)).cloned()
    }

    fn accept(
        &mut self,
        api_key: &str,
        new: &NewOrder,
        limit: Decimal,
        now: Duration,
    ) -> Result<u64, Refusal> {
        let id = self.last_order + 1;
        let order = Order {
            id,
            client_id: new.client_id.clone().unwrap_or_else(|| format!("paper-{id}")),
            symbol: new.symbol,
            side: new.side,
            execution: new.execution,
            limit,
            quantity: new.quantity,
            executed: Decimal::ZERO,
            executed_quote: Decimal::ZERO,
            status: OrderStatus::New,
            placed: now,
            updated: now,
        };
        self.accounts.get_mut(api_key).ok_or(Refusal::UnknownApiKey)?.open(order.clone())?;
        self.last_order = id;
        self.books.entry(new.symbol).or_default().insert(&order, api_key);
        Ok(id)
    }

    fn end(&mut self, api_key: &str, id: u64, status: OrderStatus, now: Duration) -> Option<Order> {
        let order = self.accounts.get_mut(api_key)?.close(id, status, now)?;
        self.books.entry(order.symbol).or_default().remove(&order, api_key);
        Some(order)
    }

    /// Forgets the account's oldest open order as if it had never been placed; returns whether there was one.
    pub(super) fn forget_oldest(&mut self, api_key: &str) -> bool {
        let forgotten = self.accounts.get_mut(api_key).and_then(Account::forget_oldest);
        if let Some(order) = &forgotten {
            self.books.entry(order.symbol).or_default().remove(order, api_key);
        }
        forgotten.is_some()
    }

    /// Empties all books until the next quotes.
    pub(super) fn remove_quotes(&mut self) {
        for book in self.books.values_mut() {
            book.touch = None;
        }
    }

    /// Cancels an open order and returns its final state.
    ///
    /// # Errors
    /// [`Refusal::UnknownOrder`] when no such order is open.
    pub fn cancel(
        &mut self,
        api_key: &str,
        symbol: Symbol,
        reference: &OrderReference,
        now: Duration,
    ) -> Result<Order, Refusal> {
        let account = self.account(api_key)?;
        let id =
            account.find_open(|order| order.symbol == symbol && reference.names(order)).map(|order| order.id);
        id.and_then(|id| self.end(api_key, id, OrderStatus::Canceled, now)).ok_or(Refusal::UnknownOrder)
    }

    /// Cancels all open orders of one market.
    ///
    /// # Errors
    /// [`Refusal::UnknownOrder`] when none is open.
    pub fn cancel_all(
        &mut self,
        api_key: &str,
        symbol: Symbol,
        now: Duration,
    ) -> Result<Vec<Order>, Refusal> {
        let open = self.account(api_key)?.open_orders().filter(|order| order.symbol == symbol);
        let ids: Vec<_> = open.map(|order| order.id).collect();
        if ids.is_empty() {
            return Err(Refusal::UnknownOrder);
        }
        Ok(ids.into_iter().filter_map(|id| self.end(api_key, id, OrderStatus::Canceled, now)).collect())
    }

    /// An order, open or closed.
    ///
    /// # Errors
    /// [`Refusal::NoSuchOrder`].
    pub fn order(
        &self,
        api_key: &str,
        symbol: Symbol,
        reference: &OrderReference,
    ) -> Result<&Order, Refusal> {
        self.account(api_key)?
            .find_order(|order| order.symbol == symbol && reference.names(order))
            .ok_or(Refusal::NoSuchOrder)
    }
}

/// One of the two ids of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderReference {
    /// The exchange's.
    Id(u64),
    /// The client's.
    ClientId(String),
}

impl OrderReference {
    fn names(&self, order: &Order) -> bool {
        match self {
            Self::Id(id) => order.id == *id,
            Self::ClientId(client_id) => order.client_id == *client_id,
        }
    }
}

#[cfg(test)]
mod tests;
