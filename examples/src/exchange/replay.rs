//! The replay of the recording: it runs at a chosen speed and starts over at the end.

use std::sync::Arc;
use std::time::Duration;

use crate::recording::{MarketEvent, Recording};

/// The pause between the last event and the first of the next round, in recorded time: about the recording's mean
/// interval between events.
const PAUSE: Duration = Duration::from_millis(4);

/// The recording, with its time stamps shifted to the start of the replay.
#[derive(Debug)]
pub struct Replay {
    recording: Arc<Recording>,
    speed: f64,
    started: Duration,
    round: u32,
    next: usize,
}

impl Replay {
    /// Starts at `started` (since the Unix epoch); `speed` recorded seconds pass per second.
    #[must_use]
    pub fn new(recording: Arc<Recording>, speed: f64, started: Duration) -> Self {
        Self { recording, speed, started, round: 0, next: 0 }
    }

    /// The next event that is due by `now`, and when it happened; `None` once all due events were returned.
    pub fn due(&mut self, now: Duration) -> Option<(MarketEvent, Duration)> {
        let events = self.recording.events();
        let event = *events.get(self.next)?;
        let round_length = events.last()?.at + PAUSE;
        let happened = self.started + (round_length * self.round + event.at).div_f64(self.speed);
        if happened > now {
            return None;
        }
        self.next += 1;
        if self.next == events.len() {
            self.next = 0;
            self.round += 1;
        }
        Some((event, happened))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(1_000);
    const MARKET: &str = "\
received_us,exchange_us,symbol,kind,side,price,quantity,ask_price,ask_quantity
5000000,5000000,BTCUSDT,quote,,100,1,100.01,2
5100000,5100000,ETHUSDT,quote,,10,1,10.01,2
5200000,5200000,SOLUSDT,quote,,1,1,1.01,2
6000000,5900000,SOLUSDT,trade,buy,1.01,1,,";

    fn replay(speed: f64) -> Replay {
        Replay::new(Arc::new(Recording::read("market.csv", MARKET.as_bytes()).unwrap()), speed, START)
    }

    fn due(replay: &mut Replay, after_ms: u64) -> Vec<u128> {
        let now = START + Duration::from_millis(after_ms);
        std::iter::from_fn(|| replay.due(now))
            .map(|(_, happened)| happened.saturating_sub(START).as_millis())
            .collect()
    }

    #[test]
    fn events_are_returned_when_they_are_due() {
        let mut replay = replay(1.0);
        assert_eq!(due(&mut replay, 0), [0]);
        assert_eq!(due(&mut replay, 0), [0; 0]);
        assert_eq!(due(&mut replay, 199), [100]);
        assert_eq!(due(&mut replay, 1_000), [200, 1_000]);
    }

    #[test]
    fn it_starts_over_and_time_goes_on() {
        assert_eq!(due(&mut replay(1.0), 1_104), [0, 100, 200, 1_000, 1_004, 1_104]);
    }

    #[test]
    fn speed_shortens_the_distances() {
        assert_eq!(due(&mut replay(10.0), 100), [0, 10, 20, 100]);
        assert_eq!(due(&mut replay(0.5), 400), [0, 200, 400]);
    }
}
