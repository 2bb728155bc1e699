use bot_metrics::Metrics;
use bot_metrics::conformance::Format;
use bot_metrics::labels::{EventType, Exchange, Operation, Severity, Subsystem};
use bot_metrics::server::ServerOptions;
use bot_metrics::testing::{Samples, instance};
use bot_metrics::{Capital, Outcome};

const FORMATS: [Format; 3] = [Format::Text, Format::OpenMetrics, Format::Protobuf];

/// Pages that keep all rules, although some look unusual, and the number of their samples.
pub(crate) const SOUND: [(Format, &str, usize); 14] = [
    (Format::Text, "", 0),
    (Format::Text, "\n# A comment.\n#another\n# HELP a\n# TYPE a gauge\n", 0),
    (Format::Text, "a 1\na_sum 2\na:b_c9 NaN\n_x -Inf 1000\n", 4),
    (Format::Text, " a\t{ x = \"1\" , y=\"\\\\ \\\" \\n\", }  +Inf\t1000 \na{} .5e-3\n", 2),
    (
        Format::Text,
        "# TYPE a histogram\na_bucket{le=\"1e+06\"} 1\na_bucket{le=\"+Inf\"} 2\na_sum -1\na_count 2\n",
        4,
    ),
    (
        Format::Text,
        "# HELP a \\\\ \\n \"b\"\n# TYPE a summary\na{quantile=\"1\"} NaN\na_sum 0\na_count 0\n",
        3,
    ),
    (
        Format::Text,
        "# TYPE a counter\na{x=\"\u{85}\u{2028}\u{feff}\"} 18446744073709551615\n# TYPE b untyped\nb 1\n",
        2,
    ),
    (Format::OpenMetrics, "# EOF", 0),
    (Format::OpenMetrics, "# TYPE a counter\n# HELP a b\na_total 1 # {} 1\na_created 1.5\n# EOF\n", 2),
    (
        Format::OpenMetrics,
        "# TYPE a_seconds histogram\n# UNIT a_seconds seconds\na_seconds_bucket{le=\"1.0\"} 1 1.5 # {id=\"x\"} 0.5 1.5\n\
         a_seconds_bucket{le=\"+Inf\"} 1 1.5\na_seconds_sum 0.5 1.5\na_seconds_count 1 1.5\n\
         a_seconds_created 1 1.5\n# EOF\n",
        5,
    ),
    (Format::OpenMetrics, "# TYPE a histogram\na_bucket{le=\"-1.0\"} 1\na_bucket{le=\"+Inf\"} 2\n# EOF\n", 2),
    (
        Format::OpenMetrics,
        "# TYPE a gaugehistogram\na_bucket{le=\"+Inf\"} 2\na_gcount 2\na_gsum -1\n# EOF\n",
        3,
    ),
    (
        Format::OpenMetrics,
        "# TYPE a info\na_info{x=\"1\"} 1\n# TYPE b stateset\nb{b=\"on\"} 1\nb{b=\"off\"} 0\n# EOF\n",
        3,
    ),
    (Format::OpenMetrics, "# TYPE a unknown\na{} nan\n# TYPE b summary\nb_count 1\n# EOF\n", 2),
];

#[test]
fn a_sound_page_has_no_findings() {
    for (format, page, count) in SOUND {
        let samples = Samples::parse_page(page.as_bytes(), format)
            .unwrap_or_else(|finding| panic!("{finding}: {page}"));
        assert_eq!(samples.iter().count(), count, "{page}");
    }
}

/// An instance with series of every kind, and label values that have to be escaped.
fn recorded() -> Metrics {
    let (metrics, _) = instance();
    metrics
        .event(Severity::Info, EventType::OrderPlaced)
        .profile("a\"b\\c\nd")
        .symbol("é\u{2028}")
        .count(3)
        .record();
    metrics.subsystem(Subsystem::Trading).start().finish(Outcome::Ok);
    metrics.exchange_call(Exchange::Kraken, Operation::GetTicker).start().finish(Outcome::Ok);
    metrics.profile("maker").update(Capital { positions: 1.0, ..Capital::default() });
    metrics
}

/// The pages of one instance in all formats.
pub(crate) fn own_pages() -> Vec<(Format, Vec<u8>)> {
    let metrics = recorded();
    let options = ServerOptions::new().formats(FORMATS);
    let server = metrics.serve_with("127.0.0.1:0", options).expect("a free port");
    let url = format!("http://{}/metrics", server.local_addr());
    let page = |format: Format| {
        let mut answer = ureq::get(&url).header("Accept", format.content_type()).call().expect("a page");
        assert_eq!(answer.headers()["content-type"], format.content_type());
        (format, answer.body_mut().read_to_vec().expect("all of it"))
    };
    FORMATS.map(page).to_vec()
}

#[test]
fn the_librarys_pages_have_no_findings_and_the_same_samples_in_all_formats() {
    let momentary = ["process_", "bytelyst_bot_scrape_", "bytelyst_bot_http_"];
    let samples = own_pages().into_iter().map(|(format, page)| {
        let samples =
            Samples::parse_page(&page, format).unwrap_or_else(|finding| panic!("{format:?}: {finding}"));
        let lasting =
            samples.iter().filter(|(series, _)| !momentary.iter().any(|name| series.name.starts_with(name)));
        let series = lasting.map(|(series, value)| {
            let mut series = series.clone();
            if let Some(bound) = series.labels.get_mut("le") {
                *bound = format!("{:?}", bound.parse::<f64>().expect("a number"));
            }
            (series, value)
        });
        series.collect::<Samples>()
    });
    let [text, openmetrics, protobuf] = &samples.collect::<Vec<_>>()[..] else { unreachable!() };
    assert!(text.iter().count() > 60);
    assert_eq!(text.until(openmetrics).to_string(), "");
    assert_eq!(text.until(protobuf).to_string(), "");
}
