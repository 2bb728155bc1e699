//! A bot under random faults neither crashes nor grows. Its counters equal the rows of its database, and its positions
//! the changes of its balances at the exchange.
//!
//! With `BOT_METRICS_LONG_TESTS` it runs for half an hour. The figures are printed.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use bot_metrics::testing::Samples;
use bot_metrics_examples::fault::{Fault, FaultWindow, RandomFaults};
use bot_metrics_tests::paper_bot::{Running, start};
use bot_metrics_tests::process::Directory;
use rusqlite::Connection;
use rust_decimal::Decimal;

use super::customer::{Customer, PROFILES};
use super::records;

const EVENTS: &str = "bytelyst_bot_operational_events_total";

/// Determines the faults. With this seed there are calm moments soon after 25 s and after half an hour, and the short
/// version has lost answers, time-outs and a forgotten order.
const SEED: u64 = 2_590;

/// The time before a calm moment in which no fault is active, so that the bot has recovered: a ban ends 5 s after its
/// fault.
const RECOVERY: Duration = Duration::from_secs(6);

/// The time after a calm moment in which no fault begins, so that the shutdown can cancel all orders and book their
/// trades.
const SHUTDOWN: Duration = Duration::from_secs(3);

/// How long after its earliest time a calm moment is looked for.
const CALM_WITHIN: Duration = Duration::from_mins(2);

/// The time at the start in which the balances are read. The trading loop hangs until then.
const NO_TRADES: &str = "hang-trading@0s+10s";

/// From here on the resident memory must be flat: until then caches and histories fill.
const SETTLED: Duration = Duration::from_mins(5);

/// The growth of the resident memory that is not taken for a leak, as a part of its size.
const TOLERANCE: f64 = 0.05;

pub(super) fn random_faults_neither_crash_nor_bloat_the_bot_and_its_counters_equal_its_database() {
    let is_long = std::env::var_os("BOT_METRICS_LONG_TESTS").is_some();
    let end = calm_moment(if is_long { Duration::from_mins(30) } else { Duration::from_secs(25) });
    let directory = Directory::new();
    let file = directory.path().join("orders.db");
    let (path, seed) = (file.to_str().expect("UTF-8"), SEED.to_string());
    let options = ["--speed", "50", "--random-faults", &seed, "--db", path, "--drain", "50s"];
    let begin = Instant::now();
    let mut bot = start(&[&options[..], &["--fault", NO_TRADES]].concat());
    let exchange = bot.wait_to_say("exchange at ");
    let customers = PROFILES.map(|profile| Customer::new(&exchange, profile));
    let before = customers.each_ref().map(Customer::balances);
    let placed = bot.scrape().sum(EVENTS, &[("type", "ORDER_PLACED")]);
    assert_eq!(placed, 0.0, "the balances were read only after the first orders");
    let memory = watch_memory(&bot, begin + end);
    bot.signal(libc::SIGTERM);
    let _ = bot.wait_to_say("waiting up to 50s for one more scrape");
    let after = customers.each_ref().map(Customer::balances);
    let last = bot.scrape();
    let ended = bot.wait();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let is_deliberate = |line: &&str| {
        line.is_empty()
            || line.contains("panicked at examples/src/bin/paper-bot/monitor.rs")
            || line.contains("the fault panic-monitor is active")
            || line.starts_with("note: run with `RUST_BACKTRACE=1`")
    };
    let errors: Vec<_> = ended.stderr.lines().filter(|line| !is_deliberate(line)).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let faults = ended.stdout.matches(" begins: see ").count();
    println!(
        "{faults} faults in {end:?}; {}",
        ended.stdout.rsplit_once("summary").map_or("", |(_, end)| end)
    );
    // One of them is not random.
    assert!(faults > 1, "{}", ended.stdout);
    if is_long {
        assert_flat(&memory);
    }
    compare(&last, &file);
    assert_eq!(records::Database::read(&file).positions, records::changes(&customers, &before, &after));
}

/// The first moment after `earliest`, counted from the start of the bot, in which no fault is or was just active, nor
/// begins soon.
///
/// # Panics
///
/// If there is none within [`CALM_WITHIN`]: the seed needs to be another.
fn calm_moment(earliest: Duration) -> Duration {
    let latest = earliest + CALM_WITHIN;
    let mut calm_since = Duration::ZERO;
    for FaultWindow { after, lasts, .. } in RandomFaults::new(SEED, Fault::ALL) {
        let moment = earliest.max(calm_since + RECOVERY);
        assert!(
            moment <= latest,
            "with seed {SEED} there is no calm moment between {earliest:?} and {latest:?}"
        );
        if moment + SHUTDOWN <= after {
            return moment;
        }
        calm_since = calm_since.max(after + lasts.expect("random faults end"));
    }
    unreachable!("the faults have no end");
}

/// The resident memory in mebibytes, sampled until `end`.
fn watch_memory(bot: &Running, end: Instant) -> Vec<(Duration, f64)> {
    let begin = Instant::now();
    let mut memory = Vec::new();
    while Instant::now() < end {
        let resident = bot.scrape().value("process_resident_memory_bytes", &[]);
        memory.push((begin.elapsed(), resident.expect("it is exported") / 1_048_576.0));
        thread::sleep(Duration::from_secs(5).min(end.saturating_duration_since(Instant::now())));
    }
    memory
}

/// Compares the medians of the first five settled minutes and of the last five.
fn assert_flat(memory: &[(Duration, f64)]) {
    let end = memory.last().expect("samples").0;
    let median = |from: Duration, to: Duration| {
        let mut within: Vec<_> =
            memory.iter().filter(|(at, _)| (from..to).contains(at)).map(|(_, size)| *size).collect();
        within.sort_by(f64::total_cmp);
        within[within.len() / 2]
    };
    for (at, size) in memory.iter().step_by(12) {
        println!("{:5.0} s: {size:.1} MiB", at.as_secs_f64());
    }
    let (first, last) = (median(SETTLED, SETTLED * 2), median(end.saturating_sub(SETTLED), end));
    println!("resident memory: {first:.1} MiB from the fifth minute on, {last:.1} MiB at the end");
    assert!(last <= first * (1.0 + TOLERANCE), "it grew from {first} to {last} MiB");
}

/// Compares the counters of the last scrape with the rows of the database.
fn compare(last: &Samples, file: &Path) {
    let database = Connection::open(file).expect("the bot has closed it");
    let orders = "SELECT count(*) FROM orders WHERE profile = ?1 AND";
    let counts = [
        ("ORDER_PLACED", format!("{orders} order_id IS NOT NULL")),
        (
            "ORDER_FILLED",
            "SELECT count(*) FROM fills JOIN orders USING (client_id) WHERE profile = ?1".to_owned(),
        ),
        ("ORDER_CANCELLED", format!("{orders} ended = 'cancelled'")),
        ("ORDER_REJECTED", format!("{orders} ended = 'rejected'")),
        ("ORDER_FAILURE", format!("{orders} ended = 'refused'")),
    ];
    for profile in PROFILES {
        for (event, query) in &counts {
            let rows: u32 = database.query_row(query, [profile], |row| row.get(0)).expect("a count");
            let counted = last.sum(EVENTS, &[("type", event), ("profile_id", profile)]);
            println!("{profile} {event}: {counted} in the metrics, {rows} in the database");
            assert_eq!(counted, f64::from(rows), "{event} of {profile}");
        }
        let placed = last.sum(EVENTS, &[("type", "ORDER_PLACED"), ("profile_id", profile)]);
        assert!(placed > 0.0, "{profile} trades");
    }
    compare_positions(&database);
}

/// The positions are the sums of the fills after fees.
fn compare_positions(database: &Connection) {
    let mut fills = database
        .prepare("SELECT profile, symbol, side, f.price, f.quantity, fee, fee_asset FROM fills f JOIN orders USING (client_id)")
        .expect("a query");
    let mut sums = BTreeMap::<(String, String), (Decimal, Decimal)>::new();
    let mut rows = fills.query([]).expect("rows");
    while let Some(row) = rows.next().expect("a row") {
        let text = |column: usize| row.get::<_, String>(column).expect("text");
        let number = |column| text(column).parse::<Decimal>().expect("a number");
        let (symbol, fee) = (text(1), number(5));
        let bought = if text(2) == "BUY" { number(4) } else { -number(4) };
        let is_quote = text(6) == "USDT";
        let (quantity, cash) = sums.entry((text(0), symbol)).or_default();
        *quantity += bought - if is_quote { Decimal::ZERO } else { fee };
        *cash -= bought * number(3) + if is_quote { fee } else { Decimal::ZERO };
    }
    assert!(!sums.is_empty(), "no order was filled");
    for ((profile, symbol), sum) in sums {
        let position: (String, String) = database
            .query_row(
                "SELECT quantity, cash FROM positions WHERE profile = ?1 AND symbol = ?2",
                [&profile, &symbol],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .expect("a position");
        let parsed = |text: &str| text.parse::<Decimal>().expect("a number");
        assert_eq!((parsed(&position.0), parsed(&position.1)), sum, "{profile} {symbol}");
    }
}
