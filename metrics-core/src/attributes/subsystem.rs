//! `#[timed_subsystem]`: one cycle of a subsystem.

use std::cell::Cell;
use std::time::Duration;

use super::guards::Guard;
use crate::Outcome;
use crate::clock;
use crate::families::subsystem::{MaxAge, ending};
use crate::instance::process;
use crate::report::Topic;
use crate::sites::call_site::{CallSite, SiteSeries};
use crate::storage::{Ending, RunInProgress, not_installed};

#[doc(hidden)]
impl CallSite {
    /// Begins a run of the subsystem at this index of the site's choices.
    #[inline]
    pub fn subsystem(&'static self, index: usize) -> SiteRun {
        SiteRun(if index == 0 { self.first_run() } else { self.other_run(index) })
    }

    // Not generic: otherwise it would be compiled in the crate of its first user, where thread-locals are slower to
    // access.

    #[inline(never)]
    fn first_run(&'static self) -> RunInProgress {
        self.cell.start_quickly().unwrap_or_else(|| start_slowly(self, 0))
    }

    #[inline(never)]
    fn other_run(&'static self, index: usize) -> RunInProgress {
        self.cell(index, 0).start_quickly().unwrap_or_else(|| start_slowly(self, index))
    }
}

#[cold]
#[inline(never)]
fn start_slowly(site: &'static CallSite, index: usize) -> RunInProgress {
    let refused = Cell::new(None);
    let find = || {
        let core = process::core();
        // Exported from this run on, if it was not before.
        let slots = core.subsystems.awaited(name(site, index), &core.clock);
        if let Some(Err(set)) = site.max_age().map(|max_age| slots.set_max_age(max_age)) {
            refused.set(Some(set));
        }
        SiteSeries::Subsystem(slots)
    };
    let cell = site.cell(index, 0);
    cell.find(find);
    not_installed::note(site);
    compare_clocks();
    if let Some(set) = refused.take() {
        report_refused(site, index, &set);
    }
    // Whether a cancelled run is observed, a rare option, is a flag of the run, which then takes the slow path.
    let running = cell.start_slowly(!site.observes_cancelled, find, SiteSeries::calls);
    if site.observes_cancelled { running.flagged() } else { running }
}

fn name(site: &CallSite, index: usize) -> &'static str {
    site.labels()[0].text(index).unwrap_or_default()
}

#[cold]
fn report_refused(site: &CallSite, index: usize, set: &MaxAge) {
    let (subsystem, asked) = (name(site, index), site.max_age().map_or(Duration::ZERO, |asked| asked.age));
    process::core().report().tell(
        Topic::MaxAge,
        site,
        format_args!(
            "subsystem {subsystem} counts as stalled after {set}; the {asked:?} of {site} are not used: write the same \
             `every` or `max_age` in both"
        ),
    );
}

/// A run of an annotated function.
#[derive(Debug)]
pub struct SiteRun(pub(crate) RunInProgress);

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
        end_slowly(self.0, ending(outcome, self.0.is_flagged()));
    }
}

// Compiled once for all call sites, not in each annotated function: 200 bytes less for each, and equally fast.

#[inline(never)]
fn end_well(running: RunInProgress) {
    if !running.end_quickly_anywhere_by_time_stamp() {
        end_slowly(running, ending(Outcome::Ok, false));
    }
}

#[inline(never)]
fn end_well_here(running: RunInProgress) {
    if !running.end_quickly_by_time_stamp() {
        end_slowly(running, ending(Outcome::Ok, false));
    }
}

#[cold]
#[inline(never)]
fn end_slowly(running: RunInProgress, ending: Ending) {
    compare_clocks();
    running.end_site(ending);
}

/// A suspend is then known to lie before the next recording. Quick ends are too cheap to include this.
fn compare_clocks() {
    // Both exist, unless an allocator records an allocation made while the first of them is created.
    if let Some((core, now)) = process::core_unless_inside().zip(clock::now_unless_inside()) {
        core.timeline.compare_if_due(&core.clock, now);
    }
}
