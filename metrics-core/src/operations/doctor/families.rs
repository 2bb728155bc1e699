//! Whether the families of a page are those that the catalogue promises.

use std::collections::BTreeSet;

use super::finding::{BotFinding, Check, FindingLevel};
use super::page::{PageFamily, ScrapedPage};
use super::use_marks::is_created_by_use;
use crate::catalogue::{FAMILIES, Origin};
use crate::exposition::family_type::FamilyType;
use crate::linked::{LinkedCatalogue, LinkedFamily};
use crate::shown::quoted;

const MISSING: &str = "Another release runs there, its settings leave the family out (Families::CoreOnly, disable), or a \
                       proxy filters the page. Compare with --expect-served, which asks the bot itself.";

const STANDARD: &str = "The operating system may not offer it; alerts that use it stay silent.";

const UNEXPECTED: &str = "Another release runs there, or the expected catalogue is older: write it again with \
                          `metrics list --json`.";

const HANDLE: &str =
    "A handle records it. Declare it with Settings::expect_families, so that rules exist for it.";

const TYPE: &str = "Prometheus and the rules treat the values wrongly. Another release runs there, or other code exports \
                    a family of this name.";

const LABELS: &str = "Rules that select or join by these labels return nothing. Another release runs there, or a proxy or \
                      relabelling changes the labels.";

const EXPORTED: &str = "A Prometheus in between renamed the bot's label, because the target has one of the same \
                        name. Set honor_labels: true in the scrape configuration.";

const BUCKETS: &str =
    "Quantiles and objectives are computed from bounds that are not there. Another release runs there.";

pub(super) fn check(page: &ScrapedPage, expected: &LinkedCatalogue) -> Vec<BotFinding> {
    let mut findings = Vec::new();
    for family in &expected.families {
        match page.families.get(&family.name) {
            None => findings.push(missing(family, expected)),
            Some(found) if found.family_type != FamilyType::from(family.kind) => {
                let types = (found.family_type.as_str(), family.kind.as_str());
                let problem = format!("the type is {}, expected: {}", types.0, types.1);
                findings.push(BotFinding::violation(Check::Type, &family.name, problem, TYPE));
            }
            Some(found) => {
                findings.extend(labels(family, found, expected));
                findings.extend(values(family, found));
                findings.extend(buckets(family, found));
            }
        }
    }
    findings.extend(unexpected(page, expected));
    findings.extend(default_labels(page, expected));
    findings
}

fn missing(family: &LinkedFamily, expected: &LinkedCatalogue) -> BotFinding {
    if is_created_by_use(family, expected) {
        let problem = "has no series yet; the first recording creates them";
        return BotFinding::new(FindingLevel::Information, Check::Family, &family.name, problem, "");
    }
    let (level, advice) = match family.origin {
        Origin::Standard => (FindingLevel::Improvement, STANDARD),
        Origin::Core | Origin::Extension | Origin::Custom => (FindingLevel::Violation, MISSING),
    };
    BotFinding::new(level, Check::Family, &family.name, "is not exported", advice)
}

/// Families that are not expected. Those of the library that only handles record are always exported; without a handle
/// their values are 0.
fn unexpected(page: &ScrapedPage, expected: &LinkedCatalogue) -> Vec<BotFinding> {
    let is_known = |name: &str| expected.families.iter().any(|family| family.name == name);
    let of_library = |name: &str| FAMILIES.iter().any(|family| family.full_name(&expected.namespace) == name);
    let prefix = format!("{}_", expected.namespace);
    let found = page.families.iter().filter(|(name, _)| !is_known(name));
    found
        .filter_map(|(name, family)| {
            let is_recorded = family.series.iter().any(|series| series.value != 0.0);
            let (level, problem, advice) = match (of_library(name), name.starts_with(&prefix)) {
                (true, _) if !is_recorded => return None,
                (true, _) => (FindingLevel::Improvement, "is recorded, but not expected", HANDLE),
                (false, true) => (FindingLevel::Improvement, "is exported, but not expected", UNEXPECTED),
                (false, false) => (FindingLevel::Information, "is exported by other code of the bot", ""),
            };
            Some(BotFinding::new(level, Check::Family, name, problem, advice))
        })
        .collect()
}

/// One finding for each difference between the label names of a series and the expected ones.
fn labels(family: &LinkedFamily, found: &PageFamily, expected: &LinkedCatalogue) -> Vec<BotFinding> {
    let own = family.labels.iter().map(|label| label.name.as_str());
    let defaults = expected.default_labels.keys().map(String::as_str);
    let with_defaults = !expected.default_labels_in_target_info;
    let names: BTreeSet<&str> = own.chain(defaults.filter(|_| with_defaults)).collect();
    let differences: BTreeSet<(Vec<&str>, Vec<&str>)> = found
        .series
        .iter()
        .map(|series| {
            let there: BTreeSet<&str> = series.labels.keys().map(String::as_str).collect();
            (names.difference(&there).copied().collect(), there.difference(&names).copied().collect())
        })
        .filter(|(missing, extra): &(Vec<_>, Vec<_>)| !missing.is_empty() || !extra.is_empty())
        .collect();
    let finding = |(missing, extra): (Vec<&str>, Vec<&str>)| {
        let is_renamed =
            |name: &&str| name.strip_prefix("exported_").is_some_and(|name| names.contains(name));
        let advice = if extra.iter().any(is_renamed) { EXPORTED } else { LABELS };
        let parts = [("missing labels", missing), ("unexpected labels", extra)];
        let parts = parts.iter().filter(|(_, names)| !names.is_empty());
        let parts: Vec<_> = parts.map(|(what, names)| format!("{what}: {}", names.join(", "))).collect();
        BotFinding::violation(Check::Label, &family.name, parts.join("; "), advice)
    };
    differences.into_iter().map(finding).collect()
}

/// One finding for each label with values that are not in its list.
fn values(family: &LinkedFamily, found: &PageFamily) -> Vec<BotFinding> {
    let listed = family.labels.iter().filter(|label| label.values.is_some());
    listed
        .filter_map(|label| {
            let values = found.series.iter().filter_map(|series| series.labels.get(&label.name));
            let unknown: BTreeSet<_> = values.filter(|value| !label.may_be(value)).collect();
            let shown: Vec<_> = unknown.iter().take(5).map(|value| quoted(value).to_string()).collect();
            let more = unknown.len().saturating_sub(shown.len());
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            let problem =
                format!("the label {} has unexpected values: {}{more}", label.name, shown.join(", "));
            let finding =
                BotFinding::new(FindingLevel::Improvement, Check::Label, &family.name, problem, HANDLE);
            (!unknown.is_empty()).then_some(finding)
        })
        .collect()
}

fn buckets(family: &LinkedFamily, found: &PageFamily) -> Option<BotFinding> {
    let expected: Vec<_> = family.buckets.iter().map(|bound| bound.get()).collect();
    let other = found.series.iter().find(|series| series.bounds != expected)?;
    let list = |bounds: &[f64]| bounds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let problem = format!("the bounds are {}, expected: {}", list(&other.bounds), list(&expected));
    Some(BotFinding::violation(Check::Bucket, &family.name, problem, BUCKETS))
}

const TWO_VALUES: &str = "One bot exports one value. Two processes answer at this address, or code of the bot writes the \
                          label itself.";

const OTHER_VALUE: &str = "Rules and Alertmanager's routes depend on it. Check that this is the intended bot, or run the \
                           doctor with the bot's environment.";

fn default_labels(page: &ScrapedPage, expected: &LinkedCatalogue) -> Vec<BotFinding> {
    let is_known = |name: &str| expected.families.iter().any(|family| family.name == name);
    let families = page.families.iter().filter(|(name, _)| is_known(name));
    let series: Vec<_> = families.flat_map(|(_, family)| &family.series).collect();
    let of_label = |(name, value): (&String, &String)| {
        let values: BTreeSet<_> = series.iter().filter_map(|series| series.labels.get(name)).collect();
        let shown = values.iter().map(|value| quoted(value).to_string()).collect::<Vec<_>>().join(", ");
        if values.len() > 1 {
            let problem = format!("the series have several values: {shown}");
            return Some(BotFinding::violation(Check::Label, name, problem, TWO_VALUES));
        }
        let problem = format!("the value is {shown}, expected: {}", quoted(value));
        let is_other = values.first().is_some_and(|found| *found != value);
        is_other.then(|| BotFinding::new(FindingLevel::Improvement, Check::Label, name, problem, OTHER_VALUE))
    };
    expected.default_labels.iter().filter_map(of_label).collect()
}
