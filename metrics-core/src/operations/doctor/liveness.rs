//! Whether the loops run and the clocks agree.

use std::time::{Duration, SystemTime};

use super::finding::{BotFinding, Check, FindingLevel};
use super::page::ScrapedPage;
use super::scrape::Scraped;
use crate::catalogue::{
    Family, PROCESS_START_TIME_SECONDS, SUBSYSTEM_ALIVE, SUBSYSTEM_IN_PROGRESS,
    SUBSYSTEM_LAST_ATTEMPT_TIMESTAMP_SECONDS,
};
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

const STALLED: &str = "Its cycles fail, or its task has ended: see the outcomes in subsystem_runs_total and the bot's log. \
                       Pause or disable a loop that is not meant to run.";

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
    let name = |family: &Family| family.full_name(&expected.namespace);
    let of = |family: &Family, subsystem: &str| {
        let family = name(family);
        page.series(&family)
            .iter()
            .find(|series| series.label("subsystem") == subsystem)
            .map(|series| series.value)
    };
    let now = unix_seconds(scraped.date.unwrap_or(scraped.middle));
    let age = |since: f64| format!("{:.0} s", (now - since).max(0.0));
    let started = page.value(PROCESS_START_TIME_SECONDS.name);
    let stalled = page.series(&name(&SUBSYSTEM_ALIVE)).iter().filter(|series| series.value == 0.0);
    stalled
        .map(|series| {
            let subsystem = series.label("subsystem");
            let is_running = of(&SUBSYSTEM_IN_PROGRESS, subsystem).is_some_and(|count| count > 0.0);
            let (problem, advice) =
                match (is_running, of(&SUBSYSTEM_LAST_ATTEMPT_TIMESTAMP_SECONDS, subsystem)) {
                    (true, Some(ended)) => (
                        format!("hangs: a run is in progress, and the last one ended {} ago", age(ended)),
                        HANGS,
                    ),
                    (true, None) => {
                        let since =
                            started.map(|started| format!(" {} ago", age(started))).unwrap_or_default();
                        (format!("running since the start{since}: no run has ended yet"), ENDLESS)
                    }
                    (false, Some(ended)) => {
                        (format!("stalled: the last run ended {} ago", age(ended)), STALLED)
                    }
                    (false, None) => {
                        ("stalled: no run has ended yet, and none is in progress".to_owned(), STALLED)
                    }
                };
            BotFinding::violation(Check::Loop, format!("loop {subsystem}"), problem, advice)
        })
        .collect()
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
