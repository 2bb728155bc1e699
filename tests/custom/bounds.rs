//! Limits on the number of series of a family.

use std::sync::OnceLock;

use bot_metrics::testing::Samples;
use bot_metrics::{Counter, Gauge, LabelType, Symbol, metrics};

use crate::METRICS;
use crate::labels::Side;

/// The limit on symbols in the settings of these tests.
pub(crate) const SYMBOLS: usize = 500;

/// An open label of any value.
struct Any;

impl bot_metrics::Label for Any {
    type Value<'a> = &'a str;
    const TYPE: LabelType = LabelType::open("any text", usize::MAX);

    fn text(value: Self::Value<'_>) -> &str {
        value
    }
}

metrics! {
    /// Recorded before and after the settings are installed.
    counter early_total { symbol: Symbol }
    /// Recorded after they are.
    counter late_total { symbol: Symbol }
    /// With handles that are kept from before they were.
    gauge early_gauge { symbol: Symbol }
    /// An open label of any text.
    counter crowded_total { text: Any }
    /// An open label with a larger budget.
    counter roomy_total { text: Any } budget = 3_000
    /// A small budget with a closed label.
    counter sided_total { side: Side, text: Any } budget = 10
    /// A small budget with two open labels.
    counter paired_total { one: Any, two: Any } budget = 10
}

/// Records 300 symbols before `install`, when the limit is 200.
pub(crate) fn record_before_install() {
    (0..300).for_each(|n| early_total(&symbol(n)).increment());
    (0..200).for_each(|n| early_gauge(&symbol(n)).set(1.0));
    KEPT.get_or_init(|| (early_total("KEPT"), early_gauge("KEPT")));
}

/// Handles that were over the limit when they were made.
static KEPT: OnceLock<(Counter, Gauge)> = OnceLock::new();

fn symbol(n: usize) -> String {
    format!("S{n:04}")
}

/// The number of series of a family, the sum of their values, and the number of recordings over the limit.
fn found(name: &str, label: &str) -> (usize, f64, f64) {
    let samples = Samples::of(&METRICS);
    let full = format!("bytelyst_bot_{name}");
    let overflow = [("metric", &*full), ("label", label)];
    let overflow = samples.value("bytelyst_bot_label_overflow_total", &overflow);
    (samples.matching(&full, &[]).count(), samples.sum(&full, &[]), overflow.unwrap_or(-1.0))
}

#[test]
fn symbols_of_own_families_are_limited_by_the_settings_before_and_after_their_first_use() {
    let _metrics = &*METRICS;
    assert_eq!(found("early_total", "symbol"), (201, 300.0, 100.0), "by the default limit");
    let (counter, gauge) = KEPT.get().expect("made before install");
    counter.increment();
    gauge.set(3.0);
    let kept = |name| Samples::of(&METRICS).value(name, &[("symbol", "KEPT")]);
    assert_eq!(kept("bytelyst_bot_early_total"), Some(1.0), "through a kept handle too");
    assert_eq!(kept("bytelyst_bot_early_gauge"), Some(3.0));
    for n in 0..SYMBOLS + 20 {
        late_total(&symbol(n)).increment();
        early_total(&symbol(n)).increment();
    }
    assert_eq!(found("late_total", "symbol"), (SYMBOLS + 1, 520.0, 20.0));
    // One of the series is the kept handle's.
    assert_eq!(found("early_total", "symbol"), (SYMBOLS + 1, 821.0, 121.0));
    let one = |n| Samples::of(&METRICS).value("bytelyst_bot_early_total", &[("symbol", &symbol(n))]);
    assert_eq!((one(7), one(299)), (Some(2.0), Some(1.0)), "the latter's first went to \"other\"");
}

#[test]
fn a_family_has_at_most_2000_series_unless_its_budget_says_more() {
    let _metrics = &*METRICS;
    for n in 0..2_500 {
        crowded_total(&symbol(n)).increment();
        roomy_total(&symbol(n)).increment();
    }
    // One series is reserved for an empty text.
    assert_eq!(found("crowded_total", "text"), (1_999, 2_500.0, 502.0));
    crowded_total("").increment();
    assert_eq!(found("crowded_total", "text"), (2_000, 2_501.0, 502.0));
    assert_eq!(found("roomy_total", "text"), (2_500, 2_500.0, 0.0));
}

#[test]
fn closed_label_sets_count_in_the_budget_and_are_never_crowded_out() {
    let _metrics = &*METRICS;
    (0..20).for_each(|n| sided_total(Side::Buy, &symbol(n)).increment());
    assert_eq!(found("sided_total", "text"), (7, 20.0, 14.0));
    for text in ["", "other", "S0000"] {
        sided_total(Side::Sell, text).increment();
        sided_total(Side::Buy, text).increment();
    }
    assert_eq!(found("sided_total", "text"), (10, 26.0, 15.0));
    let sell = [("side", "sell"), ("text", "other")];
    assert_eq!(Samples::of(&METRICS).value("bytelyst_bot_sided_total", &sell), Some(2.0));
}

#[test]
fn label_sets_over_a_budget_have_other_in_both_open_labels() {
    let _metrics = &*METRICS;
    for n in 0..20 {
        paired_total(&symbol(n), &symbol(n / 2)).increment();
    }
    assert_eq!(found("paired_total", "one"), (7, 20.0, 14.0));
    assert_eq!(found("paired_total", "two"), (7, 20.0, 14.0));
    let others = [("one", "other"), ("two", "other")];
    assert_eq!(Samples::of(&METRICS).value("bytelyst_bot_paired_total", &others), Some(14.0));
}
