use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use prometheus::core::{Collector, Desc};
use prometheus::{IntCounter, IntGauge, Registry, proto};

use super::isolation::DEADLINE;
use crate::{Metrics, Mode, Settings};

fn metrics() -> Metrics {
    Settings::new(Mode::Paper).build().expect("the defaults are legal")
}

fn failures(text: &str, reason: &str) -> u64 {
    let line = format!("bytelyst_bot_foreign_collector_failures_total{{reason=\"{reason}\",");
    let line = text.lines().find(|l| l.starts_with(&line)).expect("the family is exported");
    line.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a count")
}

/// Yields what its function does, under a description of its own.
struct Scripted<F>(Desc, F);

impl<F: Fn() -> Vec<proto::MetricFamily> + Send + Sync + 'static> Scripted<F> {
    fn boxed(name: &str, collect: F) -> Box<dyn Collector> {
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

fn gauge_family(name: &str, labels: &[(&str, &str)]) -> proto::MetricFamily {
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
fn somebody_elses_gather_of_the_shared_registry_sees_our_families() {
    let metrics = metrics();
    metrics.profile("maker").update(crate::Capital { allocated: 4.0, positions: 1.0, ..Default::default() });
    let families = metrics.registry().gather();
    let family = families
        .iter()
        .find(|family| family.name() == "bytelyst_bot_profile_utilization_percent")
        .expect("our family is there");
    let metric = &family.get_metric()[0];
    assert!((metric.get_gauge().get_value() - 25.0).abs() < 1e-9);
    let labels: Vec<_> = metric.get_label().iter().map(|pair| (pair.name(), pair.value())).collect();
    assert_eq!(labels[0], ("profile_id", "maker"));
    assert!(labels.contains(&("mode", "paper")));
}

#[test]
fn a_panicking_collector_costs_its_own_families_and_a_count() {
    let metrics = metrics();
    metrics.register(Scripted::boxed("panics", || panic!("on purpose"))).expect("new");
    metrics.register(Scripted::boxed("works", || vec![gauge_family("works", &[])])).expect("new");
    let text = metrics.exposition();
    assert!(text.contains("\nworks 0\n"), "{text}");
    assert_eq!(failures(&text, "panic"), 1);
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
    // The hung run ends now that its channel is closed; the next scrape that finds it free succeeds.
    let healed = (0..100).any(|_| {
        thread::sleep(Duration::from_millis(10));
        metrics.exposition().contains("\nhangs 0\n")
    });
    assert!(healed);
}

/// It is gathered in the middle of a scrape.
#[test]
fn a_collector_may_record_and_ask_for_series_for_the_first_time() {
    let metrics = metrics();
    let recording = metrics.clone();
    let collect = move || {
        use crate::labels::{EventType, Exchange, Operation, Severity};
        let call = recording.exchange_call(Exchange::Okx, Operation::GetTrades);
        call.start().finish(crate::Outcome::Ok);
        recording.event(Severity::Info, EventType::Started).symbol("SCRAPED").text("while scraping").record();
        recording.profile("scraped").update(crate::Capital { allocated: 1.0, ..Default::default() });
        recording.market_data(Exchange::Okx, "SCRAPED").updated();
        recording.subsystem(crate::Subsystem::Monitor).start().finish(crate::Outcome::Ok);
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

#[test]
fn nonsense_is_left_out_and_counted() {
    let metrics = metrics();
    let nonsense = || {
        let mut doubled = gauge_family("doubled", &[("a", "1")]);
        let twin = doubled.get_metric()[0].clone();
        doubled.mut_metric().push(twin);
        let mut untyped = gauge_family("untyped", &[]);
        untyped.set_field_type(proto::MetricType::UNTYPED);
        vec![
            gauge_family("bad name", &[]),
            gauge_family("bad_label", &[("a b", "")]),
            gauge_family("reserved", &[("__name__", "")]),
            gauge_family("label_twice", &[("a", "1"), ("a", "2")]),
            gauge_family("bytelyst_bot_subsystem_alive", &[]),
            gauge_family("bytelyst_bot_subsystem_duration_seconds_count", &[]),
            histogram_family("with_le", &[("le", "1")]),
            histogram_family("sizes", &[]),
            gauge_family("sizes_sum", &[]),
            doubled,
            untyped,
            gauge_family("good", &[("a", "1")]),
        ]
    };
    metrics.register(Scripted::boxed("nonsense", nonsense)).expect("new");
    let text = metrics.exposition();
    assert_eq!(failures(&text, "invalid"), 10, "{text}");
    assert!(text.contains("\ngood{a=\"1\"} 0\n"), "{text}");
    assert!(text.contains("\nsizes_sum 0\n") && !text.contains("# TYPE sizes_sum"), "{text}");
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
fn slow_collectors_run_beside_each_other_and_all_are_served() {
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
fn hanging_collectors_leave_the_others_alone_from_the_first_scrape_on() {
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
fn a_hang_in_the_shared_registry_does_not_keep_others_from_being_registered_through_us() {
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
fn a_collector_registered_through_us_is_seen_by_somebody_elses_gather() {
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
