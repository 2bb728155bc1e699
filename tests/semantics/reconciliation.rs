use std::sync::{Arc, Mutex};

use bot_metrics::labels::Source;
use bot_metrics::testing::{Samples, flush_reports, instance};
use bot_metrics::{Metrics, Mode, ReconciliationReport, Settings};

const MISMATCHES: &str = "bytelyst_bot_reconciliation_mismatches_total";
const MISSING: &str = "bytelyst_bot_reconciliation_missing_items_count";

/// Records to each family of this file, for the tests of the whole catalogue.
pub(crate) fn record(metrics: &Metrics) {
    metrics.reconciliation().commit(ReconciliationReport::new());
}

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
fn a_reconciliation_over_the_limit_on_names_is_reported() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&told);
    let settings = Settings::new(Mode::Paper)
        .on_report(Arc::new(move |line| hook.lock().unwrap().push(line.to_owned())));
    let metrics = settings.build().expect("legal");
    (0..200).for_each(|n| metrics.named_reconciliation(&n.to_string()).commit(ReconciliationReport::new()));
    flush_reports(&metrics);
    assert!(told.lock().unwrap().is_empty());
    metrics.named_reconciliation("200").commit(ReconciliationReport::new());
    flush_reports(&metrics);
    let told = told.lock().unwrap();
    assert!(
        matches!(&told[..], [line] if line.contains("reconciliation \"200\" is kept under the name \"other\", with all beyond 200 names")),
        "{told:?}"
    );
}

fn db(key: &str) -> ReconciliationReport {
    ReconciliationReport::new().missing(Source::Db, key)
}

#[test]
fn reconciliations_of_different_names_never_disturb_each_other_and_the_gauge_is_their_sum() {
    let (metrics, _) = instance();
    let commit = |name, report| metrics.named_reconciliation(name).commit(report);
    commit("orders", db("1").missing(Source::Db, "2"));
    assert_eq!(figures(&Samples::of(&metrics)), (2.0, Some(2.0), Some(0.0)), "after the first of any");
    // The same key in another reconciliation is another item.
    commit("positions", db("1").missing(Source::Exchange, "BTC"));
    assert_eq!(figures(&Samples::of(&metrics)), (4.0, Some(3.0), Some(1.0)));
    for _ in 0..3 {
        commit("orders", db("1").missing(Source::Db, "2"));
        commit("positions", db("1").missing(Source::Exchange, "BTC"));
    }
    assert_eq!(figures(&Samples::of(&metrics)), (4.0, Some(3.0), Some(1.0)), "each once while it lasts");
    metrics.reconciliation().commit(db("1"));
    commit("orders", ReconciliationReport::new());
    assert_eq!(figures(&Samples::of(&metrics)), (5.0, Some(2.0), Some(1.0)), "the unnamed one is one more");
    commit("orders", db("1"));
    assert_eq!(figures(&Samples::of(&metrics)), (6.0, Some(3.0), Some(1.0)), "it was absent and is back");
}

#[test]
fn a_failed_cycle_of_one_reconciliation_keeps_the_results_of_all() {
    let (metrics, _) = instance();
    drop(metrics.named_reconciliation("orders"));
    assert_eq!(figures(&Samples::of(&metrics)), (0.0, None, None), "absent before the first commit of any");
    metrics.named_reconciliation("positions").commit(db("BTC"));
    drop(metrics.named_reconciliation("orders"));
    drop(metrics.named_reconciliation("positions"));
    assert_eq!(figures(&Samples::of(&metrics)), (1.0, Some(1.0), Some(0.0)));
}

#[test]
fn a_cycle_that_began_before_the_last_committed_one_is_out_of_date() {
    let (metrics, _) = instance();
    let slow = metrics.reconciliation();
    metrics.reconciliation().commit(db("1"));
    slow.commit(ReconciliationReport::new().missing(Source::Exchange, "2").new_mismatches(3));
    assert_eq!(
        figures(&Samples::of(&metrics)),
        (4.0, Some(1.0), Some(0.0)),
        "but items without a key still count"
    );
    metrics.reconciliation().commit(db("1"));
    assert_eq!(figures(&Samples::of(&metrics)), (4.0, Some(1.0), Some(0.0)), "it lasted");
    // A commit of another reconciliation has no effect on this one.
    let orders = metrics.named_reconciliation("orders");
    metrics.named_reconciliation("positions").commit(ReconciliationReport::new());
    orders.commit(db("7"));
    assert_eq!(figures(&Samples::of(&metrics)), (5.0, Some(2.0), Some(0.0)));
}

#[test]
fn concurrent_cycles_of_one_reconciliation_count_each_mismatch_once() {
    let (metrics, _) = instance();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let metrics = &metrics;
            scope.spawn(move || {
                for _ in 0..500 {
                    let (shared, own) = (["orders", "positions"][thread % 2], format!("of {thread}"));
                    metrics.named_reconciliation(shared).commit(db("1").missing(Source::Exchange, "2"));
                    metrics.named_reconciliation(&own).commit(db("3"));
                    let (mismatches, missing, ghosts) = figures(&Samples::of(metrics));
                    assert!(mismatches <= 8.0, "{mismatches}");
                    assert!(missing <= Some(6.0) && ghosts <= Some(2.0), "{missing:?} {ghosts:?}");
                }
            });
        }
    });
    assert_eq!(figures(&Samples::of(&metrics)), (8.0, Some(6.0), Some(2.0)));
}

#[test]
fn help_says_which_source_is_which() {
    let (metrics, _) = instance();
    metrics.reconciliation().commit(ReconciliationReport::new());
    let text = metrics.exposition();
    let help = text.lines().find(|line| line.starts_with(&format!("# HELP {MISSING} "))).expect("it has one");
    assert!(help.contains("db = missing from the database although the exchange has them"), "{help}");
    assert!(help.contains("exchange = missing from the exchange although the database has them"), "{help}");
}
