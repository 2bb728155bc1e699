//! Subsystems: the core loops of a bot, the durations of their cycles and whether they are alive.

mod max_age;
mod standing;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, Timeline, Translation};
use crate::error::Problem;
use crate::outcome::unwinding::Unwinding;
use crate::source_line::SourceLine;
use crate::storage::{ENABLED, Ending, RunInProgress, Scratch, SeriesMap, Sink, record_outside};
use crate::{Error, Outcome};

pub(crate) use max_age::MaxAge;
use standing::Presence;
pub(crate) use standing::SubsystemSlots;
pub use standing::{AgeOrigin, RunEnd, SubsystemHealth};

/// A subsystem is stalled after this many of its periods without a success.
pub(crate) const PERIODS_UNTIL_STALLED: u32 = 3;

/// The default age at which a subsystem counts as stalled.
pub(crate) const DEFAULT_MAX_AGE: Duration = Duration::from_secs(60);

/// The subsystems of an instance.
#[derive(Debug, Default)]
pub(crate) struct Subsystems(SeriesMap<&'static str, SubsystemSlots>);

impl Subsystems {
    /// The slots of `subsystem`, exported from here on.
    pub(crate) fn registered(&self, subsystem: &'static str, clock: &Clock) -> Arc<SubsystemSlots> {
        let slots = self.slots(subsystem, clock, Presence::Here);
        slots.register(clock.boot_time());
        slots
    }

    /// The slots of `subsystem`, exported from its next run on, unless they already are.
    pub(crate) fn awaited(&self, subsystem: &'static str, clock: &Clock) -> Arc<SubsystemSlots> {
        self.slots(subsystem, clock, Presence::NotYet)
    }

    fn slots(&self, subsystem: &'static str, clock: &Clock, presence: Presence) -> Arc<SubsystemSlots> {
        self.0.get_or_insert_with(&subsystem, || SubsystemSlots::new(clock, presence))
    }

    pub(crate) fn collect(&self, translation: &Translation, sink: &mut dyn Sink) {
        let mut scratch = Scratch::default();
        self.0.each(|subsystem, slots| slots.state(subsystem, translation, &mut scratch).collect(sink));
    }

    /// The state of each subsystem, sorted by name.
    pub(crate) fn health(&self, translation: &Translation) -> Vec<SubsystemHealth> {
        let mut scratch = Scratch::default();
        let mut health = Vec::new();
        self.0.each(|subsystem, slots| {
            health.extend(slots.state(subsystem, translation, &mut scratch).health());
        });
        health
    }
}

/// A subsystem of an instance, for code that cannot be annotated; from [`Metrics::subsystem`](crate::Metrics::subsystem).
///
/// ```
/// # use bot_metrics::{Mode, Outcome, Settings, labels::Subsystem};
/// # use std::time::Duration;
/// let metrics = Settings::new(Mode::Paper).build()?;
/// let trading = metrics.subsystem(Subsystem::Trading).with_period(Duration::from_secs(5))?;
///
/// let run = trading.start();
/// // … one cycle …
/// run.finish(Outcome::Ok);
/// # Ok::<(), bot_metrics::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SubsystemHandle {
    pub(crate) subsystem: &'static str,
    pub(crate) slots: Arc<SubsystemSlots>,
    pub(crate) clock: Clock,
    pub(crate) timeline: Arc<Timeline>,
}

impl SubsystemHandle {
    /// Sets the period of the cycles; after three periods without a success the subsystem is stalled.
    ///
    /// # Errors
    ///
    /// If the period is zero, with which it would never be alive, or the subsystem already has a different age, here
    /// or in an attribute.
    #[track_caller]
    pub fn with_period(self, every: Duration) -> Result<Self, Error> {
        self.with_max_age(every.saturating_mul(PERIODS_UNTIL_STALLED))
    }

    /// Sets the maximum age of the last success before the subsystem counts as stalled; 60 s by default.
    ///
    /// # Errors
    ///
    /// If the age is zero, with which it would never be alive, or the subsystem already has a different age, here or
    /// in an attribute.
    #[track_caller]
    pub fn with_max_age(self, max_age: Duration) -> Result<Self, Error> {
        let place = SourceLine::of_caller();
        if max_age.is_zero() {
            return Err(Problem::NoMaxAge { subsystem: self.subsystem, place }.into());
        }
        let asked = MaxAge { age: max_age, place };
        match self.slots.set_max_age(asked) {
            Ok(()) => Ok(self),
            Err(set) => Err(set.conflict(self.subsystem, asked)),
        }
    }

    /// Pauses the subsystem deliberately, for example because the market is closed: until [`resume`](Self::resume) it
    /// stays alive, `subsystem_paused` is 1, and no run of it hangs. The reason is on the status page, but never in a
    /// label.
    ///
    /// ```
    /// # use bot_metrics::{Mode, Settings, labels::Subsystem};
    /// let metrics = Settings::new(Mode::Paper).build()?;
    /// metrics.subsystem(Subsystem::Trading).pause("market closed");
    /// # Ok::<(), bot_metrics::Error>(())
    /// ```
    pub fn pause(&self, reason: impl Into<String>) {
        self.set_paused(Some(Arc::from(reason.into())));
    }

    /// Ends a pause, which counts as a sign of life like a success: the next success is due within `max_age`.
    pub fn resume(&self) {
        self.set_paused(None);
    }

    fn set_paused(&self, reason: Option<Arc<str>>) {
        record_outside(|| self.slots.set_paused(reason, self.clock.boot_time()));
    }

    /// Removes its gauges, because it was stopped for good: an unregistered subsystem is not stalled. Its counters
    /// and durations stay. With the next run, through any handle or attribute, everything is restored without loss.
    pub fn unregister(&self) {
        record_outside(|| self.slots.unregister());
    }

    /// Begins a run: the body of one cycle, without the sleep between cycles.
    #[must_use = "a run lasts as long as its guard"]
    pub fn start(&self) -> RunGuard<'_> {
        let running = self.slots.runs.start(&self.clock);
        RunGuard { running, handle: self, unwinding: Unwinding::at_entry(), given: None }
    }
}

/// A run in progress. Dropped without [`finish`](Self::finish), it counts as cancelled, or as a panic if a panic
/// drops it.
#[derive(Debug)]
pub struct RunGuard<'a> {
    running: RunInProgress,
    handle: &'a SubsystemHandle,
    unwinding: Unwinding,
    /// The outcome from [`finish`](Self::finish).
    given: Option<Outcome>,
}

impl RunGuard<'_> {
    /// Ends the run.
    pub fn finish(mut self, outcome: Outcome) {
        self.given = Some(outcome);
    }
}

/// How a run with this outcome is recorded.
pub(crate) fn ending(outcome: Outcome, observes_cancelled: bool) -> Ending {
    let observed = match outcome {
        Outcome::Skipped => false,
        Outcome::Cancelled => observes_cancelled,
        _ => true,
    };
    Ending { outcome: outcome as u8, observed, freshens: outcome.is_fresh() }
}

impl Drop for RunGuard<'_> {
    fn drop(&mut self) {
        let outcome = self.given.unwrap_or_else(|| self.unwinding.outcome());
        let SubsystemHandle { clock, timeline, .. } = self.handle;
        let now = clock.ticks();
        if ENABLED {
            // The machine may have slept before this run, or during it.
            timeline.compare(clock, now);
        }
        let running = self.running.on_this_thread();
        if outcome != Outcome::Ok || !running.end_quickly(now) {
            running.end(ending(outcome, false), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::storage::tests::drop_guard_while_another_has_its_share;

    #[test]
    fn a_run_ended_by_a_destructor_leaves_its_shard_to_the_new_owner() {
        static SLOTS: LazyLock<Arc<SubsystemSlots>> =
            LazyLock::new(|| Arc::new(SubsystemSlots::new(&Clock::System, Presence::Here)));
        drop_guard_while_another_has_its_share(|| {
            let (slots, timeline) = (Arc::clone(&SLOTS), Arc::new(Timeline::new()));
            let handle = SubsystemHandle { subsystem: "cycle", slots, clock: Clock::System, timeline };
            Box::new(Box::leak(Box::new(handle)).start())
        });
        assert_eq!(SLOTS.runs.ended_without_share(), 1);
        let totals = SLOTS.runs.read(&mut Scratch::default(), u64::MAX).clone();
        assert_eq!((totals.started, totals.ended(), totals.under_way()), (2, 2, 0));
    }
}
