//! Subsystems: the core loops of a bot, how long their cycles take and whether they are fresh.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::call_site::{Cells, Choice, SlotCell};
use crate::catalogue::{self, SUBSYSTEM_DURATION_BUCKETS};
use crate::clock::Clock;
use crate::guard::{Guard, Unwinding};
use crate::registry;
use crate::storage::{CounterSlot, GaugeSlot, HistogramSlot, LevelSlot, Series, SnapshotBuilder, StampSlot};
use crate::{Error, LabelValue, Outcome};

/// A subsystem is stalled after this many of its periods without a success.
const PERIODS_UNTIL_STALLED: u32 = 3;

/// The age at which a subsystem counts as stalled where nobody gave one.
pub(crate) const DEFAULT_MAX_AGE: Duration = Duration::from_mins(1);

/// The subsystems of an instance.
#[derive(Debug)]
pub(crate) struct Subsystems(Series<&'static str, SubsystemSlots>);

impl Subsystems {
    pub(crate) fn new() -> Self {
        Self(Series::new())
    }

    /// The slots of `subsystem`, registered now if it was not before.
    pub(crate) fn slots(&self, subsystem: &'static str, clock: &Clock) -> Arc<SubsystemSlots> {
        self.0.get_or_insert_with(&subsystem, || SubsystemSlots::new(clock.boot_time()))
    }

    pub(crate) fn collect(&self, now: Duration, snapshot: &mut SnapshotBuilder) {
        for (subsystem, slots) in self.0.all() {
            slots.collect(subsystem, now, snapshot);
        }
    }

    /// How each subsystem stands at `now`, sorted by name.
    pub(crate) fn health(&self, now: Duration) -> Vec<SubsystemHealth> {
        self.0.all().into_iter().map(|(subsystem, slots)| slots.health(subsystem, now)).collect()
    }
}

/// How a subsystem stands; from [`Metrics::health`](crate::Metrics::health).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubsystemHealth {
    /// Its name.
    pub subsystem: &'static str,
    /// The age at which it counts as stalled.
    pub max_age: Duration,
    /// Age of the last success or skip; before the first, time since it was registered.
    pub age: Duration,
    /// For how long nothing has begun or ended although a run is under way; none up to `max_age`.
    pub hung_for: Option<Duration>,
}

impl SubsystemHealth {
    /// Whether it is fresh: what `subsystem_alive` says.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.age <= self.max_age
    }
}

/// What is recorded of one subsystem.
#[derive(Debug)]
pub struct SubsystemSlots {
    duration: HistogramSlot<{ SUBSYSTEM_DURATION_BUCKETS.len() + 1 }>,
    runs: [CounterSlot; Outcome::VALUES.len()],
    in_progress: LevelSlot,
    /// Unix time in seconds; it follows the wall clock back too when somebody sets that.
    last_run: GaugeSlot,
    /// Boot time of the last success or skip.
    fresh: StampSlot,
    /// Boot time at which a run last began or ended.
    active: StampSlot,
    /// Boot time.
    registered: Duration,
    max_age: OnceLock<Duration>,
}

impl SubsystemSlots {
    fn new(registered: Duration) -> Self {
        Self {
            duration: HistogramSlot::new(&SUBSYSTEM_DURATION_BUCKETS),
            runs: std::array::from_fn(|_| CounterSlot::new()),
            in_progress: LevelSlot::new(),
            last_run: GaugeSlot::new(),
            fresh: StampSlot::new(),
            active: StampSlot::new(),
            registered,
            max_age: OnceLock::new(),
        }
    }

    fn max_age(&self) -> Duration {
        self.max_age.get().copied().unwrap_or(DEFAULT_MAX_AGE)
    }

    /// Sets the age once; a different one later is refused with the one that stands.
    pub(crate) fn set_max_age(&self, max_age: Duration) -> Result<(), Duration> {
        let standing = *self.max_age.get_or_init(|| max_age);
        if standing == max_age { Ok(()) } else { Err(standing) }
    }

    fn start<'a>(&'a self, clock: &'a Clock, observes_cancelled: bool) -> RunGuard<'a> {
        self.in_progress.raise();
        self.active.advance(clock.boot_time());
        RunGuard {
            slots: self,
            clock,
            started: clock.monotonic(),
            unwinding: Unwinding::at_entry(),
            observes_cancelled,
            ended: false,
        }
    }

    fn health(&self, subsystem: &'static str, now: Duration) -> SubsystemHealth {
        let max_age = self.max_age();
        let fresh = self.fresh.value().unwrap_or_default().max(self.registered);
        let idle = now.saturating_sub(self.active.value().unwrap_or(now));
        SubsystemHealth {
            subsystem,
            max_age,
            age: now.saturating_sub(fresh),
            hung_for: (self.in_progress.value() > 0 && idle > max_age).then_some(idle),
        }
    }

    fn collect(&self, subsystem: &'static str, now: Duration, snapshot: &mut SnapshotBuilder) {
        let labels = || vec![subsystem.into()];
        let health = self.health(subsystem, now);
        snapshot.histogram(&catalogue::SUBSYSTEM_DURATION_SECONDS, labels(), self.duration.value());
        if let Some(last_run) = self.last_run.value() {
            snapshot.gauge(&catalogue::SUBSYSTEM_LAST_RUN_TIMESTAMP, labels(), last_run);
        }
        snapshot.gauge(&catalogue::SUBSYSTEM_ALIVE, labels(), f64::from(u8::from(health.is_alive())));
        for (outcome, runs) in Outcome::VALUES.iter().zip(&self.runs) {
            let labels = vec![subsystem.into(), (*outcome).into()];
            snapshot.counter(&catalogue::SUBSYSTEM_RUNS_TOTAL, labels, runs.value());
        }
        #[expect(clippy::cast_precision_loss, reason = "2^53 runs at once do not fit a machine")]
        let in_progress = self.in_progress.value() as f64;
        snapshot.gauge(&catalogue::SUBSYSTEM_IN_PROGRESS, labels(), in_progress);
        snapshot.gauge(&catalogue::SUBSYSTEM_MAX_AGE_SECONDS, labels(), health.max_age.as_secs_f64());
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
    subsystem: &'static str,
    slots: Arc<SubsystemSlots>,
    clock: Clock,
}

impl SubsystemHandle {
    pub(crate) fn new(subsystem: &'static str, slots: Arc<SubsystemSlots>, clock: Clock) -> Self {
        Self { subsystem, slots, clock }
    }

    /// Says how often a cycle runs; three periods without a success mean stalled.
    ///
    /// # Errors
    ///
    /// Where the subsystem has a different age already, here or in an attribute.
    pub fn with_period(self, every: Duration) -> Result<Self, Error> {
        self.with_max_age(every.saturating_mul(PERIODS_UNTIL_STALLED))
    }

    /// Says how old the last success may be before the subsystem counts as stalled; 60 s unless set.
    ///
    /// # Errors
    ///
    /// Where the subsystem has a different age already, here or in an attribute.
    pub fn with_max_age(self, max_age: Duration) -> Result<Self, Error> {
        match self.slots.set_max_age(max_age) {
            Ok(()) => Ok(self),
            Err(standing) => Err(Error::conflicting_max_age(self.subsystem, max_age, standing)),
        }
    }

    /// Begins a run: the body of one cycle, without the sleep between cycles.
    #[must_use = "a run lasts as long as its guard"]
    pub fn start(&self) -> RunGuard<'_> {
        self.slots.start(&self.clock, false)
    }
}

/// A run under way. Dropped without [`finish`](Self::finish) it counts as cancelled, or as a panic where one drops
/// it.
#[derive(Debug)]
pub struct RunGuard<'a> {
    slots: &'a SubsystemSlots,
    clock: &'a Clock,
    started: Duration,
    unwinding: Unwinding,
    observes_cancelled: bool,
    ended: bool,
}

impl RunGuard<'_> {
    /// Ends the run.
    pub fn finish(mut self, outcome: Outcome) {
        self.end(outcome);
    }

    fn end(&mut self, outcome: Outcome) {
        self.ended = true;
        let slots = self.slots;
        let now = self.clock.boot_time();
        slots.in_progress.lower();
        slots.active.advance(now);
        slots.runs[outcome.index()].add(1);
        let observed = match outcome {
            Outcome::Skipped => false,
            Outcome::Cancelled => self.observes_cancelled,
            _ => true,
        };
        if observed {
            slots.duration.observe(self.clock.monotonic().saturating_sub(self.started));
        }
        if outcome.is_fresh() {
            slots.fresh.advance(now);
        }
        if outcome == Outcome::Ok {
            slots.last_run.set(self.clock.wall().as_secs_f64());
        }
    }
}

impl Guard for RunGuard<'_> {
    type Verdict = Outcome;

    fn finish(self, outcome: Outcome) {
        Self::finish(self, outcome);
    }

    fn abandon(self, outcome: Outcome) {
        Self::finish(self, outcome);
    }
}

impl Drop for RunGuard<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.end(self.unwinding.outcome());
        }
    }
}

/// An annotated function that is one cycle of a subsystem.
#[derive(Debug)]
pub struct SubsystemSite {
    subsystem: Choice,
    max_age: Option<Duration>,
    optional: bool,
    observes_cancelled: bool,
    slots: Cells<SubsystemSlots>,
}

impl SubsystemSite {
    /// A site of `subsystem`.
    #[must_use]
    pub const fn new(subsystem: Choice) -> Self {
        Self { subsystem, max_age: None, optional: false, observes_cancelled: false, slots: Cells::one() }
    }

    /// Cells for each set of values that the site can have, where that is more than one.
    #[must_use]
    pub const fn cells(mut self, cells: &'static [SlotCell<SubsystemSlots>]) -> Self {
        self.slots.many = cells;
        self
    }

    /// See [`SubsystemHandle::with_period`].
    #[must_use]
    pub const fn every(self, period: Duration) -> Self {
        self.max_age(period.saturating_mul(PERIODS_UNTIL_STALLED))
    }

    /// See [`SubsystemHandle::with_max_age`].
    #[must_use]
    pub const fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// The subsystem counts from its first run, not from `install` on.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The duration of a cancelled run is observed too.
    #[must_use]
    pub const fn observe_cancelled(mut self) -> Self {
        self.observes_cancelled = true;
        self
    }

    /// Begins a run of the subsystem at `index` of the site's choices.
    #[must_use]
    pub fn start(&'static self, index: usize) -> RunGuard<'static> {
        let core = registry::process_core();
        let subsystem = || self.subsystem.text(index).unwrap_or_default();
        let slots = self.slots.get(index).get_or_init(|| {
            let slots = core.subsystems.slots(subsystem(), &core.clock);
            if let Some(Err(standing)) = self.max_age.map(|max_age| slots.set_max_age(max_age)) {
                core.report().tell(&format!(
                    "subsystem {} is stalled after {standing:?}, which was said elsewhere: another age at a site that picks its subsystem at run time does not count",
                    subsystem()
                ));
            }
            slots
        });
        slots.start(&core.clock, self.observes_cancelled)
    }

    /// The subsystem that this site always is, if it does not choose at run time.
    pub(crate) fn fixed(&self) -> Option<&'static str> {
        self.subsystem.fixed()
    }

    pub(crate) fn is_optional(&self) -> bool {
        self.optional
    }

    pub(crate) fn declared_max_age(&self) -> Option<Duration> {
        self.max_age
    }
}
