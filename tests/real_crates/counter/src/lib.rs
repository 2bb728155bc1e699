//! Counts the calls of annotated functions independently of bot-metrics, and writes both counts to a file at the end
//! of the process.
//!
//! Each annotated crate has a generated package with one counter per function, whose number is also the function's
//! label.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, fs, process, thread};

use bot_metrics::{Metrics, Mode, Settings};

/// The variable that names the directory for the counts. If it is unset, nothing is written.
pub const DIRECTORY: &str = "REAL_CRATES_COUNTS";

/// Counts a call of the function with this number.
pub fn called(counts: &'static [AtomicU64], function: usize) {
    write_counts_at_exit(counts);
    counts[function].fetch_add(1, Relaxed);
}

/// A future that counts a call at its first poll, as bot-metrics does.
#[derive(Debug)]
pub struct CountedFuture<F> {
    future: Pin<Box<F>>,
    uncounted: Option<(&'static [AtomicU64], usize)>,
}

impl<F: Future> CountedFuture<F> {
    /// Wraps a future of the function with this number.
    pub fn new(counts: &'static [AtomicU64], function: usize, future: F) -> Self {
        Self { future: Box::pin(future), uncounted: Some((counts, function)) }
    }
}

impl<F: Future> Future for CountedFuture<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        if let Some((counts, function)) = self.uncounted.take() {
            called(counts, function);
        }
        self.future.as_mut().poll(context)
    }
}

struct Run {
    counts: &'static [AtomicU64],
    metrics: Metrics,
}

static RUN: OnceLock<Run> = OnceLock::new();

fn write_counts_at_exit(counts: &'static [AtomicU64]) {
    RUN.get_or_init(|| {
        let metrics = Settings::new(Mode::Paper).install().expect("the annotations contradict nothing");
        // SAFETY: the function takes and returns nothing, and aborts instead of unwinding through C.
        let status = unsafe { libc::atexit(write_counts) };
        assert_eq!(status, 0, "the process accepts a function to run at its end");
        Run { counts, metrics }
    });
}

extern "C" fn write_counts() {
    let (Some(run), Some(directory)) = (RUN.get(), env::var_os(DIRECTORY)) else { return };
    // Other threads may still run, so that one of their calls is in one count and not yet in the other.
    let mut lines = run.lines();
    for _ in 0..100 {
        if lines.iter().all(|line| line.is_consistent()) {
            break;
        }
        thread::sleep(Duration::from_millis(10));
        lines = run.lines();
    }
    let text: String = lines.iter().map(Line::to_text).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let file = std::path::Path::new(&directory).join(format!("{}-{now}", process::id()));
    fs::write(file, text).expect("a directory to write to");
}

/// A function's counts.
struct Line {
    function: usize,
    calls: u64,
    counts: Recorded,
}

/// The recordings of bot-metrics for a function, by family. A function has series only in the families of its
/// attributes.
#[derive(Clone, Copy, Default)]
struct Recorded {
    ended: Option<u64>,
    in_progress: Option<u64>,
    events: Option<u64>,
}

impl Line {
    /// Whether each call was recorded, and each call that ended is an event if the function has one.
    fn is_consistent(&self) -> bool {
        let Recorded { ended, in_progress, events } = self.counts;
        ended.unwrap_or(0) + in_progress.unwrap_or(0) == self.calls && (events.is_none() || events == ended)
    }

    fn to_text(&self) -> String {
        let Recorded { ended, in_progress, events } = self.counts;
        let events = events.map_or_else(|| "-".to_owned(), |events| events.to_string());
        format!(
            "{} {} {} {} {events}\n",
            self.function,
            self.calls,
            ended.unwrap_or(0),
            in_progress.unwrap_or(0)
        )
    }
}

impl Run {
    /// The counts of each function that is linked.
    fn lines(&self) -> Vec<Line> {
        let calls: Vec<_> = self.counts.iter().map(|count| count.load(Relaxed)).collect();
        let mut recorded = recorded(&self.metrics.exposition());
        let mut lines = Vec::new();
        for (function, calls) in calls.into_iter().enumerate() {
            let counts = recorded.remove(&function);
            if calls > 0 || counts.is_some() {
                lines.push(Line { function, calls, counts: counts.unwrap_or_default() });
            }
        }
        lines
    }
}

fn recorded(exposition: &str) -> BTreeMap<usize, Recorded> {
    let mut recorded: BTreeMap<usize, Recorded> = BTreeMap::new();
    for line in exposition.lines() {
        let Some((name, rest)) = line.split_once('{') else { continue };
        let Some((labels, value)) = rest.rsplit_once("} ") else { continue };
        let (label, count): (_, fn(&mut Recorded) -> &mut Option<u64>) =
            match name.trim_start_matches("bytelyst_bot_") {
                "exchange_api_requests_total" => ("operation", |recorded| &mut recorded.ended),
                "exchange_api_in_flight" => ("operation", |recorded| &mut recorded.in_progress),
                "subsystem_runs_total" => ("subsystem", |recorded| &mut recorded.ended),
                "subsystem_in_progress" => ("subsystem", |recorded| &mut recorded.in_progress),
                "operational_events_total" => ("type", |recorded| &mut recorded.events),
                _ => continue,
            };
        if let (Some(function), Ok(value)) = (function(labels, label), value.parse::<u64>()) {
            *count(recorded.entry(function).or_default()).get_or_insert(0) += value;
        }
    }
    recorded
}

/// The function's number in the value `f17` of this label.
fn function(labels: &str, label: &str) -> Option<usize> {
    let labels = labels.split(',').filter_map(|pair| pair.split_once('='));
    let value = labels.filter(|(name, _)| *name == label).map(|(_, value)| value).next()?;
    value.trim_matches('"').strip_prefix('f')?.parse().ok()
}
