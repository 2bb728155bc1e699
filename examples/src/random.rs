//! Random numbers that a seed determines.

use std::ops::Range;
use std::time::Duration;

/// `SplitMix64` (Steele, Lea, Flood 2014), written out so that a seed gives the same run with every version of every
/// library.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// A generator; equal seeds give equal numbers.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// One of `items`, all of which are equally likely; `None` if there are none.
    pub fn choose<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(items.len()).ok().filter(|count| *count > 0)?;
        items.get(usize::try_from(self.number() % count).unwrap_or_default())
    }

    /// A duration in `range`, in whole milliseconds; its start if the range is shorter than a millisecond.
    pub fn duration(&mut self, range: Range<Duration>) -> Duration {
        let length = range.end.saturating_sub(range.start).as_millis();
        let length = u64::try_from(length).unwrap_or(u64::MAX).max(1);
        range.start + Duration::from_millis(self.number() % length)
    }

    fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_gives_the_published_numbers() {
        let mut random = Random::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([random.number(), random.number(), random.number()], expected);
    }

    #[test]
    fn draws_stay_within_their_limits() {
        let mut random = Random::new(7);
        let range = Duration::from_millis(10)..Duration::from_millis(12);
        let drawn: Vec<_> = (0..1_000).map(|_| random.duration(range.clone()).as_millis()).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&10), Some(&11)));
        assert_eq!(random.duration(Duration::ZERO..Duration::ZERO), Duration::ZERO);
        assert_eq!(random.choose::<u8>(&[]), None);
        let chosen: std::collections::BTreeSet<_> =
            (0..1_000).filter_map(|_| random.choose(&[1, 2, 3])).collect();
        assert_eq!(chosen.len(), 3);
    }
}
