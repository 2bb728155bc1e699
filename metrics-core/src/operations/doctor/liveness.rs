//! Whether the loops run and the clocks agree.

use std::time::{Duration, SystemTime};

use super::finding::{BotFinding, Check, FindingLevel};
use super::page::ScrapedPage;
use super::scrape::Scraped;
use crate::catalogue::{
    Family, PROCESS_START_TIME_SECONDS, SUBSYSTEM_ALIVE, SUBSYSTEM_IN_PROGRESS,
    SUBSYSTEM_LAST_ATTEMPT_TIMESTAMP_SECONDS, SUBSYSTEM_LAST_RUN_TIMESTAMP, SUBSYSTEM_MAX_AGE_SECONDS,
};
use crate::families::subsystem::DEFAULT_MAX_AGE;
use crate::linked::LinkedCatalogue;

/// The difference of the clocks in seconds above which ages in rules are visibly wrong.
const NOTICEABLE: f64 = 2.0;

/// The difference of the clocks in seconds above which alerts on ages are wrong: half of the default maximum age.
const TOO_LARGE: f64 = 30.0;

/// The age in seconds above which Prometheus does not return a sample any more.
const STALE: f64 = 300.0;

const HANGS: &str = "A call without a timeout hangs; the status page says since when. Give each call to the exchange and \
                     to the database a timeout.";

const ENDLESS: &str = "The attribute is on a function that never returns. Annotate the body of one cycle instead of the \
                       endless loop.";

const FAILS: &str = "The outcomes in subsystem_runs_total and the bot's log say why its cycles fail.";

const STALLED: &str = "Its task has ended, or nothing starts its cycles: see the bot's log. Pause or disable a loop that is \
                       not meant to run.";

const SKEW: &str =
    "Synchronise both clocks (NTP): rules compare the bot's timestamps with Prometheus' clock.";

const OLD_SAMPLE: &str = "Prometheus treats samples older than 5 minutes as gone. Export no timestamps.";

pub(super) fn check(page: &ScrapedPage, scraped: &Scraped, expected: &LinkedCatalogue) -> Vec<BotFinding> {
    let mut findings = loops(page, scraped, expected);
    findings.extend(skew(scraped));
    findings.extend(future(page, scraped, expected));
    findings.extend(old_samples(page, scraped));
    findings
}

fn unix_seconds(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64()
}

/// Loops that have not succeeded within their maximum age.
fn loops(page: &ScrapedPage, scraped: &Scraped, expected: &LinkedCatalogue) -> Vec<BotFinding> {
    let now = unix_seconds(scraped.date.unwrap_or(scraped.middle));
    let alive = page.series(&SUBSYSTEM_ALIVE.full_name(&expected.namespace));
    let stalled = alive.iter().filter(|series| series.value == 0.0).map(|series| {
        let subsystem = series.label("subsystem");
        let (problem, advice) =
            StalledLoop { subsystem, page, namespace: &expected.namespace, now }.problem();
        BotFinding::violation(Check::Loop, format!("loop {subsystem}"), problem, advice)
    });
    stalled.collect()
}

/// A loop that has not succeeded within its maximum age.
struct StalledLoop<'a> {
    subsystem: &'a str,
    page: &'a ScrapedPage,
    namespace: &'a str,
    now: f64,
}

impl StalledLoop<'_> {
    /// The fault and the advice.
    fn problem(&self) -> (String, &'static str) {
        let is_running = self.value(&SUBSYSTEM_IN_PROGRESS).is_some_and(|count| count > 0.0);
        let max_age = self.value(&SUBSYSTEM_MAX_AGE_SECONDS).unwrap_or(DEFAULT_MAX_AGE.as_secs_f64());
        let success = self.age(&SUBSYSTEM_LAST_RUN_TIMESTAMP);
        match (self.age(&SUBSYSTEM_LAST_ATTEMPT_TIMESTAMP_SECONDS), is_running) {
            (Some(ended), _) if ended <= max_age => {
                let success = success.map_or("never".to_owned(), |age| format!("{age:.0} s ago"));
                (format!("fails: the last run ended {ended:.0} s ago, the last success was {success}"), FAILS)
            }
            (Some(ended), true) => (
                format!(
                    "hangs, or takes longer than its maximum age: a run is in progress, and the last one ended {ended:.0} s ago"
                ),
                HANGS,
            ),
            (Some(ended), false) => (format!("stalled: the last run ended {ended:.0} s ago"), STALLED),
            (None, true) => {
                let started = self.page.value(PROCESS_START_TIME_SECONDS.name);
                let since = started.map(|started| format!(" {:.0} s ago", (self.now - started).max(0.0)));
                let since = since.unwrap_or_default();
                (format!("running since the start{since}: no run has ended yet"), ENDLESS)
            }
            (None, false) => match success {
                // A bot without the extensions exports only the time of the last success.
                Some(age) => (format!("stalled: the last success was {age:.0} s ago"), STALLED),
                None => ("stalled: no run has ended yet, and none is in progress".to_owned(), STALLED),
            },
        }
    }

    /// The value of the loop's series of a family.
    fn value(&self, family: &Family) -> Option<f64> {
        let series = self.page.series(&family.full_name(self.namespace));
        series.iter().find(|series| series.label("subsystem") == self.subsystem).map(|series| series.value)
    }

    /// The time in seconds since the loop's timestamp of a family.
    fn age(&self, family: &Family) -> Option<f64> {
        self.value(family).map(|time| (self.now - time).max(0.0))
    }
}

fn skew(scraped: &Scraped) -> Option<BotFinding> {
    // A date names the second in which it was.
    let skew = unix_seconds(scraped.date?) + 0.5 - unix_seconds(scraped.middle);
    let direction = if skew > 0.0 { "ahead of" } else { "behind" };
    let problem = format!("the bot's clock is {:.0} s {direction} this machine's", skew.abs());
    let level = match skew.abs() {
        skew if skew > TOO_LARGE => FindingLevel::Violation,
        skew if skew > NOTICEABLE => FindingLevel::Improvement,
        _ => return None,
    };
    Some(BotFinding::new(level, Check::Clock, "Date", problem, SKEW))
}

/// Timestamps after the time at which this machine read them.
fn future(page: &ScrapedPage, scraped: &Scraped, expected: &LinkedCatalogue) -> Vec<BotFinding> {
    let now = unix_seconds(scraped.middle);
    let is_time = |name: &str| {
        name.ends_with("_timestamp")
            || name.ends_with("_timestamp_seconds")
            || name == PROCESS_START_TIME_SECONDS.name
    };
    let families = expected.families.iter().filter(|family| is_time(&family.name));
    families
        .filter_map(|family| {
            let latest =
                page.series(&family.name).iter().max_by(|one, other| one.value.total_cmp(&other.value))?;
            let ahead = latest.value - now;
            let problem = format!("the time is {ahead:.0} s in the future");
            let finding = || BotFinding::violation(Check::Clock, latest.shown(&family.name), problem, SKEW);
            (ahead > NOTICEABLE).then(finding)
        })
        .collect()
}

fn old_samples(page: &ScrapedPage, scraped: &Scraped) -> Option<BotFinding> {
    let now = unix_seconds(scraped.middle);
    let stamped = page.families.iter().flat_map(|(name, family)| {
        family.series.iter().filter_map(move |series| Some((name, series, series.timestamp_ms?)))
    });
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of Unix time are exact")]
    let old: Vec<_> = stamped.filter(|(.., time)| now - *time as f64 / 1_000.0 > STALE).collect();
    let (name, series, _) = old.first()?;
    let problem = format!("{} samples have timestamps more than 5 minutes ago", old.len());
    Some(BotFinding::violation(Check::Clock, series.shown(name), problem, OLD_SAMPLE))
}
