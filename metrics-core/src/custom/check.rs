//! What a declared family must be, checked while compiling: each function is called in a constant at the span of what
//! it judges, where its panic is a compile error.

use crate::catalogue::{FAMILIES, Kind};
use crate::vocabulary::{Message, equal};

use super::LabelType;

/// More buckets than this cost more than they tell: each is a series for each label set.
const MOST_BUCKETS: usize = 200;

/// Label names that the exposition or Prometheus uses itself.
const RESERVED: [&str; 3] = ["le", "quantile", "job"];

/// The labels that every series carries anyway.
const DEFAULT: [&str; 3] = ["app", "env", "mode"];

/// Suffixes that a histogram's samples or another format append themselves.
const SUFFIXES: [&str; 5] = ["_bucket", "_sum", "_count", "_total", "_created"];

/// A family's name: lower case, no suffix that the exposition appends, and none of ours.
///
/// # Panics
///
/// Where it is not; meant for constants.
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

/// A label's name: legal, not reserved, and none of the default labels.
///
/// # Panics
///
/// Where it is not; meant for constants.
#[track_caller]
pub const fn label_name(name: &str) {
    legal("a label's name", name);
    let mut index = 0;
    while index < RESERVED.len() {
        if equal(RESERVED[index], name) {
            refuse(&["the label `", name, "` is reserved: Prometheus sets it itself"]);
        }
        index += 1;
    }
    let mut index = 0;
    while index < DEFAULT.len() {
        if equal(DEFAULT[index], name) {
            refuse(&["every series carries the label `", name, "` already: leave it out"]);
        }
        index += 1;
    }
}

/// A family's HELP text.
///
/// # Panics
///
/// Where there is none; meant for constants.
#[track_caller]
pub const fn help(name: &str, help: &str) {
    if help.is_empty() {
        refuse(&["`", name, "` has no doc comment: write one, it is the metric's HELP text"]);
    }
}

/// Bounds of buckets: ascending, finite, above zero, and not too many. Returns them.
///
/// # Panics
///
/// Where they are not; meant for constants.
#[track_caller]
#[must_use]
pub const fn buckets(bounds: &'static [f64]) -> &'static [f64] {
    if bounds.is_empty() {
        refuse(&["a histogram has at least one bucket bound"]);
    }
    if bounds.len() > MOST_BUCKETS {
        refuse(&["a histogram has at most 200 bucket bounds: each is a series for each label set"]);
    }
    let mut index = 0;
    while index < bounds.len() {
        if !bounds[index].is_finite() {
            refuse(&["a bucket bound is a finite number: the bucket for all the rest is added by itself"]);
        }
        if bounds[index] <= 0.0 {
            refuse(&["a bucket bound is above zero"]);
        }
        if index > 0 && bounds[index] <= bounds[index - 1] {
            refuse(&["bucket bounds ascend: each is greater than the one before"]);
        }
        index += 1;
    }
    bounds
}

/// An objective: its threshold is a bucket bound, since no other value can be counted, and its ratio is below 1.
///
/// # Panics
///
/// Where it is not; meant for constants.
#[track_caller]
pub const fn objective(bounds: &[f64], threshold: f64, ratio: f64) {
    if !(ratio > 0.0 && ratio < 1.0) {
        refuse(&["an objective's ratio is above 0 and below 1: 0.99 for 99 %"]);
    }
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

/// The number of label sets, which must not exceed `budget`.
///
/// # Panics
///
/// Where it does; meant for constants.
#[track_caller]
pub const fn budget(name: &str, labels: &[LabelType], budget: usize) {
    let mut product: usize = 1;
    let mut index = 0;
    while index < labels.len() {
        product = product.saturating_mul(labels[index].bound);
        index += 1;
    }
    if product > budget {
        refuse(&[
            "the labels of `",
            name,
            "` make more series than its budget allows: use fewer labels or values, or raise it with `budget = n`",
        ]);
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
    let (text, suffix) = (text.as_bytes(), suffix.as_bytes());
    if text.len() < suffix.len() {
        return false;
    }
    let mut index = 0;
    while index < suffix.len() {
        if text[text.len() - suffix.len() + index] != suffix[index] {
            return false;
        }
        index += 1;
    }
    true
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
    fn buckets_and_objectives_are_checked() {
        assert_eq!(buckets(&[0.1, 1.0]), [0.1, 1.0]);
        objective(&[0.1, 1.0], 0.1, 0.99);
        for (bad, says) in [
            (&[][..], "at least one"),
            (&[1.0, 0.5], "ascend"),
            (&[1.0, 1.0], "ascend"),
            (&[f64::NAN], "finite"),
            (&[1.0, f64::INFINITY], "finite"),
            (&[-1.0], "above zero"),
            (&[1.0; 201], "at most 200"),
        ] {
            let message = refused(move || {
                let _ = buckets(bad);
            });
            assert!(message.contains(says), "{message}");
        }
        assert!(refused(|| objective(&[0.1, 1.0], 0.5, 0.99)).contains("one of the bucket bounds"));
        assert!(refused(|| objective(&[0.1, 1.0], 0.1, 1.0)).contains("below 1"));
    }
}
