//! Prometheus metrics for trading bots, added to ordinary functions by attributes.
//!
//! ```no_run
//! use std::{io, thread, time::Duration};
//!
//! use bot_metrics::prelude::*;
//!
//! #[timed_subsystem("trading", every = "5s")] // duration, outcome, last success, alive
//! fn trading_cycle() -> io::Result<()> {
//!     place_order("BTCUSDT")
//! }
//!
//! #[operational_event(type = "ORDER_PLACED", severity = "INFO", symbol = symbol)] // counted when it succeeds
//! #[exchange_call(op = "place_order", exchange = "binance")] // latency and outcome of each attempt
//! fn place_order(symbol: &str) -> io::Result<()> {
//!     // … one request, up to the decoded answer …
//!     Ok(())
//! }
//!
//! fn main() -> Result<(), bot_metrics::Error> {
//!     let metrics = Settings::from_env()?.app("my-bot").install()?; // NODE_ENV, PAPER_TRADING, METRICS_ADDR
//!     let _server = metrics.serve(metrics.settings().address())?; // on a separate thread
//!     loop {
//!         let _ = trading_cycle(); // its outcome is in the metrics
//!         thread::sleep(Duration::from_secs(5));
//!     }
//! }
//! ```
//!
//! The [guide](mod@guide) begins with [a first bot](mod@guide::first_bot) and ends with [deploying](mod@guide::deploying)
//! it; [common mistakes](mod@guide::common_mistakes) lists messages with their solutions.
//!
//! # Concepts
//!
//! | | recorded by | |
//! | --- | --- | --- |
//! | a *run*, one cycle of a *subsystem* | [`#[timed_subsystem]`](macro@timed_subsystem) | [`Metrics::subsystem`] |
//! | an *attempt*, one request to an exchange | [`#[exchange_call]`](macro@exchange_call) | [`Metrics::exchange_call`] |
//! | an *event* for the operator's journal | [`#[operational_event]`](macro@operational_event) | [`Metrics::event`] |
//! | the capital of a *profile* | [`#[capital_check]`](macro@capital_check) | [`Metrics::profile`] |
//! | a *reconciliation* with the exchange | [`#[reconciliation]`](macro@reconciliation) | [`Metrics::reconciliation`] |
//! | a family of the bot's own | [`#[timed]`](macro@timed), [`#[counted]`](macro@counted) | [`metrics!`](macro@metrics) |
//!
//! Each run and each attempt has an [`Outcome`]. The attributes record to the process-wide instance that
//! [`Settings::install`] creates; code that cannot be annotated uses the handles of [`Metrics`] in the last column. Quoted
//! labels are checked at compile time against the enums in [`labels`] or the bot's own. [`catalogue`] lists the exported
//! families.
//!
//! # Modules
//!
//! | module | for |
//! | --- | --- |
//! | [`prelude`] | everything that an annotated module needs |
//! | [`labels`] | the built-in label values, and how to add others |
//! | [`catalogue`] | the families: names, help texts, labels, buckets |
//! | [`server`] | `/metrics`, the health pages, the status page, and the limits against hostile clients |
//! | [`status`] | the state of the bot as data |
//! | [`operations`], [`linked`] | alert rules and other files from the linked binary, and the data that they are made of |
//! | [`push`] | a Pushgateway, for programs that end before they are scraped |
//! | [`exemplars`](mod@exemplars) | trace ids beside the buckets of histograms |
//! | [`testing`], [`conformance`] | assertions on metrics and a manual clock; a checker of expositions |
//!
//! # Features
//!
#![doc = include_str!("../docs/features.md")]
//!
//! A library that annotates its functions sets `default-features = false`, so that the bot decides.
//!
//! # Testing
//!
//! [`testing::instance`] creates an isolated instance with a clock that the test sets; [`testing::watch`] reads the changes
//! that a test makes through annotated functions; [`assert_metric!`] compares a series. See [the guide](mod@guide::testing).
//!
//! # What this does not do
//!
//! It sends no alerts, and it keeps no history but that of the last 15 minutes for the status page; Prometheus,
//! Alertmanager and Grafana do. It does not trace requests. It installs no signal handler and does not change the
//! functions that it measures. [Limits](mod@guide::limits) has the rest.

// docs.rs shows with each item the features that it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

// The derive and the attributes refer to this crate by the name that its users write.
extern crate self as bot_metrics;

// The modules from the top floor down; each imports only from below, which `tests/rooms` checks.
//
// attributes    the code that an annotated function calls; server, push, testing and event_layer lie beside it
// operations    reference, alert rules and their tests, comparisons of releases, from the linked catalogue
// status        the state of a bot, for its page and for programs
// linked        the metrics and annotated functions of the binary as data
// instance      the settings, and the instance that holds everything below
// conformance   a checker of complete pages
// sites         the annotated functions, known at link time; exposition turns series into text
// families      what each group of families measures and exports
// series        the series of a label set, and their limits; history keeps the last quarter of an hour
// storage       the words that threads record to, and consistent reads of them
// clock         time, and how a call ended (outcome)
// catalogue     names, help texts, labels and buckets; labels holds the label types
// report        trouble of the library's own; error holds start-up errors
// client        requests to the HTTP endpoints of other programs
// lock          locks that a fork and an allocator survive; shown, panics and source_line serve messages, pem reads certificates
pub mod catalogue;
#[cfg(any(test, feature = "check"))]
pub mod conformance;
#[cfg(feature = "exemplars")]
pub mod exemplars;
pub mod labels;
#[cfg(feature = "linked-catalogue")]
pub mod linked;
#[cfg(feature = "operations")]
pub mod operations;
#[cfg(feature = "push")]
pub mod push;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "page")]
pub mod status;
#[cfg(any(test, feature = "test-util"))]
pub mod testing;

mod attributes;
#[cfg(feature = "client")]
mod client;
mod clock;
mod error;
#[cfg(feature = "tracing")]
mod event_layer;
#[cfg(not(feature = "exemplars"))]
#[allow(
    clippy::unused_self,
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "without the feature no series has exemplars"
)]
mod exemplars;
mod exposition;
mod families;
#[cfg(feature = "page")]
mod history;
mod instance;
mod lock;
mod outcome;
mod panics;
#[cfg(feature = "tls")]
mod pem;
mod report;
mod series;
mod shown;
mod sites;
mod source_line;
mod storage;
mod sync;

pub use catalogue::{Families, Objective};
pub use error::Error;
#[cfg(feature = "tracing")]
pub use event_layer::EventLayer;
pub use exposition::text::CONTENT_TYPE;
pub use families::capital::{Amount, Capital};
pub use families::custom::{
    Counter, FloatCounter, Gauge, Histogram, HistogramTimer, Label, LabelType, ProfileId, Symbol,
};
pub use families::event::Event;
pub use families::exchange::{CallGuard, CallWait, ExchangeCallHandle};
pub use families::market_data::MarketDataHandle;
pub use families::profiles::ProfileHandle;
pub use families::rate_limit::RateLimitHandle;
pub use families::recent::RecentEvent;
pub use families::reconciliation::{ReconciliationCycle, ReconciliationReport};
pub use families::subsystem::{AgeOrigin, RunEnd, RunGuard, SubsystemHandle, SubsystemHealth};
pub use instance::env_reader::EnvReader;
pub use instance::metrics::Metrics;
pub use instance::settings::{DEFAULT_ADDRESS, Env, Mode, Settings};
pub use labels::value::LabelValue;
#[cfg(feature = "tokio")]
pub use outcome::timeout::with_timeout;
pub use outcome::timeout::{Elapsed, WithDeadline, with_deadline};
pub use outcome::{ClassifyError, ErrorClass, Outcome};
pub use report::ReportHook;
pub use sites::call_site::{CallSite, call_sites};
pub use storage::waiting::{LocalWait, local_wait};
pub use storage::{FamilySnapshot, HistogramValue, Sample, Snapshot, Value};

/// The crate whose registry is shared, for a bot that registers its own metrics.
pub use prometheus;

#[doc = include_str!("../docs/label_value.md")]
pub use bot_metrics_macros::LabelValue;
#[doc = include_str!("../docs/capital_check.md")]
pub use bot_metrics_macros::capital_check;
#[doc = include_str!("../docs/counted.md")]
pub use bot_metrics_macros::counted;
#[doc = include_str!("../docs/exchange_call.md")]
pub use bot_metrics_macros::exchange_call;
/// Declares a bot's own metric families, which are exported beside the catalogue under the same namespace and default
/// labels.
///
/// ```
/// mod labels {
///     pub use bot_metrics::labels::*;
///
///     #[derive(Clone, Copy, Debug, bot_metrics::LabelValue)]
///     pub enum Side {
///         Buy,
///         Sell,
///     }
/// }
///
/// use bot_metrics::{ProfileId, Symbol, metrics};
///
/// metrics! {
///     /// Orders resting at the exchange.
///     pub gauge orders_resting { side: labels::Side, symbol: Symbol }
///
///     /// Signals that a strategy gave.
///     counter signals_total { side: labels::Side }
///
///     /// Fees that were paid, in dollars.
///     float_counter fees_paid_dollars_total
///
///     /// Time from a signal to the order's acknowledgement.
///     histogram signal_to_ack_seconds { profile: ProfileId }
///         buckets(0.05, 0.1, 0.25, 1) objective(threshold = 0.25, ratio = 0.99)
/// }
///
/// orders_resting(labels::Side::Buy, "BTCUSDT").set(3.0);
/// signals_total(labels::Side::Sell).increment();
/// fees_paid_dollars_total().add(0.075);
/// signal_to_ack_seconds("maker").observe_duration(std::time::Duration::from_millis(80));
/// ```
///
/// A declaration creates a function that takes the label values and returns a [`Counter`], [`FloatCounter`], [`Gauge`]
/// or [`Histogram`] of the process-wide instance, and a type of the same name for [`timed`](macro@timed) and
/// [`counted`](macro@counted). If all labels are closed, the series is found by an array index. If one is open, it is
/// found in a per-thread cache, within 40 ns; if that is too slow, keep the returned handle. Neither locks nor
/// allocates after a thread's first call with a label set.
///
/// | part | meaning |
/// | --- | --- |
/// | doc comment | the HELP text; required |
/// | `counter`, `float_counter`, `gauge`, `histogram` | the kind; a `float_counter` counts amounts that are not whole numbers |
/// | name | without the namespace; a counter's ends in `_total` |
/// | `{ label: Type }` | the labels: [`LabelValue`] enums, [`Symbol`], [`ProfileId`] or any [`Label`](trait@Label) |
/// | `buckets(…)` | a histogram's bounds, ascending, in the unit of its name |
/// | `objective(threshold = …, ratio = …)` | the part of the observations that should be at or below one of the bounds |
/// | `budget = n` | the maximum number of series; 2,000 by default |
/// | `crate = path` | the library's path, if the dependency is renamed |
///
/// Names, labels, bounds, objectives and the number of label sets are checked at compile time. Series with closed
/// labels only are exported as 0 from [`Settings::install`] on. Values over an open label's limit are recorded under
/// "other", except in gauges, where one value for several label sets would be meaningless. [`Symbol`] and
/// [`ProfileId`] are limited by [`Settings::symbol_limit`] and [`Settings::profile_limit`], other open labels by their
/// types.
///
/// A family has at most as many series as its budget. Those of closed labels, with each open label empty or "other",
/// are included and never replaced: more of them than the budget is a compile error. A label set over the budget has
/// "other" in each open label, so that totals are exact, and `label_overflow_total` counts it.
///
/// Two crates may declare the same family identically; different declarations are an error of `install` that names
/// both locations.
pub use bot_metrics_macros::metrics;
#[doc = include_str!("../docs/operational_event.md")]
pub use bot_metrics_macros::operational_event;
#[doc = include_str!("../docs/reconciliation.md")]
pub use bot_metrics_macros::reconciliation;
#[doc = include_str!("../docs/timed.md")]
pub use bot_metrics_macros::timed;
#[doc = include_str!("../docs/timed_subsystem.md")]
pub use bot_metrics_macros::timed_subsystem;

// Its examples are tested with every feature and a runtime: `tests/src/lib.rs`.
#[cfg(all(doc, not(doctest)))]
pub mod guide;

/// Everything that an annotated module needs. [`Symbol`] and [`ProfileId`] are not
/// included, because many bots have types of these names.
pub mod prelude {
    pub use crate::{
        Capital, ClassifyError, Env, ErrorClass, LabelValue, Metrics, Mode, Outcome, ReconciliationReport,
        Settings, capital_check, counted, exchange_call, labels, metrics, operational_event, reconciliation,
        timed, timed_subsystem,
    };
}

#[doc(hidden)]
pub use attributes::private as __private;
