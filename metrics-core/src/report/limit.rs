//! The rate limit of reports.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// The subject of a report. Each has its own rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(
    not(all(feature = "server", feature = "tracing")),
    expect(dead_code, reason = "some features have topics of their own")
)]
pub(crate) enum Topic {
    /// The time stamp counter is not used.
    Clock,
    /// Something was recorded but no settings are installed.
    NotInstalled,
    /// The server serves no metrics, because the feature is disabled.
    SwitchedOff,
    /// Two call sites give one subsystem different ages.
    MaxAge,
    /// A foreign collector failed, or some of its families are not served.
    Foreign,
    /// The source of exemplars panicked.
    Exemplars,
    /// There are more reconciliations than the limit on names.
    Reconciliations,
    /// An event has an unknown type.
    EventType,
    /// A connection was not accepted.
    Accept,
    /// A server was dropped at once.
    ServerDropped,
    /// A page took too long to render.
    LatePage,
    /// A client was refused.
    Refused,
    /// The web configuration has changed.
    WebConfig,
    /// Everybody who reaches the address can read the metrics of a live bot.
    Unprotected,
    /// A page panicked.
    BrokenPage,
}

/// The maximum number of lines of a topic in any of its minutes: enough to show that a problem persists. A listener
/// without this limit wrote 4.98 GB of log while it was out of file descriptors.
const LINES_OF_A_TOPIC: usize = 10;

/// The maximum number of these from one source, so that it leaves some to others.
const LINES_OF_A_PLACE: usize = 3;

const MINUTE: Duration = Duration::from_secs(60);

/// The recent lines of each topic.
#[derive(Default)]
pub(super) struct ReportLimits(BTreeMap<Topic, Minute>);

/// A minute of a topic, which begins with a line.
#[derive(Default)]
struct Minute {
    began: Option<Instant>,
    /// The source of each line.
    places: Vec<String>,
    /// The number since the last delivered line.
    suppressed: u64,
}

/// Permission to deliver a line, which ends with this text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Permit {
    /// The number of lines of the topic that were suppressed before this one.
    suppressed: u64,
    /// Whether the next one would be suppressed.
    is_last: bool,
}

impl ReportLimits {
    pub(super) fn permit(&mut self, topic: Topic, place: &str, now: Instant) -> Option<Permit> {
        self.0.entry(topic).or_default().permit(place, now)
    }
}

impl Minute {
    fn permit(&mut self, place: &str, now: Instant) -> Option<Permit> {
        if self.began.is_none_or(|began| now.saturating_duration_since(began) >= MINUTE) {
            self.began = Some(now);
            self.places.clear();
        }
        let is_full = |places: &[String]| {
            places.len() >= LINES_OF_A_TOPIC
                || places.iter().filter(|told| *told == place).count() >= LINES_OF_A_PLACE
        };
        if is_full(&self.places) {
            self.suppressed = self.suppressed.saturating_add(1);
            return None;
        }
        self.places.push(place.to_owned());
        Some(Permit { suppressed: std::mem::take(&mut self.suppressed), is_last: is_full(&self.places) })
    }
}

impl fmt::Display for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.suppressed > 0 {
            write!(f, " ({} more suppressed)", self.suppressed)?;
        }
        if self.is_last {
            f.write_str(" (more within this minute are suppressed)")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPICS: [Topic; 2] = [Topic::Clock, Topic::MaxAge];

    /// The number of delivered lines out of 100, from alternating sources.
    fn told(limits: &mut ReportLimits, topic: Topic, places: &[&str], now: Instant) -> usize {
        let places = places.iter().cycle().take(100);
        places.filter(|place| limits.permit(topic, place, now).is_some()).count()
    }

    #[test]
    fn a_source_leaves_lines_to_others_and_a_topic_to_other_topics() {
        let (mut limits, now) = (ReportLimits::default(), Instant::now());
        assert_eq!(told(&mut limits, TOPICS[0], &["one"], now), LINES_OF_A_PLACE);
        assert_eq!(told(&mut limits, TOPICS[0], &["two"], now), LINES_OF_A_PLACE);
        let rest = LINES_OF_A_TOPIC - 2 * LINES_OF_A_PLACE;
        assert_eq!(told(&mut limits, TOPICS[0], &["three", "four", "five", "six"], now), rest);
        assert_eq!(told(&mut limits, TOPICS[1], &["one"], now), LINES_OF_A_PLACE);
    }

    #[test]
    fn every_line_is_delivered_or_counted() {
        let (mut limits, mut now) = (ReportLimits::default(), Instant::now());
        let (mut lines, mut told, mut suppressed) = (0, 0, 0);
        for _ in 0..10 {
            for place in ["one", "two"].into_iter().cycle().take(100) {
                lines += 1;
                if let Some(permit) = limits.permit(TOPICS[0], place, now) {
                    told += 1;
                    suppressed += permit.suppressed;
                }
            }
            now += MINUTE;
        }
        let last = limits.permit(TOPICS[0], "one", now).expect("another minute");
        assert_eq!(told, 10 * 2 * LINES_OF_A_PLACE);
        assert_eq!(told as u64 + suppressed + last.suppressed, lines);
    }

    #[test]
    fn the_last_line_before_silence_says_so() {
        let (mut limits, now) = (ReportLimits::default(), Instant::now());
        let permits = |limits: &mut ReportLimits| -> Vec<_> {
            (0..5).map_while(|_| limits.permit(TOPICS[0], "one", now)).map(|permit| permit.is_last).collect()
        };
        assert_eq!(permits(&mut limits), [false, false, true]);
    }
}
