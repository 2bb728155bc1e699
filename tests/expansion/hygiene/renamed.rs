//! A crate that renames the library, and whose labels are in a module of another name.
#![deny(warnings)]

mod words {
    pub(crate) use measure::labels::{EventType, Severity, Subsystem};

    #[derive(Clone, Copy, measure::LabelValue)]
    #[label(crate = measure)]
    #[allow(dead_code)]
    pub(crate) enum Operation {
        Own,
    }
}

/// With a result.
///
/// # Errors
///
/// None.
#[measure::exchange_call(op = "own", crate = measure, labels = crate::words)]
pub fn result(value: u8) -> Result<u8, String> {
    Ok(value)
}

/// Later.
#[measure::timed_subsystem("trading", crate = measure, labels = crate::words)]
pub async fn waits() {
    std::future::ready(()).await;
}

/// An event.
#[measure::operational_event(type = "STARTED", severity = "INFO", crate = ::measure, labels = words)]
pub fn event() {}

/// Capital.
#[measure::capital_check(profile = "maker", crate = measure)]
#[must_use]
pub fn capital() -> measure::Capital {
    measure::Capital::default()
}

/// A cycle.
#[measure::reconciliation(crate = measure)]
#[must_use]
pub fn reconciled() -> measure::ReconciliationReport {
    measure::ReconciliationReport::new()
}
