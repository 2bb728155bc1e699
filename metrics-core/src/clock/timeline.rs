//! Translates ticks to boot time and wall-clock time.
//!
//! Recording stores ticks only. A scrape translates them, and every exported timestamp keeps its first translation: a
//! later one would differ by corrections of the clocks since.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::{Clock, Scale};
use crate::lock::Lock;

/// All clocks of an instance at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moment {
    pub(crate) ticks: u64,
    pub(crate) boot_time: Duration,
    pub(crate) wall: Duration,
}

/// The suspends that an instance has detected by comparing its clocks.
///
/// A suspend is known to lie between two comparisons, so they have to be frequent: each scrape makes one and the
/// server one per second, and so do all but the cheapest ends of runs, at low cost.
#[derive(Debug)]
pub(crate) struct Timeline {
    past: Lock<Past>,
    /// The tick from which on the last comparison is out of date.
    due_at: AtomicU64,
}

#[derive(Debug, Default)]
struct Past {
    /// The moment of the last translation.
    last: Option<Moment>,
    /// Oldest first.
    suspends: Vec<Suspend>,
}

/// A suspend at some time between a moment and a later tick.
#[derive(Clone, Copy, Debug)]
struct Suspend {
    before: Moment,
    until: u64,
}

/// Runs may end too often to compare the clocks each time.
const DUE_AFTER: Duration = Duration::from_millis(10);

/// Boot time and ticks may differ by this much without a suspend. (A larger difference may also come from a time
/// server that corrects seconds, which is then translated as accurately.)
const LEEWAY: Duration = Duration::from_millis(50);
const LEEWAY_PPM: u32 = 1_000;

/// A scrape may contain recordings made after its beginning, but no later than this.
const LONGEST_SCRAPE: Duration = Duration::from_secs(60);

/// A tick from before this many suspends that was not translated yet may look older than it is.
const MOST_SUSPENDS: usize = 64;

impl Timeline {
    pub(crate) fn new() -> Self {
        // Allocated for all suspends, since a recording that detects one must not allocate.
        let past = Past { last: None, suspends: Vec::with_capacity(MOST_SUSPENDS) };
        Self { past: Lock::new(past), due_at: AtomicU64::new(0) }
    }

    /// The translation of ticks up to now.
    pub(crate) fn translation(&self, clock: &Clock) -> Translation {
        let mut past = self.past.lock();
        let now = self.go_on(&mut past, clock, None);
        Translation { now, suspends: past.suspends.clone(), scale: clock.scale() }
    }

    /// Compares the clocks at the tick `at`, which was just read: a suspend since the last comparison lies before it.
    /// Does nothing if another thread is comparing.
    pub(crate) fn compare(&self, clock: &Clock, at: u64) {
        if let Some(mut past) = self.past.try_hold() {
            self.go_on(&mut past, clock, Some(at));
        }
    }

    /// Like [`compare`](Self::compare), for frequent recordings: does nothing if the last comparison is recent
    /// enough.
    pub(crate) fn compare_if_due(&self, clock: &Clock, at: u64) {
        if at >= self.due_at.load(Relaxed) {
            self.compare(clock, at);
        }
    }

    fn go_on(&self, past: &mut Past, clock: &Clock, at: Option<u64>) -> Moment {
        let (now, scale) = (clock.moment(), clock.scale());
        past.go_on(now, at, scale);
        // A manual clock does not advance by itself: no time need pass between an update, a suspend and the next
        // update.
        let due_after = if let Clock::System = clock { scale.ticks(DUE_AFTER) } else { 0 };
        self.due_at.store(now.ticks.saturating_add(due_after), Relaxed);
        now
    }
}

impl Past {
    /// `at` is the tick of the recording that causes the comparison, if any.
    fn go_on(&mut self, now: Moment, at: Option<u64>, scale: Scale) {
        // Earlier recordings may have the tick of this moment, because a manual clock does not advance by itself.
        let after_all = now.ticks.saturating_add(1);
        if let Some(before) = self.last.replace(now)
            && has_slept(before, now, scale)
        {
            // If another thread compared the clocks after `at` was read, the machine slept after `at` too.
            let until =
                at.map_or(after_all, |at| if at > before.ticks { at.min(now.ticks) } else { now.ticks });
            self.add(Suspend { before, until });
        }
        if let (Some(at), Some(latest)) = (at, self.suspends.last_mut())
            && at == now.ticks
            && latest.until == after_all
        {
            latest.until = at;
        }
    }

    fn add(&mut self, suspend: Suspend) {
        if self.suspends.len() >= MOST_SUSPENDS {
            // The oldest two become one. If the first were dropped, ticks from before it would look younger than they
            // are.
            let Suspend { before, .. } = self.suspends.remove(0);
            if let Some(oldest) = self.suspends.first_mut() {
                oldest.before = before;
            }
        }
        self.suspends.push(suspend);
    }
}

/// Whether the machine slept between two moments.
fn has_slept(before: Moment, now: Moment, scale: Scale) -> bool {
    let boot_time = now.boot_time.saturating_sub(before.boot_time);
    let counted = scale.duration(now.ticks.saturating_sub(before.ticks).into());
    boot_time > counted + LEEWAY + counted / (1_000_000 / LEEWAY_PPM)
}

/// A translation of ticks up to a moment.
#[derive(Clone, Debug)]
pub(crate) struct Translation {
    now: Moment,
    suspends: Vec<Suspend>,
    scale: Scale,
}

impl Translation {
    /// The boot time now.
    pub(crate) fn boot_time(&self) -> Duration {
        self.now.boot_time
    }

    /// The tick now.
    pub(crate) fn ticks(&self) -> u64 {
        self.now.ticks
    }

    /// The last tick that is accepted as a timestamp.
    pub(crate) fn horizon(&self) -> u64 {
        self.now.ticks.saturating_add(self.scale.ticks(LONGEST_SCRAPE))
    }

    /// The boot time and the wall-clock time at `ticks`; `None` for ticks far in the future, which were recorded from
    /// a counter that jumped.
    ///
    /// If the machine was suspended between two comparisons of the clocks, a tick between them may lie on either
    /// side. It is dated before the suspend: a loop that ran before it must not look fresh after it.
    pub(crate) fn stamp(&self, ticks: u64) -> Option<Stamp> {
        let ahead = self.scale.duration(ticks.saturating_sub(self.now.ticks).into());
        if ahead > LONGEST_SCRAPE {
            return None;
        }
        let slept_after = self.suspends.iter().find(|suspend| ticks < suspend.until);
        Some(self.at(slept_after.map_or(self.now, |suspend| suspend.before), ticks))
    }

    /// The time at `ticks`, computed from a moment without a suspend in between.
    fn at(&self, moment: Moment, ticks: u64) -> Stamp {
        let Moment { ticks: known, boot_time, wall } = moment;
        let apart = self.scale.duration(ticks.abs_diff(known).into());
        if ticks < known {
            Stamp { boot_time: boot_time.saturating_sub(apart), wall: wall.saturating_sub(apart) }
        } else {
            Stamp { boot_time: boot_time + apart, wall: wall + apart }
        }
    }
}

/// A point in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) boot_time: Duration,
    pub(crate) wall: Duration,
}

impl Stamp {
    /// The wall-clock time of an earlier boot time, as the wall clock is set now.
    #[cfg(feature = "page")]
    pub(crate) fn wall_of(self, earlier: Duration) -> Duration {
        self.wall.saturating_sub(self.boot_time.saturating_sub(earlier))
    }
}

/// The first translation of the newest of some ticks.
#[derive(Debug, Default)]
pub(crate) struct Latch(Option<Latched>);

#[derive(Debug)]
struct Latched {
    ticks: u64,
    events: u64,
    stamp: Stamp,
}

/// Translations of one tick differ by less, unless a clock was set, or did not advance between two events.
const SAME: Duration = Duration::from_millis(1);

impl Latch {
    /// The timestamp of `ticks`, the newest of `events` events.
    pub(crate) fn stamp(&mut self, ticks: u64, events: u64, translation: &Translation) -> Option<Stamp> {
        let Some(latched) = self.0.as_mut().filter(|latched| latched.ticks == ticks) else {
            let stamp = translation.stamp(ticks)?;
            self.0 = Some(Latched { ticks, events, stamp });
            return Some(stamp);
        };
        if latched.events != events {
            latched.events = events;
            let again = translation.stamp(ticks).unwrap_or(latched.stamp);
            let moved = |one: Duration, other: Duration| one.abs_diff(other) >= SAME;
            if moved(again.wall, latched.stamp.wall) || moved(again.boot_time, latched.stamp.boot_time) {
                latched.stamp = again;
            }
        }
        Some(latched.stamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64, suspended: u64) -> Moment {
        let (up, suspended) = (Duration::from_secs(seconds), Duration::from_secs(suspended));
        let ticks = seconds * 1_000_000_000;
        Moment { ticks, boot_time: up + suspended, wall: Duration::from_secs(1_700_000_000) + up + suspended }
    }

    fn translation(now: Moment, before_suspend: Option<Moment>) -> Translation {
        let suspends =
            before_suspend.map(|before| Suspend { before, until: now.ticks }).into_iter().collect();
        Translation { now, suspends, scale: Scale::NANOSECONDS }
    }

    #[test]
    fn a_latched_timestamp_is_constant_until_a_newer_tick_replaces_it() {
        let mut latch = Latch::default();
        let first = latch.stamp(90_000_000_000, 7, &translation(at(100, 0), None)).expect("past");
        assert_eq!(first.boot_time, Duration::from_secs(90));
        let mut slewed = at(200, 0);
        slewed.wall += Duration::from_micros(300);
        assert_eq!(latch.stamp(90_000_000_000, 7, &translation(slewed, None)), Some(first));
        assert_eq!(latch.stamp(90_000_000_000, 8, &translation(slewed, None)), Some(first), "a torn reading");
        let newer = latch.stamp(190_000_000_000, 8, &translation(slewed, None)).expect("past");
        assert_eq!(newer.boot_time, Duration::from_secs(190));
    }

    #[test]
    fn future_ticks_belong_to_this_scrape_or_have_no_timestamp() {
        let translation = translation(at(100, 0), None);
        let stamp = translation.stamp(101_000_000_000).expect("recorded during the scrape");
        assert_eq!(stamp.boot_time, Duration::from_secs(101));
        assert_eq!(translation.stamp(200_000_000_000), None);
    }

    #[test]
    fn a_tick_around_a_suspend_is_dated_before_it() {
        let translation = translation(at(110, 3_600), Some(at(100, 0)));
        let stamp = translation.stamp(105_000_000_000).expect("past");
        assert_eq!(stamp.boot_time, Duration::from_secs(105));
        assert_eq!(stamp.wall, Duration::from_secs(1_700_000_105), "by the wall clock too");
    }

    #[test]
    fn a_tick_of_this_moment_has_age_zero() {
        let half_a_nanosecond = Scale::measured(2_600_000_000, 1_000_000_000).expect("a ratio");
        let now = Moment { ticks: 260, ..at(100, 0) };
        let translation = Translation { now, suspends: Vec::new(), scale: half_a_nanosecond };
        assert_eq!(translation.stamp(261).expect("now").boot_time, now.boot_time);
    }

    #[test]
    fn every_later_translation_knows_each_suspend_and_dates_ticks_on_the_right_side_of_it() {
        let mut past = Past::default();
        for (seconds, suspended) in [(100, 0), (110, 3_600), (120, 3_600), (130, 7_200), (140, 7_200)] {
            past.go_on(at(seconds, suspended), None, Scale::NANOSECONDS);
        }
        let translation =
            Translation { now: at(140, 7_200), suspends: past.suspends, scale: Scale::NANOSECONDS };
        for (seconds, suspended) in [(90, 0), (105, 0), (115, 3_600), (125, 3_600), (135, 7_200)] {
            let stamp = translation.stamp(seconds * 1_000_000_000).expect("past");
            assert_eq!(stamp.boot_time, Duration::from_secs(seconds + suspended), "{seconds}");
            assert_eq!(stamp.wall, Duration::from_secs(1_700_000_000 + seconds + suspended), "{seconds}");
        }
    }

    /// Another thread compared the clocks at the tick that the recording had read: the machine slept after both.
    #[test]
    fn a_recording_at_the_tick_of_the_comparison_before_a_suspend_is_dated_before_it() {
        let (recorded, woken) = (at(100, 0), at(110, 3_600));
        let mut past = Past::default();
        past.go_on(recorded, None, Scale::NANOSECONDS);
        past.go_on(woken, Some(recorded.ticks), Scale::NANOSECONDS);
        let translation = Translation { now: woken, suspends: past.suspends, scale: Scale::NANOSECONDS };
        let stamp = translation.stamp(recorded.ticks).expect("past");
        assert_eq!(stamp.boot_time, recorded.boot_time);
    }

    #[test]
    fn no_tick_looks_younger_after_any_number_of_suspends() {
        let mut past = Past::default();
        let days = 1_000;
        for day in 0..=days {
            past.go_on(at(day * 10, day * 3_600), None, Scale::NANOSECONDS);
        }
        let now = at(days * 10, days * 3_600);
        let translation = Translation { now, suspends: past.suspends, scale: Scale::NANOSECONDS };
        let boot_time = |seconds: u64| translation.stamp(seconds * 1_000_000_000).expect("past").boot_time;
        assert_eq!(boot_time(0), Duration::ZERO);
        for day in 0..days {
            let latest = Duration::from_secs((day + 1) * 10 + day * 3_600);
            assert!(boot_time(day * 10 + 5) <= latest, "{day}");
        }
        assert_eq!(boot_time(days * 10 - 5), Duration::from_secs(days * 10 - 5 + (days - 1) * 3_600));
    }

    #[test]
    fn any_number_of_suspends_takes_bounded_memory() {
        let mut past = Past::default();
        for day in 0..1_000 {
            past.go_on(at(day * 10, day * 3_600), None, Scale::NANOSECONDS);
        }
        assert_eq!(past.suspends.len(), MOST_SUSPENDS);
    }
}
