//! The orders and trades of a bot: in its database, and at the exchange.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr as _;

use bot_metrics_examples::market::{Asset, Symbol};
use rusqlite::Connection;
use rust_decimal::Decimal;

use super::customer::{Balances, Customer, amount, list, number, text};

/// An order, as far as both sides know it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Order {
    pub(crate) client_id: String,
    /// The exchange's.
    id: u64,
    pub(crate) symbol: String,
    pub(crate) side: String,
    pub(crate) price: Decimal,
    pub(crate) quantity: Decimal,
    pub(crate) executed: Decimal,
}

/// A trade of one of the bot's orders.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Trade {
    id: u64,
    pub(crate) client_id: String,
    pub(crate) price: Decimal,
    pub(crate) quantity: Decimal,
    pub(crate) fee: Decimal,
    pub(crate) fee_asset: String,
}

/// Amounts by profile and asset.
pub(crate) type Amounts = BTreeMap<(String, String), Decimal>;

/// The bot's records.
#[derive(Debug, Default)]
pub(crate) struct Database {
    /// States and orders that the exchange has confirmed.
    pub(crate) confirmed: Vec<(String, Order)>,
    /// Client ids and states of the others.
    pub(crate) unconfirmed: Vec<(String, String)>,
    pub(crate) trades: Vec<Trade>,
    /// How the bot has changed its balances.
    pub(crate) positions: Amounts,
}

impl Database {
    /// Reads a database that no bot uses.
    pub(crate) fn read(path: &Path) -> Self {
        let connection = Connection::open(path).expect("a database");
        let mut database = Self::default();
        let mut orders = connection.prepare("SELECT * FROM orders").expect("a table of orders");
        let mut rows = orders.query([]).expect("orders");
        while let Some(row) = rows.next().expect("an order") {
            let text = |column: &str| row.get::<_, String>(column).expect("a text");
            let amount = |column: &str| Decimal::from_str(&text(column)).expect("a number").normalize();
            let id: Option<u64> = row.get("order_id").expect("a number or none");
            let Some(id) = id else {
                database.unconfirmed.push((text("client_id"), text("state")));
                continue;
            };
            let order = Order {
                client_id: text("client_id"),
                id,
                symbol: text("symbol"),
                side: text("side"),
                price: amount("price"),
                quantity: amount("quantity"),
                executed: amount("executed"),
            };
            database.confirmed.push((text("state"), order));
        }
        let mut trades = connection.prepare("SELECT * FROM fills").expect("a table of fills");
        let mut rows = trades.query([]).expect("fills");
        while let Some(row) = rows.next().expect("a fill") {
            let text = |column: &str| row.get::<_, String>(column).expect("a text");
            let amount = |column: &str| Decimal::from_str(&text(column)).expect("a number").normalize();
            database.trades.push(Trade {
                id: row.get("trade_id").expect("a number"),
                client_id: text("client_id"),
                price: amount("price"),
                quantity: amount("quantity"),
                fee: amount("fee"),
                fee_asset: text("fee_asset"),
            });
        }
        let mut positions = connection.prepare("SELECT * FROM positions").expect("a table of positions");
        let mut rows = positions.query([]).expect("positions");
        while let Some(row) = rows.next().expect("a position") {
            let text = |column: &str| row.get::<_, String>(column).expect("a text");
            let amount = |column: &str| Decimal::from_str(&text(column)).expect("a number");
            let symbol: Symbol = text("symbol").parse().expect("a market");
            for (asset, amount) in [(symbol.base(), amount("quantity")), (Asset::Usdt, amount("cash"))] {
                let key = (text("profile"), asset.as_str().to_owned());
                let position = database.positions.entry(key).or_default();
                *position = (*position + amount).normalize();
            }
        }
        database
    }

    /// The confirmed orders, each as often as it is in the table.
    pub(crate) fn orders(&self) -> Vec<Order> {
        sorted(self.confirmed.iter().map(|(_, order)| order.clone()))
    }

    pub(crate) fn trades(&self) -> Vec<Trade> {
        sorted(self.trades.iter().cloned())
    }
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<_> = items.collect();
    items.sort();
    items
}

/// What the exchange knows of the bot: its orders and their trades.
pub(crate) fn known_to_exchange(customers: &[Customer]) -> (Vec<Order>, Vec<Trade>) {
    let (mut orders, mut trades) = (Vec::new(), Vec::new());
    for customer in customers {
        for symbol in Symbol::ALL.map(Symbol::as_str) {
            let parameters = [("symbol", symbol), ("limit", "1000")];
            // Trades first: an order that is filled in between must be known.
            let executed = list(customer.get("myTrades", &parameters));
            let all = list(customer.get("allOrders", &parameters));
            let own: BTreeMap<_, _> = all
                .iter()
                .filter(|order| text(order, "clientOrderId").starts_with(customer.profile))
                .map(|order| (number(order, "orderId"), order))
                .collect();
            orders.extend(own.values().map(|order| Order {
                client_id: text(order, "clientOrderId").to_owned(),
                id: number(order, "orderId"),
                symbol: symbol.to_owned(),
                side: text(order, "side").to_owned(),
                price: amount(order, "price"),
                quantity: amount(order, "origQty"),
                executed: amount(order, "executedQty"),
            }));
            trades.extend(executed.iter().map(|trade| Trade {
                id: number(trade, "id"),
                client_id: text(own[&number(trade, "orderId")], "clientOrderId").to_owned(),
                price: amount(trade, "price"),
                quantity: amount(trade, "qty"),
                fee: amount(trade, "commission"),
                fee_asset: text(trade, "commissionAsset").to_owned(),
            }));
        }
    }
    (sorted(orders.into_iter()), sorted(trades.into_iter()))
}

/// How the balances of the accounts have changed between two moments.
pub(crate) fn changes(customers: &[Customer], before: &[Balances], after: &[Balances]) -> Amounts {
    let mut changes = Amounts::new();
    for (customer, (before, after)) in customers.iter().zip(before.iter().zip(after)) {
        for (asset, amount) in after {
            let change = amount - before.get(asset).copied().unwrap_or_default();
            changes.insert((customer.profile.to_owned(), asset.as_str().to_owned()), change.normalize());
        }
    }
    changes
}
