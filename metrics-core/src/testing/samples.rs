//! A parser of expositions.

use std::collections::BTreeMap;
use std::fmt;

use super::changes::Changes;
use crate::Metrics;
use crate::shown::{quoted, shown};

/// The samples of an exposition in the text format, by name and labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples(BTreeMap<Series, f64>);

/// A sample's name and its labels, sorted by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    /// Includes the suffix `_bucket`, `_sum` or `_count` of a histogram.
    pub name: String,
    /// Includes the default labels.
    pub labels: BTreeMap<String, String>,
}

/// As in PromQL; a value of more than 200 bytes is cut.
impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, in_braces(&self.labels))
    }
}

/// The labels as in PromQL.
pub(super) fn in_braces(labels: &BTreeMap<String, String>) -> String {
    let labels: Vec<_> = labels.iter().map(|(label, value)| format!("{label}={}", quoted(value))).collect();
    if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) }
}

impl Samples {
    /// The samples that `metrics` would serve now.
    ///
    /// # Panics
    ///
    /// If the exposition cannot be parsed.
    #[must_use]
    #[track_caller]
    pub fn of(metrics: &Metrics) -> Self {
        Self::parse(&metrics.exposition()).expect("our own exposition is legal")
    }

    /// Parses an exposition.
    ///
    /// # Errors
    ///
    /// Names the first line that is neither a comment nor a sample, or that repeats a series.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut samples = BTreeMap::new();
        for (number, line) in
            text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        {
            let (series, value) =
                parse_line(line).ok_or_else(|| format!("line {}: no sample: {}", number + 1, shown(line)))?;
            if samples.insert(series, value).is_some() {
                return Err(format!(
                    "line {}: this series is in a line above too: {}",
                    number + 1,
                    shown(line)
                ));
            }
        }
        Ok(Self(samples))
    }

    /// The value of the one series with this name and at least these labels; `None` if there is no such series.
    ///
    /// # Panics
    ///
    /// If several series match.
    #[must_use]
    #[track_caller]
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut fitting = self.matching(name, labels);
        let found = fitting.next();
        if let (Some((one, _)), Some((other, _))) = (found, fitting.next()) {
            panic!("{name} with {labels:?} is several series, {one} and {other} among them");
        }
        found.map(|(_, value)| value)
    }

    /// The sum of all series with this name and at least these labels.
    #[must_use]
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.matching(name, labels).map(|(_, value)| value).sum()
    }

    /// Every series with this name and at least these labels.
    pub fn matching<'a>(
        &'a self,
        name: &'a str,
        labels: &'a [(&'a str, &'a str)],
    ) -> impl Iterator<Item = (&'a Series, f64)> + 'a {
        self.iter().filter(move |(series, _)| {
            series.name == name
                && labels
                    .iter()
                    .all(|(name, value)| series.labels.get(*name).is_some_and(|found| found == value))
        })
    }

    /// The changes from this moment to `after`.
    #[must_use]
    pub fn until(&self, after: &Self) -> Changes {
        Changes::between(self, after)
    }

    /// The labels that every series has with the same value.
    pub(super) fn shared_labels(&self) -> BTreeMap<&str, &str> {
        let mut all = self.0.keys();
        let first = all.next().map(|series| &series.labels);
        let mut shared: BTreeMap<&str, &str> =
            first.into_iter().flatten().map(|(label, value)| (label.as_str(), value.as_str())).collect();
        for series in all {
            shared.retain(|label, value| series.labels.get(*label).is_some_and(|found| found == value));
        }
        shared
    }

    pub(super) fn get(&self, series: &Series) -> Option<f64> {
        self.0.get(series).copied()
    }

    /// Every series, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&Series, f64)> {
        self.0.iter().map(|(series, value)| (series, *value))
    }
}

impl FromIterator<(Series, f64)> for Samples {
    fn from_iter<I: IntoIterator<Item = (Series, f64)>>(samples: I) -> Self {
        Self(samples.into_iter().collect())
    }
}

fn parse_line(line: &str) -> Option<(Series, f64)> {
    let (name, rest) = line.split_at(line.find(['{', ' '])?);
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => parse_labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    let value = value.trim_start().split(' ').next()?.parse().ok()?;
    Some((Series { name: name.to_owned(), labels }, value))
}

/// The labels up to the closing brace, and the rest of the line.
fn parse_labels(mut rest: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        if let Some(behind) = rest.strip_prefix('}') {
            return Some((labels, behind));
        }
        let (name, quoted) = rest.split_once("=\"")?;
        let (value, behind) = unquoted(quoted, '"')?;
        if labels.insert(name.to_owned(), value).is_some() {
            return None;
        }
        rest = behind.strip_prefix(',').unwrap_or(behind);
    }
}

/// The text up to the closing quote, unescaped, and the rest.
pub(super) fn unquoted(quoted: &str, quote: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            end if end == quote => return Some((value, &quoted[index + 1..])),
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                escaped @ ('\\' | '"' | '\'') => escaped,
                _ => return None,
            }),
            plain => value.push(plain),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_with_escapes_and_infinities() {
        let text = "# HELP a b\n# TYPE a gauge\na{x=\"q\\\"\\\\\\n,}\",y=\"\"} +Inf\nb 2 1700000000\n";
        let samples = Samples::parse(text).expect("legal");
        assert_eq!(samples.value("a", &[("x", "q\"\\\n,}")]), Some(f64::INFINITY));
        assert_eq!(samples.value("b", &[]), Some(2.0));
        assert_eq!(samples.value("c", &[]), None);
    }

    #[test]
    fn an_invalid_line_is_rejected_with_its_number() {
        for (text, line) in [
            ("a 1\nnonsense", "line 2"),
            ("a{x=\"1\"", "line 1"),
            ("a{x=\"1\",x=\"1\"} 1", "line 1"),
            ("a 1\na 2", "line 2"),
            ("a{} one", "line 1"),
        ] {
            let error = Samples::parse(text).expect_err(text);
            assert!(error.starts_with(line), "{error}");
        }
    }
}
