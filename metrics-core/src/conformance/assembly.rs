//! The series of a family, assembled from the samples in its lines.

use std::borrow::Cow;
use std::collections::HashMap;

use super::line::{Number, SampleLine};
use super::page_fault::PageFault;
use crate::exemplars;
use crate::exposition::family_type::FamilyType;
use crate::exposition::lines::write_canonical;
use crate::exposition::rules::description::{BoundedValue, FamilyDescription, SeriesDescription, Style};
use crate::exposition::rules::family::{SeriesLabels, check_labels, identity, reserved_label};
use crate::exposition::rules::fault::Fault;

/// A family whose lines are being read.
#[derive(Debug)]
pub(super) struct Assembly<'a> {
    pub(super) family: FamilyDescription<'a>,
    /// The last series with these labels.
    by_labels: HashMap<SeriesLabels<'a>, usize>,
}

/// The part of a series that a sample is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Value,
    Bucket,
    Quantile,
    Sum,
    Count,
    Created,
}

impl Part {
    /// The suffixes of the samples of a type, and their parts.
    pub(super) fn of(family_type: FamilyType, style: Style) -> &'static [(&'static str, Self)] {
        let parts: &[_] = match family_type {
            FamilyType::Counter => &[("_total", Self::Value), ("_created", Self::Created)],
            FamilyType::Gauge | FamilyType::Untyped | FamilyType::StateSet => &[("", Self::Value)],
            FamilyType::Info => &[("_info", Self::Value)],
            FamilyType::GaugeHistogram => {
                &[("_bucket", Self::Bucket), ("_gsum", Self::Sum), ("_gcount", Self::Count)]
            }
            FamilyType::Histogram => &[
                ("_bucket", Self::Bucket),
                ("_sum", Self::Sum),
                ("_count", Self::Count),
                ("_created", Self::Created),
            ],
            FamilyType::Summary => &[
                ("", Self::Quantile),
                ("_sum", Self::Sum),
                ("_count", Self::Count),
                ("_created", Self::Created),
            ],
        };
        match (style, family_type) {
            (Style::OpenMetrics, _) => parts,
            (_, FamilyType::Counter) => &[("", Self::Value)],
            (_, FamilyType::Histogram | FamilyType::Summary) => &parts[..3],
            _ => parts,
        }
    }
}

impl<'a> Assembly<'a> {
    pub(super) fn new(style: Style, name: Cow<'a, str>, family_type: FamilyType) -> Self {
        let family = FamilyDescription { style, name, family_type, series: Vec::new() };
        Self { family, by_labels: HashMap::new() }
    }

    /// The part that a sample of this name is.
    pub(super) fn part(&self, sample: &str) -> Option<Part> {
        let suffix = sample.strip_prefix(&*self.family.name)?;
        let parts = Part::of(self.family.family_type, self.family.style);
        parts.iter().find(|(of, _)| *of == suffix).map(|(_, part)| *part)
    }

    /// Adds a sample, and calls `found` for each fault of its line. Faults of the series as a whole are another rule.
    pub(super) fn add(
        &mut self,
        part: Part,
        mut sample: SampleLine<'a>,
        position: usize,
        found: &mut dyn FnMut(PageFault),
    ) {
        if let Some(labels) = sample.exemplar.take()
            && let Err(fault) = self.check_exemplar(part, labels)
        {
            found(fault);
        }
        let bound = match part {
            Part::Bucket | Part::Quantile => match self.take_bound(&mut sample, found) {
                Some(bound) => Some(bound),
                None => return,
            },
            _ => None,
        };
        let is_stateless = |(name, _): &(Cow<'_, str>, _)| *name != self.family.name;
        if self.family.family_type == FamilyType::StateSet && sample.labels.iter().all(is_stateless) {
            found(PageFault::StateWithoutLabel);
        }
        let SampleLine { labels, value, timestamp_ms, .. } = sample;
        let series = self.series(labels, part, position, timestamp_ms, found);
        if series.timestamp_ms != timestamp_ms {
            found(Fault::TimestampsDiffer.into());
        }
        if let Err(fault) = fill(series, part, value, bound) {
            found(fault);
        }
    }

    /// The series with these labels, in which the part is missing.
    fn series(
        &mut self,
        labels: Vec<(Cow<'a, str>, Cow<'a, str>)>,
        part: Part,
        position: usize,
        timestamp_ms: Option<i64>,
        found: &mut dyn FnMut(PageFault),
    ) -> &mut SeriesDescription<'a> {
        let all = &mut self.family.series;
        let key = identity(&labels);
        let last = self.by_labels.get(&key).copied();
        let index = if let Some(index) = last.filter(|&index| !has(&all[index], part)) {
            if self.family.style == Style::OpenMetrics && index + 1 != all.len() {
                found(PageFault::Interleaved);
            }
            index
        } else {
            // A second value is that of a second series, whose labels are found to be the same.
            all.push(SeriesDescription { position, labels, timestamp_ms, ..SeriesDescription::default() });
            self.by_labels.insert(key, all.len() - 1);
            all.len() - 1
        };
        &mut all[index]
    }

    /// Removes the label with the bound of a bucket or quantile.
    fn take_bound(
        &self,
        sample: &mut SampleLine<'a>,
        found: &mut dyn FnMut(PageFault),
    ) -> Option<(f64, Cow<'a, str>)> {
        let label = reserved_label(self.family.family_type)?;
        let Some(index) = sample.labels.iter().position(|(name, _)| name == label) else {
            found(PageFault::NoBound(label));
            return None;
        };
        let (_, spelled) = sample.labels.remove(index);
        let bound = Number::parse(&spelled).map_err(&mut *found).ok()?.value;
        let mut canonical = String::new();
        write_canonical(&mut canonical, bound);
        // The text format has no rule for finite bounds.
        let is_free = self.family.style == Style::Text && bound.is_finite();
        if !is_free && canonical != spelled {
            found(PageFault::BoundSpelling {
                label,
                found: spelled.clone().into_owned(),
                allowed: canonical,
            });
        }
        Some((bound, spelled))
    }

    fn check_exemplar(&self, part: Part, labels: Vec<(Cow<'a, str>, Cow<'a, str>)>) -> Result<(), PageFault> {
        let is_counter = self.family.family_type == FamilyType::Counter && part == Part::Value;
        if !is_counter && part != Part::Bucket {
            return Err(PageFault::ExemplarPlace);
        }
        let length = labels.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum();
        if length > exemplars::LONGEST {
            return Err(PageFault::ExemplarLength(length));
        }
        let series = SeriesDescription { labels, ..SeriesDescription::default() };
        Ok(check_labels(FamilyType::Untyped, &series)?)
    }
}

fn has(series: &SeriesDescription<'_>, part: Part) -> bool {
    match part {
        Part::Value => series.value.is_some(),
        Part::Sum => series.sum.is_some(),
        Part::Count => series.count.is_some(),
        Part::Created => series.created.is_some(),
        Part::Bucket | Part::Quantile => false,
    }
}

fn fill<'a>(
    series: &mut SeriesDescription<'a>,
    part: Part,
    number: Number<'_>,
    bound: Option<(f64, Cow<'a, str>)>,
) -> Result<(), PageFault> {
    match (part, bound) {
        (Part::Bucket, Some((bound, spelled))) => {
            series.buckets.push(BoundedValue { bound, spelled, value: number.integer()? });
        }
        (Part::Quantile, Some((bound, spelled))) => {
            series.quantiles.push(BoundedValue { bound, spelled, value: number.value });
        }
        (Part::Sum, _) => series.sum = Some(number.value),
        (Part::Count, _) => series.count = Some(number.integer()?),
        (Part::Created, _) => series.created = Some(number.value),
        _ => series.value = Some(number.value),
    }
    Ok(())
}
