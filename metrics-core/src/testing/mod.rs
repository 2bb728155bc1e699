//! For tests: isolated instances, a manual clock, assertions on series and on changes between two moments.
//!
//! ```
//! use bot_metrics::labels::Subsystem;
//! use bot_metrics::testing::{ABSENT, instance};
//! use bot_metrics::{Outcome, assert_metric};
//! use std::time::Duration;
//!
//! let (metrics, clock) = instance();
//! let trading = metrics.subsystem(Subsystem::Trading).with_max_age(Duration::from_secs(5))?;
//! assert_metric!(metrics, "bytelyst_bot_subsystem_last_run_timestamp", ABSENT);
//!
//! let run = trading.start();
//! clock.advance(Duration::from_millis(200));
//! run.finish(Outcome::Ok);
//! assert_metric!(metrics, "bytelyst_bot_subsystem_duration_seconds_sum{subsystem='trading'}", 0.2);
//! assert_metric!(metrics, "bytelyst_bot_subsystem_alive{subsystem='trading'}", 1);
//!
//! clock.advance(Duration::from_secs(6));
//! assert_metric!(metrics, "bytelyst_bot_subsystem_alive{subsystem='trading'}", 0);
//! # Ok::<(), bot_metrics::Error>(())
//! ```
//!
//! Instances from [`instance`] share nothing, so tests that use them can run concurrently. Annotated functions record
//! to the process-wide instance: [`watch`] it, and read the changes.
//!
//! ```
//! use bot_metrics::prelude::*;
//! use bot_metrics::{assert_metric, testing};
//!
//! #[exchange_call(op = "place_order", exchange = "kraken")]
//! fn place_order(price: f64) -> Result<(), std::io::Error> {
//!     if price > 0.0 { Ok(()) } else { Err(std::io::Error::other("no price")) }
//! }
//!
//! let metrics = Settings::new(Mode::Paper).install()?;
//! let watch = testing::watch(&metrics);
//! let _ = place_order(0.0);
//! let changes = watch.changes();
//! assert_metric!(changes, "bytelyst_bot_exchange_api_requests_total{outcome='error',operation='place_order'}", 1);
//! assert_metric!(changes, "bytelyst_bot_exchange_api_requests_total{outcome='ok',operation='place_order'}", 0);
//! # Ok::<(), bot_metrics::Error>(())
//! ```

mod assertion;
mod changes;
mod clock;
mod samples;
mod selector;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

#[doc(hidden)]
pub use assertion::assert_metric;
pub use assertion::{ABSENT, Absent, Expected, Number, SampleSource};
pub use changes::{Change, Changes, Watch, watch};
pub use clock::ManualClock;
pub use samples::{Samples, Series};

use crate::clock::Clock;
use crate::{Metrics, Mode, Settings};

/// The time within which reports must reach their hook.
const LONGEST_HOOK: Duration = Duration::from_secs(10);

/// An instance with the default settings in paper mode, and the clock that it reads.
///
/// # Panics
///
/// Never: the defaults are legal.
#[must_use]
pub fn instance() -> (Metrics, ManualClock) {
    let (settings, clock) = with_manual_clock(Settings::new(Mode::Paper));
    (settings.build().expect("the defaults are legal"), clock)
}

/// `settings` with a manual clock.
pub fn with_manual_clock(mut settings: Settings) -> (Settings, ManualClock) {
    let clock = ManualClock::new();
    settings.clock = Clock::Manual(Arc::new(clock.clone()));
    (settings, clock)
}

/// Waits until the [report hook](Settings::on_report) was called with every report so far.
///
/// # Panics
///
/// If it has not been called within 10 s.
#[track_caller]
pub fn flush_reports(metrics: &Metrics) {
    assert!(
        metrics.settings().report.flush(LONGEST_HOOK),
        "the report hook did not return within {LONGEST_HOOK:?}"
    );
}

/// Makes a recording of an attribute without installed settings be reported at once, and not only ten seconds after
/// the first one.
pub fn report_missing_install_at_once() {
    crate::storage::not_installed::end_grace();
}

/// The number of times the calling thread took a lock of this crate: recording takes none after a thread's first call
/// of a call site or of a label set.
#[doc(hidden)]
#[must_use]
pub fn locks_taken() -> u64 {
    crate::lock::entered()
}

/// Makes the machine's clock trust the time stamp counter of a processor that does not guarantee it, such as the one
/// that callgrind emulates, so that instructions are counted on the usual path. Must be called before any other
/// function of this crate.
#[doc(hidden)]
pub fn trust_time_stamps() {
    crate::clock::TRUST.store(true, Relaxed);
}

/// Samples the history of the status, as a server does once a second.
#[cfg(feature = "page")]
#[doc(hidden)]
pub fn sample(metrics: &Metrics) {
    metrics.core.sample();
}
