use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use prometheus::core::{Collector, Desc};
use prometheus::{IntCounter, IntGauge, Registry, proto};

use crate::catalogue::{FAMILIES, Families};
use crate::exposition::crate_models::{counter_value, gauge_value};
use crate::exposition::isolation::DEADLINE;
use crate::{Metrics, Mode, Settings};

pub(super) fn metrics() -> Metrics {
    Settings::new(Mode::Paper).build().expect("the defaults are legal")
}

/// Settings whose reports the returned function returns.
pub(super) fn reporting() -> (Settings, impl Fn() -> Vec<String>) {
    reporting_to(Settings::new(Mode::Paper))
}

fn reporting_to(settings: Settings) -> (Settings, impl Fn() -> Vec<String>) {
    let lines = std::sync::Arc::new(Mutex::new(Vec::new()));
    let hook = {
        let lines = std::sync::Arc::clone(&lines);
        move |line: &str| lines.lock().expect("no panic").push(line.to_owned())
    };
    let settings = settings.on_report(std::sync::Arc::new(hook));
    let report = settings.report.clone();
    let reported = move || {
        assert!(report.flush(Duration::from_secs(20)));
        lines.lock().expect("no panic").clone()
    };
    (settings, reported)
}

pub(super) fn failures(text: &str, reason: &str) -> u64 {
    let line = format!("bytelyst_bot_foreign_collector_failures_total{{reason=\"{reason}\",");
    let line = text.lines().find(|l| l.starts_with(&line)).expect("the family is exported");
    line.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a count")
}

/// Returns the families of its function, under its own description.
pub(super) struct Scripted<F>(Desc, F);

impl<F: Fn() -> Vec<proto::MetricFamily> + Send + Sync + 'static> Scripted<F> {
    pub(super) fn boxed(name: &str, collect: F) -> Box<dyn Collector> {
        let desc =
            Desc::new(name.to_owned(), "help".to_owned(), Vec::new(), std::collections::HashMap::new());
        Box::new(Self(desc.expect("a legal description"), collect))
    }
}

impl<F: Fn() -> Vec<proto::MetricFamily> + Send + Sync> Collector for Scripted<F> {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.0]
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        (self.1)()
    }
}

pub(super) fn gauge_family(name: &str, labels: &[(&str, &str)]) -> proto::MetricFamily {
    let pairs = labels.iter().map(|(name, value)| {
        let mut pair = proto::LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    });
    let mut metric = proto::Metric::from_label(pairs.collect());
    metric.set_gauge(proto::Gauge::default());
    let mut family = proto::MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_field_type(proto::MetricType::GAUGE);
    family.set_metric(vec![metric]);
    family
}

fn histogram_family(name: &str, labels: &[(&str, &str)]) -> proto::MetricFamily {
    let mut family = gauge_family(name, labels);
    family.set_field_type(proto::MetricType::HISTOGRAM);
    family.mut_metric()[0].set_histogram(proto::Histogram::default());
    family
}

#[test]
fn foreign_metrics_are_served_after_ours_with_their_own_labels() {
    let metrics = metrics();
    let shared = IntCounter::new("bot_orders_seen_total", "help").expect("legal");
    shared.inc_by(3);
    metrics.registry().register(Box::new(shared)).expect("new");
    let other = Registry::new();
    other.register(Box::new(IntGauge::new("other_gauge", "help").expect("legal"))).expect("new");
    metrics.add_registry(other);
    let text = metrics.exposition();
    assert!(text.contains("\nbot_orders_seen_total 3\n"), "{text}");
    assert!(text.ends_with("other_gauge 0\n"), "{text}");
    assert_eq!(text.matches("# TYPE bytelyst_bot_build_info").count(), 1, "ours come once");
}

#[test]
fn another_gather_of_the_shared_registry_includes_the_librarys_families() {
    let metrics = metrics();
    metrics.profile("maker").update(crate::Capital { allocated: 4.0, positions: 1.0, ..Default::default() });
    let families = metrics.registry().gather();
    let family = families
        .iter()
        .find(|family| family.name() == "bytelyst_bot_profile_utilization_percent")
        .expect("our family is there");
    let metric = &family.get_metric()[0];
    assert!((gauge_value(metric) - 25.0).abs() < 1e-9);
    let labels: Vec<_> = metric.get_label().iter().map(|pair| (pair.name(), pair.value())).collect();
    assert_eq!(labels[0], ("profile_id", "maker"));
    assert!(labels.contains(&("mode", "paper")));
}

#[test]
fn a_panicking_collector_loses_only_its_own_families_and_is_counted() {
    let metrics = metrics();
    metrics.register(Scripted::boxed("panics", || panic!("on purpose"))).expect("new");
    metrics.register(Scripted::boxed("works", || vec![gauge_family("works", &[])])).expect("new");
    let text = metrics.exposition();
    assert!(text.contains("\nworks 0\n"), "{text}");
    assert_eq!(failures(&text, "panic"), 1);
}

#[test]
fn another_gather_counts_the_failures_of_the_same_gather() {
    let metrics = metrics();
    metrics.register(Scripted::boxed("panics", || panic!("on purpose"))).expect("new");
    let families = metrics.registry().gather();
    let name = "bytelyst_bot_foreign_collector_failures_total";
    let family = families.iter().find(|family| family.name() == name).expect("it is exported");
    let failures = family.get_metric().iter().map(counter_value).sum::<f64>();
    assert_eq!(failures, 1.0);
}

#[test]
fn a_source_is_shown_by_its_kind() {
    let metrics = metrics();
    metrics.register(Scripted::boxed("works", Vec::new)).expect("new");
    metrics.add_registry(Registry::new());
    let shown = format!("{metrics:?}");
    assert!(shown.contains("yields: Collector,") && shown.contains("yields: Registry,"), "{shown}");
}

#[test]
fn a_hanging_collector_is_left_out_and_not_waited_for_again() {
    let metrics = metrics();
    let (release, hold) = mpsc::channel::<()>();
    let hold = Mutex::new(hold);
    let collect = move || {
        let _ = hold.lock().expect("one run at a time").recv();
        vec![gauge_family("hangs", &[])]
    };
    metrics.register(Scripted::boxed("hangs", collect)).expect("new");
    assert_eq!(failures(&metrics.exposition(), "timeout"), 1);
    let second = Instant::now();
    assert_eq!(failures(&metrics.exposition(), "timeout"), 2);
    assert!(second.elapsed() < DEADLINE, "a hung collector is skipped at once");
    drop(release);
    // The hung run ends because its channel is closed; the next scrape that finds it free succeeds.
    let healed = (0..100).any(|_| {
        thread::sleep(Duration::from_millis(10));
        metrics.exposition().contains("\nhangs 0\n")
    });
    assert!(healed);
}

/// It is gathered in the middle of a scrape.
#[test]
fn a_collector_may_record_and_create_series() {
    let metrics = metrics();
    let recording = metrics.clone();
    let collect = move || {
        use crate::labels::{EventType, Exchange, Operation, Severity};
        let call = recording.exchange_call(Exchange::Okx, Operation::GetTrades);
        call.start().finish(crate::Outcome::Ok);
        recording.event(Severity::Info, EventType::Started).symbol("SCRAPED").text("while scraping").record();
        recording.profile("scraped").update(crate::Capital { allocated: 1.0, ..Default::default() });
        recording.market_data(Exchange::Okx, "SCRAPED").updated();
        recording.subsystem(crate::labels::Subsystem::Monitor).start().finish(crate::Outcome::Ok);
        vec![gauge_family("scraped", &[])]
    };
    metrics.register(Scripted::boxed("scraped", collect)).expect("new");
    for scrape in 1..=2 {
        let text = metrics.exposition();
        assert!(text.contains("\nscraped 0\n"), "{text}");
        let ended = "requests_total{exchange=\"okx\",operation=\"get_trades\",outcome=\"ok\",";
        let ended = text.lines().find(|line| line.contains(ended)).expect("exported");
        assert!(ended.ends_with(&format!(" {scrape}")), "{ended}");
        assert!(text.contains("profile_id=\"scraped\"") && text.contains("symbol=\"SCRAPED\""), "{text}");
    }
}

/// The result of serving one family beside a valid one: the exposition and the reports.
fn served_beside_a_good_one(family: proto::MetricFamily) -> (String, Vec<String>) {
    let (settings, lines) = reporting();
    let metrics = settings.build().expect("the defaults are legal");
    let collect = move || vec![gauge_family("good", &[("a", "1")]), family.clone()];
    metrics.register(Scripted::boxed("scripted", collect)).expect("new");
    let texts = [(); 2].map(|()| metrics.exposition());
    let [text, again] = texts;
    assert!(text.contains("\ngood{a=\"1\"} 0\n"), "{text}");
    assert_eq!(failures(&again, "invalid"), 2 * failures(&text, "invalid"), "each scrape counts");
    (text, lines())
}

fn with_metrics(mut family: proto::MetricFamily, metrics: Vec<proto::Metric>) -> proto::MetricFamily {
    family.set_metric(metrics);
    family
}

pub(super) fn counter_family(value: f64) -> proto::MetricFamily {
    let mut family = gauge_family("orders_total", &[]);
    family.set_field_type(proto::MetricType::COUNTER);
    let mut counter = proto::Counter::default();
    counter.set_value(value);
    family.mut_metric()[0].set_counter(counter);
    family
}

pub(super) fn buckets_family(count: u64, buckets: &[(f64, u64)]) -> proto::MetricFamily {
    let mut family = histogram_family("sizes", &[]);
    let buckets = buckets.iter().map(|&(bound, cumulative)| {
        let mut bucket = proto::Bucket::default();
        bucket.set_upper_bound(bound);
        bucket.set_cumulative_count(cumulative);
        bucket
    });
    let mut histogram = proto::Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(count);
    histogram.set_sample_sum(1.5);
    family.mut_metric()[0].set_histogram(histogram);
    family
}

pub(super) fn quantiles_family(quantiles: &[f64]) -> proto::MetricFamily {
    let mut family = gauge_family("waits", &[]);
    family.set_field_type(proto::MetricType::SUMMARY);
    let quantiles = quantiles.iter().map(|&at| {
        let mut quantile = proto::Quantile::default();
        quantile.set_quantile(at);
        quantile.set_value(f64::NAN);
        quantile
    });
    let mut summary = proto::Summary::default();
    summary.set_quantile(quantiles.collect());
    summary.set_sample_count(2);
    family.mut_metric()[0].set_summary(summary);
    family
}

pub(super) fn dated_family(timestamp_ms: i64) -> proto::MetricFamily {
    let mut family = gauge_family("dated", &[]);
    family.mut_metric()[0].set_timestamp_ms(timestamp_ms);
    family
}

fn series(labels: &[(&str, &str)]) -> proto::Metric {
    gauge_family("any", labels).get_metric()[0].clone()
}

#[test]
fn invalid_families_are_left_out_counted_and_reported_once_by_name() {
    let inf = f64::INFINITY;
    let mut untyped = gauge_family("untyped", &[]);
    untyped.set_field_type(proto::MetricType::UNTYPED);
    let mut of_other_type = gauge_family("of_other_type", &[]);
    of_other_type.mut_metric()[0] = counter_family(1.0).get_metric()[0].clone();
    let doubled = |name: &str, labels: [&[(&str, &str)]; 2]| {
        with_metrics(gauge_family(name, &[]), labels.map(series).to_vec())
    };
    let ahead = i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_millis());
    let ahead = ahead.expect("long ago") + 660_000;
    for (family, why) in [
        (gauge_family("bad name", &[]), "its name is not one"),
        (gauge_family("0name", &[]), "its name is not one"),
        (gauge_family("", &[]), "its name is not one"),
        (gauge_family("up", &[]), "Prometheus writes series of this name itself"),
        (gauge_family("scrape_duration_seconds", &[]), "Prometheus writes series of this name itself"),
        (gauge_family("bad_label", &[("a b", "1")]), "\"a b\" is no label name"),
        (gauge_family("colon", &[("a:b", "1")]), "\"a:b\" is no label name"),
        (gauge_family("reserved", &[("__name__", "1")]), "the label \"__name__\" is reserved"),
        (histogram_family("with_le", &[("le", "1")]), "the label \"le\" is reserved"),
        (gauge_family("label_twice", &[("a", "1"), ("a", "2")]), "has the label \"a\" twice"),
        (doubled("doubled", [&[("a", "1")], &[("a", "1")]]), "two series have the same labels"),
        (doubled("other_order", [&[("a", "1"), ("b", "2")], &[("b", "2"), ("a", "1")]]), "the same labels"),
        (doubled("empty_is_absent", [&[("a", "")], &[]]), "two series have the same labels"),
        (untyped, "no counter, gauge, histogram or summary"),
        (of_other_type, "a value of another type"),
        (gauge_family("bytelyst_bot_subsystem_alive", &[]), "is a metric of bot-metrics itself"),
        (gauge_family("bytelyst_bot_subsystem_duration_seconds_count", &[]), "is a metric of bot-metrics"),
        (counter_family(-1.0), "a counter is -1"),
        (counter_family(f64::NAN), "a counter is NaN"),
        (counter_family(inf), "a counter is inf"),
        (buckets_family(2, &[(f64::NAN, 1)]), "a bucket has the bound NaN"),
        (buckets_family(2, &[(1.0, 1), (1.0, 1)]), "bounds of a histogram do not rise"),
        (buckets_family(2, &[(2.0, 1), (1.0, 1)]), "bounds of a histogram do not rise"),
        (buckets_family(2, &[(inf, 2), (inf, 2)]), "bounds of a histogram do not rise"),
        (buckets_family(2, &[(1.0, 2), (2.0, 1)]), "cumulative counts of a histogram fall"),
        (buckets_family(2, &[(1.0, 3)]), "the count of a histogram is not that of its last bucket"),
        (buckets_family(2, &[(1.0, 1), (inf, 1)]), "the count of a histogram"),
        (quantiles_family(&[0.5, 0.5]), "the quantile 0.5 twice"),
        (quantiles_family(&[0.0, -0.0]), "twice"),
        (quantiles_family(&[1.5]), "the quantile 1.5; allowed: 0 to 1"),
        (quantiles_family(&[f64::NAN]), "the quantile NaN"),
        (dated_family(-1), "the time -1 ms"),
        (dated_family(i64::MAX), "ms; allowed: from 0 to ten minutes ahead of the clock"),
        (dated_family(ahead), "ten minutes ahead"),
    ] {
        let name = family.name().to_owned();
        let (text, lines) = served_beside_a_good_one(family);
        assert_eq!(failures(&text, "invalid"), 1, "{name}: {text}");
        let [line] = &lines[..] else { panic!("{name}: {lines:?}") };
        assert!(line.contains(&format!("{name:?}")) && line.contains(why), "{line}");
    }
}

/// More than a line holds.
#[test]
fn each_of_many_families_is_reported_by_name() {
    let (settings, reported) = reporting();
    let metrics = settings.build().expect("legal");
    let name = |number: u32| format!("family {number} whose name is no name, and a long one besides that");
    let families = move || (0..40).map(|number| gauge_family(&name(number), &[])).collect();
    metrics.register(Scripted::boxed("many", families)).expect("new");
    for _ in 0..3 {
        let _ = metrics.exposition();
    }
    let lines = reported().concat();
    for number in 0..40 {
        assert_eq!(lines.matches(&format!("\"{}\"", name(number))).count(), 1, "{number}: {lines}");
    }
}

/// As after the limit of a minute.
#[test]
fn a_failure_that_could_not_be_reported_is_reported_at_a_later_scrape() {
    let (settings, reported) = reporting();
    let metrics = settings.build().expect("legal");
    metrics.register(Scripted::boxed("bad", || vec![gauge_family("bad name", &[])])).expect("new");
    metrics.register(Scripted::boxed("panics", || panic!("on purpose"))).expect("new");
    let inside = crate::lock::enter();
    let _ = metrics.exposition();
    drop(inside);
    let _ = metrics.exposition();
    let _ = metrics.exposition();
    let lines = reported();
    for told in ["\"bad name\": its name is not one", "the collector of \"panics\" is left out of a scrape"] {
        assert_eq!(lines.iter().filter(|line| line.contains(told)).count(), 1, "{lines:?}");
    }
}

#[test]
fn unusual_valid_families_are_served_unchanged() {
    let inf = f64::INFINITY;
    let mut infinite = gauge_family("infinite", &[("a", "x\"y\\z\n")]);
    let mut gauge = proto::Gauge::default();
    gauge.set_value(inf);
    infinite.mut_metric()[0].set_gauge(gauge);
    infinite.set_help("two\nlines \\ and a \"quote\"".to_owned());
    let bucket = |bound: &str, count| format!("sizes_bucket{{le=\"{bound}\"}} {count}\n");
    let sizes = |buckets: &[String]| {
        format!("# TYPE sizes histogram\n{}sizes_sum 1.5\nsizes_count 2\n", buckets.concat())
    };
    for (family, expected) in [
        (buckets_family(2, &[]), sizes(&[bucket("+Inf", 2)])),
        (buckets_family(2, &[(-0.0, 1)]), sizes(&[bucket("0", 1), bucket("+Inf", 2)])),
        (buckets_family(2, &[(0.5, 1), (inf, 2)]), sizes(&[bucket("0.5", 1), bucket("+Inf", 2)])),
        (quantiles_family(&[0.5]), "waits{quantile=\"0.5\"} NaN\nwaits_sum 0\nwaits_count 2\n".to_owned()),
        (dated_family(1_700_000_000_000), "dated 0 1700000000000\n".to_owned()),
        (counter_family(0.0), "# TYPE orders_total counter\norders_total 0\n".to_owned()),
        (
            infinite,
            "# HELP infinite two\\nlines \\\\ and a \"quote\"\n# TYPE infinite gauge\n\
             infinite{a=\"x\\\"y\\\\z\\n\"} +Inf\n"
                .to_owned(),
        ),
    ] {
        let (text, lines) = served_beside_a_good_one(family);
        assert!(text.contains(&expected), "{expected}\n{text}");
        assert_eq!((failures(&text, "invalid"), lines), (0, vec![]));
    }
}

#[test]
fn a_sample_of_one_family_is_not_served_under_the_name_of_another() {
    let metrics = metrics();
    let collect = || vec![histogram_family("sizes", &[]), gauge_family("sizes_sum", &[])];
    metrics.register(Scripted::boxed("sizes", collect)).expect("new");
    let text = metrics.exposition();
    assert_eq!(failures(&text, "invalid"), 1, "{text}");
    assert!(text.contains("\nsizes_sum 0\n") && !text.contains("# TYPE sizes_sum"), "{text}");
}

/// As a registry merges the parts of one family from its collectors.
#[test]
fn parts_of_a_family_with_other_constant_labels_are_merged() {
    let orders = |venue: &str, help: &str| {
        let options = prometheus::Opts::new("orders_total", help).const_label("venue", venue);
        let counter = IntCounter::with_opts(options).expect("legal");
        counter.inc();
        Box::new(counter)
    };
    let expected = |venues: &[&str]| {
        let line = |venue: &&str| format!("orders_total{{venue=\"{venue}\"}} 1\n");
        format!("# TYPE orders_total counter\n{}", venues.iter().map(line).collect::<String>())
    };
    let metrics = metrics();
    metrics.register(orders("a", "Orders.")).expect("new");
    metrics.register(orders("b", "Orders.")).expect("other labels");
    let text = metrics.exposition();
    assert!(text.contains(&expected(&["a", "b"])), "{text}");

    // Two registries do not know each other; a different help text is no reason to lose series.
    for (venue, help) in [("c", "Orders."), ("d", "All orders.")] {
        let registry = Registry::new();
        registry.register(orders(venue, help)).expect("new");
        metrics.add_registry(registry);
    }
    let text = metrics.exposition();
    assert!(text.contains(&expected(&["a", "b", "c", "d"])), "{text}");
    assert_eq!((failures(&text, "invalid"), text.matches("HELP orders_total").count()), (0, 1));
}

#[test]
fn parts_of_a_family_that_cannot_be_merged_are_left_out_and_reported_by_name() {
    let gauge = |labels: &[(&str, &str)]| gauge_family("shared", labels);
    let mut counter = gauge_family("shared", &[("a", "2")]);
    counter.set_field_type(proto::MetricType::COUNTER);
    for (part, why) in
        [(counter, "is of another type"), (gauge(&[("a", "1")]), "two series have the same labels")]
    {
        let (settings, lines) = reporting();
        let metrics = settings.build().expect("the defaults are legal");
        let first = gauge(&[("a", "1")]);
        metrics.register(Scripted::boxed("first", move || vec![first.clone()])).expect("new");
        metrics.register(Scripted::boxed("second", move || vec![part.clone()])).expect("new");
        let text = metrics.exposition();
        assert!(text.ends_with("# TYPE shared gauge\nshared{a=\"1\"} 0\n"), "{text}");
        assert_eq!(failures(&text, "invalid"), 1);
        let lines = lines();
        assert!(lines.len() == 1 && lines[0].contains("\"shared\"") && lines[0].contains(why), "{lines:?}");
    }
}

/// prometheus' default registry has them, with its feature `process`.
#[test]
fn process_metrics_of_another_registry_are_not_a_failure_and_ours_are_served() {
    let registry = Registry::new();
    let families = FAMILIES.iter().filter(|family| family.name.starts_with("process_"));
    let names: Vec<_> = families.map(|family| family.name).collect();
    for name in &names {
        registry.register(Box::new(IntGauge::new(*name, "Theirs.").expect("legal"))).expect("new");
    }
    let theirs_and_failures = |settings: Settings| {
        let (settings, lines) = reporting_to(settings);
        let metrics = settings.build().expect("legal");
        metrics.add_registry(registry.clone());
        let text = metrics.exposition();
        assert_eq!(lines(), Vec::<String>::new());
        for name in &names {
            assert_eq!(text.matches(&format!("# TYPE {name} ")).count(), 1, "{name}: {text}");
        }
        text.matches(" Theirs.\n").count()
    };
    assert_eq!(theirs_and_failures(Settings::new(Mode::Paper)), 0);
    let without_ours = Settings::new(Mode::Paper).families(Families::CoreOnly);
    assert_eq!(theirs_and_failures(without_ours), names.len());
}

#[test]
fn a_panic_whose_payload_panics_loses_only_its_own_families_and_is_reported_once() {
    struct PanicsWhenDropped;
    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            panic!("while dropped");
        }
    }
    let (settings, lines) = reporting();
    let metrics = settings.build().expect("the defaults are legal");
    let collect = || std::panic::panic_any(PanicsWhenDropped);
    metrics.register(Scripted::boxed("panics", collect)).expect("new");
    metrics.register(Scripted::boxed("works", || vec![gauge_family("works", &[])])).expect("new");
    for scrape in 1..=2 {
        let text = metrics.exposition();
        assert!(text.contains("\nworks 0\n"), "{text}");
        assert_eq!(failures(&text, "panic"), scrape);
    }
    let lines = lines();
    assert!(lines.len() == 1 && lines[0].contains("the collector of \"panics\""), "{lines:?}");
}

#[test]
fn each_registry_that_fails_is_reported_with_its_location() {
    let (settings, reported) = reporting();
    let metrics = settings.build().expect("legal");
    let failing = || {
        let registry = Registry::new();
        registry.register(Scripted::boxed("panics", || panic!("on purpose"))).expect("new");
        registry
    };
    let line = line!() + 1;
    metrics.add_registry(failing());
    metrics.add_registry(failing());
    metrics.registry().register(Scripted::boxed("panics_too", || panic!("on purpose"))).expect("new");
    let _ = metrics.exposition();
    let lines = reported();
    for line in line..line + 3 {
        let told = format!("the registry that was added at {}:{line} is left out of a scrape", file!());
        assert!(lines.iter().any(|line| line.starts_with(&told)), "{told}: {lines:?}");
    }
}

#[test]
fn a_collector_that_cannot_be_served_is_refused_with_the_reason() {
    struct Described(Vec<Desc>);
    impl Collector for Described {
        fn desc(&self) -> Vec<&Desc> {
            assert!(!self.0.is_empty(), "on purpose");
            self.0.iter().collect()
        }

        fn collect(&self) -> Vec<proto::MetricFamily> {
            Vec::new()
        }
    }
    let describe = |name: &str, help: &str, labels: &[&str], constant: &str| {
        let labels = labels.iter().map(|&label| label.to_owned()).collect();
        let constant = std::collections::HashMap::from([("venue".to_owned(), constant.to_owned())]);
        Desc::new(name.to_owned(), help.to_owned(), labels, constant).expect("legal")
    };
    let metrics = metrics();
    let register = |descriptions: Vec<Desc>| metrics.register(Box::new(Described(descriptions)));
    register(vec![describe("orders", "Orders.", &["side"], "a")]).expect("new");
    register(vec![describe("orders", "Orders.", &["side"], "b")]).expect("another constant label");
    let twice = || describe("fills", "Fills.", &[], "a");
    for (descriptions, why) in [
        (vec![], "its descriptions panicked: on purpose"),
        (vec![describe("orders", "Orders.", &["side"], "a")], "Duplicate"),
        (
            vec![describe("orders", "All orders.", &["side"], "c")],
            "orders is registered already with other label names",
        ),
        (
            vec![describe("orders", "Orders.", &["kind"], "c")],
            "orders is registered already with other label names",
        ),
        (vec![twice(), twice()], "fills is described twice"),
        (vec![describe("up", "Up.", &[], "a")], "up: Prometheus writes series of this name itself"),
        (
            vec![describe("process_threads", "Threads.", &[], "a")],
            "process_threads is a metric of bot-metrics itself",
        ),
        (
            vec![describe("bytelyst_bot_subsystem_alive", "Alive.", &[], "a")],
            "bytelyst_bot_subsystem_alive is a metric of bot-metrics itself",
        ),
    ] {
        let error = register(descriptions).expect_err(why).to_string();
        assert!(error.contains(why), "{error}");
    }
    register(vec![twice()]).expect("the rejected ones left no trace");
}

#[test]
fn concurrent_scrapes_wait_for_one_another() {
    let metrics = metrics();
    let slow = || {
        thread::sleep(Duration::from_millis(50));
        vec![gauge_family("slow", &[])]
    };
    metrics.register(Scripted::boxed("slow", slow)).expect("new");
    thread::scope(|scope| {
        let scrapes: Vec<_> = (0..3).map(|_| scope.spawn(|| metrics.exposition())).collect();
        for scrape in scrapes {
            assert!(scrape.join().expect("no panic").contains("\nslow 0\n"));
        }
    });
}

#[test]
fn slow_collectors_run_concurrently_and_all_are_served() {
    let metrics = metrics();
    for number in 0..8 {
        let name = format!("slow_{number}");
        let slow = {
            let name = name.clone();
            move || {
                thread::sleep(Duration::from_millis(300));
                vec![gauge_family(&name, &[])]
            }
        };
        metrics.register(Scripted::boxed(&name, slow)).expect("new");
    }
    let text = metrics.exposition();
    assert_eq!(text.matches("# TYPE slow_").count(), 8, "{text}");
}

#[test]
fn hanging_collectors_do_not_affect_the_others_from_the_first_scrape_on() {
    let metrics = metrics();
    let (release, hold) = mpsc::channel::<()>();
    let hold = std::sync::Arc::new(Mutex::new(hold));
    for number in 0..5 {
        let hold = std::sync::Arc::clone(&hold);
        let hang = move || {
            let _ = hold.lock().map(|hold| hold.recv());
            Vec::new()
        };
        metrics.register(Scripted::boxed(&format!("hangs_{number}"), hang)).expect("new");
    }
    metrics.register(Scripted::boxed("works", || vec![gauge_family("works", &[])])).expect("new");
    let text = metrics.exposition();
    assert!(text.contains("\nworks 0\n"), "{text}");
    assert_eq!(failures(&text, "timeout"), 5);
    drop(release);
}

#[test]
fn a_hang_in_the_shared_registry_does_not_prevent_registration_through_the_library() {
    let metrics = metrics();
    let (release, hold) = mpsc::channel::<()>();
    let hold = Mutex::new(hold);
    let hang = move || {
        let _ = hold.lock().map(|hold| hold.recv());
        Vec::new()
    };
    metrics.registry().register(Scripted::boxed("hangs", hang)).expect("new");
    assert_eq!(failures(&metrics.exposition(), "timeout"), 1);
    metrics.register(Scripted::boxed("works", || vec![gauge_family("works", &[])])).expect("new");
    assert!(metrics.exposition().contains("\nworks 0\n"));
    drop(release);
}

#[test]
fn a_metric_is_registered_once_and_never_under_one_of_our_names() {
    let metrics = metrics();
    let counter = || Box::new(IntCounter::new("seen_total", "help").expect("legal"));
    metrics.register(counter()).expect("new");
    assert!(metrics.register(counter()).is_err());
    let ours = IntGauge::new("bytelyst_bot_subsystem_duration_seconds_count", "help").expect("legal");
    assert!(metrics.register(Box::new(ours)).is_err());
    assert_eq!(metrics.exposition().matches("# TYPE seen_total").count(), 1);
}

#[test]
fn a_collector_registered_through_the_library_is_in_another_gather() {
    let metrics = metrics();
    metrics.register(Box::new(IntCounter::new("seen_total", "help").expect("legal"))).expect("new");
    assert!(metrics.registry().gather().iter().any(|family| family.name() == "seen_total"));
}

#[test]
fn another_instances_registry_can_be_served_too() {
    let one = metrics();
    let other = Settings::new(Mode::Paper).namespace("other").build().expect("legal");
    one.add_registry(other.registry().clone());
    let text = one.exposition();
    assert!(text.contains("\nother_build_info{"), "{text}");
    assert!(text.contains("\nbytelyst_bot_build_info{"), "{text}");
}
