//! Every metric family that the library exports: name, help, kind, unit, labels and buckets.
//!
//! This module is the only place that defines them. The encoders, the collector, the reference table and all other
//! code read the names here.

mod family;
pub(crate) mod table;

pub use family::{Families, Family, Kind, Objective, Origin};
pub use table::markdown;

/// The labels of every series, beside those of its family.
pub(crate) const DEFAULT_LABELS: [&str; 3] = ["app", "env", "mode"];

/// The first part of each name, unless the settings have another.
pub(crate) const DEFAULT_NAMESPACE: &str = "bytelyst_bot";

/// Whether it is a legal name: ASCII letters, digits and underscores, no digit in front. The name of a metric, unlike
/// that of a label, may have colons, which are reserved for recording rules.
pub(crate) fn is_name(name: &str, colons: bool) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || (colons && b == b':');
    !name.is_empty() && name.bytes().all(legal) && !name.as_bytes()[0].is_ascii_digit()
}

/// The unit that a family's name ends in. No other name may have a unit, such as one that ends in `_timestamp`.
#[cfg(any(test, feature = "linked-catalogue", feature = "server"))]
pub(crate) fn unit(family: &str) -> Option<&'static str> {
    let has = |unit: &&str| family.strip_suffix(*unit).is_some_and(|rest| rest.ends_with('_'));
    ["seconds", "bytes", "ratio", "percent"].into_iter().find(has)
}

/// Bucket bounds of [`SUBSYSTEM_DURATION_SECONDS`], in seconds; fixed by the contract.
pub const SUBSYSTEM_DURATION_BUCKETS: [f64; 7] = [0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0];

/// Bucket bounds of [`EXCHANGE_API_LATENCY_SECONDS`], in seconds.
///
/// The contract defines none. These contain Prometheus' usual defaults except 0.25. On 11,032 recorded delays their
/// p50, p90 and p99 are within 2 % of the true values, whereas the defaults alone are off by 39 %, 12 % and 23 %.
pub const EXCHANGE_API_LATENCY_BUCKETS: [f64; 18] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0];

/// Bucket bounds of [`TOKIO_SCHEDULER_LAG_SECONDS`], in seconds.
pub const TOKIO_SCHEDULER_LAG_BUCKETS: [f64; 9] = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];

/// The part of the library that records a family. Families of one recorder are recorded together.
#[cfg(feature = "linked-catalogue")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recorder {
    Events,
    Subsystems,
    ExchangeCalls,
    RateLimits,
    Profiles,
    Reconciliations,
    MarketData,
    /// The library itself, about its own work.
    Library,
    Scheduler,
    Process,
}

#[cfg(feature = "linked-catalogue")]
impl Recorder {
    /// Whether its families are exported by every bot, since the library records them without being asked. Those of the
    /// others are only if an annotated function or a handle records them.
    pub(crate) fn records_always(self) -> bool {
        // The library counts events of its own.
        matches!(self, Self::Events | Self::Library | Self::Process)
    }
}

/// Declares the families, their list, and who records them. The doc comment of a family is its HELP text. A family that
/// is `created_by_use` may have no series before the first recording.
macro_rules! families {
    (@buckets) => { &[] };
    (@buckets $buckets:ident) => { &$buckets };
    (@objective) => { None };
    (@objective $threshold:literal, $ratio:literal) => { Some(Objective { threshold: $threshold, ratio: $ratio }) };
    (@created_by_use created_by_use $family:ident) => { &$family };
    ($(recorded by $recorder:ident:
        $($(#[doc = $help:literal])+ $family:ident = $origin:ident $kind:ident $name:literal [$($label:literal),*]
            $(buckets($buckets:ident))? $(objective($threshold:literal, $ratio:literal))? $(, $created_by_use:ident)?;)+
    )+) => {
        $($(
            $(#[doc = $help])+
            #[allow(clippy::doc_markdown, reason = "a HELP text has no Markdown")]
            pub static $family: Family = Family {
                name: $name,
                kind: Kind::$kind,
                // Each line of a doc comment begins with a space.
                help: concat!($($help),+).split_at(1).1,
                labels: &[$($label),*],
                buckets: families!(@buckets $($buckets)?),
                objective: families!(@objective $($threshold, $ratio)?),
                origin: Origin::$origin,
            };
        )+)+

        /// All families, in the order in which they are exported.
        pub static FAMILIES: &[&Family] = &[$($(&$family),+),+];

        /// The families of each recorder.
        #[cfg(feature = "linked-catalogue")]
        pub(crate) static RECORDED: &[(Recorder, &[&Family])] = &[$((Recorder::$recorder, &[$(&$family),+])),+];

        /// The families that may have no series before the first recording.
        #[cfg(feature = "doctor")]
        pub(crate) static CREATED_BY_USE: &[&Family] =
            &[$($($(families!(@created_by_use $created_by_use $family),)?)+)+];
    };
}

families! {
    recorded by Events:

    /// System events (orders, errors, warnings) since start.
    OPERATIONAL_EVENTS_TOTAL = Core Counter "operational_events_total" ["severity", "type", "profile_id", "symbol"];

    recorded by Subsystems:

    /// Execution time of one cycle of a core loop, without the sleep between cycles.
    SUBSYSTEM_DURATION_SECONDS = Core Histogram "subsystem_duration_seconds" ["subsystem"]
        buckets(SUBSYSTEM_DURATION_BUCKETS);

    /// Unix time in seconds at which the last successful run ended; absent before the first.
    SUBSYSTEM_LAST_RUN_TIMESTAMP = Core Gauge "subsystem_last_run_timestamp" ["subsystem"], created_by_use;

    /// Unix time in seconds at which the last run ended, successful or not; absent before the first.
    SUBSYSTEM_LAST_ATTEMPT_TIMESTAMP_SECONDS = Extension Gauge "subsystem_last_attempt_timestamp_seconds"
        ["subsystem"], created_by_use;

    /// 1 if the subsystem last succeeded, was skipped or was registered within subsystem_max_age_seconds, or is paused;
    /// 0 if stalled. Computed at each scrape.
    SUBSYSTEM_ALIVE = Core Gauge "subsystem_alive" ["subsystem"];

    /// 1 while the subsystem is paused, and so counts as alive.
    SUBSYSTEM_PAUSED = Extension Gauge "subsystem_paused" ["subsystem"];

    /// Completed runs, by outcome.
    SUBSYSTEM_RUNS_TOTAL = Extension Counter "subsystem_runs_total" ["subsystem", "outcome"];

    /// Runs in progress.
    SUBSYSTEM_IN_PROGRESS = Extension Gauge "subsystem_in_progress" ["subsystem"];

    /// Age in seconds of the last success or skip above which the subsystem counts as stalled; 60 by default.
    SUBSYSTEM_MAX_AGE_SECONDS = Extension Gauge "subsystem_max_age_seconds" ["subsystem"];

    recorded by ExchangeCalls:

    /// Duration of one attempt of an exchange API call, from before the request to the decoded body, for every outcome.
    EXCHANGE_API_LATENCY_SECONDS = Core Histogram "exchange_api_latency_seconds" ["exchange", "operation"]
        buckets(EXCHANGE_API_LATENCY_BUCKETS) objective(1.0, 0.99);

    /// Completed attempts of exchange API calls, by outcome.
    EXCHANGE_API_REQUESTS_TOTAL = Extension Counter "exchange_api_requests_total" ["exchange", "operation", "outcome"];

    /// Attempts of exchange API calls in progress.
    EXCHANGE_API_IN_FLIGHT = Extension Gauge "exchange_api_in_flight" ["exchange", "operation"];

    recorded by RateLimits:

    /// Used part of an exchange's rate limit, as its answers report it; 1 means all, and more if the exchange keeps
    /// counting; absent until first read.
    EXCHANGE_RATE_LIMIT_USED_RATIO = Extension Gauge "exchange_rate_limit_used_ratio"
        ["exchange", "limit"], created_by_use;

    recorded by Profiles:

    /// Number of times that available capital fell below zero; staying below adds nothing. Should always be 0.
    CAPITAL_INVARIANT_VIOLATIONS_TOTAL = Core Counter "capital_invariant_violations_total"
        ["profile_id"], created_by_use;

    /// 1 while available capital is below zero, 0 otherwise; absent before the first update.
    CAPITAL_BELOW_ZERO = Extension Gauge "capital_below_zero" ["profile_id"], created_by_use;

    /// Allocated capital in use, 100 x (positions + open orders) / allocated; not clamped; if nothing is allocated, 0
    /// if nothing is used and +Inf otherwise.
    PROFILE_UTILIZATION_PERCENT = Core Gauge "profile_utilization_percent" ["profile_id"], created_by_use;

    recorded by Reconciliations:

    /// Newly detected mismatches between local state and exchange state.
    RECONCILIATION_MISMATCHES_TOTAL = Core Counter "reconciliation_mismatches_total" [];

    /// Newly detected mismatches by kind: missing = missing from source, differs = different on both sides, unspecified
    /// = only counted.
    RECONCILIATION_MISMATCHES_BY_KIND_TOTAL = Extension Counter "reconciliation_mismatches_by_kind_total"
        ["kind", "source"];

    /// Orders and positions missing in the last committed cycle of each reconciliation, summed: db = missing from the
    /// database although the exchange has them, exchange = missing from the exchange although the database has them;
    /// absent before the first cycle.
    RECONCILIATION_MISSING_ITEMS_COUNT = Core Gauge "reconciliation_missing_items_count" ["source"], created_by_use;

    recorded by MarketData:

    /// Unix time in seconds of the last update of a symbol's market data; absent before the first.
    MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS = Extension Gauge "market_data_last_update_timestamp_seconds"
        ["exchange", "symbol"], created_by_use;

    recorded by Library:

    /// Recordings with a label value over the limit on label values or series, which is replaced by "other"; in
    /// families where one series for many would mislead, they are left out.
    LABEL_OVERFLOW_TOTAL = Extension Counter "label_overflow_total" ["metric", "label"];

    /// Values that were dropped because they cannot be recorded: NaN, infinite capital, negative or infinite rate
    /// limits, and negative or infinite observations of a histogram.
    INVALID_OBSERVATIONS_TOTAL = Extension Counter "invalid_observations_total" ["metric"];

    /// Number of times that a collector or registry added by the bot was left out of a scrape, because it panicked,
    /// took too long or returned families that cannot be exported.
    FOREIGN_COLLECTOR_FAILURES_TOTAL = Extension Counter "foreign_collector_failures_total" ["reason"];

    /// Number of times that the processor's time stamp counter disagreed with the monotonic clock and was replaced by
    /// it.
    CLOCK_FALLBACKS_TOTAL = Extension Counter "clock_fallbacks_total" [];

    /// Lost recordings of this process: made by an allocator while memory was being allocated for the first recordings.
    RECORDINGS_LOST_TOTAL = Extension Counter "recordings_lost_total" [];

    /// Always 1; its labels identify the running build of the bot.
    BUILD_INFO = Extension Gauge "build_info" ["version", "revision"];

    /// Time that the bot took to collect and encode the previous exposition; absent in the first.
    SCRAPE_DURATION_SECONDS = Extension Gauge "scrape_duration_seconds" [], created_by_use;

    recorded by Scheduler:

    /// Delay between the requested and the actual wake-up of a task on a runtime passed to watch_tokio; its timer has a
    /// resolution of 1 ms.
    TOKIO_SCHEDULER_LAG_SECONDS = Extension Histogram "tokio_scheduler_lag_seconds" []
        buckets(TOKIO_SCHEDULER_LAG_BUCKETS), created_by_use;

    recorded by Process:

    /// Total user and system CPU time spent in seconds.
    PROCESS_CPU_SECONDS_TOTAL = Standard Counter "process_cpu_seconds_total" [];

    /// Number of open file descriptors.
    PROCESS_OPEN_FDS = Standard Gauge "process_open_fds" [];

    /// Maximum number of open file descriptors.
    PROCESS_MAX_FDS = Standard Gauge "process_max_fds" [];

    /// Virtual memory size in bytes.
    PROCESS_VIRTUAL_MEMORY_BYTES = Standard Gauge "process_virtual_memory_bytes" [];

    /// Resident memory size in bytes.
    PROCESS_RESIDENT_MEMORY_BYTES = Standard Gauge "process_resident_memory_bytes" [];

    /// Start time of the process since unix epoch in seconds.
    PROCESS_START_TIME_SECONDS = Standard Gauge "process_start_time_seconds" [];

    /// Number of OS threads in the process.
    PROCESS_THREADS = Standard Gauge "process_threads" [];

    /// Always 1; carries the default labels if Settings::default_labels_in_target_info removes them from the other
    /// series.
    TARGET_INFO = Standard Gauge "target_info" ["app", "env", "mode"];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nine_core_families_are_exactly_these() {
        let core: Vec<_> = FAMILIES
            .iter()
            .filter(|family| family.origin == Origin::Core)
            .map(|family| (family.name, family.kind, family.labels))
            .collect();
        assert_eq!(
            core,
            [
                (
                    "operational_events_total",
                    Kind::Counter,
                    &["severity", "type", "profile_id", "symbol"][..]
                ),
                ("subsystem_duration_seconds", Kind::Histogram, &["subsystem"]),
                ("subsystem_last_run_timestamp", Kind::Gauge, &["subsystem"]),
                ("subsystem_alive", Kind::Gauge, &["subsystem"]),
                ("exchange_api_latency_seconds", Kind::Histogram, &["exchange", "operation"]),
                ("capital_invariant_violations_total", Kind::Counter, &["profile_id"]),
                ("profile_utilization_percent", Kind::Gauge, &["profile_id"]),
                ("reconciliation_mismatches_total", Kind::Counter, &[]),
                ("reconciliation_missing_items_count", Kind::Gauge, &["source"]),
            ]
        );
        assert_eq!(SUBSYSTEM_DURATION_SECONDS.buckets, [0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0]);
    }

    #[test]
    fn names_are_unique_and_legal() {
        let mut names: Vec<_> = FAMILIES.iter().map(|family| family.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FAMILIES.len());
        for family in FAMILIES {
            assert!(family.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", family.name);
            assert_eq!(family.kind == Kind::Counter, family.name.ends_with("_total"), "{}", family.name);
            assert!(family.buckets.is_sorted_by(|a, b| a < b), "{}", family.name);
            assert!(!family.help.contains('\n'), "{}", family.name);
        }
    }
}
