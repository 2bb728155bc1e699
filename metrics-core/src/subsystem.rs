//! Subsystems: the core loops of a bot, how long their cycles take and whether they are fresh.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::call_site::{Cells, Choice, SlotCell};
use crate::catalogue::{self, SUBSYSTEM_DURATION_BUCKETS};
use crate::clock::{Clock, Latch, Stamp, Translation};
use crate::guard::{Guard, Unwinding};
use crate::lock::Lock;
use crate::registry;
use crate::storage::{Ending, Lease, NearNumber, Running, Scratch, Series, Sink, Totals};
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
        self.0.get_or_insert_with(&subsystem, || SubsystemSlots::new(clock))
    }

    pub(crate) fn collect(&self, translation: &Translation, sink: &mut dyn Sink) {
        let mut scratch = Scratch::default();
        for (subsystem, slots) in self.0.all() {
            slots.state(translation, &mut scratch).collect(subsystem, sink);
        }
    }

    /// How each subsystem stands, sorted by name.
    pub(crate) fn health(&self, translation: &Translation) -> Vec<SubsystemHealth> {
        let mut scratch = Scratch::default();
        self.0
            .all()
            .into_iter()
            .map(|(subsystem, slots)| slots.state(translation, &mut scratch).health(subsystem))
            .collect()
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
    runs: Lease,
    stamps: Lock<Stamps>,
    /// Boot time.
    registered: Duration,
    max_age: OnceLock<Duration>,
}

/// When something last happened, as first exported.
#[derive(Debug, Default)]
struct Stamps {
    /// A good end.
    good: Latch,
    /// A good end or a skip.
    fresh: Latch,
    /// A beginning or an end.
    active: Latch,
}

/// How a subsystem stands at one moment.
struct State<'a> {
    totals: &'a Totals,
    /// Of all runs.
    observed: Duration,
    good: Option<Stamp>,
    fresh: Duration,
    active: Option<Stamp>,
    max_age: Duration,
    now: Duration,
}

impl SubsystemSlots {
    fn new(clock: &Clock) -> Self {
        Self {
            runs: Lease::new(&SUBSYSTEM_DURATION_BUCKETS, Outcome::VALUES.len(), clock.scale()),
            stamps: Lock::default(),
            registered: clock.boot_time(),
            max_age: OnceLock::new(),
        }
    }

    fn lease(&self) -> &Lease {
        &self.runs
    }

    fn max_age(&self) -> Duration {
        self.max_age.get().copied().unwrap_or(DEFAULT_MAX_AGE)
    }

    /// Sets the age once; a different one later is refused with the one that stands.
    pub(crate) fn set_max_age(&self, max_age: Duration) -> Result<(), Duration> {
        let standing = *self.max_age.get_or_init(|| max_age);
        if standing == max_age { Ok(()) } else { Err(standing) }
    }

    fn state<'a>(&self, translation: &Translation, scratch: &'a mut Scratch) -> State<'a> {
        // Before the runs are read: of two scrapes at once, the stamps belong to the later reading.
        let mut stamps = self.stamps.hold();
        let totals = self.runs.read(scratch, translation.horizon());
        let good_runs = totals.outcomes[Outcome::Ok.index()];
        let fresh_runs = good_runs + totals.outcomes[Outcome::Skipped.index()];
        let stamp =
            |latch: &mut Latch, ticks, events| latch.stamp(ticks, events, translation).filter(|_| ticks > 0);
        let fresh = stamp(&mut stamps.fresh, totals.fresh_at, fresh_runs);
        State {
            good: stamp(&mut stamps.good, totals.good_at, good_runs),
            fresh: fresh.map_or(self.registered, |fresh| fresh.boot_time.max(self.registered)),
            active: stamp(&mut stamps.active, totals.active_at, totals.started + totals.ended()),
            observed: self.runs.scale().duration(totals.sum),
            totals,
            max_age: self.max_age(),
            now: translation.boot_time(),
        }
    }
}

impl State<'_> {
    fn health(&self, subsystem: &'static str) -> SubsystemHealth {
        let idle = self.active.map_or(Duration::ZERO, |active| self.now.saturating_sub(active.boot_time));
        SubsystemHealth {
            subsystem,
            max_age: self.max_age,
            age: self.now.saturating_sub(self.fresh),
            hung_for: (self.totals.under_way() > 0 && idle > self.max_age).then_some(idle),
        }
    }

    fn collect(&self, subsystem: &'static str, sink: &mut dyn Sink) {
        let labels = &[subsystem];
        let health = self.health(subsystem);
        let observed = self.observed.as_secs_f64();
        sink.histogram(&catalogue::SUBSYSTEM_DURATION_SECONDS, labels, self.totals.observed(), observed);
        if let Some(good) = self.good {
            sink.gauge(&catalogue::SUBSYSTEM_LAST_RUN_TIMESTAMP, labels, good.wall.as_secs_f64());
        }
        sink.gauge(&catalogue::SUBSYSTEM_ALIVE, labels, f64::from(u8::from(health.is_alive())));
        for (outcome, runs) in Outcome::VALUES.iter().zip(&self.totals.outcomes) {
            sink.counter(&catalogue::SUBSYSTEM_RUNS_TOTAL, &[subsystem, outcome], *runs);
        }
        #[expect(clippy::cast_precision_loss, reason = "2^53 runs at once do not fit a machine")]
        let in_progress = self.totals.under_way() as f64;
        sink.gauge(&catalogue::SUBSYSTEM_IN_PROGRESS, labels, in_progress);
        sink.gauge(&catalogue::SUBSYSTEM_MAX_AGE_SECONDS, labels, health.max_age.as_secs_f64());
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
        let running = self.slots.runs.start(&self.clock);
        RunGuard { running, clock: &self.clock, unwinding: Unwinding::at_entry(), ended: false }
    }
}

/// A run under way. Dropped without [`finish`](Self::finish) it counts as cancelled, or as a panic where one drops
/// it.
#[derive(Debug)]
pub struct RunGuard<'a> {
    running: Running,
    clock: &'a Clock,
    unwinding: Unwinding,
    ended: bool,
}

impl RunGuard<'_> {
    /// Ends the run.
    pub fn finish(mut self, outcome: Outcome) {
        self.end(outcome);
    }

    fn end(&mut self, outcome: Outcome) {
        self.ended = true;
        let now = self.clock.ticks();
        let running = self.running.here();
        if outcome != Outcome::Ok || !running.end_quickly(now) {
            running.end(ending(outcome, false), now);
        }
    }
}

/// How a run that ended so is recorded.
fn ending(outcome: Outcome, observes_cancelled: bool) -> Ending {
    let observed = match outcome {
        Outcome::Skipped => false,
        Outcome::Cancelled => observes_cancelled,
        _ => true,
    };
    Ending { outcome: outcome as u8, observed, freshens: outcome.is_fresh() }
}

impl Drop for RunGuard<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.end(self.unwinding.outcome());
        }
    }
}

/// A run of an annotated function.
#[derive(Debug)]
pub struct SiteRun(pub(crate) Running);

impl Guard for SiteRun {
    type Verdict = Outcome;

    #[inline]
    fn finish(self, outcome: Outcome) {
        if outcome == Outcome::Ok {
            end_well(self.0);
        } else {
            self.abandon(outcome);
        }
    }

    #[inline]
    fn finish_here(self, outcome: Outcome) {
        if outcome == Outcome::Ok {
            end_well_here(self.0);
        } else {
            self.abandon(outcome);
        }
    }

    #[cold]
    fn abandon(self, outcome: Outcome) {
        self.0.end_site(ending(outcome, self.0.is_marked()));
    }
}

// Once for all sites, not once in each annotated function: 200 bytes less of each, and as fast.

#[inline(never)]
fn end_well(running: Running) {
    if !running.end_quickly_anywhere_by_time_stamp() {
        running.end_site(ending(Outcome::Ok, false));
    }
}

#[inline(never)]
fn end_well_here(running: Running) {
    if !running.end_quickly_by_time_stamp() {
        running.end_site(ending(Outcome::Ok, false));
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

    pub(crate) fn cell(&self, index: usize) -> &SlotCell<SubsystemSlots> {
        self.slots.get(index)
    }

    pub(crate) fn start_slowly(&'static self, index: usize, near: Option<&'static NearNumber>) -> Running {
        let (find, lease) = (|| self.find(index), SubsystemSlots::lease);
        // Whether a cancelled run is observed, which is rarely asked for, goes with the run in a mark, and the run by
        // the slow way.
        if self.observes_cancelled {
            self.cell(index).start_marked(find, lease)
        } else {
            self.cell(index).start_slowly(near, find, lease)
        }
    }

    fn find(&self, index: usize) -> Arc<SubsystemSlots> {
        let core = registry::process_core();
        let subsystem = self.subsystem.text(index).unwrap_or_default();
        let slots = core.subsystems.slots(subsystem, &core.clock);
        if let Some(Err(standing)) = self.max_age.map(|max_age| slots.set_max_age(max_age)) {
            core.report().tell(&format!(
                "subsystem {subsystem} is stalled after {standing:?}, which was said elsewhere: another age at a site that picks its subsystem at run time does not count",
            ));
        }
        slots
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
