//! The families that the binary exports, with the possible values of their labels.

use std::collections::BTreeSet;

use super::groups::{group_of, recorded_by};
use super::{Decimal, LinkedFamily, LinkedLabel, LinkedObjective, functions};
use crate::catalogue::{self, FAMILIES, Family};
use crate::exposition::FAILURE_REASONS;
use crate::families::custom::{CustomFamily, custom_families};
use crate::families::reconciliation::MISMATCH_KINDS;
use crate::instance::settings::Settings;
use crate::labels::{EventType, Severity, Source};
use crate::sites::call_site::CallSite;
use crate::{LabelValue, Outcome};

/// The families to which the call sites or, according to the settings, handles record, sorted by name.
pub(super) fn linked(sites: &[&CallSite], settings: &Settings) -> Vec<LinkedFamily> {
    let of_library = FAMILIES.iter().copied().filter(|family| is_linked(family, sites, settings));
    let of_library = of_library.map(|family| {
        let labels = family.labels.iter();
        described(family, labels.map(|label| values(family, label, sites, settings)), settings)
    });
    let own = custom_families().into_iter().map(|own| described(&own.family, closed_values(own), settings));
    let mut families: Vec<_> = of_library.chain(own).collect();
    families.sort_by(|one, other| one.name.cmp(&other.name));
    families
}

fn is_linked(family: &Family, sites: &[&CallSite], settings: &Settings) -> bool {
    if !settings.families.include(family) {
        return false;
    }
    if family.name == catalogue::TARGET_INFO.name {
        return settings.target_info;
    }
    let is_recorded = || sites.iter().any(|site| records_to(site, family));
    group_of(family).is_none() || is_recorded() || is_expected(family, settings)
}

fn records_to(site: &CallSite, family: &Family) -> bool {
    recorded_by(site.kind).iter().any(|recorded| recorded.name == family.name)
}

/// Whether handles record to the family or one that is recorded together with it, according to the settings.
fn is_expected(family: &Family, settings: &Settings) -> bool {
    let expected = |family: &Family| settings.expected_families.contains(family.name);
    group_of(family).map_or_else(|| expected(family), |group| group.iter().any(|member| expected(member)))
}

fn described(
    family: &Family,
    values: impl Iterator<Item = Option<Vec<String>>>,
    settings: &Settings,
) -> LinkedFamily {
    let labels = family.labels.iter().zip(values);
    let objective = |objective: catalogue::Objective| LinkedObjective {
        threshold: Decimal::of_finite(objective.threshold),
        ratio: Decimal::of_finite(objective.ratio),
    };
    LinkedFamily {
        name: family.full_name(&settings.namespace),
        kind: family.kind,
        unit: catalogue::unit(family.name.trim_end_matches("_total")).unwrap_or_default().to_owned(),
        help: family.help.to_owned(),
        labels: labels.map(|(name, values)| LinkedLabel { name: (*name).to_owned(), values }).collect(),
        buckets: family.buckets.iter().copied().map(Decimal::of_finite).collect(),
        objective: family.objective.map(objective),
        origin: family.origin,
    }
}

fn closed_values(own: &CustomFamily) -> impl Iterator<Item = Option<Vec<String>>> {
    own.labels.iter().map(|label| (!label.is_open()).then(|| sorted(label.values.iter().copied())))
}

fn sorted<'a>(values: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let values: BTreeSet<_> = values.into_iter().collect();
    values.into_iter().map(str::to_owned).collect()
}

/// The possible values of a label of a family of the library; `None` if they are not known at link time.
fn values(family: &Family, label: &str, sites: &[&CallSite], settings: &Settings) -> Option<Vec<String>> {
    let values = match label {
        "subsystem" | "exchange" | "operation" | "severity" | "type" => {
            return values_of_sites(family, label, sites, settings);
        }
        "outcome" if family.labels.contains(&"subsystem") => Outcome::VALUES.to_vec(),
        // Only a run of a subsystem can be skipped.
        "outcome" => {
            Outcome::VALUES.iter().copied().filter(|outcome| *outcome != Outcome::Skipped.as_str()).collect()
        }
        "kind" => MISMATCH_KINDS.map(|[kind, _]| kind).to_vec(),
        "source" if family.labels.contains(&"kind") => MISMATCH_KINDS.map(|[_, source]| source).to_vec(),
        "source" => Source::VALUES.to_vec(),
        "reason" => FAILURE_REASONS.to_vec(),
        _ => return None,
    };
    Some(sorted(values))
}

/// The values at the call sites; `None` if there are none, or if handles record others.
fn values_of_sites(
    family: &Family,
    label: &str,
    sites: &[&CallSite],
    settings: &Settings,
) -> Option<Vec<String>> {
    if is_expected(family, settings) {
        return None;
    }
    let sites = sites.iter().filter(|site| records_to(site, family));
    let mut values: BTreeSet<_> =
        sites.filter_map(|site| functions::labels(site, settings).remove(label)).flatten().collect();
    let own = (Severity::Error.as_str(), EventType::InvalidCapital.as_str());
    for (severity, kind) in settings.expected_events.iter().copied().chain([own]) {
        match label {
            "severity" => values.insert(severity.to_owned()),
            "type" => values.insert(kind.to_owned()),
            _ => continue,
        };
    }
    (!values.is_empty()).then(|| values.into_iter().collect())
}
