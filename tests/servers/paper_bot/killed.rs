//! A bot that is killed in mid-trade continues from its database: no order is lost or doubled.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bot_metrics::testing::Samples;
use bot_metrics_examples::exchange::{
    AccountSettings, Disruption, Disruptions, ExchangeSettings, PaperExchange,
};
use bot_metrics_examples::market::Asset;
use bot_metrics_examples::random::Random;
use bot_metrics_examples::recording::Recording;
use bot_metrics_tests::paper_bot::{Running, start};
use bot_metrics_tests::process::Directory;
use rust_decimal::Decimal;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::customer::{Customer, PROFILES, api_key, secret, text};
use super::records::{Database, Trade, changes, known_to_exchange};

/// When a bot is killed, after its first orders; the trading loop begins a cycle each second.
const MOMENTS: Range<Duration> = Duration::ZERO..Duration::from_millis(1_500);

/// When a bot is killed that has just sent an order to a slow exchange, which executes it after half of the 2 s that it
/// takes to answer.
const UNANSWERED: Range<Duration> = Duration::from_millis(1_150)..Duration::from_millis(1_750);

/// The exchange remembers the orders of ten rounds. In every other one it is slow, so that each kill there leaves an
/// order without its answer.
fn rounds() -> usize {
    if std::env::var_os("BOT_METRICS_LONG_TESTS").is_some() { 10 } else { 4 }
}

const PATIENCE: Duration = Duration::from_mins(1);

/// An exchange that outlives the bots, and the database that they share.
struct Scene {
    exchange: PaperExchange,
    _runtime: Runtime,
    disruptions: Disruptions,
    directory: Directory,
    random: Random,
}

impl Scene {
    fn new(seed: u64) -> Self {
        let disruptions = Disruptions::default();
        let settings = ExchangeSettings {
            speed: 10.0,
            delay_seed: Some(seed),
            disruptions: disruptions.clone(),
            accounts: PROFILES.map(account).to_vec(),
            ..ExchangeSettings::new(Arc::new(Recording::embedded().expect("the built-in recording")))
        };
        let runtime = Runtime::new().expect("a runtime");
        let exchange = runtime.block_on(PaperExchange::start(settings)).expect("a free port");
        Self {
            exchange,
            _runtime: runtime,
            disruptions,
            directory: Directory::new(),
            random: Random::new(seed),
        }
    }

    fn database(&self) -> PathBuf {
        self.directory.path().join("orders.db")
    }

    fn start_bot(&self) -> Running {
        let database = self.database();
        let bot = start(&["--exchange-url", &self.exchange.url(), "--db", database.to_str().expect("UTF-8")]);
        let _ = bot.wait_until("orders are placed", |samples| placed(samples) > 0.0);
        bot
    }

    fn customers(&self) -> [Customer; 2] {
        PROFILES.map(|profile| Customer::new(&self.exchange.url(), profile))
    }

    /// The database as the killed bot left it. A copy is read, since opening the file itself would repair it.
    fn left_behind(&self) -> Database {
        let copy = self.directory.path().join("copy.db");
        for suffix in ["", "-wal"] {
            let file = |path: &Path| format!("{}{suffix}", path.display());
            std::fs::copy(file(&self.database()), file(&copy)).expect("the bot's file");
        }
        Database::read(&copy)
    }
}

/// About half of the capital that a profile may use.
fn funds() -> Vec<(Asset, Decimal)> {
    let amounts = [(2, 2), (8, 1), (10, 0), (5_500, 0)].map(|(number, scale)| Decimal::new(number, scale));
    Asset::ALL.into_iter().zip(amounts).collect()
}

fn account(profile: &str) -> AccountSettings {
    AccountSettings { api_key: api_key(profile), secret: secret(profile), funds: funds() }
}

fn placed(samples: &Samples) -> f64 {
    samples.sum("bytelyst_bot_operational_events_total", &[("type", "ORDER_PLACED")])
}

/// The open orders that the bot placed.
fn open_orders_of_bot(customer: &Customer) -> Vec<Value> {
    let mut orders = customer.open_orders();
    orders.retain(|order| text(order, "clientOrderId").starts_with(customer.profile));
    orders
}

/// Trades by hand while no bot runs: places an order far from the market, and cancels one of the bot's, if any is
/// open. Returns whether it did.
fn trade_by_hand(customer: &Customer, round: usize) -> bool {
    let client_id = format!("by-hand-{round}");
    let terms = [("symbol", "ETHUSDT"), ("side", "BUY"), ("type", "LIMIT_MAKER"), ("price", "1000")];
    let own = [("quantity", "0.01"), ("newClientOrderId", client_id.as_str())];
    let _ = customer.post("order", &[terms.as_slice(), &own].concat());
    // An order may be filled just now.
    open_orders_of_bot(customer).iter().any(|order| {
        let (symbol, client_id) = (text(order, "symbol"), text(order, "clientOrderId"));
        customer.delete("order", &[("symbol", symbol), ("origClientOrderId", client_id)]).is_ok()
    })
}

/// Waits until an order of the dead bot is filled, and returns the trades since its death.
fn fills_meanwhile(customers: &[Customer], before: &[Trade]) -> Vec<Trade> {
    let patience = Instant::now() + PATIENCE;
    loop {
        let (_, trades) = known_to_exchange(customers);
        let fills: Vec<_> = trades.into_iter().filter(|trade| !before.contains(trade)).collect();
        let is_any_open = customers.iter().any(|customer| !open_orders_of_bot(customer).is_empty());
        if !fills.is_empty() || !is_any_open {
            return fills;
        }
        assert!(Instant::now() < patience, "the market never reached the bot's quotes");
        sleep(Duration::from_millis(200));
    }
}

pub(super) fn no_order_is_lost_or_doubled_and_what_the_exchange_did_meanwhile_is_found() {
    let mut scene = Scene::new(7);
    let customers = scene.customers();
    let (mut unanswered, mut filled_meanwhile, mut cancelled_by_hand) = (0, 0, 0);
    for round in 0..rounds() {
        let is_slow = round % 2 == 1;
        let mut bot = scene.start_bot();
        if round > 0 {
            // Each order placed by hand is one that the database does not have.
            let missing = [("source", "db")];
            let _ = bot.wait_until("the orders placed by hand are found", |samples| {
                samples.value("bytelyst_bot_reconciliation_missing_items_count", &missing)
                    == u32::try_from(round).ok().map(f64::from)
            });
        }
        if is_slow {
            scene.disruptions.begin(Disruption::SlowOrders);
            // Until earlier orders, which are not slow, have their answers.
            sleep(Duration::from_millis(500));
            let _ = bot.wait_until("an order is under way", |samples| {
                let placing = [("operation", "place_order")];
                samples.sum("bytelyst_bot_exchange_api_in_flight", &placing) > 0.0
            });
        }
        let moment = scene.random.duration(if is_slow { UNANSWERED } else { MOMENTS });
        sleep(moment);
        bot.signal(libc::SIGKILL);
        let _ = bot.wait();
        if is_slow {
            scene.disruptions.end(Disruption::SlowOrders);
        }
        let left_behind = scene.left_behind();
        let (orders, trades) = known_to_exchange(&customers);
        let sent = left_behind.unconfirmed.iter().filter(|(_, state)| state == "sent");
        let accepted = |client_id: &String| orders.iter().any(|order| order.client_id == *client_id);
        unanswered += sent.filter(|(client_id, _)| accepted(client_id)).count();
        filled_meanwhile += fills_meanwhile(&customers, &trades).len();
        cancelled_by_hand += usize::from(trade_by_hand(&customers[0], round));
    }
    let bot = scene.start_bot();
    let ended = bot.terminate();
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""), "{ended:?}");

    let database = Database::read(&scene.database());
    let (orders, trades) = known_to_exchange(&customers);
    assert_eq!(database.orders(), orders);
    assert_eq!(database.trades(), trades);
    let before = customers.each_ref().map(|_| funds().into_iter().collect());
    let after = customers.each_ref().map(Customer::balances);
    assert_eq!(database.positions, changes(&customers, &before, &after));
    let not_closed: Vec<_> = database.confirmed.iter().filter(|(state, _)| state != "closed").collect();
    assert!(not_closed.is_empty(), "{not_closed:?}");
    for (client_id, state) in &database.unconfirmed {
        assert_eq!(state, "closed", "{client_id}");
        assert!(!orders.iter().any(|order| order.client_id == *client_id), "{client_id} is at the exchange");
    }
    // Otherwise the rounds have not tested what they are for.
    assert!(unanswered > 0, "no kill came between an order and its answer");
    assert!(filled_meanwhile > 0, "no order was filled while the bot was dead");
    assert!(cancelled_by_hand > 0, "no order was cancelled by hand");
}
