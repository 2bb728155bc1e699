//! `#[reconciliation]`: a function that returns the result of a comparison.

use std::sync::Arc;

use super::guards::Guard;
use super::text::Text;
use crate::Outcome;
use crate::families::reconciliation::{ReconciliationCycle, ReconciliationReport};
use crate::instance::process;
use crate::sites::call_site::CallSite;
use crate::storage::not_installed;

#[doc(hidden)]
impl CallSite {
    /// Begins a cycle of this call site's reconciliation of this name.
    pub fn reconciliation(&'static self, name: &Text) -> ReconciliationCycle {
        not_installed::note(self);
        // The core is asked for inside, where an allocator does not wait for it.
        ReconciliationCycle::begin(
            || Arc::clone(&process::core().reconciliations),
            Some(self),
            name.as_str(),
            || process::core().report(),
        )
    }
}

/// The return type of a function with `#[reconciliation]`.
#[diagnostic::on_unimplemented(
    message = "`#[reconciliation]` needs a function that returns `ReconciliationReport` or `Result<ReconciliationReport, E>`",
    label = "this type is neither",
    note = "compare in a separate function and annotate that"
)]
pub trait ReconciliationRun {
    /// The report, unless there is an error instead.
    fn report(&self) -> Option<&ReconciliationReport>;
}

impl ReconciliationRun for ReconciliationReport {
    fn report(&self) -> Option<&ReconciliationReport> {
        Some(self)
    }
}

impl<E> ReconciliationRun for Result<ReconciliationReport, E> {
    fn report(&self) -> Option<&ReconciliationReport> {
        self.as_ref().ok()
    }
}

/// The verdict on a returned value. The function keeps its report, so the cycle takes a copy.
pub fn report_of<R: ReconciliationRun>(value: &R) -> Option<ReconciliationReport> {
    value.report().cloned()
}

impl Guard for ReconciliationCycle {
    type Verdict = Option<ReconciliationReport>;
    type Waits = ();

    fn finish(self, report: Option<ReconciliationReport>) {
        if let Some(report) = report {
            self.commit(report);
        }
    }

    fn abandon(self, _: Outcome) {}
}
