//! The parts of PromQL that have to be escaped.

use serde_json::Value;

use crate::exposition::lines::bound_spellings;

/// A string of PromQL, with its quotes.
pub(super) fn quoted(text: &str) -> String {
    // Each escape of JSON has the same meaning in PromQL.
    Value::from(text).to_string()
}

/// A matcher of the series whose label has this value.
pub(super) fn equal(label: &str, value: &str) -> String {
    format!("{label}={}", quoted(value))
}

/// A matcher of the series whose label has one of these values; `operator` is `=~`, or `!~` for one that has none of them.
pub(super) fn any_of<V: AsRef<str>>(label: &str, operator: &str, values: &[V]) -> String {
    let literals: Vec<_> = values.iter().map(|value| literal(value.as_ref())).collect();
    format!("{label}{operator}{}", quoted(&literals.join("|")))
}

/// The regular expression that matches this text alone.
fn literal(text: &str) -> String {
    let is_operator = |c: char| "\\.+*?()|[]{}^$".contains(c);
    text.chars().flat_map(|c| is_operator(c).then_some('\\').into_iter().chain([c])).collect()
}

/// A bound as the text format spells it.
pub(super) fn bound_in_text(bound: f64) -> String {
    let [text, _] = bound_spellings(bound);
    text
}

/// A matcher of the bucket with this bound in every spelling: `le="1"` in the text format, `le="1.0"` in OpenMetrics.
pub(super) fn bucket(bound: f64) -> String {
    let [text, openmetrics] = bound_spellings(bound);
    if text == openmetrics { equal("le", &text) } else { any_of("le", "=~", &[text, openmetrics]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_once_as_text_and_twice_as_a_pattern() {
        assert_eq!(equal("job", r#"a "b" \c"#), r#"job="a \"b\" \\c""#);
        assert_eq!(any_of("type", "=~", &["a.b", "c"]), r#"type=~"a\\.b|c""#);
        assert_eq!(any_of("type", "!~", &["c"]), r#"type!~"c""#);
    }

    #[test]
    fn a_bucket_is_matched_in_the_spelling_of_each_format() {
        for (bound, matcher) in [
            (0.25, r#"le="0.25""#),
            (1.0, r#"le=~"1|1\\.0""#),
            (0.000_01, r#"le=~"0\\.00001|1e-05""#),
            (0.000_001, r#"le=~"1e-6|1e-06""#),
            (2_500_000.0, r#"le=~"2500000|2\\.5e\\+06""#),
        ] {
            assert_eq!(bucket(bound), matcher);
        }
    }
}
