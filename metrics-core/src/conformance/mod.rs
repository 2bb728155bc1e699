//! Checks complete expositions, more strictly than the programs that read them.
//!
//! Prometheus accepts almost any page that it can parse: two samples of one series, a histogram whose count is not that
//! of its last bucket, a sum that is not a number. `promtool check metrics` accepts most of these too. [`check`] reports
//! them. Families of foreign code have to pass the same rules before the library serves them.
//!
//! ```
//! use bot_metrics::conformance::{Format, check};
//!
//! let page = "\
//! ## TYPE waits_seconds histogram
//! waits_seconds_bucket{le=\"1\"} 2
//! waits_seconds_bucket{le=\"+Inf\"} 3
//! waits_seconds_sum 1.5
//! waits_seconds_count 4
//! ";
//! let findings = check(page.as_bytes(), Format::Text);
//! assert_eq!(
//!     findings[0].to_string(),
//!     "line 2: waits_seconds: the count of a histogram is not that of its last bucket"
//! );
//! ```

mod assembly;
mod checker;
mod findings;
mod line;
#[cfg(feature = "protobuf")]
mod messages;
mod page;
mod page_fault;
#[cfg(any(test, feature = "test-util"))]
mod samples;
#[cfg(test)]
mod tests;

pub use self::checker::check;
#[cfg(any(test, feature = "doctor", feature = "test-util"))]
pub(crate) use self::checker::read;
pub use self::findings::Finding;
#[cfg(any(test, feature = "test-util"))]
pub(crate) use self::samples::samples;
pub use crate::exposition::format::Format;
