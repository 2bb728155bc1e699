//! The closed orders whose last trades may still arrive.

use std::collections::{BTreeMap, VecDeque};

use rust_decimal::Decimal;

use super::order::OwnOrder;

/// The number of closed orders that are kept in memory.
pub(super) const REMEMBERED: usize = 1_000;

/// The last closed orders. Their state is final; only their trades can still be booked.
#[derive(Debug, Default)]
pub(super) struct ClosedOrders {
    orders: BTreeMap<String, OwnOrder>,
    /// Client ids in the order in which the orders were closed.
    sequence: VecDeque<String>,
}

impl ClosedOrders {
    /// Adds an order, and returns the oldest one if it is forgotten for that.
    pub(super) fn insert(&mut self, order: OwnOrder) -> Option<OwnOrder> {
        self.sequence.push_back(order.client_id.clone());
        self.orders.insert(order.client_id.clone(), order);
        if self.sequence.len() <= REMEMBERED {
            return None;
        }
        self.sequence.pop_front().and_then(|oldest| self.orders.remove(&oldest))
    }

    pub(super) fn get(&self, client_id: &str) -> Option<&OwnOrder> {
        self.orders.get(client_id)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &OwnOrder> {
        self.orders.values()
    }

    /// Adds to the executed quantity, and returns the order as it is then.
    pub(super) fn execute(&mut self, client_id: &str, quantity: Decimal) -> Option<OwnOrder> {
        let order = self.orders.get_mut(client_id)?;
        order.executed += quantity;
        Some(order.clone())
    }
}
