//! Whether each annotated function has recorded something since the bot started.

use serde::Serialize;

use super::finding::{BotFinding, Check, FindingLevel};
use super::page::{PageSeries, ScrapedPage};
use super::use_marks::{is_created_by_use, proves_use};
use crate::linked::{LinkedCatalogue, LinkedFunction};

/// The number of annotated functions, by what their series say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Coverage {
    /// Something was recorded.
    pub(super) exercised: usize,
    /// There are series, or the first recording creates them, but nothing was recorded.
    pub(super) never_exercised: usize,
    /// The series that should be there from the start are not.
    pub(super) absent: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FunctionState {
    Exercised,
    NeverExercised,
    Absent,
}

const ABSENT: &str = "The subsystem is disabled or optional in this run, or another release runs there that does not have \
                      the function.";

const NEVER: &str = "Alerts on it have never been seen with data. Nothing has to be done if the bot had no reason to call \
                     it yet; otherwise check that the annotated function is the one that is called.";

pub(super) fn check(page: &ScrapedPage, expected: &LinkedCatalogue) -> (Coverage, Vec<BotFinding>) {
    let (mut coverage, mut findings) = (Coverage::default(), Vec::new());
    for function in &expected.functions {
        let (level, problem, advice) = match state(function, page, expected) {
            FunctionState::Exercised => {
                coverage.exercised += 1;
                continue;
            }
            FunctionState::NeverExercised => {
                coverage.never_exercised += 1;
                let problem =
                    format!("never exercised: {} has recorded nothing since the start", shown(function));
                (FindingLevel::Information, problem, NEVER)
            }
            FunctionState::Absent => {
                coverage.absent += 1;
                (FindingLevel::Improvement, format!("absent: {} has no series", shown(function)), ABSENT)
            }
        };
        let place = format!("{}:{}", function.file, function.line);
        findings.push(BotFinding::new(level, Check::Coverage, place, problem, advice));
    }
    (coverage, findings)
}

/// The function, and its attribute with the labels.
fn shown(function: &LinkedFunction) -> String {
    let labels = function.labels.iter().filter(|(_, values)| !values.is_empty());
    let labels: Vec<_> = labels.map(|(name, values)| format!("{name} {}", values.join(" or "))).collect();
    let labels = if labels.is_empty() { String::new() } else { format!(" of {}", labels.join(", ")) };
    format!("{} with #[{}]{labels}", function.function, function.attribute)
}

fn state(function: &LinkedFunction, page: &ScrapedPage, expected: &LinkedCatalogue) -> FunctionState {
    let families = expected.families.iter().filter(|family| function.families.contains(&family.name));
    let mut is_promised = false;
    let mut has_series = false;
    for family in families {
        is_promised |= !is_created_by_use(family, expected);
        for series in page.series(&family.name).iter().filter(|series| is_of(function, series)) {
            has_series = true;
            if proves_use(family, series.value, expected) {
                return FunctionState::Exercised;
            }
        }
    }
    if is_promised && !has_series { FunctionState::Absent } else { FunctionState::NeverExercised }
}

/// Whether the function may record to this series.
fn is_of(function: &LinkedFunction, series: &PageSeries) -> bool {
    function
        .labels
        .iter()
        .all(|(name, values)| values.is_empty() || values.iter().any(|value| value == series.label(name)))
}
