//! A page in the protobuf format.

use prost::Message;
use prost::encoding::decode_varint;

use super::findings::{Finding, Findings};
use super::page_fault::PageFault;
use crate::exposition::family_type::FamilyType;
use crate::exposition::lines::write_canonical;
use crate::exposition::protobuf::{LabelPair, Metric, MetricFamily, MetricType, Timestamp};
use crate::exposition::rules::description::{BoundedValue, FamilyDescription, SeriesDescription, Style};
use crate::exposition::rules::family::{TakenNames, check_family};
use crate::exposition::rules::fault::Fault;

/// Reads a page, and calls `visit` with each family. A family may be divided into several messages, one after the
/// other.
pub(super) fn read(page: &[u8], now_ms: i64, visit: &mut dyn FnMut(&FamilyDescription<'_>)) -> Vec<Finding> {
    let mut reader =
        Reader { findings: Findings::of("message"), now_ms, taken: TakenNames::default(), open: None };
    let (mut rest, mut position) = (page, 0);
    while !rest.is_empty() {
        position += 1;
        let Some(message) = next_message(&mut rest) else {
            reader.findings.add(position, "", None, &PageFault::MessageLength);
            break;
        };
        match MetricFamily::decode(message) {
            Ok(family) => reader.family(position, family, visit),
            Err(error) => reader.findings.add(position, "", None, &PageFault::Message(error.to_string())),
        }
    }
    reader.close(visit);
    reader.findings.into_all()
}

fn next_message<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(decode_varint(rest).ok()?).ok()?;
    let (message, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(message)
}

struct Reader {
    findings: Findings,
    now_ms: i64,
    taken: TakenNames,
    /// The last family, without its series, and the message that began it.
    open: Option<(usize, MetricFamily, FamilyDescription<'static>)>,
}

impl Reader {
    fn family(
        &mut self,
        position: usize,
        mut family: MetricFamily,
        visit: &mut dyn FnMut(&FamilyDescription<'_>),
    ) {
        let metrics = std::mem::take(&mut family.metric);
        let is_next_part = self.open.as_ref().is_some_and(|(_, open, _)| open.name() == family.name());
        if !is_next_part {
            self.close(visit);
            if self.taken.owner(family.name()).is_some_and(|(owner, _)| owner == family.name()) {
                self.findings.add(position, family.name(), None, &PageFault::Apart);
            }
            let name = family.name().to_owned().into();
            let family_type = family_type(family.r#type());
            let description =
                FamilyDescription { style: Style::Messages, name, family_type, series: Vec::new() };
            if let Err(fault) = check_head(&family) {
                self.findings.add(position, family.name(), None, &fault);
            }
            self.open = Some((position, family.clone(), description));
        }
        let Some((_, open, description)) = &mut self.open else { return };
        if family != *open {
            self.findings.add(position, family.name(), None, &PageFault::OtherHead);
        }
        for metric in metrics {
            match describe(position, description.family_type, metric) {
                Ok(series) => description.series.push(series),
                Err(fault) => self.findings.add(position, open.name(), None, &PageFault::from(fault)),
            }
        }
    }

    /// Checks the last family.
    fn close(&mut self, visit: &mut dyn FnMut(&FamilyDescription<'_>)) {
        let Some((position, _, family)) = self.open.take() else { return };
        let names = family.family_type.names(&family.name);
        if let Err(fault) = self.taken.take(&family.name, family.family_type, names) {
            self.findings.add(position, &family.name, None, &fault);
        }
        let findings = &mut self.findings;
        let _ = check_family(&family, self.now_ms, &mut |series, fault| {
            findings.add(series.map_or(position, |series| series.position), &family.name, series, &fault);
        });
        visit(&family);
    }
}

fn check_head(family: &MetricFamily) -> Result<(), PageFault> {
    if family.r#type.is_some_and(|number| MetricType::try_from(number).is_err()) {
        return Err(PageFault::UnknownType(family.r#type.unwrap_or_default().to_string()));
    }
    let stem = family.name().strip_suffix("_total").filter(|_| family.r#type() == MetricType::Counter);
    let stem = stem.unwrap_or(family.name()).strip_suffix(family.unit());
    let has_unit = family.unit().is_empty() || stem.is_some_and(|stem| stem.ends_with('_'));
    if has_unit { Ok(()) } else { Err(PageFault::Unit(family.unit().to_owned())) }
}

fn family_type(of: MetricType) -> FamilyType {
    match of {
        MetricType::Counter => FamilyType::Counter,
        MetricType::Gauge => FamilyType::Gauge,
        MetricType::Summary => FamilyType::Summary,
        MetricType::Untyped => FamilyType::Untyped,
        MetricType::Histogram => FamilyType::Histogram,
        MetricType::GaugeHistogram => FamilyType::GaugeHistogram,
    }
}

fn describe(
    position: usize,
    family_type: FamilyType,
    metric: Metric,
) -> Result<SeriesDescription<'static>, Fault> {
    let labels = metric.label.into_iter();
    let text = |text: Option<String>| text.unwrap_or_default().into();
    let mut series = SeriesDescription {
        position,
        labels: labels.map(|LabelPair { name, value }| (text(name), text(value))).collect(),
        timestamp_ms: metric.timestamp_ms,
        ..SeriesDescription::default()
    };
    let values = [
        (FamilyType::Counter, metric.counter.is_some()),
        (FamilyType::Gauge, metric.gauge.is_some()),
        (FamilyType::Summary, metric.summary.is_some()),
        (FamilyType::Untyped, metric.untyped.is_some()),
        (FamilyType::Histogram, metric.histogram.is_some()),
    ];
    let wanted = if family_type == FamilyType::GaugeHistogram { FamilyType::Histogram } else { family_type };
    if values.iter().any(|&(of, is_set)| is_set && of != wanted) {
        return Err(Fault::ValueOfOtherType);
    }
    if !values.iter().any(|&(_, is_set)| is_set) {
        return Err(Fault::NoValue);
    }
    let numbers = [
        metric.counter.map(|counter| counter.value()),
        metric.gauge.map(|gauge| gauge.value()),
        metric.untyped.map(|untyped| untyped.value()),
    ];
    series.value = numbers.into_iter().flatten().next();
    let counted_since = metric.counter.and_then(|counter| counter.created_timestamp);
    let created = counted_since.or(metric.histogram.as_ref().and_then(|of| of.created_timestamp));
    series.created = created.map(unix_seconds);
    if let Some(histogram) = metric.histogram {
        series.count = Some(histogram.sample_count());
        series.sum = Some(histogram.sample_sum());
        let buckets = histogram.bucket.iter();
        series.buckets =
            buckets.map(|bucket| bounded(bucket.upper_bound(), bucket.cumulative_count())).collect();
        // The bucket for +Inf is optional; its value is the count.
        if series.buckets.last().is_none_or(|last| last.bound != f64::INFINITY) {
            series.buckets.push(bounded(f64::INFINITY, histogram.sample_count()));
        }
    }
    if let Some(summary) = metric.summary {
        series.count = Some(summary.sample_count());
        series.sum = Some(summary.sample_sum());
        let quantiles = summary.quantile.iter();
        series.quantiles = quantiles.map(|quantile| bounded(quantile.quantile(), quantile.value())).collect();
    }
    Ok(series)
}

#[expect(clippy::cast_precision_loss, reason = "a time of today is exact to a microsecond")]
fn unix_seconds(time: Timestamp) -> f64 {
    time.seconds as f64 + f64::from(time.nanos) / 1e9
}

fn bounded<T>(bound: f64, value: T) -> BoundedValue<'static, T> {
    let mut spelled = String::new();
    write_canonical(&mut spelled, bound);
    BoundedValue { bound, spelled: spelled.into(), value }
}
