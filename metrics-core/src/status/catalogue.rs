//! The annotated functions and the families of a bot, with their calls and series.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::shape::VERSION;
use super::time::seconds;
use crate::Metrics;
use crate::catalogue;
use crate::linked::{LinkedCatalogue, LinkedFamily, LinkedFunction, label_names};
use crate::sites::call_site::{CallSite, CallSiteKind, LabelChoices, call_sites};
use crate::storage::{Snapshot, Value};

/// The annotated functions and the exported families; from [`Metrics::catalogue`], and `/catalogue`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Catalogue {
    /// The version of this shape, [`VERSION`].
    pub version: u32,
    /// The moment of this catalogue, in Unix seconds.
    pub now: f64,
    /// The moment at which the instance was created, from which on calls are counted.
    pub started: f64,
    /// The label `app` of every series.
    pub app: String,
    /// Every annotated function that is linked, by file and line; empty if the instance is not the process-wide one, to
    /// which attributes record.
    pub functions: Vec<AnnotatedFunction>,
    /// The families, by name.
    pub families: Vec<CatalogueFamily>,
}

/// An attribute on a function. A function with several attributes is listed with each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AnnotatedFunction {
    /// The function; in JSON its fields are beside those below.
    #[serde(flatten)]
    pub linked: LinkedFunction,
    /// The calls that have ended since the start; of `operational_event` the events, and of `counted` the count. They are
    /// those of its series, to which other functions and handles may record too.
    pub calls: u64,
    /// The number of other functions that record to one of its series.
    pub shared_with: u64,
    /// Whether it has been called since the start; `None` if that is not known, because the library records nothing
    /// for a call without an event or count, or others record to its series. A call of `timed` that was skipped counts
    /// as none.
    pub called: Option<bool>,
}

/// An exported family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CatalogueFamily {
    /// The family; in JSON its fields are beside the one below.
    #[serde(flatten)]
    pub linked: LinkedFamily,
    /// The number of its series.
    pub series: u64,
}

impl Catalogue {
    pub(super) fn of(metrics: &Metrics) -> Self {
        let (core, settings) = (&*metrics.core, metrics.settings());
        let at = core.clock.stamp();
        let linked = LinkedCatalogue::of(settings);
        // Of all families, since calls are counted in some that the settings may leave out.
        let snapshot = core.selected(|_| true, usize::MAX).snapshot;
        let sites = if metrics.is_process_wide() { call_sites() } else { Vec::new() };
        let targets: Vec<_> = sites.iter().map(|site| targets(site, settings.exchange)).collect();
        let users = users(&sites, &targets);
        let functions = linked.functions.into_iter().zip(sites.iter().zip(&targets));
        let function = |(linked, (site, targets)): (LinkedFunction, (&&'static CallSite, &Vec<Target>))| {
            let calls = calls(metrics, site, targets, &snapshot);
            let users = targets.iter().filter_map(|target| users.get(&(series_kind(site), *target)));
            let shared_with = users.map(|users| users - 1).max().unwrap_or(0);
            AnnotatedFunction { linked, calls, shared_with, called: called(site, calls) }
        };
        let series: BTreeMap<_, _> = snapshot
            .families
            .iter()
            .map(|found| (found.family.full_name(&settings.namespace), found.samples.len() as u64))
            .collect();
        let family = |linked: LinkedFamily| {
            let series = series.get(&linked.name).copied().unwrap_or(0);
            CatalogueFamily { linked, series }
        };
        Self {
            version: VERSION,
            now: seconds(at.wall),
            started: seconds(core.created.wall(core.started.wall(at))),
            app: settings.app.clone(),
            functions: functions.map(function).collect(),
            families: linked.families.into_iter().map(family).collect(),
        }
    }
}

/// The label values of a series to which a function records, as far as they are known.
type Target = [&'static str; 2];

/// The series of a function: every combination of its labels.
fn targets(site: &CallSite, exchange: Option<&'static str>) -> Vec<Target> {
    let values = |choices: LabelChoices| match choices {
        LabelChoices::FromSettings => vec![exchange.unwrap_or_default()],
        known => known.values().to_vec(),
    };
    let [first, second] = site.labels();
    let second = if label_names(site.kind).len() == 2 { values(second) } else { vec![""] };
    values(first).into_iter().flat_map(|first| second.iter().map(move |second| [first, *second])).collect()
}

/// Functions of the two attributes for a bot's own families may share a series.
fn series_kind(site: &CallSite) -> u8 {
    match site.kind {
        CallSiteKind::Counted => CallSiteKind::Timed as u8,
        kind => kind as u8,
    }
}

/// The number of functions that record to each series. Capital checks and reconciliations are counted by function.
fn users(sites: &[&CallSite], targets: &[Vec<Target>]) -> BTreeMap<(u8, Target), u64> {
    let mut users = BTreeMap::new();
    let is_counted_apart =
        |site: &CallSite| matches!(site.kind, CallSiteKind::Capital | CallSiteKind::Reconciliation);
    for (site, targets) in sites.iter().zip(targets).filter(|(site, _)| !is_counted_apart(site)) {
        for target in targets {
            *users.entry((series_kind(site), *target)).or_insert(0) += 1;
        }
    }
    users
}

/// The calls that are counted in the series of a function.
fn calls(metrics: &Metrics, site: &'static CallSite, targets: &[Target], snapshot: &Snapshot) -> u64 {
    let family = match site.kind {
        CallSiteKind::Capital => return site.checks(),
        CallSiteKind::Reconciliation => return metrics.core.reconciliations.begun_at(site),
        CallSiteKind::Subsystem => catalogue::SUBSYSTEM_RUNS_TOTAL.name,
        CallSiteKind::Exchange => catalogue::EXCHANGE_API_REQUESTS_TOTAL.name,
        CallSiteKind::Event => catalogue::OPERATIONAL_EVENTS_TOTAL.name,
        CallSiteKind::Timed | CallSiteKind::Counted => targets.first().map_or("", |[name, _]| name),
    };
    let is_its = |labels: &[Cow<'static, str>]| {
        let same = |target: &Target| {
            labels.iter().zip(target).take(label_names(site.kind).len()).all(|(label, value)| label == value)
        };
        targets.iter().any(same)
    };
    let found = snapshot.families.iter().find(|found| found.family.name == family);
    let samples = found.into_iter().flat_map(|found| &found.samples).filter(|sample| is_its(&sample.labels));
    let count = |value: &Value| match value {
        Value::Counter(count) => *count,
        Value::Histogram(histogram) => histogram.count(),
        Value::FloatCounter(_) | Value::Gauge(_) => 0,
    };
    samples.map(|sample| count(&sample.value)).sum()
}

fn called(site: &CallSite, calls: u64) -> Option<bool> {
    match site.kind {
        CallSiteKind::Subsystem | CallSiteKind::Exchange => Some(site.has_found_series()),
        CallSiteKind::Capital | CallSiteKind::Reconciliation => Some(calls > 0),
        CallSiteKind::Event => site.has_found_series().then_some(true),
        CallSiteKind::Timed => (calls == 0).then_some(false),
        CallSiteKind::Counted => None,
    }
}
