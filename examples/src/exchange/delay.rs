//! Delays of the answers, sampled from the recorded delays.

use std::time::Duration;

use crate::random::Random;

/// The recorded delays (median 134.5 ms, 99 % below 732 ms) include the distance to Tokyo and a clock offset. A
/// quarter of them corresponds to a bot in the same region: median 34 ms, 90 % below 81 ms, 99 % below 183 ms, at
/// most 241 ms.
const SCALE: u32 = 4;

/// Draws delays; equal seeds give equal delays.
#[derive(Debug)]
pub struct Delays {
    recorded: Vec<Duration>,
    random: Random,
}

impl Delays {
    /// Draws from `recorded`; if it is empty, every answer is immediate.
    #[must_use]
    pub fn new(recorded: &[Duration], seed: u64) -> Self {
        Self { recorded: recorded.to_vec(), random: Random::new(seed) }
    }

    /// The next answer's delay.
    pub fn draw(&mut self) -> Duration {
        self.random.choose(&self.recorded).map_or(Duration::ZERO, |delay| *delay / SCALE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::Recording;

    fn draws(seed: u64) -> Vec<Duration> {
        let mut delays = Delays::new(Recording::embedded().unwrap().delays(), seed);
        (0..10_000).map(|_| delays.draw()).collect()
    }

    #[test]
    fn a_seed_fixes_the_delays() {
        assert_eq!(draws(42), draws(42));
        assert_ne!(draws(42), draws(43));
    }

    #[test]
    fn the_quantiles_are_the_recorded_ones_scaled() {
        let mut sorted = draws(42);
        sorted.sort();
        for (rank, expected_ms) in [(5_000, 33.6), (9_000, 80.9), (9_900, 183.0)] {
            let ms = sorted[rank].as_secs_f64() * 1_000.0;
            assert!((ms / expected_ms - 1.0).abs() < 0.1, "rank {rank}: {ms} ms, expected {expected_ms} ms");
        }
        assert!(sorted[9_999] <= Duration::from_millis(241));
    }
}
