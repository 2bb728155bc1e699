//! Durations in PromQL, divided so that a demonstration sees in seconds what takes minutes.

use std::num::NonZeroU32;

pub(super) const MINUTE: u64 = 60;
pub(super) const HOUR: u64 = 60 * MINUTE;
pub(super) const DAY: u64 = 24 * HOUR;

/// The divisor of the windows and holds of the rules, except those of several cycles of a loop.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeScale(pub(super) NonZeroU32);

impl TimeScale {
    pub(super) const NONE: Self = Self(NonZeroU32::MIN);

    /// A duration in PromQL, such as `15m`; at least 1 ms.
    pub(super) fn duration(self, seconds: u64) -> String {
        in_promql(self.milliseconds(seconds))
    }

    /// A number of seconds, divided; at least 1 ms.
    pub(super) fn milliseconds(self, seconds: u64) -> u64 {
        (seconds * 1_000 / u64::from(self.0.get())).max(u64::from(seconds > 0))
    }

    /// A number of seconds that an expression compares with.
    #[expect(clippy::cast_precision_loss, reason = "days in seconds are exact")]
    pub(super) fn seconds(self, seconds: u64) -> f64 {
        seconds as f64 / f64::from(self.0.get())
    }
}

/// A number of milliseconds in PromQL, in the largest unit in which it is whole.
pub(super) fn in_promql(milliseconds: u64) -> String {
    let units = [("d", DAY * 1_000), ("h", HOUR * 1_000), ("m", MINUTE * 1_000), ("s", 1_000), ("ms", 1)];
    let exact =
        units.into_iter().find(|(_, length)| milliseconds > 0 && milliseconds.is_multiple_of(*length));
    exact.map_or_else(|| "0s".to_owned(), |(unit, length)| format!("{}{unit}", milliseconds / length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_the_largest_unit_in_which_it_is_whole() {
        let scale = |factor| TimeScale(NonZeroU32::new(factor).expect("above 0"));
        for (seconds, factor, text) in [
            (15 * MINUTE, 1, "15m"),
            (90, 1, "90s"),
            (3 * DAY, 1, "3d"),
            (15 * MINUTE, 60, "15s"),
            (30, 60, "500ms"),
            (30, 1_000_000, "1ms"),
            (0, 60, "0s"),
        ] {
            assert_eq!(scale(factor).duration(seconds), text);
        }
    }
}
