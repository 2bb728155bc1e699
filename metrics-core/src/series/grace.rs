//! The grace period of removed series.

use std::time::Duration;

/// For counters and histograms: long enough for a scraper to read their last value.
pub(crate) const GRACE: Duration = Duration::from_secs(5 * 60);

/// The end of the grace period that begins at `removed_at`.
pub(crate) fn end(removed_at: Duration) -> Duration {
    removed_at.saturating_add(GRACE)
}
