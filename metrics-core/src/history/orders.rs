//! When each profile placed its last order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{LONGEST_LABELS, MOST_PROFILES};

/// The orders that each profile has placed since the start, counted by its events `ORDER_PLACED`.
pub(crate) type PlacedOrders = BTreeMap<Arc<str>, u64>;

/// The last order of each profile, dated by the sampling that first counts it.
#[derive(Debug, Default)]
pub(crate) struct LastOrders {
    profiles: BTreeMap<Arc<str>, LastOrder>,
    /// Orders before the first sampling have no known time.
    has_begun: bool,
}

#[derive(Debug)]
struct LastOrder {
    placed: u64,
    /// The boot time.
    at: Option<Duration>,
}

impl LastOrders {
    pub(super) fn add(&mut self, placed: &PlacedOrders, now: Duration) {
        self.profiles.retain(|profile, _| placed.contains_key(profile));
        for (profile, &placed) in placed {
            let at = self.at(profile, placed, now);
            if self.has_room(profile) || self.profiles.contains_key(profile) {
                self.profiles.insert(Arc::clone(profile), LastOrder { placed, at });
            }
        }
        self.has_begun = true;
    }

    fn has_room(&self, profile: &str) -> bool {
        self.profiles.len() < MOST_PROFILES && profile.len() <= LONGEST_LABELS
    }

    /// The boot time of the last order of a profile that has placed this many by `now`, at most a second late; `None` if
    /// it is not known.
    pub(crate) fn at(&self, profile: &str, placed: u64, now: Duration) -> Option<Duration> {
        match self.profiles.get(profile) {
            Some(last) if last.placed == placed => last.at,
            Some(_) => Some(now),
            None => Some(now).filter(|_| self.has_begun && placed > 0 && self.has_room(profile)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(counts: &[(&str, u64)]) -> PlacedOrders {
        counts.iter().map(|(profile, placed)| (Arc::from(*profile), *placed)).collect()
    }

    #[test]
    fn an_order_is_dated_by_the_sampling_that_first_counts_it() {
        let mut orders = LastOrders::default();
        let second = Duration::from_secs;
        orders.add(&placed(&[("maker", 3)]), second(1));
        assert_eq!(orders.at("maker", 3, second(1)), None, "placed before the first sampling");
        orders.add(&placed(&[("maker", 3), ("taker", 1)]), second(2));
        orders.add(&placed(&[("maker", 4), ("taker", 1)]), second(3));
        orders.add(&placed(&[("maker", 4), ("taker", 1)]), second(4));
        assert_eq!(orders.at("maker", 4, second(4)), Some(second(3)));
        assert_eq!(orders.at("taker", 1, second(4)), Some(second(2)));
        assert_eq!(orders.at("taker", 2, second(4)), Some(second(4)), "not sampled yet");
        orders.add(&placed(&[("taker", 1)]), second(5));
        orders.add(&placed(&[("maker", 1), ("taker", 1)]), second(6));
        assert_eq!(orders.at("maker", 1, second(6)), Some(second(6)), "it was removed and began anew");
    }

    #[test]
    fn profiles_over_the_limit_have_no_last_order() {
        let mut orders = LastOrders::default();
        let names: Vec<_> = (0..100).map(|index| format!("{index:02}")).collect();
        for (second, count) in [(1, 1), (2, 2)] {
            let counts: Vec<_> = names.iter().map(|name| (name.as_str(), count)).collect();
            orders.add(&placed(&counts), Duration::from_secs(second));
        }
        let known = names.iter().filter(|name| orders.at(name, 2, Duration::from_secs(3)).is_some());
        assert_eq!(known.count(), MOST_PROFILES);

        let (long, mut orders) = ("m".repeat(LONGEST_LABELS + 1), LastOrders::default());
        (1..3).for_each(|second| orders.add(&placed(&[(&long, second)]), Duration::from_secs(second)));
        assert_eq!(orders.at(&long, 2, Duration::from_secs(3)), None);
    }
}
