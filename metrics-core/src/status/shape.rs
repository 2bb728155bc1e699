//! The current state of a bot.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::number;
use super::past::History;
use super::reason::Verdict;
use crate::AgeOrigin;

/// The version of [`Status`] and [`Catalogue`](super::Catalogue).
pub const VERSION: u32 = 1;

/// Everything that the status page shows; from [`Metrics::status`](crate::Metrics::status), and `/status.json`.
///
/// Moments are Unix seconds with a resolution of 1 ms. Durations and ages are seconds, never negative. `None`, in JSON
/// `null`, means that a figure is not known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Status {
    /// The version of this shape, [`VERSION`]. Fields may be added to it; one that is removed or changes
    /// its meaning changes the version.
    pub version: u32,
    /// The argument of the next [`status_since`](crate::Metrics::status_since) or `?since=`.
    pub sequence: u64,
    /// Events and steps of the history up to this sequence number are left out; 0 in a complete status.
    pub since: u64,
    /// The moment of this status.
    pub now: f64,
    /// Identifies the run of the bot. If it differs from that of an earlier status, the bot was restarted, and its
    /// sequence numbers began anew.
    pub run: String,
    /// The moment at which the instance was created. It changes if the wall clock is set, and with it the moments of
    /// everything but events.
    pub started: f64,
    /// The label `app` of every series.
    pub app: String,
    /// The label `env`: `development`, `production`, or a word of the bot's own.
    pub env: String,
    /// The label `mode`: `paper` or `live`.
    pub mode: String,
    /// The running build.
    pub build: Build,
    /// Whether anything is recorded: without the feature `enable` it is not, and the lists below are empty.
    pub recording: bool,
    /// The scrapes by Prometheus or others.
    pub scrapes: ScrapeStatus,
    /// The state of the bot in a sentence.
    pub verdict: Verdict,
    /// The time that rates, quantiles, means and recent outcomes cover: about 30 to 60 s, less after the start. `None`
    /// while no server samples the instance once a second; then those figures are `None` too.
    pub window_seconds: Option<f64>,
    /// The subsystems, by name.
    pub subsystems: Vec<SubsystemStatus>,
    /// The exchanges' operations, by exchange and name.
    pub operations: Vec<OperationStatus>,
    /// The rate limits whose use or refusal is known, by exchange and name.
    pub rate_limits: Vec<RateLimitStatus>,
    /// The last update of each symbol, the oldest first; at most 50.
    pub market_data: Vec<MarketDataStatus>,
    /// The profiles, by name; at most 64.
    pub profiles: Vec<ProfileStatus>,
    /// The comparison with the exchange.
    pub reconciliation: ReconciliationStatus,
    /// The bot's own families, by name; at most 120 series.
    pub own_families: Vec<OwnFamily>,
    /// The last events with a text, the newest first; at most 12 of each severity.
    pub events: Vec<StatusEvent>,
    /// What the metrics themselves have to report.
    pub notes: Notes,
    /// The last 15 minutes, in steps of 5 s.
    pub history: History,
}

/// The labels of `build_info`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Build {
    /// Empty if the bot sets none.
    pub version: String,
    /// Likewise.
    pub revision: String,
}

/// The complete expositions that a server has delivered. Clients that share one count once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScrapeStatus {
    /// Their number.
    pub count: u64,
    /// The moment of the last one.
    pub last: Option<f64>,
}

/// A core loop of the bot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubsystemStatus {
    /// Its name.
    pub subsystem: String,
    /// Its state.
    pub state: SubsystemState,
    /// The value of `subsystem_alive`.
    pub alive: bool,
    /// Age of the last success or skip; before the first, of the start, and after a pause, of its end.
    pub age_seconds: f64,
    /// Which of these it is.
    pub age_origin: AgeOrigin,
    /// The age above which it is not alive.
    pub limit_seconds: f64,
    /// Age of the last end of a cycle, whether it succeeded or not.
    pub attempt_age_seconds: Option<f64>,
    /// The outcome of the last cycle that ended; of several failures within a second the most frequent one. `None`
    /// before the first, and if no server has sampled a failure.
    pub last_outcome: Option<String>,
    /// Time since the first failure after the last success, with a resolution of a second. `None` unless the last cycle
    /// failed, and if no server has sampled a failure.
    pub failing_seconds: Option<f64>,
    /// The duration of the cycle in progress; the mean of several.
    pub running_seconds: Option<f64>,
    /// The number of cycles in progress.
    pub in_progress: u64,
    /// The reason of a deliberate pause.
    pub paused: Option<String>,
    /// The cycles that ended since the start, by outcome; outcomes that have not occurred are left out.
    pub outcomes: BTreeMap<String, u64>,
    /// Cycles that ended per second in the window.
    pub rate: Option<f64>,
    /// The mean duration of the cycles that ended in the window.
    pub mean_seconds: Option<f64>,
    /// The quantiles of these durations in seconds.
    pub quantiles: Option<Quantiles>,
    /// The last 60 seconds in which cycles ended, the oldest first. In a loop that runs once a second or less, each is
    /// one cycle. Empty without a server, which samples them.
    pub beats: Beats,
}

/// The state of a subsystem. If several apply, it is the first of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SubsystemState {
    /// It is paused deliberately.
    Paused,
    /// A cycle has been in progress for longer than the limit.
    Hung,
    /// No cycle has ended yet, which is not overdue.
    Waiting,
    /// For longer than the limit no cycle has succeeded, and none has ended otherwise.
    Stalled,
    /// The last cycle that ended did not succeed. It may also no longer be alive.
    Failing,
    /// The last cycle succeeded or was skipped, within the limit.
    Fresh,
}

/// Seconds in which cycles ended, as columns of equal length, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Beats {
    /// The end of each second, in Unix seconds.
    pub at: Vec<f64>,
    /// The number of cycles that ended in it, at least 1.
    pub cycles: Vec<u64>,
    /// The number of those that neither succeeded nor were skipped.
    pub failed: Vec<u64>,
    /// Their most frequent failure; without one, their most frequent outcome.
    pub outcome: Vec<String>,
    /// Their mean duration; `None` if all were skipped or cancelled.
    pub mean_seconds: Vec<Option<f64>>,
}

/// Quantiles within the window, rounded to three digits. They are interpolated between bucket bounds, as Prometheus
/// does; one above all bounds is the highest bound.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Quantiles {
    /// The median.
    pub p50: f64,
    /// The 90th percentile.
    pub p90: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The upper bound of the lowest bucket. Of a quantile up to it, only that is measured.
    #[serde(default)]
    pub resolution: f64,
}

/// An operation at an exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OperationStatus {
    /// The exchange.
    pub exchange: String,
    /// The operation.
    pub operation: String,
    /// The calls that ended since the start.
    pub calls: u64,
    /// The calls in progress.
    pub in_flight: u64,
    /// The calls that ended since the start, by outcome; outcomes that have not occurred are left out.
    pub outcomes: BTreeMap<String, u64>,
    /// Calls that ended per second in the window.
    pub rate: Option<f64>,
    /// Quantiles of their latency in seconds.
    pub quantiles: Option<Quantiles>,
    /// The calls that ended in the window, by outcome.
    pub recent_outcomes: Option<BTreeMap<String, u64>>,
    /// The number of those that failed: all but `ok`, `rejected` and `cancelled`.
    pub recent_failed: Option<u64>,
    /// Whether it places orders: a call of it that succeeds is an order.
    #[serde(default)]
    pub places_orders: bool,
}

/// A rate limit of an exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RateLimitStatus {
    /// The exchange.
    pub exchange: String,
    /// The limit.
    pub limit: String,
    /// The used part by the exchange's own last count: 0 to 1, or more if it keeps counting. `None` before the first.
    pub used_ratio: Option<f64>,
    /// The rest of the time for which the exchange refuses requests, as it said; `None` if it does not, or did not say.
    pub refused_seconds: Option<f64>,
}

/// The market data of a symbol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MarketDataStatus {
    /// The exchange.
    pub exchange: String,
    /// The symbol.
    pub symbol: String,
    /// Age of its last update, by the wall clock.
    pub age_seconds: f64,
}

/// The capital of a profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProfileStatus {
    /// Its name; `other` for all profiles over the limit.
    pub profile: String,
    /// 100 × (positions + open orders) / allocated, at least 0 and not clamped; +∞, in JSON `"+Inf"`, if nothing is
    /// allocated and something is used. `None` before the first figures, and if the profile was removed.
    #[serde(with = "number::optional")]
    pub utilization_percent: Option<f64>,
    /// Whether its available capital is below zero.
    pub below_zero: Option<bool>,
    /// The number of times that it fell below zero.
    pub violations: u64,
    /// Its allocated capital by the last update, in its currency of account; `None` before the first, and if the
    /// profile was removed; likewise below.
    pub allocated: Option<f64>,
    /// The capital used by its positions and open orders.
    pub used: Option<f64>,
    /// Its available capital: as reported by the exchange, or computed from the others.
    pub available: Option<f64>,
    /// Age of the last update, with a resolution of a second. `None` also while no server samples the instance.
    pub age_seconds: Option<f64>,
    /// The orders that it has placed since the start, counted by its events `ORDER_PLACED`; `None` without one.
    pub orders_placed: Option<u64>,
    /// Age of the last of these orders, with a resolution of a second. `None` if it was placed before a server sampled
    /// the instance.
    pub order_age_seconds: Option<f64>,
}

/// The comparison of the bot's records with the exchange's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReconciliationStatus {
    /// Whether the bot reconciles: a function with the attribute is linked, or a cycle has begun.
    #[serde(default)]
    pub is_used: bool,
    /// The items that are missing in the last committed cycles, by the side that lacks them: `db`, `exchange`. `None`
    /// before the first cycle.
    pub missing: Option<BTreeMap<String, u64>>,
    /// The mismatches that were newly detected since the start.
    pub mismatches: u64,
    /// These mismatches by kind and source.
    pub kinds: Vec<MismatchCount>,
    /// Age of the last committed cycle.
    pub age_seconds: Option<f64>,
}

/// The mismatches of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MismatchCount {
    /// `missing`, `differs` or `unspecified`.
    pub kind: String,
    /// The side that lacks the items: `db` or `exchange`; empty for other kinds.
    pub source: String,
    /// The number that was newly detected since the start.
    pub count: u64,
}

/// A family of the bot's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OwnFamily {
    /// Its name, as it is exported.
    pub name: String,
    /// Its help text.
    pub help: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// The unit in its name: `seconds`, `bytes`, `ratio` or `percent`; empty if there is none of these.
    pub unit: String,
    /// Its series, by label values.
    pub series: Vec<OwnSeries>,
}

/// A series of a bot's own family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OwnSeries {
    /// Its labels, without `app`, `env` and `mode`.
    pub labels: BTreeMap<String, String>,
    /// The value of a counter or gauge.
    #[serde(with = "number::optional")]
    pub value: Option<f64>,
    /// The number of observations of a histogram since the start.
    pub count: Option<u64>,
    /// The growth of a counter, or the observations of a histogram, per second in the window.
    pub rate: Option<f64>,
    /// Quantiles of a histogram's observations in the window, in its unit.
    pub quantiles: Option<Quantiles>,
}

/// An event that was recorded with a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StatusEvent {
    /// Its sequence number. An event of the last second may also be in the next status: a reader drops numbers that it
    /// has.
    pub sequence: u64,
    /// The moment at which it was recorded.
    pub at: f64,
    /// Its severity, such as `ERROR`.
    pub severity: String,
    /// Its type, such as `ORDER_REJECTED`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The profile that it concerns; empty if there is none.
    pub profile: String,
    /// The symbol that it concerns; empty if there is none.
    pub symbol: String,
    /// Its text, at most 240 bytes, followed by an ellipsis if it was cut.
    pub text: String,
}

/// What the metrics themselves have to report. All counts are since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Notes {
    /// Recordings with label values over their limits; only those above 0.
    pub label_overflow: Vec<LabelOverflow>,
    /// Values that could not be recorded, such as NaN; only those above 0.
    pub invalid_observations: Vec<InvalidObservations>,
    /// Collectors of the bot's own that were left out of a scrape, by reason; only those above 0.
    pub foreign_collector_failures: BTreeMap<String, u64>,
    /// Recordings that an allocator made while it could not record.
    pub recordings_lost: u64,
    /// 1 if the processor's time stamp counter was given up.
    pub clock_fallbacks: u64,
    /// The number of items that this status leaves out because a list is full, by the list's name.
    pub left_out: BTreeMap<String, u64>,
    /// The number of operations, subsystems and series of own families whose rate, quantiles and recent outcomes are
    /// not known, because the history has no room for them, by the list's name. The verdict does not consider their
    /// calls. It has room for 128 operations.
    pub without_rate: BTreeMap<String, u64>,
    /// The number of operations, subsystems and profiles that have no steps in the history because there is no room for
    /// them, by the list's name.
    pub without_steps: BTreeMap<String, u64>,
}

/// The recordings with values of a label over its limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LabelOverflow {
    /// The family, as it is exported.
    pub metric: String,
    /// The label.
    pub label: String,
    /// Their number.
    pub count: u64,
}

/// The values of a family that could not be recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InvalidObservations {
    /// The family, as it is exported.
    pub metric: String,
    /// Their number.
    pub count: u64,
}
