//! Faults that a seed draws.

use std::ops::Range;
use std::time::Duration;

use super::{Fault, FaultWindow};
use crate::random::Random;

/// The time from the beginning of a fault to the next. About one fault is active at a time; some overlap.
const DISTANCE: Range<Duration> = Duration::from_secs(2)..Duration::from_secs(14);

/// How long a fault lasts: at most about twice the age at which most loops are stalled.
const LENGTH: Range<Duration> = Duration::from_secs(1)..Duration::from_secs(12);

/// Draws faults and their windows, without end; equal seeds draw the same.
///
/// ```
/// use bot_metrics_examples::fault::{Fault, RandomFaults};
///
/// let first = |seed| RandomFaults::new(seed, Fault::ALL).take(10).collect::<Vec<_>>();
/// assert_eq!(first(7), first(7));
/// assert_ne!(first(7), first(8));
/// ```
#[derive(Debug, Clone)]
pub struct RandomFaults {
    random: Random,
    faults: Vec<Fault>,
    after: Duration,
}

impl RandomFaults {
    /// Draws from `faults`; draws nothing if there are none.
    #[must_use]
    pub fn new(seed: u64, faults: &[Fault]) -> Self {
        Self { random: Random::new(seed), faults: faults.to_vec(), after: Duration::ZERO }
    }
}

impl Iterator for RandomFaults {
    type Item = FaultWindow;

    fn next(&mut self) -> Option<FaultWindow> {
        let fault = *self.random.choose(&self.faults)?;
        self.after += self.random.duration(DISTANCE);
        Some(FaultWindow { fault, after: self.after, lasts: Some(self.random.duration(LENGTH)) })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_fault_is_drawn_and_the_windows_advance() {
        let windows: Vec<_> = RandomFaults::new(42, Fault::ALL).take(500).collect();
        let drawn: BTreeSet<_> = windows.iter().map(|window| window.fault).collect();
        assert_eq!(drawn.len(), Fault::ALL.len());
        assert!(windows.is_sorted_by_key(|window| window.after));
        let length = windows.iter().filter_map(|window| window.lasts).sum::<Duration>();
        let share = length.as_secs_f64() / windows[499].after.as_secs_f64();
        assert!((0.7..1.0).contains(&share), "{share} faults are active at a time");
        assert_eq!(RandomFaults::new(42, &[]).next(), None);
    }
}
