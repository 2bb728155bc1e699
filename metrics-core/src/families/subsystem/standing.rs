//! The state of a subsystem: its recordings, read at one moment.

use std::sync::Arc;
use std::time::Duration;

use super::{DEFAULT_MAX_AGE, MaxAge};
use crate::catalogue::{self, Family, SUBSYSTEM_DURATION_BUCKETS};
use crate::clock::{Clock, Latch, Stamp, Translation};
use crate::lock::{self, Lock};
use crate::storage::{CallSeriesLease, Scratch, Sink, Totals, to_f64};
use crate::{LabelValue, Outcome};

/// The recordings of one subsystem.
#[derive(Debug)]
pub struct SubsystemSlots {
    pub(crate) runs: CallSeriesLease,
    standing: Lock<SubsystemRecord>,
    max_age: lock::Once<MaxAge>,
}

/// The state that is not recorded by runs.
#[derive(Debug)]
struct SubsystemRecord {
    presence: Presence,
    /// Boot time from which on its age counts: the time at which it was registered or resumed.
    since: Duration,
    /// Whether it was resumed then.
    was_resumed: bool,
    /// The reason of a pause.
    paused: Option<Arc<str>>,
    good: Latch,
    fresh: Latch,
    ended: Latch,
}

/// Whether a subsystem is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// It is exported.
    Here,
    /// It never was; it will be from its first run on.
    NotYet,
    /// It was, with this many runs: its gauges return with the next one.
    Gone { runs: u64 },
}

impl Presence {
    /// Whether the subsystem is exported once this many runs have begun.
    fn is_here_after(self, begun: u64) -> bool {
        match self {
            Self::Here => true,
            Self::NotYet => begun > 0,
            Self::Gone { runs } => begun > runs,
        }
    }
}

/// The state of a subsystem; from [`Metrics::health`](crate::Metrics::health).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubsystemHealth {
    /// Its name.
    pub subsystem: &'static str,
    /// The age at which it counts as stalled.
    pub max_age: Duration,
    /// Age of the last success or skip; before the first, time since it was registered. The end of a pause counts
    /// like a success.
    pub age: Duration,
    /// The moment from which on `age` counts.
    pub age_origin: AgeOrigin,
    /// The duration of the run in progress, without the time for which the machine slept; for several concurrent runs
    /// their mean duration, which the oldest one has at least reached.
    pub running_for: Option<Duration>,
    /// `running_for` if a run hangs: it is longer than `max_age` and the subsystem is not paused. Otherwise `None`.
    pub hung_for: Option<Duration>,
    /// The number of runs that have ended. If it is 0 while one is in progress, the attribute may be on the loop
    /// instead of the body of one cycle.
    pub runs_ended: u64,
    /// Age of the last end of a run, whether it succeeded or not; `None` before the first.
    pub last_end_age: Option<Duration>,
    /// How the last run ended; `None` before the first.
    pub last_end: Option<RunEnd>,
    /// The reason of a pause.
    pub paused: Option<Arc<str>>,
}

/// The moment from which on the age of a subsystem counts: the latest of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "page", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum AgeOrigin {
    /// It was registered, and no run has succeeded or was skipped since.
    Registered,
    /// A pause ended, and no run has succeeded or was skipped since.
    Resumed,
    /// A run succeeded.
    Succeeded,
    /// A run was skipped.
    Skipped,
}

impl AgeOrigin {
    /// Says for how long no run has succeeded, of an age with its unit.
    #[cfg(feature = "server")]
    pub(crate) fn without_success(self, age: &str) -> String {
        match self {
            Self::Registered => format!("no success for {age} since its start"),
            Self::Resumed => format!("no success for {age} since its pause"),
            Self::Succeeded => format!("no success for {age}"),
            Self::Skipped => format!("no success or skip for {age}"),
        }
    }
}

/// How a run of a subsystem ended, as far as its health depends on it. The counts of `subsystem_runs_total` have the
/// exact outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// With [`Outcome::Ok`].
    Succeeded,
    /// With [`Outcome::Skipped`], a sign of life like a success.
    Skipped,
    /// With any other outcome.
    Failed,
}

impl SubsystemHealth {
    /// Whether it is alive or paused, as exported in `subsystem_alive`.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.paused.is_some() || self.age <= self.max_age
    }
}

impl RunEnd {
    /// The end of the last run, if one has ended.
    fn last(totals: &Totals) -> Option<Self> {
        match totals.ended_at {
            0 => None,
            at if at == totals.good_at => Some(Self::Succeeded),
            at if at == totals.fresh_at => Some(Self::Skipped),
            _ => Some(Self::Failed),
        }
    }
}

/// The state of a subsystem at one moment.
pub(super) struct SubsystemReading<'a> {
    presence: Presence,
    runs: &'a CallSeriesLease,
    totals: &'a Totals,
    good: Option<Stamp>,
    ended: Option<Stamp>,
    health: SubsystemHealth,
}

impl SubsystemSlots {
    pub(super) fn new(clock: &Clock, presence: Presence) -> Self {
        let runs = CallSeriesLease::new(&SUBSYSTEM_DURATION_BUCKETS, Outcome::VALUES.len(), clock.scale());
        Self::recording_to(runs, clock, presence)
    }

    /// The slots of a handle that an allocator requests under a lock.
    pub(crate) fn nowhere(clock: &Clock) -> Self {
        Self::recording_to(CallSeriesLease::nowhere(), clock, Presence::NotYet)
    }

    fn recording_to(runs: CallSeriesLease, clock: &Clock, presence: Presence) -> Self {
        let standing = SubsystemRecord {
            presence,
            since: clock.boot_time(),
            was_resumed: false,
            paused: None,
            good: Latch::default(),
            fresh: Latch::default(),
            ended: Latch::default(),
        };
        Self { runs, standing: Lock::new(standing), max_age: lock::Once::new() }
    }

    /// Sets the age once; a different one later is rejected and the first is returned.
    pub(crate) fn set_max_age(&self, max_age: MaxAge) -> Result<(), MaxAge> {
        let set = *self.max_age.get_or_init(|| max_age);
        if set.age == max_age.age { Ok(()) } else { Err(set) }
    }

    /// Exports it from here on, unless it already is.
    pub(super) fn register(&self, now: Duration) {
        self.standing.lock().be_here(now);
    }

    pub(super) fn unregister(&self) {
        let mut standing = self.standing.lock();
        let runs = self.runs.read(&mut Scratch::default(), u64::MAX).started;
        // Runs since then would restore it, even if no scrape has read them.
        if standing.presence.is_here_after(runs) {
            standing.presence = Presence::Gone { runs };
        }
        standing.paused = None;
    }

    /// Pauses it for a reason, or resumes it.
    pub(super) fn set_paused(&self, reason: Option<Arc<str>>, now: Duration) {
        let mut standing = self.standing.lock();
        if standing.paused.is_some() && reason.is_none() {
            standing.since = now;
            standing.was_resumed = true;
        }
        standing.paused = reason;
    }

    pub(super) fn state<'a>(
        &'a self,
        subsystem: &'static str,
        translation: &Translation,
        scratch: &'a mut Scratch,
    ) -> SubsystemReading<'a> {
        // Before the runs are read, so that of two concurrent scrapes the timestamps belong to the later reading.
        let mut standing = self.standing.lock();
        let totals = self.runs.read(scratch, translation.horizon());
        let now = translation.boot_time();
        if standing.presence.is_here_after(totals.started) {
            standing.be_here(now);
        }
        let max_age = self.max_age.get().map_or(DEFAULT_MAX_AGE, |max_age| max_age.age);
        let good_runs = totals.outcomes[Outcome::Ok.index()];
        let fresh_runs = good_runs + totals.outcomes[Outcome::Skipped.index()];
        let stamp =
            |latch: &mut Latch, ticks, events| latch.stamp(ticks, events, translation).filter(|_| ticks > 0);
        let good = stamp(&mut standing.good, totals.good_at, good_runs);
        let fresh = stamp(&mut standing.fresh, totals.fresh_at, fresh_runs);
        let ended = stamp(&mut standing.ended, totals.ended_at, totals.ended());
        let since = standing.since;
        let running_for = self.running_for(totals, max_age, translation);
        let hung_for = running_for
            .map(|running| running.min(now.saturating_sub(since)))
            .filter(|running| *running > max_age && standing.paused.is_none());
        let fresh = fresh.filter(|fresh| fresh.boot_time >= since);
        let age_origin = match fresh {
            Some(_) if totals.fresh_at == totals.good_at => AgeOrigin::Succeeded,
            Some(_) => AgeOrigin::Skipped,
            None if standing.was_resumed => AgeOrigin::Resumed,
            None => AgeOrigin::Registered,
        };
        let health = SubsystemHealth {
            subsystem,
            max_age,
            age: now.saturating_sub(fresh.map_or(since, |fresh| fresh.boot_time)),
            age_origin,
            running_for,
            hung_for,
            runs_ended: totals.ended(),
            last_end_age: ended.map(|ended| now.saturating_sub(ended.boot_time)),
            last_end: RunEnd::last(totals),
            paused: standing.paused.clone(),
        };
        SubsystemReading { presence: standing.presence, runs: &self.runs, totals, good, ended, health }
    }

    /// The duration of the runs in progress. If it would mean a hang, it is read a second time: a run that moves
    /// between threads while their shards are read may be missed, which makes others look older.
    fn running_for(&self, totals: &Totals, max_age: Duration, translation: &Translation) -> Option<Duration> {
        let lasted = |totals: &Totals| {
            totals.open_for(translation.ticks()).map(|ticks| self.runs.scale().duration(ticks.into()))
        };
        let first = lasted(totals)?;
        if first <= max_age {
            return Some(first);
        }
        let (mut scratch, horizon) = (Scratch::default(), translation.horizon());
        lasted(self.runs.read(&mut scratch, horizon)).map(|second| second.min(first))
    }
}

impl SubsystemRecord {
    fn be_here(&mut self, now: Duration) {
        if self.presence != Presence::Here {
            self.presence = Presence::Here;
            self.since = now;
            self.was_resumed = false;
        }
    }
}

impl SubsystemReading<'_> {
    pub(super) fn health(self) -> Option<SubsystemHealth> {
        (self.presence == Presence::Here).then_some(self.health)
    }

    pub(super) fn collect(&self, sink: &mut dyn Sink) {
        let Self { presence, runs, totals, good, ended, health } = self;
        if *presence == Presence::NotYet {
            return;
        }
        let labels = &[health.subsystem];
        let observed = runs.scale().duration(totals.sum).as_secs_f64();
        sink.exemplars(&catalogue::SUBSYSTEM_DURATION_SECONDS, &runs.exemplars);
        sink.histogram(&catalogue::SUBSYSTEM_DURATION_SECONDS, labels, totals.observed(), observed);
        for (outcome, runs) in Outcome::VALUES.iter().zip(&totals.outcomes) {
            sink.counter(&catalogue::SUBSYSTEM_RUNS_TOTAL, &[health.subsystem, outcome], *runs);
        }
        if *presence != Presence::Here {
            return;
        }
        let mut gauge = |family: &'static Family, value: f64| sink.gauge(family, labels, value);
        let flag = |is: bool| f64::from(u8::from(is));
        if let Some(good) = good {
            gauge(&catalogue::SUBSYSTEM_LAST_RUN_TIMESTAMP, good.wall.as_secs_f64());
        }
        if let Some(ended) = ended {
            gauge(&catalogue::SUBSYSTEM_LAST_ATTEMPT_TIMESTAMP_SECONDS, ended.wall.as_secs_f64());
        }
        gauge(&catalogue::SUBSYSTEM_ALIVE, flag(health.is_alive()));
        gauge(&catalogue::SUBSYSTEM_PAUSED, flag(health.paused.is_some()));
        gauge(&catalogue::SUBSYSTEM_IN_PROGRESS, to_f64(totals.under_way()));
        gauge(&catalogue::SUBSYSTEM_MAX_AGE_SECONDS, health.max_age.as_secs_f64());
    }
}
