//! The annotated functions.

use std::collections::BTreeMap;

use super::groups::recorded_by;
use super::{Decimal, LinkedFunction};
use crate::families::custom::custom_families;
use crate::instance::settings::Settings;
use crate::sites::call_site::{CallSite, CallSiteKind, LabelChoices};

/// A call site as data.
pub(super) fn function(site: &CallSite, settings: &Settings) -> LinkedFunction {
    LinkedFunction {
        function: site.function.to_owned(),
        module: site.module.to_owned(),
        file: site.file.to_owned(),
        line: site.line,
        attribute: attribute(site.kind).to_owned(),
        families: families(site, settings),
        labels: labels(site, settings),
        max_age_seconds: site.max_age().map(|max_age| Decimal::of_finite(max_age.age.as_secs_f64())),
    }
}

fn attribute(kind: CallSiteKind) -> &'static str {
    match kind {
        CallSiteKind::Subsystem => "timed_subsystem",
        CallSiteKind::Exchange => "exchange_call",
        CallSiteKind::Event => "operational_event",
        CallSiteKind::Capital => "capital_check",
        CallSiteKind::Reconciliation => "reconciliation",
        CallSiteKind::Timed => "timed",
        CallSiteKind::Counted => "counted",
    }
}

fn families(site: &CallSite, settings: &Settings) -> Vec<String> {
    let (kind, [first, _]) = site.target();
    let is_own = matches!(kind, CallSiteKind::Timed | CallSiteKind::Counted);
    let of_library = recorded_by(kind).iter().copied().filter(|family| settings.families.include(family));
    let own = custom_families().into_iter().map(|own| &own.family);
    let recorded = of_library.chain(own.filter(|family| is_own && family.name == first));
    let mut names: Vec<_> = recorded.map(|family| family.full_name(&settings.namespace)).collect();
    names.sort_unstable();
    names
}

/// The names of the labels that an attribute determines, in the order of [`CallSite::labels`].
pub(crate) fn label_names(kind: CallSiteKind) -> &'static [&'static str] {
    match kind {
        CallSiteKind::Subsystem => &["subsystem"],
        CallSiteKind::Exchange => &["exchange", "operation"],
        CallSiteKind::Event => &["severity", "type"],
        CallSiteKind::Capital
        | CallSiteKind::Reconciliation
        | CallSiteKind::Timed
        | CallSiteKind::Counted => &[],
    }
}

/// The values of the labels that the attribute determines.
pub(super) fn labels(site: &CallSite, settings: &Settings) -> BTreeMap<String, Vec<String>> {
    let named = label_names(site.kind).iter().zip(site.labels());
    named.map(|(name, choices)| ((*name).to_owned(), values(&choices, settings))).collect()
}

fn values(choices: &LabelChoices, settings: &Settings) -> Vec<String> {
    let from_settings = match choices {
        // Only an exchange may come from the settings.
        LabelChoices::FromSettings => settings.exchange,
        LabelChoices::Fixed(_) | LabelChoices::Any(_) => None,
    };
    let mut values: Vec<_> =
        choices.values().iter().copied().chain(from_settings).map(str::to_owned).collect();
    values.sort_unstable();
    values.dedup();
    values
}
