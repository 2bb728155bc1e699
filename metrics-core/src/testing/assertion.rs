//! `assert_metric!`: compares the value of one series; its message shows the nearest series.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::ops::{Bound, Range, RangeBounds, RangeFrom, RangeInclusive, RangeTo, RangeToInclusive};

use super::changes::Changes;
use super::samples::{Samples, Series};
use super::selector::{Nearest, Selector};
use crate::Metrics;
use crate::shown::quoted;
use crate::sites::call_site::CALL_SITES;

/// The number of series in a message.
const SHOWN: usize = 5;

/// Asserts the value of one series.
///
/// The first argument is a [`Metrics`](crate::Metrics), [`Samples`](crate::testing::Samples) or
/// [`Changes`](crate::testing::Changes). The second selects a series as in PromQL, with as many labels as necessary,
/// in single or double quotes, or is the `sum(…)` of a selector, which adds up all series that match. The third is a number, a range of numbers or [`ABSENT`](crate::testing::ABSENT).
///
/// ```
/// use bot_metrics::labels::{EventType, Severity};
/// use bot_metrics::{assert_metric, testing};
///
/// let (metrics, _) = testing::instance();
/// metrics.event(Severity::Error, EventType::OrderFailure).symbol("BTCUSDT").count(3).record();
/// assert_metric!(metrics, "bytelyst_bot_operational_events_total{symbol='BTCUSDT'}", 3);
/// assert_metric!(metrics, "bytelyst_bot_operational_events_total{symbol='BTCUSDT'}", 1..=5);
/// assert_metric!(metrics, "bytelyst_bot_operational_events_total{symbol='ETHUSDT'}", testing::ABSENT);
///
/// metrics.event(Severity::Warning, EventType::OrderFailure).symbol("ETHUSDT").record();
/// assert_metric!(metrics, "sum(bytelyst_bot_operational_events_total{type='ORDER_FAILURE'})", 4);
/// ```
///
/// A histogram has the series `…_sum`, `…_count` and `…_bucket`, as in the exposition. A sum of fractions is rounded:
/// expect a range.
///
/// # Panics
///
/// If the series or the sum has another value, no series matches, or several match outside `sum(…)`. The sum of a
/// whole family that is known and has no series is 0 as well as [`ABSENT`](crate::testing::ABSENT). The message lists the nearest series:
///
/// ```text
/// bytelyst_bot_operational_events_total{symbol="BTCUSD"}: no such series, expected 3
/// the nearest of 21 series (each with app="bytelyst-trading-bot-service", env="development", mode="paper"):
///   bytelyst_bot_operational_events_total{profile_id="",severity="ERROR",symbol="BTCUSDT",type="ORDER_FAILURE"} 3
/// ```
#[macro_export]
macro_rules! assert_metric {
    ($source:expr, $selector:expr, $expected:expr $(,)?) => {
        $crate::testing::assert_metric(&$source, $selector, &$expected, ::core::option::Option::None)
    };
    ($source:expr, $selector:expr, $expected:expr, $($reason:tt)+) => {
        $crate::testing::assert_metric(
            &$source,
            $selector,
            &$expected,
            ::core::option::Option::Some(::core::format_args!($($reason)+)),
        )
    };
}

/// Expects that no such series exists.
pub const ABSENT: Absent = Absent;

/// The type of [`ABSENT`].
#[derive(Clone, Copy, Debug)]
pub struct Absent;

/// The note of a failed assertion on an instance without recordings of attributes.
const ELSEWHERE: &str =
    "\nnote: annotated functions do not record to this instance, but to the one of `Settings::install`";

/// A source of samples.
pub trait SampleSource {
    /// The current samples.
    fn samples(&self) -> Cow<'_, Samples>;

    /// Whether there are annotated functions whose recordings are in another instance.
    #[doc(hidden)]
    fn misses_attributes(&self) -> bool {
        false
    }
}

impl SampleSource for Metrics {
    fn samples(&self) -> Cow<'_, Samples> {
        Cow::Owned(Samples::of(self))
    }

    fn misses_attributes(&self) -> bool {
        !CALL_SITES.is_empty() && !self.is_process_wide()
    }
}

impl SampleSource for Samples {
    fn samples(&self) -> Cow<'_, Samples> {
        Cow::Borrowed(self)
    }
}

impl SampleSource for Changes {
    fn samples(&self) -> Cow<'_, Samples> {
        Cow::Borrowed(self.differences())
    }
}

impl<S: SampleSource + ?Sized> SampleSource for &S {
    fn samples(&self) -> Cow<'_, Samples> {
        (**self).samples()
    }

    fn misses_attributes(&self) -> bool {
        (**self).misses_attributes()
    }
}

/// An expected value: a number, a range or [`ABSENT`].
pub trait Expected {
    /// Whether the series meets it; `found` is `None` if there is no such series.
    fn is_met_by(&self, found: Option<f64>) -> bool;

    /// The expectation in words.
    fn told(&self) -> String;
}

/// A number that a sample can be compared with.
pub trait Number: Copy {
    /// The number as a sample value.
    fn value(self) -> f64;
}

macro_rules! number {
    ($($number:ty),*) => {$(
        impl Number for $number {
            #[allow(clippy::cast_precision_loss, clippy::cast_lossless, reason = "samples are f64 too")]
            fn value(self) -> f64 {
                self as f64
            }
        }
    )*};
}

number!(f64, f32, i32, i64, u32, u64, usize);

impl Expected for Absent {
    fn is_met_by(&self, found: Option<f64>) -> bool {
        found.is_none()
    }

    fn told(&self) -> String {
        "none".to_owned()
    }
}

impl<N: Number> Expected for N {
    fn is_met_by(&self, found: Option<f64>) -> bool {
        let expected = self.value();
        found.is_some_and(|found| found == expected || (found.is_nan() && expected.is_nan()))
    }

    fn told(&self) -> String {
        self.value().to_string()
    }
}

macro_rules! range {
    ($($range:ident),*) => {$(
        impl<N: Number> Expected for $range<N> {
            fn is_met_by(&self, found: Option<f64>) -> bool {
                found.is_some_and(|found| bounds(self).contains(&found))
            }

            fn told(&self) -> String {
                let (start, end) = bounds(self);
                [told("at least", "above", start), told("at most", "below", end)].concat().join(" and ")
            }
        }
    )*};
}

range!(Range, RangeInclusive, RangeFrom, RangeTo, RangeToInclusive);

fn bounds<N: Number>(range: &impl RangeBounds<N>) -> (Bound<f64>, Bound<f64>) {
    (range.start_bound().map(|bound| bound.value()), range.end_bound().map(|bound| bound.value()))
}

fn told(included: &str, excluded: &str, bound: Bound<f64>) -> Vec<String> {
    match bound {
        Bound::Included(bound) => vec![format!("{included} {bound}")],
        Bound::Excluded(bound) => vec![format!("{excluded} {bound}")],
        Bound::Unbounded => Vec::new(),
    }
}

/// The function behind the macro.
#[doc(hidden)]
#[track_caller]
pub fn assert_metric(
    source: &dyn SampleSource,
    selector: &str,
    expected: &dyn Expected,
    reason: Option<fmt::Arguments<'_>>,
) {
    let selector = match Selector::parse(selector) {
        Ok(selector) => selector,
        // Not in a closure, which would be the location of the panic.
        Err(error) => panic!("{} names no series: {error}", quoted(selector)),
    };
    let samples = source.samples();
    let found: Vec<_> = samples.iter().filter(|(series, _)| selector.matches(series)).collect();
    let value = found.iter().map(|(_, value)| *value).reduce(|sum, value| sum + value);
    if (found.len() <= 1 || selector.is_sum) && expected.is_met_by(value) {
        return;
    }
    // Whether a family with an open label has series depends on the tests that ran before. Labels may be misspelt.
    let is_whole = selector.is_whole_sum() && !source.misses_attributes();
    let is_empty = is_whole && matches!(selector.nearest(&samples), Nearest::OwnName);
    if is_empty && expected.is_met_by(Some(0.0)) {
        return;
    }
    let reason = reason.map(|reason| format!("{reason}: ")).unwrap_or_default();
    let note = if source.misses_attributes() { ELSEWHERE } else { "" };
    panic!("{reason}{}{note}", difference(&selector, &samples, &found, &expected.told()));
}

fn difference(selector: &Selector, samples: &Samples, found: &[(&Series, f64)], expected: &str) -> String {
    match found {
        [] => format!("{selector}: no such series, expected {expected}{}", alternatives(selector, samples)),
        summed if selector.is_sum => {
            let sum: f64 = summed.iter().map(|(_, value)| value).sum();
            format!("{selector} is {sum}, expected {expected}{}", listed(samples, &zeros_last(summed)))
        }
        [(series, value)] => format!("{series} is {value}, expected {expected}"),
        several => format!(
            "{selector}: {} series fit, expected one of {expected}; name more of its labels{}",
            several.len(),
            listed(samples, &zeros_last(several))
        ),
    }
}

/// Series with the value 0 are listed last, since there are many of them.
fn zeros_last<'a>(series: &[(&'a Series, f64)]) -> Vec<(&'a Series, f64)> {
    let mut series = series.to_vec();
    series.sort_by_key(|(_, value)| *value == 0.0);
    series
}

/// Describes the existing series, for a message about a missing one.
fn alternatives(selector: &Selector, samples: &Samples) -> String {
    match selector.nearest(samples) {
        Nearest::Series(nearest) => {
            format!("\nthe nearest of {} series{}", samples.iter().count(), listed(samples, &nearest))
        }
        Nearest::OwnName => "; the family has no series yet".to_owned(),
        Nearest::Name(name) => format!("; the nearest name is {name}, which has no series yet"),
    }
}

/// The first few series, one per line, without the labels that all share.
fn listed(samples: &Samples, series: &[(&Series, f64)]) -> String {
    let shared = samples.shared_labels();
    let labels: Vec<_> = shared.iter().map(|(label, value)| format!("{label}={}", quoted(value))).collect();
    let mut text =
        if labels.is_empty() { ":".to_owned() } else { format!(" (each with {}):", labels.join(", ")) };
    for (series, value) in series.iter().take(SHOWN) {
        let own: BTreeMap<_, _> = series
            .labels
            .iter()
            .filter(|(label, _)| !shared.contains_key(label.as_str()))
            .map(|(label, value)| (label.clone(), value.clone()))
            .collect();
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {} {value}", Series { name: series.name.clone(), labels: own });
    }
    if series.len() > SHOWN {
        let _ = write!(text, "\n  … and {} more", series.len() - SHOWN);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::{Arc, Mutex};

    use super::*;

    const TEXT: &str = r#"
bot_runs_total{subsystem="trading",outcome="ok",mode="paper"} 7
bot_runs_total{subsystem="trading",outcome="error",mode="paper"} 0
bot_runs_total{subsystem="monitor",outcome="ok",mode="paper"} 3
bot_alive{subsystem="trading",mode="paper"} 1
bot_utilization_percent{profile_id="maker",mode="paper"} +Inf
bot_nothing{mode="paper"} NaN
"#;

    fn samples() -> Samples {
        Samples::parse(TEXT).expect("legal")
    }

    /// The message with which `assertion` fails.
    fn message(assertion: impl FnOnce(&Samples)) -> String {
        let samples = samples();
        let panic = catch_unwind(AssertUnwindSafe(|| assertion(&samples))).expect_err("it fails");
        panic.downcast_ref::<String>().expect("a formatted message").clone()
    }

    #[test]
    fn numbers_ranges_and_absence_are_met() {
        let samples = samples();
        assert_metric!(samples, "bot_runs_total{outcome='ok',subsystem='trading'}", 7);
        assert_metric!(&samples, "bot_runs_total{outcome=\"ok\",subsystem=\"trading\"}", 7.0);
        assert_metric!(
            samples,
            "bot_runs_total{outcome='error'}",
            0u64,
            "an explanation with {}",
            "arguments"
        );
        assert_metric!(samples, "bot_alive", 1..2);
        assert_metric!(samples, "bot_alive", 0.5..=1.0);
        assert_metric!(samples, "bot_alive", 1..);
        assert_metric!(samples, "bot_alive", ..=1);
        assert_metric!(samples, "bot_utilization_percent", f64::INFINITY);
        assert_metric!(samples, "bot_nothing", f64::NAN);
        assert_metric!(samples, "bot_alive{subsystem='monitor'}", ABSENT);
    }

    #[test]
    fn a_sum_adds_all_series_that_match() {
        let samples = samples();
        assert_metric!(samples, "sum(bot_runs_total)", 10);
        assert_metric!(samples, "sum(bot_runs_total{subsystem='trading'})", 7);
        assert_metric!(samples, "sum(bot_alive)", 1, "of one series");
        assert_metric!(samples, "sum(bot_alive{subsystem='monitor'})", ABSENT);
        assert_eq!(
            message(|samples| assert_metric!(samples, "sum(bot_runs_total{subsystem='trading'})", 8)),
            "sum(bot_runs_total{subsystem=\"trading\"}) is 7, expected 8 (each with mode=\"paper\"):\n  \
             bot_runs_total{outcome=\"ok\",subsystem=\"trading\"} 7\n  \
             bot_runs_total{outcome=\"error\",subsystem=\"trading\"} 0"
        );
        let missing = message(|samples| assert_metric!(samples, "sum(bot_alive{subsystem='tradng'})", 1));
        assert!(
            missing.starts_with("sum(bot_alive{subsystem=\"tradng\"}): no such series, expected 1"),
            "{missing}"
        );
    }

    #[test]
    fn another_value_is_reported_with_the_whole_series() {
        assert_eq!(
            message(|samples| assert_metric!(samples, "bot_runs_total{outcome='error'}", 1)),
            "bot_runs_total{mode=\"paper\",outcome=\"error\",subsystem=\"trading\"} is 0, expected 1"
        );
        assert_eq!(
            message(|samples| assert_metric!(samples, "bot_alive", ABSENT, "{} h later", 2)),
            "2 h later: bot_alive{mode=\"paper\",subsystem=\"trading\"} is 1, expected none"
        );
        for (message, end) in [
            (
                message(|samples| assert_metric!(samples, "bot_alive", 0..1)),
                "is 1, expected at least 0 and below 1",
            ),
            (message(|samples| assert_metric!(samples, "bot_alive", 2.5..)), "is 1, expected at least 2.5"),
            (message(|samples| assert_metric!(samples, "bot_alive", ..=0)), "is 1, expected at most 0"),
            (message(|samples| assert_metric!(samples, "bot_nothing", 0)), "is NaN, expected 0"),
            (message(|samples| assert_metric!(samples, "bot_nothing", 0..)), "is NaN, expected at least 0"),
        ] {
            assert!(message.ends_with(end), "{message}");
        }
    }

    #[test]
    fn a_missing_series_is_reported_with_the_nearest() {
        assert_eq!(
            message(|samples| assert_metric!(samples, "bot_runs_total{outcome='eror'}", 1)),
            "bot_runs_total{outcome=\"eror\"}: no such series, expected 1\n\
             the nearest of 6 series (each with mode=\"paper\"):\n\
             \x20 bot_runs_total{outcome=\"error\",subsystem=\"trading\"} 0\n\
             \x20 bot_runs_total{outcome=\"ok\",subsystem=\"monitor\"} 3\n\
             \x20 bot_runs_total{outcome=\"ok\",subsystem=\"trading\"} 7"
        );
        for (selector, nearest) in [
            ("bot_alve", "bot_alive"),
            ("alive", "bot_alive"),
            ("bot_utilisation_percent{profile_id='maker'}", "bot_utilization_percent{profile_id=\"maker\"}"),
        ] {
            let message = message(|samples| assert_metric!(samples, selector, 1));
            let first = message.lines().nth(2).expect("a nearest series");
            assert!(first.starts_with(&format!("  {nearest}")), "{message}");
        }
    }

    #[test]
    fn several_matching_series_are_listed() {
        assert_eq!(
            message(|samples| assert_metric!(samples, "bot_runs_total{outcome='ok'}", 7)),
            "bot_runs_total{outcome=\"ok\"}: 2 series fit, expected one of 7; name more of its labels (each with \
             mode=\"paper\"):\n\
             \x20 bot_runs_total{outcome=\"ok\",subsystem=\"monitor\"} 3\n\
             \x20 bot_runs_total{outcome=\"ok\",subsystem=\"trading\"} 7"
        );
    }

    #[test]
    fn long_values_are_cut() {
        let long = "x".repeat(10_240);
        let samples = Samples::parse(&format!("bot_up{{symbol=\"{long}\"}} 1\nbot_up 1\n")).expect("legal");
        let selectors = [
            format!("bot_up{{symbol='{long}'}}"),
            format!("bot_up{{symbol='{long}y'}}"),
            "bot_up".to_owned(),
            format!("bot_up{{symbol='{long}"),
            format!("bot_up{{{long}"),
            format!("{long}-"),
        ];
        for selector in selectors {
            let panic = catch_unwind(AssertUnwindSafe(|| assert_metric!(samples, &selector, 2)));
            let panic = panic.expect_err("it fails");
            let message = panic.downcast_ref::<String>().expect("a formatted message");
            assert!(message.contains("x…") && message.len() < 1_000, "{message}");
        }
        let refused = Samples::parse(&format!("bot_up{{symbol=\"{long}\n")).expect_err("it does not end");
        assert!(refused.len() < 500, "{refused}");
    }

    #[test]
    fn non_zero_series_are_listed_first() {
        let zeros = (0..12).map(|n| format!("bot_events_total{{type=\"{n:02}\"}} 0\n"));
        let text: String = zeros.chain(["bot_events_total{type=\"zz\"} 1\n".to_owned()]).collect();
        let samples = Samples::parse(&text).expect("legal");
        for selector in ["bot_events_total", "bot_events_total{type='none'}"] {
            let panic = catch_unwind(AssertUnwindSafe(|| assert_metric!(samples, selector, 1)));
            let panic = panic.expect_err("it fails");
            let message = panic.downcast_ref::<String>().expect("a formatted message");
            let listed: Vec<_> = message.lines().filter(|line| line.starts_with("  ")).collect();
            assert_eq!(listed[0], "  bot_events_total{type=\"zz\"} 1", "{message}");
            assert_eq!(listed.last(), Some(&"  … and 8 more"), "{message}");
            assert_eq!(listed.len(), 6, "{message}");
        }
    }

    #[test]
    fn the_nearest_name_is_searched_in_the_catalogue_too() {
        let (metrics, _) = crate::testing::instance();
        let message = |selector: &str| {
            let panic = catch_unwind(AssertUnwindSafe(|| assert_metric!(metrics, selector, 1)));
            panic.expect_err("it fails").downcast_ref::<String>().expect("a formatted message").clone()
        };
        for (selector, name) in [
            (
                "bytelyst_bot_exchange_api_request_total{operation='place_order'}",
                "bytelyst_bot_exchange_api_requests_total",
            ),
            (
                "bytelyst_bot_exchange_latency_seconds_count",
                "bytelyst_bot_exchange_api_latency_seconds_count",
            ),
            ("exchange_api_requests_total", "bytelyst_bot_exchange_api_requests_total"),
        ] {
            let message = message(selector);
            assert!(
                message.contains(&format!("the nearest name is {name}, which has no series yet")),
                "{message}"
            );
            assert!(!message.contains("build_info"), "{message}");
        }
        let message = message("bytelyst_bot_subsystem_alive{subsystem='trading'}");
        assert!(message.contains(": no such series, expected 1; the family has no series yet"), "{message}");
    }

    #[test]
    fn the_sum_of_a_known_family_without_series_is_0() {
        let samples = Samples::of(&crate::testing::instance().0);
        assert_metric!(samples, "sum(bytelyst_bot_subsystem_alive)", 0);
        assert_metric!(samples, "sum(bytelyst_bot_subsystem_runs_total)", ..=0);
        assert_metric!(samples, "sum(bytelyst_bot_subsystem_alive)", super::ABSENT);
        for (selector, expected) in [
            ("sum(bytelyst_bot_subsystem_alive)", 1),
            ("bytelyst_bot_subsystem_alive", 0),
            ("sum(bytelyst_bot_subsystem_alive{subsystem='trading'})", 0),
            ("sum(bytelyst_bot_subsystem_alife)", 0),
            ("sum(bytelyst_bot_build_info{mode='live'})", 0),
        ] {
            let fails = || assert_metric!(samples, selector, expected);
            assert!(catch_unwind(AssertUnwindSafe(fails)).is_err(), "{selector}");
        }
    }

    #[test]
    fn an_invalid_selector_is_reported() {
        assert_eq!(
            message(|samples| assert_metric!(samples, "bot_alive{subsystem=~'t.*'}", 1)),
            "\"bot_alive{subsystem=~'t.*'}\" names no series: the value of \"subsystem\" does not begin with a quote; \
             only `label=\"value\"` is understood"
        );
    }

    /// The location at which `fails` panics.
    fn place_of_panic(fails: impl FnOnce()) -> (String, u32) {
        let places = Arc::new(Mutex::new(Vec::new()));
        let thread = std::thread::current().id();
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new({
            let places = Arc::clone(&places);
            move |panic| {
                // Concurrent tests panic too.
                if std::thread::current().id() == thread {
                    let at = panic.location().expect("std knows it");
                    places.lock().unwrap().push((at.file().to_owned(), at.line()));
                }
            }
        }));
        let failed = catch_unwind(AssertUnwindSafe(fails));
        std::panic::set_hook(hook);
        assert!(failed.is_err());
        places.lock().unwrap().pop().expect("a panic")
    }

    #[test]
    fn a_failed_assertion_panics_at_its_caller() {
        let (samples, (metrics, _)) = (samples(), crate::testing::instance());
        let fails: [(&dyn Fn(), u32); 6] = [
            (&|| assert_metric!(samples, "bot_alive", 0), line!()),
            (&|| assert_metric!(samples, "bot_alive", 0, "a reason"), line!()),
            (&|| assert_metric!(samples, "bot_runs_total", 0), line!()),
            (&|| assert_metric!(samples, "bot_alive{", 1), line!()),
            (&|| _ = samples.value("bot_runs_total", &[]), line!()),
            (&|| drop((crate::testing::watch(&metrics), crate::testing::watch(&metrics))), line!()),
        ];
        for (fails, line) in fails {
            assert_eq!(place_of_panic(fails), (file!().to_owned(), line));
        }
    }
}
