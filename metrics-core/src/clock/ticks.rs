//! A tick counter that is cheap to read, is monitored, and is replaced permanently when it cannot be trusted.

use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use super::machine;
use super::scale::Scale;

/// The clocks from which ticks are made: the machine's, unless a test replaces them.
pub(super) trait TickSource {
    fn time_stamp(&self) -> u64 {
        machine::time_stamp()
    }

    fn time_stamp_is_trusted(&self) -> bool {
        machine::time_stamp_is_trusted()
    }

    fn monotonic(&self) -> Duration {
        machine::monotonic()
    }

    fn unadjusted(&self) -> Duration {
        machine::unadjusted()
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// Ticks of the time stamp counter, or of the monotonic clock if the counter is not trusted (any more).
///
/// The unit never changes: after a fallback the monotonic clock is counted in the counter's ticks, so that sums keep
/// growing and runs in progress end with a plausible duration.
#[derive(Debug)]
pub(super) struct Ticks<S> {
    source: S,
    pub(super) scale: Scale,
    /// The moment at which the monotonic clock took over; at tick 0 if the counter was never trusted.
    took_over: OnceLock<Pair>,
    checked: Mutex<Pair>,
}

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
struct Pair {
    ticks: u64,
    time: Duration,
    /// Ticks that passed while both were read, which bound the error of the pair.
    doubt: u64,
}

/// Long enough for 0.2 ppm, since a pair is accurate to some nanoseconds; short enough to be spent once at the start.
const CALIBRATION: Duration = Duration::from_millis(20);

/// Two counts of one oscillator do not differ. On systems without an unadjusted clock, the reference is adjusted by time
/// synchronisation: usually by up to 500 ppm, by chrony by up to 83,333.
const DRIFT_ALLOWED_PPM: u128 = 1000;

/// No decision is made on less: a pair that the scheduler interrupted for 100 µs looks like 1000 ppm within 100 ms.
const SHORTEST_WATCH: Duration = Duration::from_millis(500);

impl<S: TickSource> Ticks<S> {
    /// Takes 20 ms if the counter is trusted.
    pub(super) fn new(source: S) -> Self {
        let scale = source.time_stamp_is_trusted().then(|| measure(&source)).flatten();
        let start = Pair { ticks: 0, time: Duration::ZERO, doubt: 0 };
        let took_over = if scale.is_none() { OnceLock::from(start) } else { OnceLock::new() };
        let checked = Mutex::new(pair(&source));
        let scale = scale.unwrap_or(Scale::NANOSECONDS);
        Self { source, scale, took_over, checked }
    }

    /// Whether the time stamp counter may be read directly.
    pub(super) fn counts_time_stamps(&self) -> bool {
        self.took_over.get().is_none()
    }

    /// Whether the counter was trusted at first but was given up.
    pub(super) fn fell_back(&self) -> bool {
        self.took_over.get().is_some_and(|start| start.ticks > 0)
    }

    pub(super) fn now(&self) -> u64 {
        match self.took_over.get() {
            None => self.source.time_stamp(),
            Some(start) => {
                let since = self.source.monotonic().saturating_sub(start.time);
                start.ticks.saturating_add(self.scale.ticks(since))
            }
        }
    }

    /// Compares the counter with the unadjusted clock over the time since the last call. Returns the difference in
    /// ppm if it is too large, which happens at most once: the monotonic clock has then taken over.
    pub(super) fn check(&self) -> Option<u128> {
        if !self.counts_time_stamps() {
            return None;
        }
        // Another scrape is checking already, or was when this process was forked.
        let mut checked = self.checked.try_lock().ok()?;
        let now = pair(&self.source);
        let passed = now.time.saturating_sub(checked.time);
        if passed < SHORTEST_WATCH || self.scale.duration(now.doubt.into()) > SHORTEST_WATCH / 10_000 {
            return None;
        }
        let counted = self.scale.duration(now.ticks.saturating_sub(checked.ticks).into());
        let ppm = passed.abs_diff(counted).as_nanos() * 1_000_000 / passed.as_nanos();
        if ppm <= DRIFT_ALLOWED_PPM {
            *checked = now;
            return None;
        }
        // The count continues as if the counter had kept its rate, so that a jump is not included.
        let ticks = checked.ticks.saturating_add(self.scale.ticks(passed));
        self.took_over.set(Pair { ticks, time: self.source.monotonic(), ..now }).ok()?;
        Some(ppm)
    }
}

fn measure<S: TickSource>(source: &S) -> Option<Scale> {
    let start = pair(source);
    source.sleep(CALIBRATION);
    let end = pair(source);
    let nanoseconds = u64::try_from(end.time.saturating_sub(start.time).as_nanos()).ok()?;
    Scale::measured(end.ticks.saturating_sub(start.ticks), nanoseconds)
}

/// The least disturbed of several pairs. The rest of its error is the same at both ends of a calibration.
fn pair(source: &impl TickSource) -> Pair {
    let attempt = || {
        let before = source.time_stamp();
        let time = source.unadjusted();
        let doubt = source.time_stamp().saturating_sub(before);
        Pair { ticks: before + doubt / 2, time, doubt }
    };
    (0..16).map(|_| attempt()).min_by_key(|pair| pair.doubt).unwrap_or_else(attempt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// A counter of 2 GHz and a monotonic clock, each of which a test can disturb.
    #[derive(Debug, Default)]
    struct Mock {
        time: Cell<Duration>,
        ticks: Cell<u64>,
        /// The time that time synchronisation added to the monotonic clock.
        steered: Cell<Duration>,
        untrusted: bool,
    }

    impl Mock {
        fn pass(&self, time: Duration, ticks_ppm: i64) {
            self.time.set(self.time.get() + time);
            let ticks = i64::try_from(time.as_nanos()).unwrap() * 2;
            let ticks = ticks + i64::try_from(i128::from(ticks) * i128::from(ticks_ppm) / 1_000_000).unwrap();
            self.ticks.set(self.ticks.get() + u64::try_from(ticks).unwrap());
        }
    }

    impl TickSource for &Mock {
        fn time_stamp(&self) -> u64 {
            self.ticks.get()
        }
        fn time_stamp_is_trusted(&self) -> bool {
            !self.untrusted
        }
        fn monotonic(&self) -> Duration {
            self.time.get() + self.steered.get()
        }
        fn unadjusted(&self) -> Duration {
            self.time.get()
        }
        fn sleep(&self, duration: Duration) {
            self.pass(duration, 0);
        }
    }

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn an_adjusted_monotonic_clock_does_not_discredit_a_good_counter() {
        let mock = Mock::default();
        let ticks = Ticks::new(&mock);
        for _ in 0..100 {
            mock.pass(MINUTE, 0);
            // As fast as chrony may.
            mock.steered.set(mock.steered.get() + MINUTE / 12);
            assert_eq!(ticks.check(), None);
        }
        mock.pass(MINUTE, 5_000);
        assert_eq!(ticks.check(), Some(5_000));
        let before = ticks.now();
        mock.pass(MINUTE, 0);
        assert_eq!(
            ticks.scale.duration((ticks.now() - before).into()),
            MINUTE,
            "it takes over without its past"
        );
    }

    #[test]
    fn a_small_drift_is_tolerated_and_the_scale_stays() {
        let mock = Mock::default();
        let ticks = Ticks::new(&mock);
        assert_eq!(ticks.scale.duration(2_000_000_000), Duration::from_secs(1));
        for _ in 0..100 {
            mock.pass(MINUTE, 500);
            assert_eq!(ticks.check(), None);
        }
        assert_eq!(ticks.now(), mock.ticks.get());
    }

    #[test]
    fn a_greater_drift_makes_the_monotonic_clock_take_over_in_the_same_unit() {
        let mock = Mock::default();
        let ticks = Ticks::new(&mock);
        mock.pass(MINUTE, 0);
        assert_eq!(ticks.check(), None);
        let before = ticks.now();
        mock.pass(MINUTE, 1_500);
        assert_eq!(ticks.check(), Some(1_500));
        assert_eq!(ticks.check(), None, "told once");
        assert!(ticks.fell_back() && !ticks.counts_time_stamps());
        mock.pass(MINUTE, 1_500);
        assert_eq!(ticks.scale.duration((ticks.now() - before).into()), 2 * MINUTE);
    }

    #[test]
    fn a_counter_that_jumps_or_stops_or_goes_back_is_given_up_without_its_jump() {
        let leaps: [fn(&Mock); 3] = [
            |mock| mock.ticks.set(mock.ticks.get() + 7_200_000_000_000),
            |mock| mock.time.set(mock.time.get() + MINUTE),
            |mock| mock.ticks.set(0),
        ];
        for leap in leaps {
            let mock = Mock::default();
            let ticks = Ticks::new(&mock);
            mock.pass(MINUTE, 0);
            let (before, time) = (ticks.now(), mock.time.get());
            leap(&mock);
            mock.pass(MINUTE, 0);
            assert!(ticks.check().is_some());
            let passed = mock.time.get().abs_diff(time);
            assert_eq!(ticks.scale.duration((ticks.now() - before).into()), passed);
        }
    }

    #[test]
    fn too_short_an_interval_is_not_judged_and_the_next_check_includes_it() {
        let mock = Mock::default();
        let ticks = Ticks::new(&mock);
        mock.pass(Duration::from_millis(100), 5_000);
        assert_eq!(ticks.check(), None);
        mock.pass(Duration::from_millis(400), 5_000);
        assert_eq!(ticks.check(), Some(5_000));
    }

    #[test]
    fn an_untrusted_counter_is_never_read_and_does_not_count_as_a_fallback() {
        let mock = Mock { untrusted: true, ..Mock::default() };
        let ticks = Ticks::new(&mock);
        mock.pass(MINUTE, 9_000);
        assert_eq!(ticks.now(), 60_000_000_000);
        assert!(!ticks.fell_back());
    }
}
