//! Foreign families in every format, the families that a client names, and created times.

use std::time::Duration;

use super::foreign::{
    Scripted, buckets_family, counter_family, dated_family, failures, gauge_family, metrics,
    quantiles_family, reporting,
};
use crate::exposition::WaitingClients;
use crate::exposition::filter::Filter;
use crate::exposition::format::{Format, RequestedPage};
use crate::labels::{EventType, Severity, Subsystem};
use crate::testing::instance;
use crate::{Capital, Metrics};

fn page(metrics: &Metrics, format: Format, names: &[&str]) -> Vec<u8> {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    let filter = if names.is_empty() { Filter::default() } else { Filter::by_name(names) };
    written(metrics, &RequestedPage { format, with_created: false, filter })
}

fn written(metrics: &Metrics, page: &RequestedPage) -> Vec<u8> {
    let mut out = Vec::new();
    metrics
        .write_page(page, &WaitingClients::default(), &mut out)
        .expect("it is written to memory")
        .confirm();
    out
}

fn text_page(metrics: &Metrics, format: Format, names: &[&str]) -> String {
    String::from_utf8(page(metrics, format, names)).expect("text")
}

#[test]
fn foreign_families_follow_the_rules_of_openmetrics() {
    let mut without_suffix = counter_family(2.0);
    without_suffix.set_name("orders".to_owned());
    let mut described = gauge_family("described_seconds", &[]);
    described.set_help("a \"quote\"".to_owned());
    for (family, expected) in [
        (counter_family(2.0), "# TYPE orders counter\norders_total 2\n# EOF\n"),
        (without_suffix, "# TYPE orders counter\norders_total 2\n# EOF\n"),
        (dated_family(1_700_000_000_012), "# TYPE dated gauge\ndated 0 1700000000.012\n# EOF\n"),
        (
            described,
            "# HELP described_seconds a \\\"quote\\\"\n# TYPE described_seconds gauge\n\
             # UNIT described_seconds seconds\ndescribed_seconds 0\n# EOF\n",
        ),
        (
            quantiles_family(&[1.0]),
            "# TYPE waits summary\nwaits{quantile=\"1.0\"} NaN\nwaits_sum 0\nwaits_count 2\n# EOF\n",
        ),
        (
            buckets_family(2, &[(1.0, 1)]),
            "# TYPE sizes histogram\nsizes_bucket{le=\"1.0\"} 1\nsizes_bucket{le=\"+Inf\"} 2\nsizes_sum 1.5\n\
             sizes_count 2\n# EOF\n",
        ),
        (
            // The sum of values that may be negative is no counter.
            buckets_family(2, &[(-1.0, 1)]),
            "# TYPE sizes histogram\nsizes_bucket{le=\"-1.0\"} 1\nsizes_bucket{le=\"+Inf\"} 2\n# EOF\n",
        ),
    ] {
        let metrics = metrics();
        metrics.register(Scripted::boxed("scripted", move || vec![family.clone()])).expect("new");
        let page = text_page(&metrics, Format::OpenMetrics, &[]);
        assert!(page.ends_with(expected), "{expected}\n{page}");
    }
}

#[test]
fn a_family_whose_name_is_taken_in_openmetrics_alone_is_left_out_there_alone() {
    let (settings, reported) = reporting();
    let metrics = settings.build().expect("legal");
    let collect = || vec![counter_family(2.0), gauge_family("orders", &[])];
    metrics.register(Scripted::boxed("scripted", collect)).expect("new");
    let text = text_page(&metrics, Format::Text, &[]);
    assert!(text.contains("\norders_total 2\n") && text.contains("\norders 0\n"), "{text}");
    let page = text_page(&metrics, Format::OpenMetrics, &[]);
    assert!(page.contains("\norders_total 2\n") && !page.contains("\norders 0\n"), "{page}");
    assert_eq!(failures(&page, "invalid"), 1);
    assert!(reported().concat().contains("\"orders\": another family has samples named orders"));
}

#[cfg(feature = "protobuf")]
#[test]
fn foreign_families_come_in_protobuf_too() {
    let metrics = metrics();
    let collect = || vec![counter_family(2.0), buckets_family(2, &[(1.0, 1)]), quantiles_family(&[0.5])];
    metrics.register(Scripted::boxed("scripted", collect)).expect("new");
    let page = page(&metrics, Format::Protobuf, &["orders_total", "sizes", "waits"]);
    let names = ["orders_total", "sizes", "waits"]
        .map(|name| page.windows(name.len()).filter(|part| *part == name.as_bytes()).count());
    assert_eq!(names, [1; 3]);
}

#[test]
fn a_client_gets_the_families_that_it_names() {
    let metrics = metrics();
    let collect = || vec![counter_family(2.0), buckets_family(2, &[]), gauge_family("other", &[])];
    metrics.register(Scripted::boxed("scripted", collect)).expect("new");
    let families = |names: &[&str]| -> Vec<String> {
        let page = text_page(&metrics, Format::Text, names);
        let heads = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
        heads.map(str::to_owned).collect()
    };
    let build_info = "bytelyst_bot_build_info";
    assert_eq!(
        families(&["sizes_bucket", build_info, "orders_total"]),
        [build_info, "orders_total", "sizes"]
    );
    assert_eq!(families(&["process_open_fds", "unknown"]), ["process_open_fds"]);
    assert_eq!(families(&["unknown", ""]), [""; 0]);
    assert_eq!(text_page(&metrics, Format::OpenMetrics, &["unknown"]), "# EOF\n");
}

#[test]
fn foreign_code_does_not_run_for_a_client_that_names_families_of_the_bot_alone() {
    let metrics = metrics();
    metrics.register(Scripted::boxed("panics", || panic!("on purpose"))).expect("new");
    let names = ["bytelyst_bot_foreign_collector_failures_total"];
    for _ in 0..2 {
        assert_eq!(failures(&text_page(&metrics, Format::Text, &names), "panic"), 0);
    }
    assert_eq!(failures(&metrics.exposition(), "panic"), 1);
}

/// The created time of the only series of this name with this text, in seconds from now.
fn created(metrics: &Metrics, name: &str, text: &str) -> Option<f64> {
    let requested =
        RequestedPage { format: Format::OpenMetrics, with_created: true, filter: Filter::default() };
    let page = String::from_utf8(written(metrics, &requested)).expect("text");
    let name = format!("bytelyst_bot_{name}_created{{");
    let mut lines = page.lines().filter(|line| line.starts_with(&name) && line.contains(text));
    let line = lines.next();
    assert_eq!(lines.next(), None, "{page}");
    let unix: f64 = line?.rsplit(' ').next()?.parse().expect("a number");
    let now = metrics.wall().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    Some(((unix - now.as_secs_f64()) * 1_000.0).round() / 1_000.0)
}

#[test]
fn each_series_has_the_time_at_which_its_counts_began() {
    let (metrics, clock) = instance();
    let _ = metrics.subsystem(Subsystem::Trading);
    let event = |symbol: &str| {
        metrics.event(Severity::Info, EventType::OrderFilled).profile("maker").symbol(symbol).record();
    };
    clock.advance(Duration::from_secs(10));
    event("A");
    metrics.profile("maker").update(Capital { allocated: 4.0, ..Capital::default() });
    clock.advance(Duration::from_secs(5));
    event("A");
    event("B");
    let of = |name, text| created(&metrics, name, text);
    assert_eq!(of("subsystem_duration_seconds", "trading"), Some(-15.0));
    assert_eq!(of("reconciliation_mismatches", ""), Some(-15.0));
    assert_eq!(of("operational_events", "symbol=\"A\""), Some(-5.0));
    assert_eq!(of("operational_events", "symbol=\"B\""), Some(0.0));
    assert_eq!(of("capital_invariant_violations", "maker"), Some(-5.0));
    assert_eq!(of("subsystem_alive", ""), None, "a gauge counts nothing");
}

/// A thread keeps the series that it recorded to.
#[test]
fn a_series_that_returns_has_a_new_created_time_if_its_counts_begin_again() {
    let (metrics, clock) = instance();
    let record = || {
        let event = metrics.event(Severity::Info, EventType::OrderFilled);
        event.profile("maker").symbol("A").record();
    };
    let record_elsewhere = || std::thread::scope(|scope| scope.spawn(record).join().expect("no panic"));
    let remove = || {
        metrics.profile("maker").remove();
        for _ in 0..3 {
            clock.advance(Duration::from_mins(20));
            let _ = created(&metrics, "operational_events", "");
        }
        assert_eq!(created(&metrics, "operational_events", "symbol=\"A\""), None);
    };
    let count_and_created = || {
        let text = metrics.exposition();
        let line = text.lines().find(|line| line.contains("symbol=\"A\"")).expect("it is exported");
        let count = line.rsplit(' ').next().expect("a count").to_owned();
        (count, created(&metrics, "operational_events", "symbol=\"A\""))
    };
    let _ = created(&metrics, "operational_events", "");
    record_elsewhere();
    let _ = count_and_created();
    remove();
    record();
    assert_eq!(count_and_created(), ("1".to_owned(), Some(0.0)));
    remove();
    record();
    assert_eq!(count_and_created(), ("2".to_owned(), Some(-3_600.0)));
}
