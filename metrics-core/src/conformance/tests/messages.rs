use prost::Message;

use crate::conformance::{Format, check};
use crate::exposition::protobuf::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType, Quantile, Summary,
    Timestamp,
};

fn family(name: &str, of: MetricType, metric: Vec<Metric>) -> MetricFamily {
    MetricFamily { name: Some(name.to_owned()), r#type: Some(of.into()), metric, ..MetricFamily::default() }
}

fn gauge(label: &[(&str, &str)]) -> Metric {
    let label = label.iter().map(|(name, value)| LabelPair::new(name, value)).collect();
    Metric { label, gauge: Some(Gauge { value: Some(1.0) }), ..Metric::default() }
}

fn counter(value: f64) -> Metric {
    Metric { counter: Some(Counter { value: Some(value), ..Counter::default() }), ..Metric::default() }
}

fn histogram(buckets: &[(f64, u64)], sample_sum: f64, sample_count: u64) -> Metric {
    let bucket = buckets.iter().map(|&(bound, count)| Bucket::new(count, bound)).collect();
    let histogram = Histogram {
        sample_count: Some(sample_count),
        sample_sum: Some(sample_sum),
        bucket,
        ..Histogram::default()
    };
    Metric { histogram: Some(histogram), ..Metric::default() }
}

fn quantile(quantile: f64) -> Metric {
    let quantile = Quantile { quantile: Some(quantile), value: Some(1.0) };
    Metric { summary: Some(Summary { quantile: vec![quantile], ..Summary::default() }), ..Metric::default() }
}

fn findings(families: &[MetricFamily]) -> Vec<String> {
    let page: Vec<u8> = families.iter().flat_map(Message::encode_length_delimited_to_vec).collect();
    check(&page, Format::Protobuf).iter().map(ToString::to_string).collect()
}

#[test]
fn sound_messages_have_no_findings() {
    let infinity = (f64::INFINITY, 2);
    let mut dated = gauge(&[("x", "1")]);
    dated.timestamp_ms = Some(1_000);
    let mut with_unit = family("f_seconds_total", MetricType::Counter, vec![counter(0.5)]);
    with_unit.unit = Some("seconds".to_owned());
    for families in [
        vec![],
        vec![family("a", MetricType::Gauge, vec![])],
        // A long family in two parts.
        vec![family("a", MetricType::Gauge, vec![dated]), family("a", MetricType::Gauge, vec![gauge(&[])])],
        vec![family("b", MetricType::Histogram, vec![histogram(&[], 1.0, 2)])],
        vec![family("b", MetricType::Histogram, vec![histogram(&[(-1.0, 1), infinity], -1.0, 2)])],
        vec![family("b", MetricType::GaugeHistogram, vec![histogram(&[infinity], f64::NAN, 2)])],
        vec![family("c", MetricType::Summary, vec![quantile(0.5)])],
        vec![with_unit],
    ] {
        assert_eq!(findings(&families), [""; 0], "{families:?}");
    }
}

#[test]
fn a_broken_message_has_exactly_the_expected_findings() {
    let gauges = |name: &str, metric| family(name, MetricType::Gauge, metric);
    let histograms = |metric| family("b", MetricType::Histogram, vec![metric]);
    let plain = || gauges("a", vec![gauge(&[])]);
    let mut unknown_type = gauges("a", vec![]);
    unknown_type.r#type = Some(9);
    let mut other_help = plain();
    other_help.help = Some("b".to_owned());
    other_help.metric = vec![gauge(&[("x", "1")])];
    let mut with_unit = plain();
    with_unit.unit = Some("seconds".to_owned());
    let mut late = gauge(&[]);
    late.timestamp_ms = Some(i64::MAX);
    let mut created_early = counter(1.0);
    let early = Timestamp { seconds: -2, nanos: 500_000_000 };
    created_early.counter = Some(Counter { value: Some(1.0), created_timestamp: Some(early) });
    for (families, finding) in [
        (
            vec![gauges("a b", vec![])],
            "message 1: a b: its name is not one: letters, digits, _ and :, no digit in front",
        ),
        (
            vec![gauges("", vec![])],
            "message 1: its name is not one: letters, digits, _ and :, no digit in front",
        ),
        (vec![unknown_type], "message 1: a: \"9\" is no type of this format"),
        (vec![with_unit], "message 1: a: the name does not end in its unit: _seconds"),
        (
            vec![plain(), other_help],
            "message 2: a: the next part of the family has another type, HELP or unit than the first one",
        ),
        (vec![plain(), plain()], "message 2: a: two series have the same labels"),
        (
            vec![plain(), gauges("b", vec![]), gauges("a", vec![])],
            "message 3: a: lines of another family are between those of this one",
        ),
        (
            vec![histograms(histogram(&[], 1.0, 1)), gauges("b_sum", vec![])],
            "message 2: b_sum: another family has samples named b_sum",
        ),
        (
            vec![gauges("a", vec![counter(1.0)])],
            "message 1: a: a series has a value of another type than its family",
        ),
        (
            vec![gauges("a", vec![Metric::default()])],
            "message 1: a: a series has no value; it needs one of the type of its family",
        ),
        (
            vec![gauges("a", vec![gauge(&[("x", "1"), ("x", "2")])])],
            "message 1: a{x=\"1\",x=\"2\"}: a series has the label \"x\" twice",
        ),
        (
            vec![gauges("a", vec![late])],
            "message 1: a: a sample has the time 9223372036854775807 ms; allowed: from 0 to ten minutes ahead of the clock",
        ),
        (
            vec![family("a", MetricType::Counter, vec![created_early])],
            "message 1: a: a series was created at -1.5 s; allowed: from 0 to ten minutes ahead of the clock",
        ),
        (
            vec![family("a", MetricType::Counter, vec![counter(-1.0)])],
            "message 1: a: a counter is -1; it has to be a number of at least 0",
        ),
        (
            vec![histograms(histogram(&[(2.0, 1), (1.0, 1)], 1.0, 1))],
            "message 1: b: the bounds of a histogram do not rise: 1 does not exceed the one before it",
        ),
        (
            vec![histograms(histogram(&[(1.0, 2), (2.0, 1)], 1.0, 2))],
            "message 1: b: the cumulative counts of a histogram fall at the bound 2",
        ),
        (
            vec![histograms(histogram(&[(f64::INFINITY, 1)], 1.0, 2))],
            "message 1: b: the count of a histogram is not that of its last bucket",
        ),
        (vec![histograms(histogram(&[], f64::NAN, 2))], "message 1: b: a sum is NaN; it has to be a number"),
        (
            vec![family("c", MetricType::Summary, vec![quantile(1.5)])],
            "message 1: c: a summary has the quantile 1.5; allowed: 0 to 1",
        ),
    ] {
        assert_eq!(findings(&families), [finding], "{families:?}");
    }
}

#[test]
fn a_message_that_cannot_be_read_is_found() {
    let findings =
        |page: &[u8]| check(page, Format::Protobuf).iter().map(ToString::to_string).collect::<Vec<_>>();
    let cut = "message 1: its length reaches past the end of the page";
    assert_eq!(findings(&[200]), [cut]);
    assert_eq!(findings(&[2, 10]), [cut]);
    assert_eq!(findings(&[0xff; 20]), [cut]);
    let [found] = &findings(&[2, 10, 200])[..] else { panic!("one finding") };
    assert!(found.starts_with("message 1: it is no family: "), "{found}");
}
