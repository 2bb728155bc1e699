//! A page that stays open.

use std::env;
use std::thread;
use std::time::{Duration, Instant};

use bot_metrics_tests::paper_bot;
use libtest_mimic::{Failed, Trial};
use serde_json::json;

use crate::Outcome;
use crate::browser::Browser;

/// By then the page has drawn everything, and its scripts are compiled.
const WARM_UP: Duration = Duration::from_mins(1);
const OPEN: Duration = Duration::from_mins(10);
const SAMPLE_EVERY: Duration = Duration::from_secs(30);
/// The history of the page grows until it has 15 minutes: 180 rows of 6 numbers for each operation.
const ALLOWED_GROWTH: u64 = 1024 * 1024;
/// Events and notes come and go, each with a row of at most 20 nodes; a node that an answer leaks would be one a second.
const ALLOWED_NODES: u64 = 300;

pub(crate) fn trial() -> Trial {
    let is_long = env::var_os("BOT_METRICS_LONG_TESTS").is_some();
    Trial::test("a_page_open_for_ten_minutes_takes_no_more_memory", ten_minutes).with_ignored_flag(!is_long)
}

fn ten_minutes() -> Outcome {
    let bot = paper_bot::start(&[]);
    let browser = Browser::open(bot.url())?;
    thread::sleep(WARM_UP);
    let (first, elements) = used(&browser)?;
    println!("after {WARM_UP:?}: {first} bytes, {elements} nodes");
    let start = Instant::now();
    let mut last = (first, elements);
    while start.elapsed() < OPEN {
        thread::sleep(SAMPLE_EVERY);
        last = used(&browser)?;
        println!("after {:?}: {} bytes, {} nodes", WARM_UP + start.elapsed(), last.0, last.1);
    }
    assert!(last.0 < first + ALLOWED_GROWTH, "the heap grew from {first} to {} bytes", last.0);
    assert!(last.1 < elements + ALLOWED_NODES, "the nodes became {} of {elements}", last.1);
    browser.check_for_errors()
}

/// The bytes of the page's heap and the number of its nodes that are in use.
fn used(browser: &Browser) -> Result<(u64, u64), Failed> {
    browser.cdp("HeapProfiler.collectGarbage", json!({}))?;
    browser.cdp("Performance.enable", json!({}))?;
    let metrics = browser.cdp("Performance.getMetrics", json!({}))?;
    let value = |name: &str| -> Result<u64, Failed> {
        let all = metrics["metrics"].as_array().into_iter().flatten();
        let found = all.filter(|metric| metric["name"] == name).find_map(|metric| metric["value"].as_u64());
        found.ok_or_else(|| format!("Chromium does not measure {name}").into())
    };
    Ok((value("JSHeapUsedSize")?, value("Nodes")?))
}
