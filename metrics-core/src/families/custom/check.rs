//! The compile-time checks of a declared family: each function is called in a constant at the span of the checked
//! part, where its panic is a compile error.

use crate::catalogue::DEFAULT_LABELS;
use crate::catalogue::{FAMILIES, Kind};
use crate::labels::bounds::DEFAULT_SERIES;
use crate::labels::vocabulary::{Message, contains, equal};
use crate::storage::MOST_BOUNDS;

use super::LabelType;
use super::label::{closed_sets, standing_sets};

/// Label names that the exposition or Prometheus uses itself.
const RESERVED: [&str; 4] = ["le", "quantile", "job", "instance"];

/// Suffixes that a histogram's samples or another format add themselves.
const SUFFIXES: [&str; 5] = ["_bucket", "_sum", "_count", "_total", "_created"];

/// Checks a family's name: lower case, without a suffix that the exposition adds, and not in the catalogue.
///
/// # Panics
///
/// If it is invalid; meant for constants.
#[track_caller]
pub const fn name(name: &str, kind: Kind) {
    if matches!(kind, Kind::Counter) {
        if !ends_with(name, "_total") {
            refuse(&["a counter's name ends in `_total`: `", name, "_total`"]);
        }
    } else {
        let mut index = 0;
        while index < SUFFIXES.len() {
            if ends_with(name, SUFFIXES[index]) {
                refuse(&[
                    "the suffix `",
                    SUFFIXES[index],
                    "` means something else to Prometheus; leave it out of `",
                    name,
                    "`",
                ]);
            }
            index += 1;
        }
    }
    legal("a metric's name", name);
    let mut index = 0;
    while index < FAMILIES.len() {
        if equal(FAMILIES[index].name, name) {
            refuse(&["`", name, "` is a metric of the catalogue already"]);
        }
        index += 1;
    }
}

/// Checks a label's name: legal, not reserved, and not a default label.
///
/// # Panics
///
/// If it is invalid; meant for constants.
#[track_caller]
pub const fn label_name(name: &str) {
    legal("a label's name", name);
    if contains(&RESERVED, name) {
        refuse(&["the label `", name, "` is reserved: Prometheus sets it itself"]);
    }
    if contains(&DEFAULT_LABELS, name) {
        refuse(&["every series carries the label `", name, "` already: leave it out"]);
    }
}

/// Checks a family's HELP text.
///
/// # Panics
///
/// If it is empty; meant for constants.
#[track_caller]
pub const fn help(name: &str, help: &str) {
    if help.is_empty() {
        refuse(&["`", name, "` has no doc comment: write one, it is the metric's HELP text"]);
    }
}

/// Checks the number of bucket bounds: at least one, but not too many.
///
/// # Panics
///
/// If it is invalid; meant for constants.
#[track_caller]
pub const fn buckets(bounds: &[f64]) {
    if bounds.is_empty() {
        refuse(&["a histogram has at least one bucket bound"]);
    }
    if bounds.len() > MOST_BOUNDS {
        let message = Message::new()
            .push("a histogram has at most ")
            .push_number(MOST_BOUNDS)
            .push(" bucket bounds: each is a series for each label set");
        panic!("{}", message.as_str());
    }
}

/// Checks one bound: finite, above zero, and above the one before.
///
/// # Panics
///
/// If it is invalid; meant for constants.
#[track_caller]
pub const fn bound(bounds: &[f64], index: usize) {
    if !bounds[index].is_finite() {
        refuse(&["a bucket bound is a finite number: the bucket for all the rest is added by itself"]);
    }
    if bounds[index] <= 0.0 {
        refuse(&["a bucket bound is above zero"]);
    }
    if index > 0 && bounds[index] <= bounds[index - 1] {
        refuse(&["bucket bounds ascend: this one is not greater than the one before"]);
    }
}

/// Checks an objective's threshold, which must be a bucket bound, because observations are counted only there.
///
/// # Panics
///
/// If it is invalid; meant for constants.
#[track_caller]
pub const fn threshold(bounds: &[f64], threshold: f64) {
    let mut index = 0;
    while index < bounds.len() {
        if bounds[index] == threshold {
            return;
        }
        index += 1;
    }
    refuse(&[
        "an objective's threshold is one of the bucket bounds: what lies between two cannot be counted",
    ]);
}

/// Checks an objective's ratio, which is a part of the whole.
///
/// # Panics
///
/// If it is invalid; meant for constants.
#[track_caller]
pub const fn ratio(ratio: f64) {
    if !(ratio > 0.0 && ratio < 1.0) {
        refuse(&["an objective's ratio is above 0 and below 1: 0.99 for 99 %"]);
    }
}

/// The default budget of series of a family.
pub const BUDGET: usize = DEFAULT_SERIES;

/// Checks that the number of label sets that are never replaced does not exceed `budget`, and that some of it is left
/// if a label is open.
///
/// # Panics
///
/// If it is exceeded; meant for constants.
#[track_caller]
pub const fn budget(name: &str, labels: &[LabelType], budget: usize) {
    let (sets, closed) = (standing_sets(labels), closed_sets(labels));
    let is_open = closed == 0;
    if sets > budget || is_open && sets == budget {
        let message = Message::new().push("the labels of `").push(name).push("` make ").push_number(sets);
        let message = if is_open {
            message
                .push(" series before an open one has a value of its own, and its budget is ")
                .push_number(budget)
                .push(": use fewer labels or values, or raise it to ")
                .push_number(sets)
                .push(" and as many more as these values are to have")
        } else {
            message
                .push(" series, more than its budget of ")
                .push_number(budget)
                .push(": use fewer labels or values, or raise it with `budget = ")
                .push_number(sets)
                .push("`")
        };
        panic!("{}", message.as_str());
    }
}

#[track_caller]
const fn legal(what: &str, name: &str) {
    let bytes = name.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        if !(bytes[index].is_ascii_lowercase() || bytes[index].is_ascii_digit() || bytes[index] == b'_') {
            refuse(&[what, " has lower-case letters, digits and underscores: `", name, "`"]);
        }
        index += 1;
    }
    if bytes.is_empty() || bytes[0] == b'_' || bytes[0].is_ascii_digit() {
        refuse(&[what, " begins with a letter: `", name, "`"]);
    }
}

const fn ends_with(text: &str, suffix: &str) -> bool {
    let start = text.len().saturating_sub(suffix.len());
    text.is_char_boundary(start) && equal(text.split_at(start).1, suffix)
}

#[track_caller]
const fn refuse(parts: &[&str]) -> ! {
    let mut message = Message::new();
    let mut index = 0;
    while index < parts.len() {
        message = message.push(parts[index]);
        index += 1;
    }
    panic!("{}", message.as_str());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LabelValue as _;
    use crate::families::custom::Label;
    use crate::labels::{Exchange, Operation};

    fn refused(check: impl FnOnce() + std::panic::UnwindSafe) -> String {
        *std::panic::catch_unwind(check).expect_err("it is refused").downcast::<String>().expect("a message")
    }

    #[test]
    fn names_are_checked() {
        name("orders_resting", Kind::Gauge);
        name("signals_total", Kind::Counter);
        for (bad, kind, says) in [
            ("signals", Kind::Counter, "ends in `_total`: `signals_total`"),
            ("size_total", Kind::Gauge, "the suffix `_total`"),
            ("size_bucket", Kind::Histogram, "the suffix `_bucket`"),
            ("Size", Kind::Gauge, "lower-case"),
            ("9lives", Kind::Gauge, "begins with a letter"),
            ("_hidden", Kind::Gauge, "begins with a letter"),
            ("subsystem_alive", Kind::Gauge, "of the catalogue already"),
        ] {
            let message = refused(move || name(bad, kind));
            assert!(message.contains(says), "{message}");
        }
    }

    #[test]
    fn label_names_are_checked() {
        label_name("side");
        for (bad, says) in
            [("le", "reserved"), ("env", "already"), ("Side", "lower-case"), ("__name__", "begins")]
        {
            let message = refused(move || label_name(bad));
            assert!(message.contains(says), "{message}");
        }
    }

    #[test]
    fn buckets_are_checked() {
        buckets(&[0.1, 1.0]);
        assert!(refused(|| buckets(&[])).contains("at least one"));
        assert!(refused(|| buckets(&[1.0; 201])).contains("at most 200"));
        bound(&[0.1, 1.0], 0);
        bound(&[0.1, 1.0], 1);
        for (bad, index, says) in [
            (&[1.0, 0.5][..], 1, "ascend"),
            (&[1.0, 1.0], 1, "ascend"),
            (&[f64::NAN], 0, "finite"),
            (&[1.0, f64::INFINITY], 1, "finite"),
            (&[-1.0], 0, "above zero"),
        ] {
            let message = refused(move || bound(bad, index));
            assert!(message.contains(says), "{message}");
        }
    }

    #[test]
    fn objectives_are_checked() {
        threshold(&[0.1, 1.0], 0.1);
        ratio(0.99);
        assert!(refused(|| threshold(&[0.1, 1.0], 0.5)).contains("one of the bucket bounds"));
        for bad in [0.0, 1.0, 99.0, f64::NAN] {
            assert!(refused(move || ratio(bad)).contains("below 1"));
        }
    }

    #[test]
    fn a_budget_is_reported_in_numbers() {
        let closed = [<Exchange as Label>::TYPE, <Operation as Label>::TYPE];
        let series = Exchange::VALUES.len() * Operation::VALUES.len();
        budget("size", &closed, series);
        let message = refused(move || budget("size", &closed, series - 1));
        let says = format!("make {series} series, more than its budget of {}", series - 1);
        assert!(message.contains(&says), "{message}");
        let open =
            [<Exchange as Label>::TYPE, LabelType::open("symbol", 5_000), LabelType::open("profile", 50)];
        // Each open label is empty or "other", and one series has another value.
        let series = Exchange::VALUES.len() * 4;
        budget("size", &open, series + 1);
        let message = refused(move || budget("size", &open, series));
        let says = format!(
            "make {series} series before an open one has a value of its own, and its budget is {series}"
        );
        assert!(message.contains(&says), "{message}");
    }
}
