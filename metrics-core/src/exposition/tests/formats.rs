//! Foreign families in every format, and the families that a client names.

use super::foreign::{
    Scripted, buckets_family, counter_family, dated_family, failures, gauge_family, metrics,
    quantiles_family, reporting,
};
use crate::Metrics;
use crate::exposition::filter::Filter;
use crate::exposition::format::{Format, RequestedPage};

fn page(metrics: &Metrics, format: Format, names: &[&str]) -> Vec<u8> {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    let filter = if names.is_empty() { Filter::default() } else { Filter::by_name(names) };
    let mut out = Vec::new();
    let _ = metrics.write_page(&RequestedPage { format, filter }, &mut out).expect("it is written to memory");
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
