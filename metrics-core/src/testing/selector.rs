//! The selector of a series in an assertion, written as in PromQL.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::samples::{Samples, Series};
use crate::catalogue::{BUILD_INFO, FAMILIES, is_name};
use crate::exposition::rules::description::in_braces;
use crate::families::custom::custom_families;
use crate::labels::vocabulary::distance;
use crate::shown::quoted;

/// The edit distance of a typing mistake.
const SLIP: usize = 4;

/// A name and some labels; other labels may have any value.
#[derive(Debug, PartialEq)]
pub(super) struct Selector {
    /// Whether it means the sum of the series that match.
    pub(super) is_sum: bool,
    name: String,
    labels: BTreeMap<String, String>,
}

impl Selector {
    /// Parses `name`, `name{label="value",other='value'}`, or the `sum(…)` of one of these.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let summed = text.trim().strip_prefix("sum(").and_then(|text| text.strip_suffix(')'));
        summed.map_or_else(
            || Self::parse_series(text),
            |text| Ok(Self { is_sum: true, ..Self::parse_series(text)? }),
        )
    }

    fn parse_series(text: &str) -> Result<Self, String> {
        let (name, rest) = text.split_at(text.find('{').unwrap_or(text.len()));
        let name = name.trim();
        if !is_name(name, true) {
            return Err(format!("{} is no metric's name", quoted(name)));
        }
        let mut selector = Self { is_sum: false, name: name.to_owned(), labels: BTreeMap::new() };
        if let Some(rest) = rest.strip_prefix('{') {
            selector.read_labels(rest)?;
        }
        Ok(selector)
    }

    fn read_labels(&mut self, mut rest: &str) -> Result<(), String> {
        loop {
            rest = rest.trim_start();
            if let Some(behind) = rest.strip_prefix('}') {
                let behind = behind.trim();
                return if behind.is_empty() {
                    Ok(())
                } else {
                    Err(format!("{} follows the closing brace", quoted(behind)))
                };
            }
            let (label, behind) = rest
                .split_once('=')
                .ok_or_else(|| format!("a label and its value are missing before {}", quoted(rest)))?;
            let label = label.trim();
            let behind = behind.trim_start();
            let quote = behind.chars().next().filter(|quote| matches!(quote, '"' | '\''));
            let quote = quote.ok_or_else(|| {
                format!(
                    "the value of {} does not begin with a quote; only `label=\"value\"` is understood",
                    quoted(label)
                )
            })?;
            let (value, behind) = unquoted(&behind[1..], quote)
                .ok_or_else(|| format!("the value of {} does not end", quoted(label)))?;
            if self.labels.insert(label.to_owned(), value).is_some() {
                return Err(format!("{} is there twice", quoted(label)));
            }
            rest = behind.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest);
        }
    }

    /// Whether this is the sum of all series of a name.
    pub(super) fn is_whole_sum(&self) -> bool {
        self.is_sum && self.labels.is_empty()
    }

    pub(super) fn matches(&self, series: &Series) -> bool {
        series.name == self.name
            && self.labels.iter().all(|(label, value)| series.labels.get(label) == Some(value))
    }

    /// The series nearest to the selected one.
    pub(super) fn nearest<'a>(&self, samples: &'a Samples) -> Nearest<'a> {
        let exported: BTreeSet<&str> = samples.iter().map(|(series, _)| series.name.as_str()).collect();
        let known = known_names(samples);
        let names = exported.iter().copied().chain(known.iter().map(String::as_str));
        let nearest = names.min_by_key(|name| (self.distance_of_name(name), !exported.contains(name), *name));
        match nearest {
            Some(name) if name == self.name && !exported.contains(name) => Nearest::OwnName,
            Some(name) if !exported.contains(name) => Nearest::Name(name.to_owned()),
            name => Nearest::Series(self.nearest_series(samples, name.unwrap_or_default())),
        }
    }

    /// The series of this name, the nearest first, and of equally near ones those that are not 0 first.
    fn nearest_series<'a>(&self, samples: &'a Samples, name: &str) -> Vec<(&'a Series, f64)> {
        let series = samples.iter().filter(|(series, _)| series.name == name);
        let mut ranked: Vec<_> =
            series.map(|(series, value)| (self.distance_of_labels(series), series, value)).collect();
        ranked.sort_by_key(|(distance, series, value)| (*distance, *value == 0.0, *series));
        // Series that are much farther than the nearest are left out.
        let far = ranked.first().map_or(0, |(nearest, ..)| nearest.saturating_mul(2).saturating_add(SLIP));
        ranked.retain(|(distance, ..)| *distance <= far);
        ranked.into_iter().map(|(_, series, value)| (series, value)).collect()
    }

    fn distance_of_name(&self, name: &str) -> usize {
        if name.ends_with(&self.name) {
            // The namespace was left out.
            usize::from(name != self.name)
        } else {
            distance(name.as_bytes(), self.name.as_bytes())
        }
    }

    fn distance_of_labels(&self, series: &Series) -> usize {
        let labels = self.labels.iter().map(|(label, value)| match series.labels.get(label) {
            Some(found) if found == value => 0,
            Some(found) => distance(found.as_bytes(), value.as_bytes()).min(value.len()).max(1),
            None => label.len() + value.len(),
        });
        labels.fold(0, usize::saturating_add)
    }
}

/// The series that are nearest to a missing one.
#[derive(Debug)]
pub(super) enum Nearest<'a> {
    /// Series of the nearest name, the nearest first.
    Series(Vec<(&'a Series, f64)>),
    /// The selected name, which belongs to the library but has no series.
    OwnName,
    /// Another name of the library, which has no series.
    Name(String),
}

/// The names that the samples' instance can export, if they are from this library.
fn known_names(samples: &Samples) -> Vec<String> {
    let build_info = format!("_{}", BUILD_INFO.name);
    let Some(namespace) = samples.iter().find_map(|(series, _)| series.name.strip_suffix(&build_info)) else {
        return Vec::new();
    };
    let custom = custom_families().into_iter().map(|family| &family.family);
    let families = FAMILIES.iter().copied().chain(custom);
    let names = families.flat_map(|family| {
        let suffixes = family.kind.suffixes();
        let suffixes = if suffixes.is_empty() { &[""] } else { suffixes };
        suffixes.iter().map(|suffix| format!("{}{suffix}", family.full_name(namespace)))
    });
    names.collect()
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, close) = if self.is_sum { ("sum(", ")") } else { ("", "") };
        write!(f, "{open}{}{}{close}", self.name, in_braces(&self.labels))
    }
}

/// The text up to the closing quote, unescaped, and the rest.
fn unquoted(quoted: &str, quote: char) -> Option<(String, &str)> {
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
    fn it_is_read_as_in_promql() {
        for (text, shown) in [
            ("up", "up"),
            (" up ", "up"),
            ("up{}", "up"),
            ("sum(up)", "sum(up)"),
            (" sum( up{job='bot'} ) ", "sum(up{job=\"bot\"})"),
            ("up{job=\"bot\"}", "up{job=\"bot\"}"),
            ("up{ b = 'it\"s' , a=\"x\\\"y\", }", "up{a=\"x\\\"y\",b=\"it\\\"s\"}"),
        ] {
            assert_eq!(Selector::parse(text).expect(text).to_string(), shown);
        }
    }

    #[test]
    fn an_invalid_selector_is_rejected_with_the_reason() {
        for (text, reason) in [
            ("", "\"\" is no metric's name"),
            ("{a='b'}", "\"\" is no metric's name"),
            ("rate(up)", "\"rate(up)\" is no metric's name"),
            ("sum(up", "\"sum(up\" is no metric's name"),
            ("sum(sum(up))", "\"sum(up)\" is no metric's name"),
            ("sum(up) by (job)", "\"up) by (job\" is no metric's name"),
            ("up{job}", "before \"job}\""),
            ("up{job=bot}", "does not begin with a quote"),
            ("up{job=~'bot'}", "only `label=\"value\"` is understood"),
            ("up{job='bot}", "does not end"),
            ("up{job='bot'", "a label and its value are missing before \"\""),
            ("up{job='bot',job='bot'}", "\"job\" is there twice"),
            ("up{job='bot'} > 1", "\"> 1\" follows the closing brace"),
        ] {
            let error = Selector::parse(text).expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
