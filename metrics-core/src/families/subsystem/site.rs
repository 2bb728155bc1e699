//! Annotated functions that are one cycle of a subsystem.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use super::max_age::{MaxAge, Place};
use super::{SubsystemSlots, ending};
use crate::Outcome;
use crate::attributes::guard::Guard;
use crate::clock;
use crate::instance::registry;
use crate::report::Topic;
use crate::sites::call_site::{CallSite, Found};
use crate::storage::not_installed;
use crate::storage::{Ending, Lease, Run};

/// A run of an annotated function.
#[derive(Debug)]
pub struct SiteRun(pub(crate) Run);

impl Guard for SiteRun {
    type Verdict = Outcome;
    type Waits = ();

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
        end_slowly(self.0, ending(outcome, self.0.is_marked()));
    }
}

// Once for all sites, not once in each annotated function: 200 bytes less of each, and as fast.

#[inline(never)]
fn end_well(running: Run) {
    if !running.end_quickly_anywhere_by_time_stamp() {
        end_slowly(running, ending(Outcome::Ok, false));
    }
}

#[inline(never)]
fn end_well_here(running: Run) {
    if !running.end_quickly_by_time_stamp() {
        end_slowly(running, ending(Outcome::Ok, false));
    }
}

#[cold]
#[inline(never)]
fn end_slowly(running: Run, ending: Ending) {
    compare_clocks();
    running.end_site(ending);
}

/// A suspend is then known to lie before what is recorded next. Quick ends are too cheap for it.
fn compare_clocks() {
    // Both are there, unless an allocator records what is allocated for the first of them.
    if let Some((core, now)) = registry::process_core_unless_inside().zip(clock::now_unless_inside()) {
        core.timeline.compare_if_due(&core.clock, now);
    }
}

/// An annotated function that is one cycle of a subsystem.
#[derive(Clone, Copy, Debug)]
pub struct SubsystemSite<'a>(pub(crate) &'a CallSite);

impl SubsystemSite<'static> {
    pub(crate) fn start_slowly(self, index: usize) -> Run {
        let refused = Cell::new(None);
        let find = || Found::Subsystem(self.find(index, &refused));
        let cell = self.0.cell(index, 0);
        cell.find(find);
        not_installed::note(self.0);
        compare_clocks();
        if let Some(set) = refused.take() {
            self.tell_refused(index, &set);
        }
        // Whether a cancelled run is observed, which is rarely asked for, goes with the run in a mark, and the run by
        // the slow way.
        if self.0.observes_cancelled { cell.start_marked(find, runs) } else { cell.start_slowly(find, runs) }
    }

    fn find(self, index: usize, refused: &Cell<Option<MaxAge<'static>>>) -> Arc<SubsystemSlots> {
        let core = registry::process_core();
        // Exported from this run on, if it was not before.
        let slots = core.subsystems.awaited(self.name(index), &core.clock);
        if let Some(Err(set)) = self.max_age().map(|max_age| slots.set_max_age(max_age)) {
            refused.set(Some(set));
        }
        slots
    }

    #[cold]
    fn tell_refused(self, index: usize, set: &MaxAge<'_>) {
        let (subsystem, asked) = (self.name(index), self.max_age().map_or(Duration::ZERO, |asked| asked.age));
        registry::process_core().report().tell(
            Topic::MaxAge,
            self.0,
            format_args!(
                "subsystem {subsystem} counts as stalled after {set}; the {asked:?} of {} are not used: write the same \
                 `every` or `max_age` in both",
                self.0
            ),
        );
    }

    fn name(self, index: usize) -> &'static str {
        self.0.labels()[0].text(index).unwrap_or_default()
    }
}

/// Where they are recorded.
fn runs(found: &Found) -> &Lease {
    match found {
        Found::Subsystem(slots) => slots.runs(),
        other => unreachable!("a site finds its own slots, not {other:?}"),
    }
}

impl<'a> SubsystemSite<'a> {
    /// Every subsystem that this site can be.
    pub(crate) fn values(self) -> Vec<&'static str> {
        self.0.labels()[0].values()
    }

    /// The subsystem that this site always is, if it does not choose at run time.
    pub(crate) fn fixed(self) -> Option<&'static str> {
        self.0.labels()[0].fixed()
    }

    pub(crate) fn is_optional(self) -> bool {
        self.0.optional
    }

    /// The age that its attribute gives.
    pub(crate) fn max_age(self) -> Option<MaxAge<'a>> {
        let age = Duration::from_nanos(self.0.max_age_ns);
        (!age.is_zero()).then_some(MaxAge { age, place: Place::Site(self.0) })
    }
}
