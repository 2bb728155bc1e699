//! The status of the bot: what it says, and what it costs.

use std::time::{Duration, Instant};

use bot_metrics::status::{Level, Status, SubsystemState};
use bot_metrics_tests::demo::Running;
use bot_metrics_tests::paper_bot;

/// The most that an answer may take, and its size.
const LONGEST: Duration = Duration::from_millis(1);
const LARGEST: usize = 64 * 1024;

/// After this time the history is full.
const FULL_HISTORY: Duration = Duration::from_secs(15 * 60 + 30);

const PATIENCE: Duration = Duration::from_mins(1);

fn status(bot: &Running, since: u64) -> (Status, usize) {
    let (code, body) = bot.get(&format!("/status.json?since={since}"));
    assert_eq!(code, 200, "{body}");
    (serde_json::from_str(&body).expect("a status"), body.len())
}

/// Runs until there is a history, or with `BOT_METRICS_LONG_TESTS` until it is full, and prints the figures.
pub(super) fn the_status_agrees_with_the_metrics_and_is_small() {
    let long = std::env::var_os("BOT_METRICS_LONG_TESTS").is_some();
    let bot = paper_bot::start(&["--speed", "10"]);
    if long {
        std::thread::sleep(FULL_HISTORY);
    }
    let (complete, size) = wait_until_well(&bot);
    let (next, next_size) = status(&bot, complete.sequence);
    assert!(next.history.sequence.len() <= 2 && next_size < size);
    let samples = bot.scrape();
    for operation in &next.operations {
        let labels = [("exchange", &*operation.exchange), ("operation", &*operation.operation)];
        let later = samples.value("bytelyst_bot_exchange_api_latency_seconds_count", &labels);
        #[expect(clippy::cast_precision_loss, reason = "few")]
        let earlier = operation.calls as f64;
        assert!(later.is_some_and(|later| (earlier..earlier + 1_000.0).contains(&later)), "{operation:?}");
    }
    let history = complete.history;
    println!("{} steps: {size} bytes complete, {next_size} bytes with since", history.sequence.len());
    assert!(size <= LARGEST && next_size <= LARGEST);
    for (since, what) in [(0, "complete"), (complete.sequence, "with since")] {
        let mut took: Vec<_> = (0..200).map(|_| took(&bot, since)).collect();
        took.sort_unstable();
        println!("{what}: median {:?}, 99th percentile {:?}, with the client's part", took[100], took[198]);
        // A debug build or a busy machine says nothing.
        assert!(!long || took[100] <= LONGEST, "{what}: {:?}", took[100]);
    }
}

/// The first complete status that has a history, and in which all is well: a busy machine may delay a cycle for a moment.
fn wait_until_well(bot: &Running) -> (Status, usize) {
    let patience = Instant::now() + PATIENCE;
    loop {
        let (complete, size) = status(bot, 0);
        let is_fresh = complete.subsystems.iter().all(|subsystem| subsystem.state == SubsystemState::Fresh);
        let has_history = complete.history.sequence.len() >= 3;
        if complete.verdict.level == Level::Ok && is_fresh && has_history {
            return (complete, size);
        }
        assert!(Instant::now() < patience, "{:?} {:?}", complete.verdict, complete.subsystems);
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn took(bot: &Running, since: u64) -> Duration {
    let start = Instant::now();
    let (code, _) = bot.get(&format!("/status.json?since={since}"));
    let took = start.elapsed();
    assert_eq!(code, 200);
    took
}
