//! Moments and durations as numbers.

use std::time::Duration;

/// Seconds, with a resolution of 1 ms.
pub(super) fn seconds(duration: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "2^53 ms are 285,000 years")]
    let ms = duration.as_millis() as f64;
    ms / 1_000.0
}
