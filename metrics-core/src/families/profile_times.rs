//! The times that the status page shows of a profile: the age of its figures, and since when its capital is at risk.

use std::time::Duration;

use super::capital::CapitalReading;

/// A server samples the profiles once a second; without a sampling for this long, ages are not known.
const LONGEST_PAUSE: Duration = Duration::from_millis(2_500);

/// Times are boot times.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProfileTimes {
    /// Counted instead of dated, since reading a clock would cost as much as the rest of an update.
    updates: u64,
    sampled_updates: u64,
    sampled_at: Duration,
    /// The time of the first sampling after the last sampled update.
    updated_at: Option<Duration>,
    below_since: Option<Duration>,
    over_since: Option<Duration>,
}

/// The figures of a profile with their times, which are boot times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProfileFigures {
    pub(crate) reading: CapitalReading,
    /// The age of the figures, with a resolution of a second; `None` unless a server samples them.
    pub(crate) age: Option<Duration>,
    /// Since when available capital has been below zero.
    pub(crate) below_since: Option<Duration>,
    /// Since when more than all of the allocated capital has been used.
    pub(crate) over_since: Option<Duration>,
}

impl ProfileTimes {
    /// Notes an update. The clock is read only where capital comes to be at risk.
    pub(super) fn update(&mut self, reading: &CapitalReading, is_below: bool, now: impl Fn() -> Duration) {
        self.updates += 1;
        let is_over = reading.utilization_percent > 100.0;
        for (since, is) in [(&mut self.below_since, is_below), (&mut self.over_since, is_over)] {
            *since = is.then(|| since.unwrap_or_else(&now));
        }
    }

    pub(super) fn sample(&mut self, now: Duration) {
        if self.updates != self.sampled_updates {
            self.sampled_updates = self.updates;
            self.updated_at = Some(now);
        }
        self.sampled_at = now;
    }

    pub(super) fn figures(&self, reading: CapitalReading, now: Duration) -> ProfileFigures {
        let updated_at = if self.updates == self.sampled_updates { self.updated_at } else { Some(now) };
        let is_sampled = now.saturating_sub(self.sampled_at) <= LONGEST_PAUSE;
        let age = updated_at.filter(|_| is_sampled).map(|at| now.saturating_sub(at));
        ProfileFigures { reading, age, below_since: self.below_since, over_since: self.over_since }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(used: f64) -> CapitalReading {
        CapitalReading { allocated: 100.0, used, available: 100.0 - used, utilization_percent: used }
    }

    #[test]
    fn a_risk_began_with_the_first_update_that_has_it() {
        let mut times = ProfileTimes::default();
        for (second, used, expected) in
            [(1, 50.0, None), (2, 110.0, Some(2)), (3, 120.0, Some(2)), (4, 90.0, None), (5, 101.0, Some(5))]
        {
            let now = Duration::from_secs(second);
            times.update(&reading(used), used > 100.0, || now);
            let figures = times.figures(reading(used), now);
            let expected = expected.map(Duration::from_secs);
            assert_eq!((figures.below_since, figures.over_since), (expected, expected), "second {second}");
        }
    }

    #[test]
    fn figures_age_from_the_sampling_after_their_update_on() {
        let mut times = ProfileTimes::default();
        let age = |times: &ProfileTimes, second| {
            times.figures(reading(50.0), Duration::from_secs(second)).age.map(|age| age.as_secs())
        };
        times.update(&reading(50.0), false, Duration::default);
        assert_eq!(age(&times, 10), None, "it was not sampled");
        for second in 10..=20 {
            times.sample(Duration::from_secs(second));
        }
        assert_eq!(age(&times, 20), Some(10));
        times.update(&reading(50.0), false, Duration::default);
        assert_eq!(age(&times, 20), Some(0));
        times.sample(Duration::from_secs(21));
        assert_eq!((age(&times, 23), age(&times, 24)), (Some(2), None), "samplings have ended");
    }
}
