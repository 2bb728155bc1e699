//! For tests: an instance of one's own, a clock to steer, and a reader of samples.
//!
//! ```
//! use bot_metrics::labels::Subsystem;
//! use bot_metrics::testing::{Samples, instance};
//! use bot_metrics::Outcome;
//! use std::time::Duration;
//!
//! let (metrics, clock) = instance();
//! let trading = metrics.subsystem(Subsystem::Trading).with_max_age(Duration::from_secs(5))?;
//! let run = trading.start();
//! clock.advance(Duration::from_millis(200));
//! run.finish(Outcome::Ok);
//!
//! let samples = Samples::of(&metrics);
//! assert_eq!(samples.value("bytelyst_bot_subsystem_duration_seconds_sum", &[("subsystem", "trading")]), Some(0.2));
//! # Ok::<(), bot_metrics::Error>(())
//! ```

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Steering};
use crate::{Metrics, Mode, Settings};

/// An instance with the default settings in paper mode, and the clock that it reads.
///
/// # Panics
///
/// Never: the defaults are legal.
#[must_use]
pub fn instance() -> (Metrics, SteeredClock) {
    let (settings, clock) = steered(Settings::new(Mode::Paper));
    (settings.build().expect("the defaults are legal"), clock)
}

/// `settings` with a clock to steer.
#[must_use]
pub fn steered(mut settings: Settings) -> (Settings, SteeredClock) {
    let clock = SteeredClock::new();
    settings.clock = Clock::Steered(Arc::new(clock.clone()));
    (settings, clock)
}

/// Has the machine's clock trust the time stamp counter of a processor that does not vouch for it, as the one that
/// callgrind emulates: instructions are counted on the path that a bot takes. Before anything else of this crate.
pub fn trust_time_stamps() {
    crate::clock::TRUST.store(true, Relaxed);
}

/// A clock that stands still until it is told otherwise. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct SteeredClock(Arc<Mutex<Times>>);

#[derive(Clone, Copy, Debug)]
struct Times {
    monotonic: Duration,
    boot_time: Duration,
    wall: Duration,
}

impl SteeredClock {
    /// 2025-01-01 00:00:00 UTC, on a machine that was up for an hour.
    const WALL: Duration = Duration::from_hours(482_136);

    fn new() -> Self {
        let up = Duration::from_hours(1);
        Self(Arc::new(Mutex::new(Times { monotonic: up, boot_time: up, wall: Self::WALL })))
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let mut times = self.times();
        times.monotonic += by;
        times.boot_time += by;
        times.wall += by;
    }

    /// Lets time pass while the machine sleeps.
    pub fn suspend(&self, by: Duration) {
        let mut times = self.times();
        times.boot_time += by;
        times.wall += by;
    }

    /// Sets the wall clock, as somebody or a time server does.
    pub fn set_wall(&self, since_epoch: Duration) {
        self.times().wall = since_epoch;
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Steering for SteeredClock {
    fn monotonic(&self) -> Duration {
        self.times().monotonic
    }

    fn boot_time(&self) -> Duration {
        self.times().boot_time
    }

    fn wall(&self) -> Duration {
        self.times().wall
    }
}

/// The samples of an exposition in the text format, by name and labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples(BTreeMap<Series, f64>);

/// A sample's name and its labels, sorted by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    /// With the suffix `_bucket`, `_sum` or `_count` of a histogram.
    pub name: String,
    /// The default labels among them.
    pub labels: BTreeMap<String, String>,
}

impl Samples {
    /// What `metrics` would serve now.
    ///
    /// # Panics
    ///
    /// Where the exposition cannot be read.
    #[must_use]
    pub fn of(metrics: &Metrics) -> Self {
        Self::parse(&metrics.exposition()).expect("our own exposition is legal")
    }

    /// Reads an exposition.
    ///
    /// # Errors
    ///
    /// Names the first line that is no comment and no sample, or that repeats a series.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut samples = BTreeMap::new();
        for (number, line) in
            text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        {
            let (series, value) =
                parse_line(line).ok_or_else(|| format!("line {}: no sample: {line}", number + 1))?;
            if samples.insert(series, value).is_some() {
                return Err(format!("line {}: this series stands above already: {line}", number + 1));
            }
        }
        Ok(Self(samples))
    }

    /// The value of the one series with this name and at least these labels; none where there is no such series.
    ///
    /// # Panics
    ///
    /// Where several series fit.
    #[must_use]
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut fitting = self.matching(name, labels);
        let found = fitting.next();
        if let (Some((one, _)), Some((other, _))) = (found, fitting.next()) {
            panic!("{name} with {labels:?} is several series, {one:?} and {other:?} among them");
        }
        found.map(|(_, value)| value)
    }

    /// The sum of all series with this name and at least these labels.
    #[must_use]
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.matching(name, labels).map(|(_, value)| value).sum()
    }

    /// Every series with this name and at least these labels.
    pub fn matching<'a>(
        &'a self,
        name: &'a str,
        labels: &'a [(&'a str, &'a str)],
    ) -> impl Iterator<Item = (&'a Series, f64)> + 'a {
        self.iter().filter(move |(series, _)| {
            series.name == name
                && labels
                    .iter()
                    .all(|(name, value)| series.labels.get(*name).is_some_and(|found| found == value))
        })
    }

    /// Every series, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&Series, f64)> {
        self.0.iter().map(|(series, value)| (series, *value))
    }
}

fn parse_line(line: &str) -> Option<(Series, f64)> {
    let (name, rest) = line.split_at(line.find(['{', ' '])?);
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => parse_labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    let value = value.trim_start().split(' ').next()?.parse().ok()?;
    Some((Series { name: name.to_owned(), labels }, value))
}

/// The labels up to the closing brace, and what stands behind it.
fn parse_labels(mut rest: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        if let Some(behind) = rest.strip_prefix('}') {
            return Some((labels, behind));
        }
        let (name, quoted) = rest.split_once("=\"")?;
        let (value, behind) = parse_quoted(quoted)?;
        if labels.insert(name.to_owned(), value).is_some() {
            return None;
        }
        rest = behind.strip_prefix(',').unwrap_or(behind);
    }
}

/// The text up to the closing quote, unescaped, and what stands behind it.
fn parse_quoted(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[index + 1..])),
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                escaped @ ('\\' | '"') => escaped,
                _ => return None,
            }),
            plain => value.push(plain),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_with_escapes_and_infinities() {
        let text = "# HELP a b\n# TYPE a gauge\na{x=\"q\\\"\\\\\\n,}\",y=\"\"} +Inf\nb 2 1700000000\n";
        let samples = Samples::parse(text).expect("legal");
        assert_eq!(samples.value("a", &[("x", "q\"\\\n,}")]), Some(f64::INFINITY));
        assert_eq!(samples.value("b", &[]), Some(2.0));
        assert_eq!(samples.value("c", &[]), None);
    }

    #[test]
    fn what_is_no_sample_is_refused_with_its_line() {
        for (text, line) in [
            ("a 1\nnonsense", "line 2"),
            ("a{x=\"1\"", "line 1"),
            ("a{x=\"1\",x=\"1\"} 1", "line 1"),
            ("a 1\na 2", "line 2"),
            ("a{} one", "line 1"),
        ] {
            let error = Samples::parse(text).expect_err(text);
            assert!(error.starts_with(line), "{error}");
        }
    }
}
