//! The tables of the database and their rows.

use std::collections::BTreeMap;
use std::time::Duration;

use bot_metrics_examples::market::Symbol;
use rusqlite::types::Type;
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use crate::api::AccountTrade;
use crate::own_orders::{End, OrderState, OwnOrder, Position};
use crate::pending::{Pending, PositionRow};

/// The rows of closed orders and of fills that a file keeps; positions contain all fills ever.
pub(crate) const KEPT_IN_FILE: i64 = 100_000;

/// Likewise in memory, where no other program reads them.
pub(crate) const KEPT_IN_MEMORY: i64 = RECENT;

/// The last orders of all profiles that are read although they are closed.
const RECENT: i64 = 2_000;

const VERSION: i64 = 2;

/// WAL with `synchronous=NORMAL`: a commit is a write to the log without waiting for the disk. If the bot is killed
/// nothing is lost. If the machine loses power the last commits may be, and reconciliation reports their orders as
/// missing from the database. Waiting for the disk before each order would cost several milliseconds.
///
/// The exclusive lock keeps a second bot out. The primary keys make a repeated write harmless. The cache of half a MiB
/// holds the last rows, which are all that the bot reads; the usual 2 MiB would fill within the first quarter of an hour.
const SCHEMA: &str = "
    PRAGMA cache_size = -512;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    BEGIN EXCLUSIVE;
    CREATE TABLE IF NOT EXISTS orders (
        client_id TEXT PRIMARY KEY,
        profile TEXT NOT NULL,
        symbol TEXT NOT NULL,
        side TEXT NOT NULL,
        price TEXT NOT NULL,
        quantity TEXT NOT NULL,
        executed TEXT NOT NULL,
        state TEXT NOT NULL,
        order_id INTEGER,
        sent_ms INTEGER NOT NULL,
        ended TEXT
    );
    CREATE INDEX IF NOT EXISTS not_closed ON orders (profile) WHERE state <> 'closed';
    CREATE TABLE IF NOT EXISTS fills (
        client_id TEXT NOT NULL,
        trade_id INTEGER NOT NULL,
        price TEXT NOT NULL,
        quantity TEXT NOT NULL,
        fee TEXT NOT NULL,
        fee_asset TEXT NOT NULL,
        PRIMARY KEY (client_id, trade_id)
    );
    CREATE TABLE IF NOT EXISTS positions (
        profile TEXT NOT NULL,
        symbol TEXT NOT NULL,
        quantity TEXT NOT NULL,
        cash TEXT NOT NULL,
        next_trade INTEGER NOT NULL,
        PRIMARY KEY (profile, symbol)
    );
    COMMIT;
";

/// What a database contains when it is opened.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    profiles: BTreeMap<String, StoredProfile>,
}

/// One profile's part of it.
#[derive(Debug, Default)]
pub(crate) struct StoredProfile {
    /// The orders that are not closed.
    pub(crate) orders: Vec<OwnOrder>,
    /// The last orders that were closed before they were filled, whose last trades may be missing; oldest first.
    pub(crate) closed: Vec<OwnOrder>,
    /// The positions, and the first trade of each market that is not in them.
    pub(crate) positions: BTreeMap<Symbol, (Position, u64)>,
}

impl Stored {
    /// Takes one profile's part.
    pub(crate) fn take(&mut self, profile: &str) -> StoredProfile {
        self.profiles.remove(profile).unwrap_or_default()
    }
}

/// Creates the tables that are missing; returns whether the database is one of this version of the bot.
pub(crate) fn create(connection: &mut Connection) -> rusqlite::Result<bool> {
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if version != VERSION && (version, tables) != (0, 0) {
        return Ok(false);
    }
    connection.execute_batch(SCHEMA)?;
    connection.pragma_update(None, "user_version", VERSION)?;
    Ok(true)
}

/// Writes rows in one transaction, and deletes the oldest rows except the number to keep, if there is one.
pub(crate) fn write(
    connection: &mut Connection,
    pending: &Pending,
    kept: Option<i64>,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (profile, order) in pending.orders.values() {
        write_order(&transaction, profile, order)?;
    }
    for ((client_id, _), trade) in &pending.fills {
        write_fill(&transaction, client_id, trade)?;
    }
    for position in pending.positions.values() {
        write_position(&transaction, position)?;
    }
    if let Some(kept) = kept {
        for table in ["orders", "fills"] {
            let closed = if table == "orders" { "state = 'closed' AND" } else { "" };
            let oldest = format!("rowid <= (SELECT max(rowid) FROM {table}) - {kept}");
            transaction.execute(&format!("DELETE FROM {table} WHERE {closed} {oldest}"), [])?;
        }
    }
    transaction.commit()
}

/// The orders of a profile that are not closed, and its part of the last orders.
pub(crate) fn orders(connection: &Connection, profile: &str) -> rusqlite::Result<Vec<OwnOrder>> {
    let mut select = connection.prepare(
        "SELECT * FROM orders WHERE profile = ?1 AND state <> 'closed' UNION \
         SELECT * FROM orders WHERE profile = ?1 AND rowid > (SELECT max(rowid) FROM orders) - ?2",
    )?;
    let orders = select.query_map(params![profile, RECENT], order)?;
    orders.collect()
}

/// Everything that a bot needs to continue.
pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Stored> {
    let mut stored = Stored::default();
    for (profile, order) in select_orders(connection, "state <> 'closed'")? {
        stored.profiles.entry(profile).or_default().orders.push(order);
    }
    let recent = format!("rowid > (SELECT max(rowid) FROM orders) - {RECENT}");
    let lacks_trades = "state = 'closed' AND ended <> 'filled' AND order_id IS NOT NULL";
    for (profile, order) in select_orders(connection, &format!("{lacks_trades} AND {recent}"))? {
        stored.profiles.entry(profile).or_default().closed.push(order);
    }
    let mut select = connection.prepare("SELECT * FROM positions")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let position = Position { quantity: parsed(row, "quantity")?, cash: parsed(row, "cash")? };
        let symbol: Symbol = parsed(row, "symbol")?;
        let profile = stored.profiles.entry(row.get("profile")?).or_default();
        profile.positions.insert(symbol, (position, row.get("next_trade")?));
    }
    Ok(stored)
}

/// The orders for which `condition` holds, oldest first, with their profiles.
fn select_orders(connection: &Connection, condition: &str) -> rusqlite::Result<Vec<(String, OwnOrder)>> {
    let mut select = connection.prepare(&format!("SELECT * FROM orders WHERE {condition} ORDER BY rowid"))?;
    let rows = select.query_map([], |row| Ok((row.get("profile")?, order(row)?)))?;
    rows.collect()
}

fn write_fill(transaction: &Transaction<'_>, client_id: &str, trade: &AccountTrade) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare("INSERT OR REPLACE INTO fills VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    insert.execute(params![
        client_id,
        trade.id,
        trade.price.to_string(),
        trade.qty.to_string(),
        trade.commission.to_string(),
        trade.commission_asset,
    ])?;
    Ok(())
}

fn write_order(transaction: &Transaction<'_>, profile: &str, order: &OwnOrder) -> rusqlite::Result<()> {
    let mut upsert = transaction.prepare(
        "INSERT INTO orders VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (client_id) \
         DO UPDATE SET executed = ?7, state = ?8, order_id = ?9, ended = ?11",
    )?;
    upsert.execute(params![
        order.client_id,
        profile,
        order.symbol.as_str(),
        order.side.as_str(),
        order.price.to_string(),
        order.quantity.to_string(),
        order.executed.to_string(),
        order.state.as_str(),
        order.state.order_id(),
        u64::try_from(order.sent_at.as_millis()).unwrap_or(u64::MAX),
        order.state.ended().map(End::as_str),
    ])?;
    Ok(())
}

fn write_position(transaction: &Transaction<'_>, row: &PositionRow) -> rusqlite::Result<()> {
    let PositionRow { profile, symbol, position: Position { quantity, cash }, next_trade } = row;
    let mut upsert = transaction.prepare("INSERT OR REPLACE INTO positions VALUES (?1, ?2, ?3, ?4, ?5)")?;
    upsert.execute(params![profile, symbol.as_str(), quantity.to_string(), cash.to_string(), next_trade])?;
    Ok(())
}

fn order(row: &Row<'_>) -> rusqlite::Result<OwnOrder> {
    let (state, ended): (String, Option<String>) = (row.get("state")?, row.get("ended")?);
    let state = OrderState::parse(&state, row.get("order_id")?, ended.as_deref())
        .ok_or_else(|| unreadable(&format!("{state} {}", ended.unwrap_or_default())))?;
    Ok(OwnOrder {
        client_id: row.get("client_id")?,
        symbol: parsed(row, "symbol")?,
        side: parsed(row, "side")?,
        price: parsed(row, "price")?,
        quantity: parsed(row, "quantity")?,
        executed: parsed(row, "executed")?,
        state,
        sent_at: Duration::from_millis(row.get("sent_ms")?),
    })
}

fn parsed<T: std::str::FromStr>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    text.parse().map_err(|_| unreadable(&text))
}

fn unreadable(text: &str) -> rusqlite::Error {
    let error = format!("unknown value `{text}`");
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error.into())
}
