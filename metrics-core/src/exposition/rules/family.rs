//! The rules of a family on its own, in any format.

use std::collections::{HashMap, HashSet};

use super::description::{FamilyDescription, LabelDescription, SeriesDescription, Style};
use super::fault::Fault;
use crate::catalogue::is_name;
use crate::exposition::family_type::FamilyType;

/// How far ahead of the clock a sample's own time may be, in milliseconds: Prometheus drops later ones.
const FURTHEST_AHEAD_MS: i64 = 10 * 60 * 1_000;

/// The labels of one series, sorted and without empty ones, which Prometheus treats as absent.
pub(crate) type SeriesLabels<'a> = Vec<LabelDescription<'a>>;

/// Checks a family on its own, and returns the labels of its series. `now_ms` is the Unix time in milliseconds. Calls
/// `found` for each fault, with the series that has it.
pub(crate) fn check_family<'a>(
    family: &FamilyDescription<'a>,
    now_ms: i64,
    found: &mut dyn FnMut(Option<&SeriesDescription<'a>>, Fault),
) -> HashSet<SeriesLabels<'a>> {
    if let Err(fault) = check_name(&family.name) {
        found(None, fault);
    }
    let mut all = HashSet::new();
    for series in &family.series {
        let labels = identity(&series.labels);
        let checks = [
            check_labels(family.family_type, series),
            if all.insert(labels) { Ok(()) } else { Err(Fault::SeriesTwice) },
            check_times(series, now_ms),
            check_value(family.family_type, series),
            check_histogram(family, series),
            check_summary(family, series),
        ];
        // Parts of a series that is not one of its own are no further faults.
        let is_own = checks[..2].iter().all(Result::is_ok);
        for fault in checks.into_iter().take(if is_own { 6 } else { 2 }).filter_map(Result::err) {
            found(Some(series), fault);
        }
    }
    all
}

/// Checks whether a family may have this name.
pub(crate) fn check_name(name: &str) -> Result<(), Fault> {
    if !is_name(name, true) {
        Err(Fault::Name)
    } else if name == "up" || name.starts_with("scrape_") {
        Err(Fault::ReservedName)
    } else {
        Ok(())
    }
}

/// The names of families and of their samples, which no two families may share.
#[derive(Debug, Default)]
pub(crate) struct TakenNames(HashMap<String, (String, FamilyType)>);

impl TakenNames {
    /// Takes all names of a family, or none. A family may take its names again.
    pub(crate) fn take(
        &mut self,
        family: &str,
        family_type: FamilyType,
        names: Vec<String>,
    ) -> Result<(), Fault> {
        let taken = |name: &&String| self.0.get(*name).is_some_and(|(owner, _)| owner != family);
        if let Some(name) = names.iter().find(taken) {
            return Err(Fault::Taken(name.clone()));
        }
        self.0.extend(names.into_iter().map(|name| (name, (family.to_owned(), family_type))));
        Ok(())
    }

    /// The family that has this name or a sample of this name.
    pub(crate) fn owner(&self, name: &str) -> Option<&(String, FamilyType)> {
        self.0.get(name)
    }
}

/// The labels that tell a series from others.
pub(crate) fn identity<'a>(labels: &[LabelDescription<'a>]) -> SeriesLabels<'a> {
    let mut labels: SeriesLabels<'a> =
        labels.iter().filter(|(_, value)| !value.is_empty()).cloned().collect();
    labels.sort_unstable();
    labels
}

pub(crate) fn check_labels(family_type: FamilyType, series: &SeriesDescription<'_>) -> Result<(), Fault> {
    let reserved = reserved_label(family_type);
    let mut names: Vec<&str> = series.labels.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    for &name in &names {
        if !is_name(name, false) {
            return Err(Fault::Label(name.to_owned()));
        }
        if name.starts_with("__") || reserved == Some(name) {
            return Err(Fault::ReservedLabel(name.to_owned()));
        }
    }
    let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
    twice.map_or(Ok(()), |pair| Err(Fault::LabelTwice(pair[0].to_owned())))
}

/// The label that the samples of a type have in addition to those of their series.
pub(crate) fn reserved_label(family_type: FamilyType) -> Option<&'static str> {
    match family_type {
        FamilyType::Histogram | FamilyType::GaugeHistogram => Some("le"),
        FamilyType::Summary => Some("quantile"),
        _ => None,
    }
}

fn check_times(series: &SeriesDescription<'_>, now_ms: i64) -> Result<(), Fault> {
    let latest_ms = now_ms.saturating_add(FURTHEST_AHEAD_MS);
    if let Some(ms) = series.timestamp_ms.filter(|ms| !(0..=latest_ms).contains(ms)) {
        return Err(Fault::Timestamp(ms));
    }
    #[expect(clippy::cast_precision_loss, reason = "a year of today is exact to a millisecond")]
    let latest = latest_ms as f64 / 1_000.0;
    match series.created.filter(|created| !(0.0..=latest).contains(created)) {
        Some(created) => Err(Fault::Created(created)),
        None => Ok(()),
    }
}

fn check_value(family_type: FamilyType, series: &SeriesDescription<'_>) -> Result<(), Fault> {
    let is_single = reserved_label(family_type).is_none();
    match (family_type, series.value) {
        (_, None) if is_single => Err(Fault::NoValue),
        (FamilyType::Counter, Some(value)) if !(value >= 0.0 && value.is_finite()) => {
            Err(Fault::Counter(value))
        }
        (FamilyType::Info, Some(value)) if value != 1.0 => Err(Fault::Info(value)),
        (FamilyType::StateSet, Some(value)) if value != 0.0 && value != 1.0 => Err(Fault::State(value)),
        _ => Ok(()),
    }
}

fn check_histogram(family: &FamilyDescription<'_>, series: &SeriesDescription<'_>) -> Result<(), Fault> {
    if reserved_label(family.family_type) != Some("le") {
        return Ok(());
    }
    let buckets = &series.buckets;
    if let Some(bucket) = buckets.iter().find(|bucket| bucket.bound.is_nan()) {
        return Err(Fault::Bound(bucket.bound));
    }
    if let Some(pair) = buckets.windows(2).find(|pair| pair[0].bound >= pair[1].bound) {
        return Err(Fault::BoundsOrder(pair[1].bound));
    }
    if let Some(pair) = buckets.windows(2).find(|pair| pair[0].value > pair[1].value) {
        return Err(Fault::BucketsFall(pair[1].bound));
    }
    let last = buckets.last();
    let has_infinity = last.is_some_and(|last| last.bound == f64::INFINITY);
    if !has_infinity && family.style != Style::Messages {
        return Err(Fault::NoInfinity);
    }
    if let (Some(last), Some(count)) = (last, series.count)
        && (last.value > count || (has_infinity && last.value != count))
    {
        return Err(Fault::Count);
    }
    if family.family_type == FamilyType::Histogram { check_sum(family.style, series) } else { Ok(()) }
}

fn check_summary(family: &FamilyDescription<'_>, series: &SeriesDescription<'_>) -> Result<(), Fault> {
    if family.family_type != FamilyType::Summary {
        return Ok(());
    }
    let mut quantiles: Vec<f64> = series.quantiles.iter().map(|quantile| quantile.bound).collect();
    if let Some(&wrong) = quantiles.iter().find(|quantile| !(0.0..=1.0).contains(*quantile)) {
        return Err(Fault::Quantile(wrong));
    }
    quantiles.sort_by(f64::total_cmp);
    // Not compared by their bits, because 0 and -0 are the same quantile.
    if let Some(pair) = quantiles.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Fault::QuantileTwice(pair[0]));
    }
    check_sum(family.style, series)
}

/// In OpenMetrics the sum counts like a counter, and is absent where it could fall.
fn check_sum(style: Style, series: &SeriesDescription<'_>) -> Result<(), Fault> {
    let is_histogram = series.quantiles.is_empty() && !series.buckets.is_empty();
    match (series.sum, series.count) {
        (Some(sum), _) if sum.is_nan() => Err(Fault::Sum(sum)),
        (Some(sum), _) if style == Style::OpenMetrics => {
            let lowest = series.buckets.first().map_or(0.0, |bucket| bucket.bound);
            if sum < 0.0 || lowest < 0.0 {
                Err(Fault::SumOfNegative(sum))
            } else if is_histogram && series.count.is_none() {
                Err(Fault::Missing("_count"))
            } else {
                Ok(())
            }
        }
        (None, Some(_)) if style == Style::Text || (style == Style::OpenMetrics && is_histogram) => {
            Err(Fault::Missing("_sum"))
        }
        (_, None) if style == Style::Text => Err(Fault::Missing("_count")),
        _ => Ok(()),
    }
}
