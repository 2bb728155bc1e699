//! The three formats, read by parsers and programs that are not ours.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use bot_metrics::Metrics;
use bot_metrics::server::{Format, Server, ServerOptions};
use bot_metrics::testing::Samples;

use crate::Outcome;
use crate::generated::{Numbers, instance};
use crate::process::Directory;
use crate::prometheus::Prometheus;

/// The number of generated label sets in one page.
const SETS: usize = 1_000;

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

/// Python's parsers read the same samples, HELP texts and created times from the three formats, those that were
/// recorded, and the library's checker reads the same samples;
/// `GENERATED_SETS` says how many sets of labels, HELP and value, by default a few.
pub(crate) fn parsed_equal() -> Outcome {
    let sets = std::env::var("GENERATED_SETS").ok().and_then(|sets| sets.parse().ok()).unwrap_or(2 * SETS);
    for seed in 0..sets.div_ceil(SETS) {
        let (metrics, expected) = instance(&mut Numbers::new(seed as u64 + 1), SETS);
        let server = serve(&metrics, ServerOptions::new().created_samples(true), &FORMATS)?;
        let directory = Directory::new();
        let mut files = Vec::new();
        for (format, name) in FORMATS.into_iter().zip(["text", "openmetrics", "protobuf"]) {
            files.push(directory.path().join(name));
            let page = page(&server, format)?;
            let samples =
                Samples::parse_page(&page, format).map_err(|finding| format!("{name}: {finding}"))?;
            if let Some(sample) = expected.missing_in(&samples) {
                return Err(format!("seed {seed}: {name}: {sample}").into());
            }
            fs::write(directory.path().join(name), page)?;
        }
        files.push(directory.path().join("expected"));
        fs::write(directory.path().join("expected"), expected.lines())?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/servers/read_pages.py");
        let read = Command::new("python3").arg(script).args(&files).output()?;
        if !read.status.success() {
            return Err(format!("seed {seed}: {}", String::from_utf8_lossy(&read.stderr)).into());
        }
        let text = fs::File::open(&files[0])?;
        let check = Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::from(text)).output()?;
        let said = String::from_utf8_lossy(&check.stderr);
        // It has remarks about generated names, on standard output.
        if !matches!(check.status.code(), Some(0 | 3)) || said.contains("error") {
            return Err(format!("seed {seed}: promtool: {said}").into());
        }
    }
    Ok(())
}

/// A real Prometheus stores as many samples of one format as of another, with the same labels and values.
pub(crate) fn stored_equal() -> Outcome {
    let (metrics, _) = instance(&mut Numbers::new(7), SETS);
    let job = |name: &str, server: &Server| {
        format!("  - {{job_name: {name}, static_configs: [{{targets: ['{}']}}]}}\n", server.local_addr())
    };
    let mut servers = vec![serve(&metrics, ServerOptions::new(), &FORMATS)?];
    let mut jobs = job("all", &servers[0]);
    for format in FORMATS {
        let server = serve(&metrics, ServerOptions::new(), &[format])?;
        jobs += &job(&format!("{format:?}"), &server);
        servers.push(server);
    }
    let prometheus = Prometheus::with_jobs(&jobs)?;
    prometheus.wait_for("up == 1", |up| up.len() == FORMATS.len() + 1)?;
    let scraped = prometheus.query("scrape_samples_scraped")?;
    let stored = prometheus.query("scrape_samples_post_metric_relabeling")?;
    let counts: Vec<_> = scraped.iter().chain(&stored).map(|(_, count)| *count).collect();
    if counts.len() != 8 || counts.iter().any(|count| *count != counts[0] || *count < 2_000.0) {
        return Err(format!("{scraped:?} {stored:?}").into());
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
            return Err(format!("{job}: {difference:?}, not {:?}", found.get(difference.0)).into());
        }
    }
    Ok(())
}

/// A series and its value so that those of two scrapes can be compared: without the target, with bounds as numbers, and
/// with the same bits for equal values.
fn comparable((mut labels, value): (BTreeMap<String, String>, f64)) -> (BTreeMap<String, String>, u64) {
    labels.remove("job");
    labels.remove("instance");
    for bound in ["le", "quantile"] {
        if let Some(Ok(number)) = labels.get(bound).map(|bound| bound.parse::<f64>()) {
            labels.insert(bound.to_owned(), format!("{number:?}"));
        }
    }
    (labels, if value.is_nan() { f64::NAN } else { value + 0.0 }.to_bits())
}
