//! The findings about a running bot.

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FindingLevel {
    /// Nothing has to be done.
    Information,
    /// Rules and dashboards work, but something should be changed.
    Improvement,
    /// The scrape fails, or rules and dashboards show something wrong.
    Violation,
}

/// The checks, by which findings are filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Check {
    /// Whether the page arrives as a scrape of Prometheus.
    Scrape,
    /// Whether the page keeps the rules of its format.
    Conformance,
    /// Whether expected families are exported, and no others.
    Family,
    /// Whether families have the expected types.
    Type,
    /// Whether series have the expected labels and values.
    Label,
    /// Whether histograms have the expected buckets.
    Bucket,
    /// Whether each annotated function was called.
    Coverage,
    /// Whether the loops run.
    Loop,
    /// Whether the clocks agree.
    Clock,
    /// Whether Prometheus has the series, and answers the queries of the rules and panels.
    Prometheus,
}

/// The word for a level or a check, as on the command line.
pub(super) fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

/// A difference between the bot and the expectation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct BotFinding {
    pub(super) level: FindingLevel,
    pub(super) check: Check,
    /// The address, family, series, function or query that the finding is about.
    pub(super) subject: String,
    pub(super) problem: String,
    /// What to do; empty if nothing.
    pub(super) advice: &'static str,
}

impl BotFinding {
    pub(super) fn new(
        level: FindingLevel,
        check: Check,
        subject: impl Into<String>,
        problem: impl Into<String>,
        advice: &'static str,
    ) -> Self {
        Self { level, check, subject: subject.into(), problem: problem.into(), advice }
    }

    pub(super) fn violation(
        check: Check,
        subject: impl Into<String>,
        problem: impl Into<String>,
        advice: &'static str,
    ) -> Self {
        Self::new(FindingLevel::Violation, check, subject, problem, advice)
    }
}

impl fmt::Display for BotFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}: {}", word(&self.level), word(&self.check), self.subject, self.problem)?;
        if self.advice.is_empty() { Ok(()) } else { write!(f, "\n    {}", self.advice) }
    }
}
