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
