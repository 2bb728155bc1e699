//! The catalogue of annotated functions: what each has recorded, and whether it was called.

use bot_metrics::ReconciliationReport;
use bot_metrics::prelude::*;
use bot_metrics::status::AnnotatedFunction;
use bot_metrics::testing::instance;

use crate::annotated::METRICS;

mod labels {
    pub(super) use bot_metrics::labels::*;

    #[derive(Clone, Copy, Debug, bot_metrics::LabelValue)]
    pub(super) enum Subsystem {
        Catalogued,
        NeverRun,
    }

    #[derive(Clone, Copy, Debug, bot_metrics::LabelValue)]
    pub(super) enum Operation {
        Shared,
        NeverMade,
        ChosenAtRunTime,
        ChosenToo,
    }
}

metrics! {
    /// Time to catalogue.
    histogram cataloguing_seconds buckets(1)
    /// Entries.
    counter catalogued_total
    /// Never observed.
    histogram uncatalogued_seconds buckets(1)
}

#[timed_subsystem("catalogued", every = "60s")]
fn cycle() {}

#[expect(dead_code, reason = "it is linked all the same")]
#[timed_subsystem("never_run", every = "60s")]
fn never_run() {}

#[exchange_call(op = "shared", exchange = "okx")]
fn shares() {}

#[expect(dead_code, reason = "it is linked all the same")]
#[exchange_call(op = "shared", exchange = "okx")]
fn shares_and_is_never_called() {}

#[expect(dead_code, reason = "it is linked all the same")]
#[exchange_call(op = "never_made", exchange = "okx")]
fn never_made() {}

#[exchange_call(op = operation, exchange = "okx")]
fn chooses(operation: labels::Operation) {
    let _ = operation;
}

#[operational_event(type = "STOP_LOSS", severity = "WARNING")]
fn stops() {}

#[operational_event(type = "CIRCUIT_BREAKER", severity = "CRITICAL", on = err)]
fn never_fails() -> Result<(), std::io::Error> {
    Ok(())
}

#[capital_check(profile = "catalogued")]
fn checks() -> Capital {
    Capital::default()
}

#[expect(dead_code, reason = "it is linked all the same")]
#[capital_check(profile = "catalogued")]
fn never_checks() -> Capital {
    Capital::default()
}

#[reconciliation]
fn reconciles() -> ReconciliationReport {
    ReconciliationReport::new()
}

#[timed(cataloguing_seconds)]
fn is_timed() {}

#[expect(dead_code, reason = "it is linked all the same")]
#[timed(uncatalogued_seconds)]
fn never_timed() {}

#[counted(catalogued_total)]
fn is_counted() {}

fn found(name: &str) -> AnnotatedFunction {
    let functions = METRICS.catalogue().functions.into_iter();
    let mut of_name = functions.filter(|function| function.linked.function == name);
    of_name.find(|function| function.linked.module == module_path!()).expect("it is linked")
}

#[test]
fn each_annotated_function_tells_its_calls_and_whether_it_was_called() {
    let _metrics = &*METRICS;
    (0..3).for_each(|_| cycle());
    (0..2).for_each(|_| shares());
    chooses(labels::Operation::ChosenToo);
    stops();
    assert!(never_fails().is_ok());
    (0..4).for_each(|_| assert_eq!(checks(), Capital::default()));
    let _report = reconciles();
    is_timed();
    is_counted();
    for (name, attribute, calls, shared_with, called) in [
        ("cycle", "timed_subsystem", 3, 0, Some(true)),
        ("never_run", "timed_subsystem", 0, 0, Some(false)),
        ("shares", "exchange_call", 2, 2, Some(true)),
        ("shares_and_is_never_called", "exchange_call", 2, 2, Some(false)),
        ("never_made", "exchange_call", 0, 1, Some(false)),
        // It may choose any operation, and its series include those of the others.
        ("chooses", "exchange_call", 3, 2, Some(true)),
        ("stops", "operational_event", 1, 0, Some(true)),
        ("never_fails", "operational_event", 0, 0, None),
        ("checks", "capital_check", 4, 0, Some(true)),
        ("never_checks", "capital_check", 0, 0, Some(false)),
        ("reconciles", "reconciliation", 1, 0, Some(true)),
        ("is_timed", "timed", 1, 0, None),
        ("never_timed", "timed", 0, 0, Some(false)),
        ("is_counted", "counted", 1, 0, None),
    ] {
        let found = found(name);
        assert_eq!(found.linked.attribute, attribute, "{name}");
        assert_eq!((found.calls, found.shared_with, found.called), (calls, shared_with, called), "{name}");
    }
}

#[test]
fn a_separate_instance_has_no_functions_because_attributes_do_not_record_to_it() {
    let (metrics, _clock) = instance();
    let catalogue = metrics.catalogue();
    assert!(catalogue.functions.is_empty());
    let family = |name: &str| {
        let mut families = catalogue.families.iter();
        families.find(|family| family.linked.name == name).map(|family| family.series)
    };
    assert_eq!(family("bytelyst_bot_subsystem_alive"), Some(0));
    assert_eq!(family("bytelyst_bot_build_info"), Some(1));
}
