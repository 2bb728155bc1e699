//! The three formats, read by parsers and programs that are not ours.

use std::collections::BTreeMap;
use std::process::Command;
use std::{env, fs};

use bot_metrics::Metrics;
use bot_metrics::server::{Format, Server, ServerOptions};
use bot_metrics::testing::{Samples, Series};

use crate::Outcome;
use crate::generated::{Expected, Numbers, instance, spell_bounds};
use crate::process::Directory;
use crate::prometheus::Prometheus;
use crate::promtool;
use crate::pushgateway::Gateway;
use crate::victoria_metrics::VictoriaMetrics;

/// The number of generated label sets by default.
const SETS: usize = 2_000;

/// The maximum number of them in one page.
const MOST_SETS: usize = 2_000;

/// The relative error of the decimals that VictoriaMetrics stores, which has none for the smallest numbers.
const DECIMALS: f64 = 1e-11;
const SMALLEST_DECIMAL: f64 = 1e-290;

const FORMATS: [Format; 3] = [Format::Text, Format::OpenMetrics, Format::Protobuf];

fn serve(metrics: &Metrics, options: ServerOptions, formats: &[Format]) -> Result<Server, String> {
    let options = options.formats(formats.iter().copied());
    metrics.serve_with("127.0.0.1:0", options).map_err(|error| error.to_string())
}

fn page(server: &Server, format: Format) -> Result<Vec<u8>, String> {
    let url = format!("http://{}/metrics", server.local_addr());
    let answer = ureq::get(url).header("Accept", format.content_type()).call();
    let mut answer = answer.map_err(|error| error.to_string())?;
    let found = answer.headers().get("content-type").and_then(|found| found.to_str().ok());
    if found != Some(format.content_type()) {
        return Err(format!("{found:?}, not {}", format.content_type()));
    }
    answer.body_mut().with_config().limit(1 << 30).read_to_vec().map_err(|error| error.to_string())
}

/// The pages of one generated instance.
struct Pages {
    seed: u64,
    metrics: Metrics,
    expected: Expected,
    text: Vec<u8>,
    openmetrics: Vec<u8>,
    protobuf: Vec<u8>,
}

impl Pages {
    fn generate(seed: u64, sets: usize) -> Result<Self, String> {
        let (metrics, expected) = instance(&mut Numbers::new(seed), sets);
        let server = serve(&metrics, ServerOptions::new().created_samples(true), &FORMATS)?;
        let [text, openmetrics, protobuf] = FORMATS.map(|format| page(&server, format));
        Ok(Self { seed, metrics, expected, text: text?, openmetrics: openmetrics?, protobuf: protobuf? })
    }

    fn all(&self) -> [(&'static str, Format, &[u8]); 3] {
        let Self { text, openmetrics, protobuf, .. } = self;
        [
            ("text", Format::Text, text),
            ("OpenMetrics", Format::OpenMetrics, openmetrics),
            ("protobuf", Format::Protobuf, protobuf),
        ]
    }

    /// The samples of the text format, as a server stores them: without labels that are empty.
    fn storable(&self) -> Result<BTreeMap<Series, f64>, String> {
        let samples = Samples::parse_page(&self.text, Format::Text)?;
        Ok(samples.iter().map(|(series, value)| (stored(series, &[]), value)).collect())
    }
}

/// Passes generated pages to `read`: a page with a few sets of labels, HELP and value, or with `GENERATED_SETS` as many
/// pages as have that number of sets in total.
fn with_pages(read: impl Fn(&Pages) -> Result<(), String>) -> Outcome {
    let sets = env::var("GENERATED_SETS").ok().and_then(|sets| sets.parse().ok()).unwrap_or(SETS);
    let in_page = sets.clamp(1, MOST_SETS);
    for page in 0..sets.div_ceil(in_page) {
        let seed = page as u64 + 1;
        let pages = Pages::generate(seed, in_page)?;
        read(&pages).map_err(|error| format!("seed {seed}: {error}"))?;
        println!("seed {seed}: {in_page} sets");
    }
    Ok(())
}

/// Python's parsers read the same samples, HELP texts and created times from the three formats, those that were
/// recorded, the library's checker reads the same samples, and promtool has no objection.
pub(crate) fn parsed_equal() -> Outcome {
    with_pages(|pages| {
        let directory = Directory::new();
        let mut files = Vec::new();
        for (name, format, page) in pages.all() {
            let samples =
                Samples::parse_page(page, format).map_err(|finding| format!("{name}: {finding}"))?;
            if let Some(sample) = pages.expected.missing_in(&samples) {
                return Err(format!("{name}: {sample}"));
            }
            files.push((directory.path().join(name), page));
        }
        files.push((directory.path().join("expected"), pages.expected.lines().as_bytes()));
        for (path, contents) in &files {
            fs::write(path, contents).map_err(|error| error.to_string())?;
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/servers/read_pages.py");
        let mut python = Command::new("python3");
        let read = python.arg(script).args(files.iter().map(|(path, _)| path)).output();
        let read = read.map_err(|error| error.to_string())?;
        if !read.status.success() {
            return Err(String::from_utf8_lossy(&read.stderr).into_owned());
        }
        let (code, remarks) = promtool::check(&pages.text).map_err(|error| format!("{error:?}"))?;
        // It has remarks about generated names.
        if !matches!(code, Some(0 | 3)) || remarks.contains("error") {
            return Err(format!("promtool: {remarks}"));
        }
        Ok(())
    })
}

/// A real Prometheus stores as many samples of one format as of another, with the same labels and values.
pub(crate) fn stored_by_prometheus() -> Outcome {
    with_pages(|pages| {
        let job = |name: &str, server: &Server| {
            format!("  - {{job_name: {name}, static_configs: [{{targets: ['{}']}}]}}\n", server.local_addr())
        };
        let mut servers = vec![serve(&pages.metrics, ServerOptions::new(), &FORMATS)?];
        let mut jobs = job("all", &servers[0]);
        for format in FORMATS {
            let server = serve(&pages.metrics, ServerOptions::new(), &[format])?;
            jobs += &job(&format!("{format:?}"), &server);
            servers.push(server);
        }
        let prometheus = Prometheus::with_jobs(&jobs)?;
        prometheus.wait_for("up == 1", |up| up.len() == FORMATS.len() + 1)?;
        let scraped = prometheus.query("scrape_samples_scraped")?;
        let kept = prometheus.query("scrape_samples_post_metric_relabeling")?;
        let counts: Vec<_> = scraped.iter().chain(&kept).map(|(_, count)| *count).collect();
        if counts.len() != 8 || counts.iter().any(|count| *count != counts[0] || *count < 2_000.0) {
            return Err(format!("{scraped:?} {kept:?}"));
        }
        let series = |job: &str| -> Result<BTreeMap<_, _>, String> {
            let found = prometheus.query(&format!("{{job=\"{job}\", __name__!~\"up|scrape_.*\"}}"))?;
            Ok(found.into_iter().map(comparable).collect())
        };
        let text = series("Text")?;
        for job in ["OpenMetrics", "Protobuf", "all"] {
            let found = series(job)?;
            let mut differences = text.iter().filter(|(labels, value)| found.get(*labels) != Some(*value));
            if let Some(difference) = differences.next() {
                return Err(format!("{job}: {difference:?}, not {:?}", found.get(difference.0)));
            }
        }
        Ok(())
    })
}

/// A real Pushgateway stores the samples of the pages in the formats that it accepts.
pub(crate) fn stored_by_pushgateway() -> Outcome {
    with_pages(|pages| {
        let expected = pages.storable()?;
        for (name, format, page) in pages.all() {
            if format == Format::OpenMetrics {
                continue;
            }
            let gateway = Gateway::start()?;
            gateway.put("generated", format.content_type(), page)?;
            let samples = gateway.samples()?;
            let group = samples.iter().filter(|(series, _)| {
                series.labels.get("job").is_some_and(|job| job == "generated")
                    // The gateway's own.
                    && !series.name.starts_with("push_")
            });
            let found = group.map(|(series, value)| (stored(series, &["job", "instance"]), value)).collect();
            first_difference(&expected, &found, 0.0)
                .map_or(Ok(()), |difference| Err(format!("{name}: {difference}")))?;
        }
        Ok(())
    })
}

/// A real VictoriaMetrics stores the samples of the pages in the text formats.
pub(crate) fn stored_by_victoria_metrics() -> Outcome {
    let server = VictoriaMetrics::start()?;
    with_pages(|pages| {
        let expected = pages.storable()?;
        for (name, format, page) in pages.all() {
            if format == Format::Protobuf {
                continue;
            }
            let samples = server.stored(&format!("{name}{}", pages.seed), page, expected.len())?;
            let created =
                |series: &Series| format == Format::OpenMetrics && series.name.ends_with("_created");
            let samples = samples.iter().filter(|(series, _)| !created(series));
            let found = samples.map(|(series, value)| (stored(series, &[]), value)).collect();
            first_difference(&expected, &found, DECIMALS)
                .map_or(Ok(()), |difference| Err(format!("{name}: {difference}")))?;
        }
        Ok(())
    })
}

/// The first sample that is on one side only, or differs relatively by more than `tolerance`.
fn first_difference(
    expected: &BTreeMap<Series, f64>,
    found: &BTreeMap<Series, f64>,
    tolerance: f64,
) -> Option<String> {
    let is_equal = |one: f64, other: f64| {
        let error = (one - other).abs();
        let is_tiny = tolerance > 0.0 && error <= SMALLEST_DECIMAL;
        one == other || one.is_nan() && other.is_nan() || error <= tolerance * one.abs() || is_tiny
    };
    let missing = expected
        .iter()
        .filter(|(series, value)| found.get(series).is_none_or(|found| !is_equal(**value, *found)))
        .map(|(series, value)| format!("{series} is {:?}, not {value}", found.get(series)));
    let unknown = found.keys().filter(|series| !expected.contains_key(series));
    missing.chain(unknown.map(|series| format!("{series} is on no page"))).next()
}

/// A series as servers store it: without empty labels, here without those that a server `adds`, and with bounds as
/// numbers.
fn stored(series: &Series, adds: &[&str]) -> Series {
    let Series { name, mut labels } = series.clone();
    labels.retain(|label, value| !value.is_empty() && !adds.contains(&label.as_str()));
    spell_bounds(&mut labels);
    Series { name, labels }
}

/// A series and its value so that those of two scrapes can be compared: without the target, with bounds as numbers, and
/// with the same bits for equal values.
fn comparable((mut labels, value): (BTreeMap<String, String>, f64)) -> (BTreeMap<String, String>, u64) {
    labels.remove("job");
    labels.remove("instance");
    spell_bounds(&mut labels);
    (labels, if value.is_nan() { f64::NAN } else { value + 0.0 }.to_bits())
}
