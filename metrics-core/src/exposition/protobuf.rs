//! The protobuf format of Prometheus, as a sequence of families, each after its length.
//!
//! A family of many series is divided into several messages of the same name, because the length of a message comes
//! before it: so no more than [`MESSAGE`] bytes of a family, and one series, are held back. Prometheus reads each
//! message on its own. Programs that collect families by name, such as a Pushgateway, keep the last message only.

use std::time::Duration;

use prometheus::proto;
use prost::Message;
use prost::encoding::{encode_varint, message};

use super::crate_models::{counter_value, gauge_value};
use super::family_type::FamilyType;
use super::foreign_family::ForeignFamily;
use super::naming::Naming;
use super::spelling::{Beside, FamilyNames, FamilySpelling, Spelling};
use crate::catalogue::{Family, unit};
use crate::exemplars::BucketExemplar;
use crate::storage::Reading;

pub(super) const CONTENT_TYPE: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// A message is ended when the series in it have this many bytes: more than most families have, so that few are
/// divided.
const MESSAGE: usize = 256 * 1024;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Protobuf;

impl FamilyNames for Protobuf {}

impl Spelling<Vec<u8>> for Protobuf {
    fn own(
        &self,
        _out: &mut Vec<u8>,
        naming: &Naming,
        family: &'static Family,
    ) -> Box<dyn FamilySpelling<Vec<u8>>> {
        let own = family.labels.iter().map(|&name| LabelPair::new(name, ""));
        let default = naming.default_labels.iter().map(|(name, value)| LabelPair::new(name, value));
        let name = naming.full_name(family);
        let mut spelling = FamilyMessages::new(&name, family.kind.into(), family.help);
        spelling.metric.label = own.chain(default).collect();
        spelling.bounds = family.buckets;
        Box::new(spelling)
    }

    fn foreign(&self, _out: &mut Vec<u8>, family: &ForeignFamily) -> Box<dyn FamilySpelling<Vec<u8>>> {
        Box::new(FamilyMessages::new(&family.name, family.family_type, &family.help))
    }

    fn has_exemplars(&self) -> bool {
        true
    }
}

/// The messages of one family.
struct FamilyMessages {
    family_type: FamilyType,
    /// The family without series.
    head: Vec<u8>,
    /// The encoded series of the message that is not ended.
    series: Vec<u8>,
    has_ended_one: bool,
    bounds: &'static [f64],
    /// The last series; the next one takes its place, so that no series allocates.
    metric: Metric,
}

impl FamilyMessages {
    fn new(name: &str, family_type: FamilyType, help: &str) -> Self {
        let unit_of = if family_type == FamilyType::Counter { name.strip_suffix("_total") } else { None };
        let family = MetricFamily {
            name: Some(name.to_owned()),
            help: Some(help.to_owned()),
            r#type: Some(MetricType::from(family_type).into()),
            metric: Vec::new(),
            unit: unit(unit_of.unwrap_or(name)).map(str::to_owned),
        };
        Self {
            family_type,
            head: family.encode_to_vec(),
            series: Vec::new(),
            has_ended_one: false,
            bounds: &[],
            metric: Metric::default(),
        }
    }

    fn push(&mut self, out: &mut Vec<u8>) {
        message::encode(MetricFamily::METRIC, &self.metric, &mut self.series);
        if self.series.len() >= MESSAGE {
            self.end_message(out);
        }
    }

    fn end_message(&mut self, out: &mut Vec<u8>) {
        self.has_ended_one = true;
        encode_varint((self.head.len() + self.series.len()) as u64, out);
        // The encodings of two parts of a message are, one after the other, that of the whole.
        out.extend_from_slice(&self.head);
        out.append(&mut self.series);
    }
}

impl FamilySpelling<Vec<u8>> for FamilyMessages {
    fn series(&mut self, out: &mut Vec<u8>, labels: &[&str], beside: Beside<'_>, value: Reading<'_>) {
        let created_timestamp = beside.created.map(Timestamp::from);
        for (pair, value) in self.metric.label.iter_mut().zip(labels) {
            let text = pair.value.get_or_insert_default();
            text.clear();
            text.push_str(value);
        }
        let counter = |value| Some(Counter { value: Some(value), created_timestamp });
        match value {
            #[expect(clippy::cast_precision_loss, reason = "the format keeps counters as floats")]
            Reading::Counter(value) => self.metric.counter = counter(value as f64),
            Reading::FloatCounter(value) => self.metric.counter = counter(value),
            Reading::Gauge(value) => self.metric.gauge = Some(Gauge { value: Some(value) }),
            Reading::Histogram { buckets, sum } => {
                let histogram = self.metric.histogram.get_or_insert_default();
                histogram.bucket.clear();
                let mut count: u64 = 0;
                let mut exemplars = beside.exemplars.iter().peekable();
                let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
                for (index, (more, bound)) in buckets.iter().zip(bounds).enumerate() {
                    count = count.saturating_add(*more);
                    let exemplar =
                        exemplars.next_if(|exemplar| exemplar.bucket == index).map(ExemplarMessage::from);
                    // The bucket for +Inf is the count. It is needed for an exemplar only.
                    if bound.is_finite() || exemplar.is_some() {
                        histogram.bucket.push(Bucket { exemplar, ..Bucket::new(count, bound) });
                    }
                }
                histogram.sample_count = Some(count);
                histogram.sample_sum = Some(sum);
                histogram.created_timestamp = created_timestamp;
            }
        }
        self.push(out);
    }

    fn foreign(&mut self, out: &mut Vec<u8>, metric: &proto::Metric) {
        self.metric = Metric {
            label: metric.get_label().iter().map(|pair| LabelPair::new(pair.name(), pair.value())).collect(),
            // The crate uses 0 for an absent timestamp.
            timestamp_ms: Some(metric.timestamp_ms()).filter(|&ms| ms != 0),
            ..Metric::default()
        };
        match self.family_type {
            FamilyType::Counter => {
                let value = Some(counter_value(metric));
                self.metric.counter = Some(Counter { value, created_timestamp: None });
            }
            FamilyType::Gauge => self.metric.gauge = Some(Gauge { value: Some(gauge_value(metric)) }),
            FamilyType::Histogram => self.metric.histogram = Some(Histogram::of(metric.get_histogram())),
            FamilyType::Summary => self.metric.summary = Some(Summary::of(metric.get_summary())),
            // Rejected by the check.
            _ => {}
        }
        self.push(out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if !self.series.is_empty() || !self.has_ended_one {
            self.end_message(out);
        }
    }
}

/// `io.prometheus.client.MetricFamily`. Fields that are not used are left out.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct MetricFamily {
    #[prost(string, optional, tag = "1")]
    pub(crate) name: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) help: Option<String>,
    #[prost(enumeration = "MetricType", optional, tag = "3")]
    pub(crate) r#type: Option<i32>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) metric: Vec<Metric>,
    #[prost(string, optional, tag = "5")]
    pub(crate) unit: Option<String>,
}

impl MetricFamily {
    const METRIC: u32 = 4;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum MetricType {
    Counter = 0,
    Gauge = 1,
    Summary = 2,
    Untyped = 3,
    Histogram = 4,
    GaugeHistogram = 5,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Metric {
    #[prost(message, repeated, tag = "1")]
    pub(crate) label: Vec<LabelPair>,
    #[prost(message, optional, tag = "2")]
    pub(crate) gauge: Option<Gauge>,
    #[prost(message, optional, tag = "3")]
    pub(crate) counter: Option<Counter>,
    #[prost(message, optional, tag = "4")]
    pub(crate) summary: Option<Summary>,
    #[prost(message, optional, tag = "5")]
    pub(crate) untyped: Option<Gauge>,
    #[prost(int64, optional, tag = "6")]
    pub(crate) timestamp_ms: Option<i64>,
    #[prost(message, optional, tag = "7")]
    pub(crate) histogram: Option<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct LabelPair {
    #[prost(string, optional, tag = "1")]
    pub(crate) name: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) value: Option<String>,
}

/// A gauge, or an untyped value: both are written in the same way.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Gauge {
    #[prost(double, optional, tag = "1")]
    pub(crate) value: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Counter {
    #[prost(double, optional, tag = "1")]
    pub(crate) value: Option<f64>,
    #[prost(message, optional, tag = "3")]
    pub(crate) created_timestamp: Option<Timestamp>,
}

/// `google.protobuf.Timestamp`.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Timestamp {
    #[prost(int64, tag = "1")]
    pub(crate) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(crate) nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Summary {
    #[prost(uint64, optional, tag = "1")]
    pub(crate) sample_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    pub(crate) sample_sum: Option<f64>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) quantile: Vec<Quantile>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Quantile {
    #[prost(double, optional, tag = "1")]
    pub(crate) quantile: Option<f64>,
    #[prost(double, optional, tag = "2")]
    pub(crate) value: Option<f64>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Histogram {
    #[prost(uint64, optional, tag = "1")]
    pub(crate) sample_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    pub(crate) sample_sum: Option<f64>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) bucket: Vec<Bucket>,
    #[prost(message, optional, tag = "15")]
    pub(crate) created_timestamp: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Bucket {
    #[prost(uint64, optional, tag = "1")]
    pub(crate) cumulative_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    pub(crate) upper_bound: Option<f64>,
    #[prost(message, optional, tag = "3")]
    pub(crate) exemplar: Option<ExemplarMessage>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ExemplarMessage {
    #[prost(message, repeated, tag = "1")]
    pub(crate) label: Vec<LabelPair>,
    #[prost(double, optional, tag = "2")]
    pub(crate) value: Option<f64>,
    #[prost(message, optional, tag = "3")]
    pub(crate) timestamp: Option<Timestamp>,
}

impl From<FamilyType> for MetricType {
    fn from(family_type: FamilyType) -> Self {
        match family_type {
            FamilyType::Counter => Self::Counter,
            FamilyType::Gauge | FamilyType::Info | FamilyType::StateSet => Self::Gauge,
            FamilyType::GaugeHistogram => Self::GaugeHistogram,
            FamilyType::Histogram => Self::Histogram,
            FamilyType::Summary => Self::Summary,
            FamilyType::Untyped => Self::Untyped,
        }
    }
}

impl From<Duration> for Timestamp {
    fn from(unix_time: Duration) -> Self {
        Self {
            seconds: i64::try_from(unix_time.as_secs()).unwrap_or(i64::MAX),
            nanos: i32::try_from(unix_time.subsec_nanos()).unwrap_or(0),
        }
    }
}

impl LabelPair {
    pub(crate) fn new(name: &str, value: &str) -> Self {
        Self { name: Some(name.to_owned()), value: Some(value.to_owned()) }
    }
}

impl Bucket {
    pub(crate) fn new(cumulative_count: u64, upper_bound: f64) -> Self {
        Self { cumulative_count: Some(cumulative_count), upper_bound: Some(upper_bound), exemplar: None }
    }
}

impl From<&BucketExemplar> for ExemplarMessage {
    fn from(exemplar: &BucketExemplar) -> Self {
        Self {
            label: exemplar.exemplar.labels().map(|(name, value)| LabelPair::new(name, value)).collect(),
            value: Some(exemplar.value),
            timestamp: Some(exemplar.unix_time.into()),
        }
    }
}

impl Summary {
    fn of(summary: &proto::Summary) -> Self {
        let quantile = |quantile: &proto::Quantile| Quantile {
            quantile: Some(quantile.quantile()),
            value: Some(quantile.value()),
        };
        Self {
            sample_count: Some(summary.sample_count()),
            sample_sum: Some(summary.sample_sum()),
            quantile: summary.get_quantile().iter().map(quantile).collect(),
        }
    }
}

impl Histogram {
    fn of(histogram: &proto::Histogram) -> Self {
        let bucket = |bucket: &proto::Bucket| Bucket::new(bucket.cumulative_count(), bucket.upper_bound());
        let finite = histogram.get_bucket().iter().filter(|bucket| bucket.upper_bound() != f64::INFINITY);
        Self {
            sample_count: Some(histogram.get_sample_count()),
            sample_sum: Some(histogram.get_sample_sum()),
            bucket: finite.map(bucket).collect(),
            created_timestamp: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use crate::clock::Created;
    use crate::exposition::encoder::Encoder;
    use crate::exposition::encoder::tests::{encoded_with, naming};
    use crate::exposition::filter::Filter;
    use crate::storage::Sink;

    fn encoded(fill: impl FnOnce(&mut dyn Sink)) -> Vec<MetricFamily> {
        decoded(&encoded_with(&naming(), &Protobuf, fill))
    }

    fn decoded(page: &[u8]) -> Vec<MetricFamily> {
        let mut rest = page;
        let mut families = Vec::new();
        while !rest.is_empty() {
            families.push(MetricFamily::decode_length_delimited(&mut rest).expect("a message"));
        }
        families
    }

    #[test]
    fn a_series_takes_nothing_over_from_the_one_before() {
        let families = encoded(|sink| {
            for (profile, value) in [("maker", 1.5), ("", f64::INFINITY)] {
                sink.gauge(&catalogue::PROFILE_UTILIZATION_PERCENT, &[profile], value);
            }
        });
        let [family] = &families[..] else { panic!("{families:?}") };
        assert_eq!(family.name(), "bytelyst_bot_profile_utilization_percent");
        assert_eq!((family.r#type(), family.unit()), (MetricType::Gauge, "percent"));
        let series: Vec<_> = family
            .metric
            .iter()
            .map(|metric| {
                let labels = metric.label.iter().map(|pair| (pair.name(), pair.value())).collect::<Vec<_>>();
                (labels, metric.gauge.expect("a gauge").value())
            })
            .collect();
        let default = [("app", "a\"b\\c\nd"), ("env", "development"), ("mode", "paper")];
        let labels = |profile| [&[("profile_id", profile)][..], &default].concat();
        assert_eq!(series, [(labels("maker"), 1.5), (labels(""), f64::INFINITY)]);
    }

    #[test]
    fn buckets_are_cumulative_and_the_last_one_is_the_count() {
        let families = encoded(|sink| {
            let buckets = &[1, 0, 2, 0, 0, 0, 0, 3];
            sink.histogram(&catalogue::SUBSYSTEM_DURATION_SECONDS, &["trading"], buckets, 40.125);
        });
        let histogram = families[0].metric[0].histogram.clone().expect("a histogram");
        assert_eq!((histogram.sample_count(), histogram.sample_sum()), (6, 40.125));
        let buckets: Vec<_> =
            histogram.bucket.iter().map(|bucket| (bucket.upper_bound(), bucket.cumulative_count())).collect();
        assert_eq!(buckets, [(0.1, 1), (0.25, 1), (0.5, 3), (1.0, 3), (2.0, 3), (5.0, 3), (10.0, 3)]);
    }

    #[test]
    fn a_long_family_is_divided_and_has_each_series_once() {
        let names: Vec<_> = (0..10_000).map(|n| format!("profile-{n}")).collect();
        let families = encoded(|sink| {
            for name in &names {
                sink.gauge(&catalogue::PROFILE_UTILIZATION_PERCENT, &[name], 1.0);
            }
        });
        assert!(families.len() > 2, "{}", families.len());
        assert!(families.iter().all(|family| family.encoded_len() < MESSAGE + 1_024));
        let heads = |family: &MetricFamily| MetricFamily { metric: Vec::new(), ..family.clone() };
        assert!(families.iter().all(|family| heads(family) == heads(&families[0])));
        let series = families.iter().flat_map(|family| &family.metric).map(|metric| metric.label[0].value());
        assert_eq!(series.collect::<Vec<_>>(), names);
    }

    #[test]
    fn counters_and_histograms_have_a_created_time_and_gauges_have_none() {
        let (naming, all) = (naming(), Filter::default());
        let started = Duration::from_millis(1_700_000_000_500);
        let [instance, series] = [10, 20].map(Duration::from_secs).map(Created::at);
        let mut encoder = Encoder::new(&naming, &Protobuf, &all, Vec::new()).with_created(instance, started);
        encoder.since(series);
        let sink: &mut dyn Sink = &mut encoder;
        sink.histogram(&catalogue::SUBSYSTEM_DURATION_SECONDS, &["trading"], &[1; 8], 1.0);
        sink.gauge(&catalogue::SUBSYSTEM_ALIVE, &["trading"], 1.0);
        sink.counter(&catalogue::SUBSYSTEM_RUNS_TOTAL, &["trading", "ok"], 1);
        sink.float_counter(&catalogue::PROCESS_CPU_SECONDS_TOTAL, &[], 1.0);
        let families = decoded(&encoder.finish().expect("nothing is written").0);
        let created = |index: usize| {
            let metric = &families[index].metric[0];
            let counter = metric.counter.and_then(|counter| counter.created_timestamp);
            counter.or(metric.histogram.as_ref().and_then(|histogram| histogram.created_timestamp))
        };
        let at = |seconds| Some(Timestamp { seconds, nanos: 500_000_000 });
        assert_eq!([created(0), created(1), created(2)], [at(1_700_000_020), None, at(1_700_000_010)]);
        assert_eq!(created(3), None, "the processor time of the process began before the instance");
    }
}
