//! The figures that the table and the JSON objects show. They are those of the status page.

use bot_metrics::AgeOrigin;
use bot_metrics::status::SubsystemState;
use serde::Serialize;

/// All figures at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Figures {
    /// The address of the page; `None` if the metrics are not served.
    pub(crate) url: Option<String>,
    /// `paper` or `live`.
    pub(crate) mode: String,
    /// The state of the bot in a sentence.
    pub(crate) verdict: String,
    /// Whether nothing is wrong.
    pub(crate) is_well: bool,
    /// Time since the start.
    pub(crate) uptime_seconds: f64,
    /// Used part of the request weight of this minute, 0 to 1 and above; `None` until the exchange has sent its limit.
    pub(crate) weight_used_ratio: Option<f64>,
    /// By name.
    pub(crate) loops: Vec<LoopFigures>,
    /// By name.
    pub(crate) profiles: Vec<ProfileFigures>,
    /// By operation.
    pub(crate) calls: Vec<CallFigures>,
    /// The active faults.
    pub(crate) faults: Vec<FaultFigures>,
}

/// One loop.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct LoopFigures {
    pub(crate) name: String,
    pub(crate) state: SubsystemState,
    /// Whether it succeeded within its limit, or is paused.
    pub(crate) is_alive: bool,
    /// Time since the event that `age_origin` names.
    pub(crate) age_seconds: f64,
    /// The last success or skip; before the first the start, and after a pause its end.
    pub(crate) age_origin: AgeOrigin,
    /// The age at which it is stalled.
    pub(crate) limit_seconds: f64,
    /// The outcome of the last run; `None` before the first.
    pub(crate) last_outcome: Option<String>,
    /// The duration of the run in progress.
    pub(crate) running_seconds: Option<f64>,
    /// The reason of a pause.
    pub(crate) paused: Option<String>,
    /// Why it is not alive, in a sentence.
    pub(crate) problem: Option<String>,
}

/// One profile.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct ProfileFigures {
    pub(crate) name: String,
    /// Orders since the start.
    pub(crate) placed: u64,
    /// Executions since the start, partial ones included.
    pub(crate) fills: u64,
    /// Cancelled orders since the start.
    pub(crate) cancelled: u64,
    /// Orders that are or may be open.
    pub(crate) open: Option<f64>,
    /// Used part of the allocated capital, 0 to 100 and above; `None` until the account is known.
    pub(crate) capital_used_percent: Option<f64>,
    /// Whether the available capital is below zero.
    pub(crate) is_below_zero: bool,
    /// Profit or loss since the start at the last prices.
    pub(crate) profit_usdt: Option<f64>,
}

/// One operation of the exchange. All but the name and the count are of the last 30 to 60 s, less after the start; `None`
/// while nothing samples the metrics, because they are not served.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct CallFigures {
    pub(crate) operation: String,
    /// Calls since the start.
    pub(crate) calls: u64,
    pub(crate) per_second: Option<f64>,
    /// Half of the calls took at most this long; `None` without calls.
    pub(crate) p50_seconds: Option<f64>,
    /// 99 of 100 calls took at most this long.
    pub(crate) p99_seconds: Option<f64>,
    /// Calls that the exchange rejected.
    pub(crate) rejected: Option<u64>,
    /// Calls that failed.
    pub(crate) failed: Option<u64>,
}

impl CallFigures {
    /// Whether it was called lately, as far as that is known.
    pub(crate) fn is_in_use(&self) -> bool {
        self.per_second.map_or(self.calls > 0, |rate| rate > 0.0)
    }
}

/// An active fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FaultFigures {
    pub(crate) name: &'static str,
    /// The metric that shows it.
    pub(crate) see: &'static str,
}
