//! The database of orders, fills and positions, from which a bot that was killed continues.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use crate::own_orders::OwnOrder;
use crate::tables::{self, Stored, Write};

/// Writes after which old rows are deleted.
const PRUNE_AFTER: usize = 1_000;

/// The error of a database that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    /// Another process has it open; two bots with one database would send each order twice.
    #[error("--db {}: another bot uses it", .0.display())]
    InUse(PathBuf),
    /// A database of another program, or of another version of the bot.
    #[error("--db {}: is not a database of this version of the bot", .0.display())]
    Foreign(PathBuf),
    /// `SQLite` refuses to open or read it.
    #[error("--db {}: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// `SQLite`'s error.
        source: rusqlite::Error,
    },
}

/// The reason why the database could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the database of orders fails: {0}")]
pub(crate) struct Unwritten(String);

/// An open database. `SQLite` blocks while it waits for the disk, so a thread of its own does that. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    requests: Sender<Request>,
}

#[derive(Debug)]
enum Request {
    Write(Box<Write>),
    Flush(oneshot::Sender<Result<(), Unwritten>>),
    Orders(&'static str, oneshot::Sender<Result<Vec<OwnOrder>, Unwritten>>),
}

impl Database {
    /// Opens the file, or creates it; without a path the database is in memory. Also returns what it contains.
    pub(crate) fn open(path: Option<&Path>) -> Result<(Self, Stored), DatabaseError> {
        let shown = path.unwrap_or(Path::new(":memory:"));
        let failed = |source: rusqlite::Error| match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                DatabaseError::InUse(shown.to_owned())
            }
            _ => DatabaseError::Sqlite { path: shown.to_owned(), source },
        };
        let connection = match path {
            Some(path) => Connection::open(path),
            None => Connection::open_in_memory(),
        };
        let mut connection = connection.map_err(failed)?;
        // An open database stays open, so waiting for it would be in vain.
        connection.busy_timeout(Duration::ZERO).map_err(failed)?;
        if !tables::create(&mut connection).map_err(failed)? {
            return Err(DatabaseError::Foreign(shown.to_owned()));
        }
        let stored = tables::read(&connection).map_err(failed)?;
        let (requests, received) = mpsc::channel();
        // Without the thread every order is refused, because it cannot be written.
        let _ = thread::Builder::new()
            .name("database".to_owned())
            .spawn(move || Writer { connection, unwritten: Vec::new(), written: 0 }.run(&received));
        Ok((Self { requests }, stored))
    }

    /// Queues a write. A failure is reported by the next [`flushed`](Self::flushed).
    pub(crate) fn write(&self, write: Write) {
        // The thread ends after all senders only.
        let _ = self.requests.send(Request::Write(Box::new(write)));
    }

    /// Waits until all queued writes are committed.
    pub(crate) async fn flushed(&self) -> Result<(), Unwritten> {
        self.ask(Request::Flush).await
    }

    /// The orders of a profile: those that are not closed, and the last closed ones.
    pub(crate) async fn orders(&self, profile: &'static str) -> Result<Vec<OwnOrder>, Unwritten> {
        self.ask(|answer| Request::Orders(profile, answer)).await
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, Unwritten>>) -> Request,
    ) -> Result<T, Unwritten> {
        let (answer, answered) = oneshot::channel();
        let _ = self.requests.send(request(answer));
        answered.await.unwrap_or_else(|_| Err(Unwritten("its thread has ended".to_owned())))
    }
}

/// The thread's side of the database.
struct Writer {
    connection: Connection,
    /// Queued writes, and those that failed, which are tried again with the next.
    unwritten: Vec<Write>,
    written: usize,
}

impl Writer {
    fn run(mut self, requests: &Receiver<Request>) {
        while let Ok(first) = requests.recv() {
            let mut flushes = Vec::new();
            // Everything that waits is one transaction.
            for request in std::iter::once(first).chain(requests.try_iter()) {
                match request {
                    Request::Write(write) => self.unwritten.push(*write),
                    Request::Flush(answer) => flushes.push(answer),
                    Request::Orders(profile, answer) => {
                        let orders = self.commit().and_then(|()| {
                            tables::orders(&self.connection, profile).map_err(|error| unwritten(&error))
                        });
                        // The one who asked may have given up.
                        let _ = answer.send(orders);
                    }
                }
            }
            let outcome = self.commit();
            for answer in flushes {
                let _ = answer.send(outcome.clone());
            }
        }
        // The last writes, when the bot ends.
        let _ = self.commit();
    }

    fn commit(&mut self) -> Result<(), Unwritten> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        self.written += self.unwritten.len();
        let prunes = self.written >= PRUNE_AFTER;
        tables::write(&mut self.connection, &self.unwritten, prunes).map_err(|error| unwritten(&error))?;
        self.unwritten.clear();
        if prunes {
            self.written = 0;
        }
        Ok(())
    }
}

fn unwritten(error: &rusqlite::Error) -> Unwritten {
    Unwritten(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bot_metrics_examples::market::{Side, Symbol};

    use super::*;
    use crate::api::{AccountTrade, NewOrder, OrderKind};
    use crate::own_orders::{End, OrderState, OwnOrders, Position};

    /// A file in the temporary directory, removed with this.
    struct TemporaryFile(PathBuf);

    impl TemporaryFile {
        fn new(name: &str) -> Self {
            let file = Self(std::env::temp_dir().join(format!("paper-bot-{}-{name}.db", std::process::id())));
            file.remove();
            file
        }

        fn remove(&self) {
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{suffix}", self.0.display()));
            }
        }

        fn orders(&self) -> OwnOrders {
            // The thread of an earlier database closes the file soon after its last owner is gone.
            let (database, mut stored) = loop {
                match Database::open(Some(&self.0)) {
                    Err(DatabaseError::InUse(_)) => thread::sleep(Duration::from_millis(1)),
                    other => break other.unwrap(),
                }
            };
            OwnOrders::new("maker", database, stored.take("maker"))
        }
    }

    impl Drop for TemporaryFile {
        fn drop(&mut self) {
            self.remove();
        }
    }

    fn order(client_id: &str) -> NewOrder {
        NewOrder {
            client_id: client_id.to_owned(),
            symbol: Symbol::SolUsdt,
            side: Side::Sell,
            kind: OrderKind::Limit,
            price: 143.into(),
            quantity: 3.into(),
        }
    }

    #[test]
    fn orders_and_positions_continue_and_what_was_open_is_unknown() {
        let file = TemporaryFile::new("continues");
        let mut orders = file.orders();
        for client_id in ["sent", "open", "closed"] {
            orders.sent(&order(client_id));
        }
        orders.opened("open", 7);
        orders.closed("closed", End::Cancelled);
        let trade = AccountTrade {
            id: 40,
            order_id: 7,
            price: 144.into(),
            qty: 2.into(),
            commission: 1.into(),
            commission_asset: "USDT".to_owned(),
        };
        let _ = orders.filled(Symbol::SolUsdt, &trade);
        drop(orders);

        let mut orders = file.orders();
        assert_eq!(orders.state("sent"), Some(OrderState::Unknown { order_id: None }));
        assert_eq!(orders.state("open"), Some(OrderState::Unknown { order_id: Some(7) }));
        assert_eq!(orders.state("closed"), None);
        let position = Position { quantity: (-2).into(), cash: (2 * 144 - 1).into() };
        assert_eq!(orders.position(Symbol::SolUsdt), position);
        assert_eq!(orders.first_trade(Symbol::SolUsdt, 50), 41, "what happened meanwhile is booked");
        assert_eq!(orders.first_trade(Symbol::SolUsdt, 3), 3, "the exchange counts anew");
        orders.set_next_trade(Symbol::SolUsdt, 41);
        assert_eq!(orders.filled(Symbol::SolUsdt, &trade), None, "it is booked already");
    }

    #[tokio::test]
    async fn closed_orders_are_returned_with_the_open_ones() {
        let (database, mut stored) = Database::open(None).unwrap();
        let mut orders = OwnOrders::new("maker", database.clone(), stored.take("maker"));
        orders.sent(&order("open"));
        orders.opened("open", 7);
        orders.sent(&order("closed"));
        orders.closed("closed", End::Cancelled);
        let states: Vec<_> =
            database.orders("maker").await.unwrap().iter().map(|order| order.state).collect();
        assert_eq!(states.len(), 2, "{states:?}");
        assert!(states.contains(&OrderState::Open { order_id: 7 }), "{states:?}");
        assert!(states.contains(&OrderState::Closed { order_id: None, ended: End::Cancelled }), "{states:?}");
        assert_eq!(database.orders("other").await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_write_that_fails_is_reported_and_tried_again() {
        let file = TemporaryFile::new("fails");
        let mut orders = file.orders();
        orders.sent(&order("first"));
        drop(orders);
        // The thread of the bot's database closes the file soon after its last owner is gone.
        while Connection::open(&file.0).unwrap().execute_batch("ALTER TABLE orders RENAME TO away").is_err() {
            thread::sleep(Duration::from_millis(1));
        }
        let connection = Connection::open(&file.0).unwrap();
        let (requests, received) = mpsc::channel();
        thread::spawn(move || Writer { connection, unwritten: Vec::new(), written: 0 }.run(&received));
        let database = Database { requests };
        let mut orders = OwnOrders::new("maker", database.clone(), Stored::default().take("maker"));
        orders.sent(&order("second"));
        let error = database.flushed().await.unwrap_err();
        assert!(error.to_string().contains("no such table: orders"), "{error}");
        let other = Connection::open(&file.0).unwrap();
        other.execute_batch("ALTER TABLE away RENAME TO orders").unwrap();
        database.flushed().await.unwrap();
        assert_eq!(database.orders("maker").await.unwrap().len(), 2);
    }

    #[test]
    fn a_second_bot_and_a_foreign_database_are_refused() {
        let file = TemporaryFile::new("refused");
        let first = Database::open(Some(&file.0)).unwrap();
        let second = Database::open(Some(&file.0)).unwrap_err();
        assert!(matches!(second, DatabaseError::InUse(_)), "{second}");
        drop(first);

        let foreign = TemporaryFile::new("foreign");
        Connection::open(&foreign.0).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
        let error = Database::open(Some(&foreign.0)).unwrap_err();
        assert!(error.to_string().ends_with("is not a database of this version of the bot"), "{error}");

        let text = TemporaryFile::new("text");
        std::fs::write(&text.0, "orders,fills,positions\n".repeat(100)).unwrap();
        let error = Database::open(Some(&text.0)).unwrap_err();
        assert!(error.to_string().contains("file is not a database"), "{error}");
    }
}
