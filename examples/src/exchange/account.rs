//! One customer's balances, orders and trades.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use rust_decimal::Decimal;

use super::order::{Order, OrderStatus, Trade};
use super::refusal::Refusal;
use crate::market::{Asset, Side, Symbol};

/// The number of closed orders and of trades that an account keeps; the limit bounds the memory of a bot that runs
/// for days.
const HISTORY: usize = 1_000;

/// The fee of orders that wait in the book, as a fraction of what they receive: 0.011 %, that of Binance's most active
/// customers (VIP 9). With the 0.1 % of its regular customers no quote at the touch could earn its fee.
pub const MAKER_FEE: Decimal = Decimal::from_parts(11, 0, 0, false, 5);

/// The fee of orders that execute at once: 0.023 %, for the same customers.
pub const TAKER_FEE: Decimal = Decimal::from_parts(23, 0, 0, false, 5);

/// The balance of one asset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Balance {
    /// The amount available to new orders.
    pub free: Decimal,
    /// The amount locked by open orders.
    pub locked: Decimal,
}

/// One customer.
#[derive(Debug, Clone, Default)]
pub struct Account {
    balances: BTreeMap<Asset, Balance>,
    open: BTreeMap<u64, Order>,
    closed: VecDeque<Order>,
    trades: VecDeque<Trade>,
}

/// The asset that an order of `side` pays with, and the amount for `quantity` at `price`.
fn payment(symbol: Symbol, side: Side, quantity: Decimal, price: Decimal) -> (Asset, Decimal) {
    match side {
        Side::Buy => (Asset::Usdt, quantity * price),
        Side::Sell => (symbol.base(), quantity),
    }
}

/// The asset that an order of `side` receives, and the amount for `quantity` at `price`.
fn receipt(symbol: Symbol, side: Side, quantity: Decimal, price: Decimal) -> (Asset, Decimal) {
    match side {
        Side::Buy => (symbol.base(), quantity),
        Side::Sell => (Asset::Usdt, quantity * price),
    }
}

/// The fee for an execution, in the asset that the order receives, rounded down to eight places.
pub(super) fn commission(
    symbol: Symbol,
    side: Side,
    quantity: Decimal,
    price: Decimal,
    is_maker: bool,
) -> (Asset, Decimal) {
    let (asset, amount) = receipt(symbol, side, quantity, price);
    let fee = if is_maker { MAKER_FEE } else { TAKER_FEE };
    (asset, (amount * fee).trunc_with_scale(8))
}

impl Account {
    /// An account that holds these amounts.
    pub(super) fn with_funds(funds: impl IntoIterator<Item = (Asset, Decimal)>) -> Self {
        let balances =
            funds.into_iter().map(|(asset, free)| (asset, Balance { free, locked: Decimal::ZERO })).collect();
        Self { balances, ..Self::default() }
    }

    /// The account's balance of `asset`.
    #[must_use]
    pub fn balance(&self, asset: Asset) -> Balance {
        self.balances.get(&asset).copied().unwrap_or_default()
    }

    /// Orders that are open, oldest first.
    pub fn open_orders(&self) -> impl Iterator<Item = &Order> {
        self.open.values()
    }

    /// Orders that are closed and remembered, in the order in which they were closed.
    pub fn closed_orders(&self) -> impl Iterator<Item = &Order> {
        self.closed.iter()
    }

    /// Executions, oldest first.
    pub fn trades(&self) -> impl Iterator<Item = &Trade> {
        self.trades.iter()
    }

    /// The order for which `matches` holds; the newest if there are several.
    pub fn find_order(&self, matches: impl Fn(&Order) -> bool) -> Option<&Order> {
        self.find_open(&matches).or_else(|| self.closed.iter().rev().find(|order| matches(order)))
    }

    /// The open order for which `matches` holds.
    pub fn find_open(&self, matches: impl Fn(&Order) -> bool) -> Option<&Order> {
        self.open.values().rev().find(|order| matches(order))
    }

    pub(super) fn open_order(&self, id: u64) -> Option<&Order> {
        self.open.get(&id)
    }

    /// Locks the amount that `order` may have to pay and adds it to the open orders.
    pub(super) fn open(&mut self, order: Order) -> Result<(), Refusal> {
        let (asset, amount) = payment(order.symbol, order.side, order.quantity, order.limit);
        let balance = self.balances.entry(asset).or_default();
        if balance.free < amount {
            return Err(Refusal::InsufficientBalance);
        }
        balance.free -= amount;
        balance.locked += amount;
        self.open.insert(order.id, order);
        Ok(())
    }

    /// Books one execution of an open order and closes the order when it is completely filled.
    pub(super) fn fill(&mut self, trade: Trade) {
        let Some(order) = self.open.get_mut(&trade.order_id) else { return };
        let (paid, locked) = payment(order.symbol, order.side, trade.quantity, order.limit);
        let (_, cost) = payment(order.symbol, order.side, trade.quantity, trade.price);
        let proceeds = trade.quantity * trade.price;
        order.executed += trade.quantity;
        order.executed_quote += proceeds;
        order.updated = trade.time;
        let complete = order.remaining().is_zero();
        order.status = if complete { OrderStatus::Filled } else { OrderStatus::PartiallyFilled };

        let payer = self.balances.entry(paid).or_default();
        payer.locked -= locked;
        // If the price is better than the limit, the difference is released.
        payer.free += locked - cost;
        let (received, amount) = receipt(order.symbol, order.side, trade.quantity, trade.price);
        self.balances.entry(received).or_default().free += amount - trade.commission;

        let id = trade.order_id;
        remember(&mut self.trades, trade);
        if complete && let Some(order) = self.open.remove(&id) {
            remember(&mut self.closed, order);
        }
    }

    /// Closes an open order, releases the amount it still locks, and returns its final state.
    pub(super) fn close(&mut self, id: u64, status: OrderStatus, now: Duration) -> Option<Order> {
        let mut order = self.forget(id)?;
        order.status = status;
        order.updated = now;
        remember(&mut self.closed, order.clone());
        Some(order)
    }

    /// Removes the oldest open order without a trace.
    pub(super) fn forget_oldest(&mut self) -> Option<Order> {
        let id = *self.open.keys().next()?;
        self.forget(id)
    }

    /// Removes an open order without a trace and releases the amount it still locks.
    fn forget(&mut self, id: u64) -> Option<Order> {
        let order = self.open.remove(&id)?;
        let (asset, amount) = payment(order.symbol, order.side, order.remaining(), order.limit);
        let balance = self.balances.entry(asset).or_default();
        balance.locked -= amount;
        balance.free += amount;
        Some(order)
    }
}

fn remember<T>(history: &mut VecDeque<T>, item: T) {
    if history.len() == HISTORY {
        history.pop_front();
    }
    history.push_back(item);
}
