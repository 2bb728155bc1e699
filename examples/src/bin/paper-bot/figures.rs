//! The bot's figures, which it reads from its own metrics as any other bot could.

use serde::Serialize;

/// All figures at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Figures {
    /// The address of the page; `None` if the metrics are not served.
    pub(crate) url: Option<String>,
    /// `paper` or `live`.
    pub(crate) mode: &'static str,
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
    pub(crate) state: LoopState,
    /// Time since the last success, or since the start or the end of a pause.
    pub(crate) age_seconds: f64,
    /// The age at which it is stalled.
    pub(crate) limit_seconds: f64,
    /// The outcome of the last run; `None` before the first.
    pub(crate) last_outcome: Option<String>,
    /// The duration of the run in progress.
    pub(crate) running_seconds: Option<f64>,
    /// The reason of a pause.
    pub(crate) paused: Option<String>,
}

/// The state of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LoopState {
    /// Its last run succeeded, within its limit.
    Fresh,
    /// No run has ended yet.
    Waiting,
    /// Paused on purpose.
    Paused,
    /// Its last run failed.
    Failing,
    /// No success within its limit.
    Stalled,
    /// A run takes longer than its limit.
    Hung,
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

/// One operation of the exchange, in the last minute.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct CallFigures {
    pub(crate) operation: String,
    /// Calls since the start.
    pub(crate) calls: u64,
    pub(crate) per_second: f64,
    /// Half of the calls took at most this long; `None` without calls.
    pub(crate) p50_seconds: Option<f64>,
    /// 99 of 100 calls took at most this long.
    pub(crate) p99_seconds: Option<f64>,
    /// Calls that the exchange rejected.
    pub(crate) rejected: u64,
    /// Calls that failed.
    pub(crate) failed: u64,
}

impl CallFigures {
    /// Whether it was called in the last minute.
    pub(crate) fn is_in_use(&self) -> bool {
        self.per_second > 0.0
    }
}

/// An active fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FaultFigures {
    pub(crate) name: &'static str,
    /// The metric that shows it.
    pub(crate) see: &'static str,
}
