//! The length of a tick.

use std::time::Duration;

/// Nanoseconds per tick, fixed for the life of the counter of ticks, because a correction would make sums of
/// durations fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scale {
    /// In units of 2^-32 ns: a rounding error of at most 10^-9 for any tick longer than a quarter of a nanosecond.
    multiplier: u64,
}

const FRACTION_BITS: u32 = 32;

impl Scale {
    /// A tick is a nanosecond.
    pub(crate) const NANOSECONDS: Self = Self { multiplier: 1 << FRACTION_BITS };

    /// The scale of a counter that counted `ticks` in `nanoseconds`; `None` if that is slower (100 MHz) or faster (20
    /// GHz) than any processor's counter.
    pub(crate) fn measured(ticks: u64, nanoseconds: u64) -> Option<Self> {
        let multiplier = (u128::from(nanoseconds) << FRACTION_BITS).checked_div(u128::from(ticks))?;
        let plausible = (1 << FRACTION_BITS) / 20..(1 << FRACTION_BITS) * 10;
        u64::try_from(multiplier)
            .ok()
            .filter(|multiplier| plausible.contains(multiplier))
            .map(|multiplier| Self { multiplier })
    }

    /// The duration of this many ticks; `u128` holds the sum over all threads.
    pub(crate) fn duration(self, ticks: u128) -> Duration {
        let nanoseconds = ticks.saturating_mul(u128::from(self.multiplier)) >> FRACTION_BITS;
        // The usual case; the wider division takes several times as long.
        if let Ok(nanoseconds) = u64::try_from(nanoseconds) {
            return Duration::from_nanos(nanoseconds);
        }
        let seconds = u64::try_from(nanoseconds / 1_000_000_000).unwrap_or(u64::MAX);
        let rest = (nanoseconds % 1_000_000_000) as u32;
        Duration::new(seconds, rest)
    }

    /// The duration in seconds, to the precision of a float, in a tenth of the time that a [`Duration`] takes.
    #[expect(
        clippy::cast_precision_loss,
        reason = "beyond 2^53 ticks, which is a month, the last tick is lost"
    )]
    pub(crate) fn seconds(self, ticks: u64) -> f64 {
        const NANOSECOND: f64 = 1e-9 / (1_u64 << FRACTION_BITS) as f64;
        ticks as f64 * (self.multiplier as f64 * NANOSECOND)
    }

    /// The number of ticks within `duration`.
    pub(crate) fn ticks(self, duration: Duration) -> u64 {
        let ticks = (duration.as_nanos() << FRACTION_BITS) / u128::from(self.multiplier);
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }

    /// The largest number of ticks that take no longer than `duration`, so that comparing ticks with a bound gives
    /// the same result as comparing nanoseconds.
    pub(crate) fn ticks_within(self, duration: Duration) -> u64 {
        let end = (duration.as_nanos() + 1) << FRACTION_BITS;
        u64::try_from((end - 1) / u128::from(self.multiplier)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_the_durations() {
        let scale = Scale::measured(2_599_998, 1_000_000).expect("2.6 GHz");
        for ticks in [0, 1, 2_600, 2_600_000_000, 1 << 50] {
            let duration = scale.duration(ticks.into()).as_secs_f64();
            let off = (scale.seconds(ticks) - duration).abs();
            // A truncated nanosecond, and the rounding of a float of 53 bits.
            assert!(off <= 1e-9 + duration * 1e-15, "{ticks}: {off}");
        }
    }

    #[test]
    fn a_bound_in_ticks_is_the_bound_in_nanoseconds() {
        for scale in [Scale::NANOSECONDS, Scale::measured(2_599_998, 1_000_000).expect("2.6 GHz")] {
            for bound in [1, 99, 100_000_000, 250_000_000, 30_000_000_000].map(Duration::from_nanos) {
                let ticks = u128::from(scale.ticks_within(bound));
                assert!(scale.duration(ticks) <= bound, "{scale:?} {bound:?}");
                assert!(scale.duration(ticks + 1) > bound, "{scale:?} {bound:?}");
            }
        }
    }

    #[test]
    fn a_century_of_sums_fits() {
        let century = Duration::from_hours(24 * 365 * 100);
        assert_eq!(Scale::NANOSECONDS.duration(century.as_nanos()), century);
    }

    #[test]
    fn no_counter_is_slower_or_faster_than_processors_are() {
        assert_eq!(Scale::measured(0, 1_000_000), None);
        assert_eq!(Scale::measured(1_000, 1_000_000), None);
        assert_eq!(Scale::measured(1_000_000_000, 1_000_000), None);
    }
}
