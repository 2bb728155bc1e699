use bot_metrics::ReconciliationReport;
use bot_metrics::labels::Source;
use bot_metrics::testing::{Samples, instance};

const MISMATCHES: &str = "bytelyst_bot_reconciliation_mismatches_total";
const MISSING: &str = "bytelyst_bot_reconciliation_missing_items_count";

fn figures(samples: &Samples) -> (f64, Option<f64>, Option<f64>) {
    (
        samples.value(MISMATCHES, &[]).expect("always there"),
        samples.value(MISSING, &[("source", "db")]),
        samples.value(MISSING, &[("source", "exchange")]),
    )
}

#[test]
fn a_committed_cycle_publishes_both_sources_and_the_mismatches_together() {
    let (metrics, _) = instance();
    assert_eq!(figures(&Samples::of(&metrics)), (0.0, None, None), "absent before the first cycle");
    let report = ReconciliationReport::new().missing(Source::Db, "1").missing(Source::Db, "2").differs("3");
    metrics.reconciliation().commit(report);
    assert_eq!(figures(&Samples::of(&metrics)), (3.0, Some(2.0), Some(0.0)));
}

#[test]
fn a_cycle_dropped_without_commit_publishes_nothing() {
    let (metrics, _) = instance();
    metrics.reconciliation().commit(ReconciliationReport::new().missing(Source::Exchange, "1"));
    let before = figures(&Samples::of(&metrics));
    drop(metrics.reconciliation());
    assert_eq!(figures(&Samples::of(&metrics)), before, "neither 0 nor all missing");
}

#[test]
fn mismatches_are_counted_by_kind_and_source_and_add_up() {
    let (metrics, _) = instance();
    let by_kind = || {
        let samples = Samples::of(&metrics);
        [("missing", "db"), ("missing", "exchange"), ("differs", ""), ("unspecified", "")].map(
            |(kind, source)| {
                let labels = [("kind", kind), ("source", source)];
                samples.value("bytelyst_bot_reconciliation_mismatches_by_kind_total", &labels)
            },
        )
    };
    assert_eq!(by_kind(), [Some(0.0); 4], "from the start");
    let found =
        || ReconciliationReport::new().missing(Source::Db, "1").missing(Source::Exchange, "2").differs("3");
    metrics.reconciliation().commit(found().new_mismatches(5));
    metrics.reconciliation().commit(found().missing(Source::Exchange, "4"));
    assert_eq!(by_kind(), [Some(1.0), Some(2.0), Some(1.0), Some(5.0)], "each once while it lasts");
    assert_eq!(figures(&Samples::of(&metrics)), (9.0, Some(1.0), Some(2.0)));
}

#[test]
fn help_says_which_source_is_which() {
    let (metrics, _) = instance();
    metrics.reconciliation().commit(ReconciliationReport::new());
    let text = metrics.exposition();
    let help = text.lines().find(|line| line.starts_with(&format!("# HELP {MISSING} "))).expect("it has one");
    assert!(help.contains("db = missing from the database though the exchange has them"), "{help}");
    assert!(help.contains("exchange = missing from the exchange though the database has them"), "{help}");
}
