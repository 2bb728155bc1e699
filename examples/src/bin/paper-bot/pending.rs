//! Rows that are not in the database yet.

use std::collections::BTreeMap;

use bot_metrics_examples::market::Symbol;

use crate::api::AccountTrade;
use crate::own_orders::{OwnOrder, Position};

/// A change to write.
#[derive(Debug, Clone)]
pub(crate) enum Write {
    /// An order as it is now.
    Order {
        profile: &'static str,
        order: OwnOrder,
    },
    /// A fill, with its order and its position as they are after it: all of them are written or none.
    Fill {
        trade: AccountTrade,
        order: OwnOrder,
        position: PositionRow,
    },
    Position(PositionRow),
}

/// A position, and the first trade of its market that is not in it.
#[derive(Debug, Clone)]
pub(crate) struct PositionRow {
    pub(crate) profile: &'static str,
    pub(crate) symbol: Symbol,
    pub(crate) position: Position,
    pub(crate) next_trade: u64,
}

/// The changes that are to be written together. Of each order and position it has the last state only. Since no order is
/// sent that cannot be written, a database that fails for hours leaves no more here than the orders that were known
/// before, and their fills.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// By client id, with their profiles.
    pub(crate) orders: BTreeMap<String, (&'static str, OwnOrder)>,
    /// By client id and trade id.
    pub(crate) fills: BTreeMap<(String, u64), AccountTrade>,
    pub(crate) positions: BTreeMap<(&'static str, Symbol), PositionRow>,
}

impl Pending {
    pub(crate) fn add(&mut self, write: Write) {
        match write {
            Write::Order { profile, order } => self.add_order(profile, order),
            Write::Fill { trade, order, position } => {
                self.fills.insert((order.client_id.clone(), trade.id), trade);
                self.add_order(position.profile, order);
                self.add_position(position);
            }
            Write::Position(position) => self.add_position(position),
        }
    }

    fn add_order(&mut self, profile: &'static str, order: OwnOrder) {
        self.orders.insert(order.client_id.clone(), (profile, order));
    }

    fn add_position(&mut self, position: PositionRow) {
        self.positions.insert((position.profile, position.symbol), position);
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.orders.len() + self.fills.len() + self.positions.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
