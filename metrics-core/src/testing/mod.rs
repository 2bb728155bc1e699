//! For tests: an instance of one's own, a clock to steer, assertions on series and what changed between two moments.
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
//! An [`instance`] shares nothing with another, so tests with instances of their own run beside each other as they
//! like. Annotated functions record to the process's one instance: [`watch`] it, and read what changed.
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
pub use assertion::{ABSENT, Absent, Expected, Number, Source};
pub use changes::{Change, Changes, Watch, watch};
pub use clock::SteeredClock;
pub use samples::{Samples, Series};

use crate::clock::Clock;
use crate::{Metrics, Mode, Settings};

/// How long reports may take to reach their hook.
const LONGEST_HOOK: Duration = Duration::from_secs(10);

/// An instance with the default settings in paper mode, and the clock that it reads.
///
/// # Panics
///
/// Never: the defaults are legal.
#[must_use]
pub fn instance() -> (Metrics, SteeredClock) {
    let (settings, clock) = steered(Settings::new(Mode::Paper));
    (settings.build().expect("the defaults are legal"), clock)
}

/// `settings` with a clock to steer.
#[must_use]
pub fn steered(mut settings: Settings) -> (Settings, SteeredClock) {
    let clock = SteeredClock::new();
    settings.clock = Clock::Steered(Arc::new(clock.clone()));
    (settings, clock)
}

/// Waits until the [report hook](Settings::on_report) was called with every report so far.
///
/// # Panics
///
/// Where it has not been called within 10 s.
#[track_caller]
pub fn flush_reports(metrics: &Metrics) {
    assert!(
        metrics.settings().report.flush(LONGEST_HOOK),
        "the report hook did not return within {LONGEST_HOOK:?}"
    );
}

/// Has a recording of an attribute be reported at once where no settings are installed, and not only ten seconds after
/// the first one.
pub fn report_missing_install_at_once() {
    crate::storage::not_installed::end_grace();
}

/// How often the calling thread took a lock of this crate: recording takes none after a thread's first call of a site or
/// of a label set.
#[must_use]
pub fn locks_taken() -> u64 {
    crate::lock::entered()
}

/// Has the machine's clock trust the time stamp counter of a processor that does not vouch for it, as the one that
/// callgrind emulates: instructions are counted on the path that a bot takes. Before anything else of this crate.
pub fn trust_time_stamps() {
    crate::clock::TRUST.store(true, Relaxed);
}
