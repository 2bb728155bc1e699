//! Parts of PromQL: selectors, and what has to be escaped in them.

use std::fmt;

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

/// The series of one name with certain labels, written as `name{job="desk", outcome="ok"}`.
#[derive(Clone, Debug)]
pub(super) struct SeriesSelector {
    name: String,
    matchers: Vec<String>,
}

impl SeriesSelector {
    /// All series of this name.
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), matchers: Vec::new() }
    }

    /// The name of the series.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Those series that these matchers select too, which are separated by commas.
    pub(super) fn with(&self, matchers: impl Into<String>) -> Self {
        let mut narrower = self.clone();
        narrower.matchers.push(matchers.into());
        narrower
    }

    /// The series of a part of a histogram, such as `_count`, with the same labels.
    pub(super) fn part(&self, suffix: &str) -> Self {
        Self { name: format!("{}{suffix}", self.name), matchers: self.matchers.clone() }
    }
}

impl fmt::Display for SeriesSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.matchers.is_empty() { Ok(()) } else { write!(f, "{{{}}}", self.matchers.join(", ")) }
    }
}

/// The growth of counters within a window, where positive. A series that began within the window counts in full if the
/// bot could be scraped before, or has just started: `increase` does not see its first value. Otherwise, after
/// Prometheus was down, old counts would look new.
///
/// The growth is not a whole number, because `increase` extrapolates by up to the time of one scrape: a threshold has
/// to lie between two of them.
pub(super) struct Growth<'a> {
    /// The duration of the window, in PromQL.
    pub(super) window: &'a str,
    /// Prometheus' own series about the bot's targets.
    pub(super) up: SeriesSelector,
    /// The start of the bot's process, if it is exported, and the number of seconds for which a bot has just started.
    pub(super) start: Option<(SeriesSelector, f64)>,
}

impl Growth<'_> {
    /// The growth of those of a family's series that these matchers select, if any.
    pub(super) fn of(&self, family: &SeriesSelector, matchers: &[String]) -> String {
        let Self { window, up, start } = self;
        let series = matchers.iter().fold(family.clone(), |series, matcher| series.with(matcher));
        let mut scraped = format!("({up} offset {window} == 1)");
        if let Some((start, young)) = start {
            scraped = format!("({scraped} or (time() - {start} < {young}))");
        }
        format!(
            "({series} > 0 unless {family} offset {window})\n  and on (job, instance) {scraped}\n\
             or increase({series}[{window}]) > 0"
        )
    }
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

    #[test]
    fn a_selector_has_all_its_matchers() {
        let calls = SeriesSelector::new("calls");
        assert_eq!(calls.to_string(), "calls");
        let calls = calls.with("job=\"desk\"");
        assert_eq!(calls.part("_count").with("a=\"b\"").to_string(), r#"calls_count{job="desk", a="b"}"#);
        assert_eq!(calls.to_string(), r#"calls{job="desk"}"#);
    }
}
