use std::time::Duration;

use bot_metrics_examples::market::{Side, Symbol};

use super::*;
use crate::api::{AccountTrade, NewOrder, OrderKind};
use crate::own_orders::{Booking, End, OrderState, OwnOrders, Position};
use crate::tables::StoredProfile;

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

    /// What another bot finds after these.
    fn orders_after(&self, orders: OwnOrders) -> OwnOrders {
        drop(orders);
        self.orders()
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

fn trade(id: u64, order_id: u64, qty: i64) -> AccountTrade {
    let (price, commission, commission_asset) = (144.into(), 1.into(), "USDT".to_owned());
    AccountTrade { id, order_id, price, qty: qty.into(), commission, commission_asset }
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
    let trade = trade(40, 7, 2);
    assert!(matches!(orders.book(Symbol::SolUsdt, &trade), Booking::Partial(_)));

    let mut orders = file.orders_after(orders);
    assert_eq!(orders.state("sent"), Some(OrderState::Unknown { order_id: None }));
    assert_eq!(orders.state("open"), Some(OrderState::Unknown { order_id: Some(7) }));
    assert_eq!(orders.state("closed"), None);
    let position = Position { quantity: (-2).into(), cash: (2 * 144 - 1).into() };
    assert_eq!(orders.position(Symbol::SolUsdt), position);
    assert_eq!(orders.begin_trades(Symbol::SolUsdt, 50), 41, "what happened meanwhile is booked");
    assert_eq!(orders.book(Symbol::SolUsdt, &trade), Booking::Passed, "it is booked already");
    assert_eq!(file.orders_after(orders).begin_trades(Symbol::SolUsdt, 3), 3, "the exchange counts anew");
}

#[test]
fn an_order_that_was_cancelled_before_its_last_trades_arrived_continues() {
    let file = TemporaryFile::new("late-trades");
    let mut orders = file.orders();
    for (client_id, order_id) in [("cancelled", 7), ("filled", 8)] {
        orders.sent(&order(client_id));
        orders.opened(client_id, order_id);
    }
    orders.begin_trades(Symbol::SolUsdt, 40);
    assert!(matches!(orders.book(Symbol::SolUsdt, &trade(40, 8, 3)), Booking::Complete(_)));
    orders.closed("cancelled", End::Cancelled);

    let mut orders = file.orders_after(orders);
    assert_eq!(orders.state("filled"), None, "it has no more trades");
    assert_eq!(orders.begin_trades(Symbol::SolUsdt, 42), 41);
    assert!(matches!(orders.book(Symbol::SolUsdt, &trade(41, 7, 2)), Booking::Partial(_)));
    assert_eq!(orders.position(Symbol::SolUsdt).quantity, (-5).into());

    let orders = file.orders_after(orders);
    assert_eq!(orders.get("cancelled").map(|order| order.executed), Some(2.into()));
}

#[tokio::test]
async fn closed_orders_are_returned_with_the_open_ones() {
    let (database, mut stored) = Database::open(None).unwrap();
    let mut orders = OwnOrders::new("maker", database.clone(), stored.take("maker"));
    orders.sent(&order("open"));
    orders.opened("open", 7);
    orders.sent(&order("closed"));
    orders.closed("closed", End::Cancelled);
    let states: Vec<_> = database.orders("maker").await.unwrap().iter().map(|order| order.state).collect();
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
    thread::spawn(move || Writer::new(connection, KEPT_IN_FILE).run(&received));
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

/// A database whose writer has no thread of its own.
struct Detached {
    writer: Writer,
    received: Receiver<Request>,
    orders: OwnOrders,
}

impl Detached {
    fn new(kept: i64) -> Self {
        let writer = Writer::new(Connection::open_in_memory().unwrap(), kept);
        let (requests, received) = mpsc::channel();
        let orders = OwnOrders::new("maker", Database { requests }, StoredProfile::default());
        Self { writer, received, orders }
    }

    /// Writes the queued rows, each in a transaction of its own, and returns the last outcome.
    fn commit(&mut self) -> Result<(), Unwritten> {
        let mut outcome = Ok(());
        for request in self.received.try_iter() {
            if let Request::Write(write) = request {
                self.writer.pending.add(*write);
                outcome = self.writer.commit();
            }
        }
        outcome
    }
}

#[test]
fn a_database_that_fails_for_long_leaves_no_more_than_the_known_orders_and_their_fills() {
    // The tables are missing.
    let mut database = Detached::new(KEPT_IN_FILE);
    let orders = &mut database.orders;
    orders.sent(&order("mine"));
    orders.opened("mine", 7);
    for id in 1..=1_000 {
        assert!(orders.cancelling("mine"));
        orders.not_cancelled("mine");
        assert_eq!(orders.book(Symbol::SolUsdt, &trade(id, 99, 1)), Booking::Passed);
    }
    for id in [1_001, 1_002] {
        assert!(matches!(orders.book(Symbol::SolUsdt, &trade(id, 7, 1)), Booking::Partial(_)));
    }
    assert!(database.commit().is_err());
    let mut writer = database.writer;
    assert_eq!(writer.pending.len(), 1 + 2 + 1, "{:?}", writer.pending);

    tables::create(&mut writer.connection).unwrap();
    writer.commit().unwrap();
    assert!(writer.pending.is_empty());
    let stored = tables::read(&writer.connection).unwrap().take("maker");
    assert_eq!(stored.orders.len(), 1);
    let (position, next_trade) = stored.positions[&Symbol::SolUsdt];
    assert_eq!((position.quantity, next_trade), ((-2).into(), 1_003));
}

#[test]
fn the_last_rows_and_those_of_open_orders_are_kept() {
    const KEPT: usize = 10;
    let mut database = Detached::new(KEPT.try_into().unwrap());
    tables::create(&mut database.writer.connection).unwrap();
    database.orders.sent(&order("open"));
    for number in 0..PRUNE_AFTER {
        let client_id = number.to_string();
        database.orders.sent(&order(&client_id));
        database.orders.closed(&client_id, End::Rejected);
    }
    database.commit().unwrap();
    let orders = tables::orders(&database.writer.connection, "maker").unwrap();
    assert_eq!(orders.len(), 1 + KEPT, "{orders:?}");
    assert!(orders.iter().any(|order| order.client_id == "open"));
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
