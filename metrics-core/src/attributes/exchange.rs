//! `#[exchange_call]`: one attempt of a call to an exchange.

use super::guards::Guard;
use crate::Outcome;
use crate::families::exchange::ending;
use crate::instance::process;
use crate::sites::call_site::{CallSite, SiteSeries};
use crate::storage::waiting::Scope;
use crate::storage::{Call, not_installed};

#[doc(hidden)]
impl CallSite {
    /// Begins an attempt with the values at these indices of the site's choices.
    #[inline]
    pub fn exchange(&'static self, exchange: usize, operation: usize) -> SiteCall {
        let is_first = exchange == 0 && operation == 0;
        SiteCall(if is_first { self.first_call() } else { self.other_call(exchange, operation) })
    }

    // Not generic: otherwise it would be compiled in the crate of its first user, where thread-locals are slower to
    // access.

    #[inline(never)]
    fn first_call(&'static self) -> Call {
        self.cell.start_quickly().unwrap_or_else(|| start_slowly(self, 0, 0))
    }

    #[inline(never)]
    fn other_call(&'static self, exchange: usize, operation: usize) -> Call {
        let cell = self.cell(exchange, operation);
        cell.start_quickly().unwrap_or_else(|| start_slowly(self, exchange, operation))
    }
}

#[cold]
#[inline(never)]
fn start_slowly(site: &'static CallSite, exchange: usize, operation: usize) -> Call {
    not_installed::note(site);
    let find = || {
        let core = process::core();
        let [exchanges, operations] = site.labels();
        let operation = operations.text(operation).unwrap_or_default();
        SiteSeries::Exchange(core.exchange_calls.lease(exchanges.text(exchange), operation, &core.clock))
    };
    let running = site.cell(exchange, operation).start_slowly(true, find, SiteSeries::calls);
    running.minus_waited()
}

/// An attempt of an annotated function, [minus the waits](Call::minus_waited) of its thread unless it guards a
/// future.
#[derive(Debug)]
pub struct SiteCall(pub(crate) Call);

impl Guard for SiteCall {
    type Verdict = Outcome;

    type Waits = Scope;

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
            self.abandon_here(outcome);
        }
    }

    #[cold]
    fn abandon(self, outcome: Outcome) {
        self.0.end_site(ending(outcome));
    }

    #[cold]
    fn abandon_here(self, outcome: Outcome) {
        self.0.plus_waited().end_site(ending(outcome));
    }

    #[inline]
    fn begin_future(&mut self) -> u64 {
        self.0 = self.0.plus_waited();
        self.0.started
    }

    fn subtract(&mut self, waited: u64) {
        self.0 = self.0.with_later_start(waited);
    }
}

// Compiled once for all call sites, not in each annotated function: 200 bytes less for each, and equally fast.

#[inline(never)]
fn end_well(running: Call) {
    if !running.end_quickly_anywhere_by_time_stamp() {
        running.end_site(ending(Outcome::Ok));
    }
}

#[inline(never)]
fn end_well_here(running: Call) {
    if !running.end_quickly_by_time_stamp() {
        running.plus_waited().end_site(ending(Outcome::Ok));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::Exposed as _;
    use crate::sites::call_site::{SlotCell, slot_cells};
    use crate::storage::Value;

    #[test]
    fn the_first_of_several_label_sets_is_in_the_first_cell() {
        static CELLS: [SlotCell<SiteSeries>; 2] = slot_cells();
        static SITE: CallSite =
            CallSite::test_exchange("okx").with_values([&[], &["get_order", "get_trades"]], &CELLS);
        for operation in [0, 1] {
            SITE.exchange(0, operation).finish(Outcome::Ok);
        }
        assert!(SITE.cell.get().is_some(), "otherwise each of its calls takes the slow path");
        assert!(CELLS[1].get().is_some());
    }

    #[test]
    fn each_pair_of_labels_chosen_at_run_time_is_recorded_as_that_pair() {
        const EXCHANGES: &[&str] = &["pair-a", "pair-b", "pair-c"];
        const OPERATIONS: &[&str] = &["get_order", "get_trades"];
        static CELLS: [SlotCell<SiteSeries>; 6] = slot_cells();
        static SITE: CallSite = CallSite::test_exchange("").with_values([EXCHANGES, OPERATIONS], &CELLS);
        let pairs = || (0..3).flat_map(|exchange| (0..2).map(move |operation| (exchange, operation)));
        // The second round uses the cached cells, if any.
        for _ in 0..2 {
            for (number, (exchange, operation)) in (1..).zip(pairs()) {
                (0..number).for_each(|_| SITE.exchange(exchange, operation).finish(Outcome::Ok));
            }
        }
        let snapshot = process::core().snapshot();
        let all =
            |family: &str| snapshot.families.iter().find(|of| of.family.name == family).map(|of| &of.samples);
        let requests = all("exchange_api_requests_total").expect("it is there");
        for (number, (exchange, operation)) in (1..).zip(pairs()) {
            let labels = [EXCHANGES[exchange], OPERATIONS[operation], "ok"];
            let sample = requests.iter().find(|sample| sample.labels.iter().eq(labels)).expect("a series");
            let Value::Counter(count) = sample.value else { panic!("a counter: {sample:?}") };
            assert_eq!(count, 2 * number, "{labels:?}");
        }
    }
}
