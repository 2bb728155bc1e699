//! How long what was removed is still shown.

use std::time::Duration;

/// Of counters and histograms: long enough for a scraper to see their last value.
pub(crate) const GRACE: Duration = Duration::from_mins(5);

/// Until when it lasts, from this moment on.
pub(crate) fn end(removed_at: Duration) -> Duration {
    removed_at.saturating_add(GRACE)
}
