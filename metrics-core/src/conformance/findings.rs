//! The findings of a check.

use std::fmt;

use crate::exposition::rules::description::{SeriesDescription, in_braces};

use crate::shown::shown;

/// The maximum number of findings about one page; further ones are left out.
const MOST: usize = 1_000;

/// A rule that a page breaks, and the place where.
///
/// `Display` gives one line: the place, the series or family, and the problem.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The line, or in protobuf the message, from 1. If a series is wrong as a whole, its first line.
    pub position: usize,
    /// The name of the family; empty if the finding is about none.
    pub family: String,
    /// The series as in PromQL, with long label values cut; empty if the finding is about none.
    pub series: String,
    /// The problem, and the allowed values.
    pub problem: String,
    /// The unit of the position.
    unit: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.unit, self.position)?;
        match (&*self.series, &*self.family) {
            ("", "") => {}
            ("", family) => write!(f, "{}: ", shown(family))?,
            (series, _) => write!(f, "{series}: ")?,
        }
        f.write_str(&self.problem)
    }
}

/// The findings so far.
#[derive(Debug)]
pub(super) struct Findings {
    all: Vec<Finding>,
    unit: &'static str,
}

impl Findings {
    /// `unit` is that of positions: lines or messages.
    pub(super) fn of(unit: &'static str) -> Self {
        Self { all: Vec::new(), unit }
    }

    pub(super) fn add(
        &mut self,
        position: usize,
        family: &str,
        series: Option<&SeriesDescription<'_>>,
        fault: &dyn fmt::Display,
    ) {
        if self.all.len() == MOST {
            return;
        }
        let shown = series.map(|series| {
            let labels = series.labels.iter().map(|(name, value)| (name, value));
            format!("{family}{}", in_braces(labels))
        });
        self.all.push(Finding {
            position,
            family: family.to_owned(),
            series: shown.unwrap_or_default(),
            problem: fault.to_string(),
            unit: self.unit,
        });
    }

    /// In the order of the page.
    pub(super) fn into_all(mut self) -> Vec<Finding> {
        self.all.sort_by_key(|finding| finding.position);
        self.all
    }
}
