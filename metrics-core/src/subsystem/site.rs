//! Annotated functions that are one cycle of a subsystem.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use super::{PERIODS_UNTIL_STALLED, SubsystemSlots, ending};
use crate::Outcome;
use crate::call_site::{Cells, Choice, SlotCell};
use crate::guard::Guard;
use crate::registry;
use crate::storage::{NearNumber, Running};

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
        let refused = Cell::new(None);
        let (find, lease) = (|| self.find(index, &refused), SubsystemSlots::runs);
        self.cell(index).find(find);
        // Neither under a lock, for the hook may record, nor while the run lasts.
        if let Some(standing) = refused.take() {
            self.tell_refused(index, standing);
        }
        // Whether a cancelled run is observed, which is rarely asked for, goes with the run in a mark, and the run by
        // the slow way.
        if self.observes_cancelled {
            self.cell(index).start_marked(find, lease)
        } else {
            self.cell(index).start_slowly(near, find, lease)
        }
    }

    fn find(&self, index: usize, refused: &Cell<Option<Duration>>) -> Arc<SubsystemSlots> {
        let core = registry::process_core();
        // Exported from this run on, if it was not before.
        let slots = core.subsystems.awaited(self.name(index), &core.clock);
        if let Some(Err(standing)) = self.max_age.map(|max_age| slots.set_max_age(max_age)) {
            refused.set(Some(standing));
        }
        slots
    }

    #[cold]
    fn tell_refused(&self, index: usize, standing: Duration) {
        let (subsystem, asked) = (self.name(index), self.max_age.unwrap_or_default());
        registry::process_core().report().tell(&format!(
            "subsystem {subsystem} is stalled after {standing:?}, which a handle said first: the {asked:?} of a call \
             site that is run later do not count"
        ));
    }

    fn name(&self, index: usize) -> &'static str {
        self.subsystem.text(index).unwrap_or_default()
    }

    /// Every subsystem that this site can be.
    pub(crate) fn values(&self) -> Vec<&'static str> {
        self.subsystem.values().to_vec()
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
