//! The status of the bot: what it says, and what it costs.

use std::time::{Duration, Instant};

use bot_metrics::status::{Level, Status, SubsystemState};
use bot_metrics_tests::demo::Running;
use bot_metrics_tests::paper_bot;

/// The most that an answer may take, and its size.
const LONGEST: Duration = Duration::from_millis(1);
const LARGEST: usize = 64 * 1024;

fn status(bot: &Running, since: u64) -> (Status, usize) {
    let (code, body) = bot.get(&format!("/status.json?since={since}"));
    assert_eq!(code, 200, "{body}");
    (serde_json::from_str(&body).expect("a status"), body.len())
}

/// Runs for 20 s, or with `BOT_METRICS_LONG_TESTS` until the history is full, and prints the figures.
#[test]
fn the_status_agrees_with_the_metrics_and_is_small() {
    let long = std::env::var_os("BOT_METRICS_LONG_TESTS").is_some();
    let bot = paper_bot::start(&["--speed", "10"]);
    let wait = Duration::from_secs(if long { 15 * 60 + 30 } else { 20 });
    let start = Instant::now();
    while start.elapsed() < wait {
        std::thread::sleep(Duration::from_millis(500));
    }
    let (complete, size) = status(&bot, 0);
    assert_eq!(complete.verdict.level, Level::Ok, "{:?}", complete.verdict);
    assert!(complete.subsystems.iter().all(|subsystem| subsystem.state == SubsystemState::Fresh));
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

fn took(bot: &Running, since: u64) -> Duration {
    let start = Instant::now();
    let (code, _) = bot.get(&format!("/status.json?since={since}"));
    let took = start.elapsed();
    assert_eq!(code, 200);
    took
}
