//! A real Prometheus.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::process::{Directory, Process, eventually, free_port};

/// Scrapes every second; killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Prometheus {
    url: String,
    process: Process,
    _directory: Directory,
}

/// A series' first value, and its increase since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Increase {
    pub(crate) first: f64,
    pub(crate) increase: f64,
}

/// A series' labels and its value.
pub(crate) type Vector = Vec<(BTreeMap<String, String>, f64)>;

impl Prometheus {
    /// Starts one that scrapes the bot at `url`.
    pub(crate) fn scraping(url: &str) -> Result<Self, String> {
        let target = url.strip_prefix("http://").ok_or("a plain URL")?;
        let prometheus = Self::with_jobs(&job(target))?;
        prometheus.wait_for("up == 1", |up| up.len() == 1)?;
        Ok(prometheus)
    }

    /// Starts one that scrapes the bot at `url`, and evaluates the rules in this file every second.
    pub(crate) fn with_rules(url: &str, rules: &Path) -> Result<Self, String> {
        let target = url.strip_prefix("http://").ok_or("a plain URL")?;
        let prometheus = Self::with_jobs(&format!("{}rule_files: ['{}']\n", job(target), rules.display()))?;
        prometheus.wait_for("up == 1", |up| up.len() == 1)?;
        Ok(prometheus)
    }

    /// Starts one with these scrape jobs, YAML.
    pub(crate) fn with_jobs(jobs: &str) -> Result<Self, String> {
        Self::with_features(jobs, &[])
    }

    /// Starts one with these scrape jobs and feature flags.
    pub(crate) fn with_features(jobs: &str, features: &[&str]) -> Result<Self, String> {
        let text = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\nscrape_configs:\n{jobs}"
        );
        Self::configured(Directory::new(), &text, features)
    }

    /// Starts one with this configuration, which may name files in the directory.
    pub(crate) fn configured(
        directory: Directory,
        configuration: &str,
        features: &[&str],
    ) -> Result<Self, String> {
        let port = free_port();
        let config = directory.path().join("prometheus.yml");
        fs::write(&config, configuration).map_err(|error| error.to_string())?;
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"));
        if !features.is_empty() {
            command.arg(format!("--enable-feature={}", features.join(",")));
        }
        let process = Process::start(&mut command, &directory);
        Ok(Self { url: format!("http://127.0.0.1:{port}"), process, _directory: directory })
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its answer to `query` now.
    pub(crate) fn query(&self, query: &str) -> Result<Vector, String> {
        let results = self.ask(query, None)?;
        results.iter().map(|result| sample(result).ok_or_else(|| format!("{query}: {result}"))).collect()
    }

    /// Its answer to `query` at this Unix time, or now.
    fn ask(&self, query: &str, time: Option<f64>) -> Result<Vec<Value>, String> {
        let time = time.map(|time| ("time", format!("{time:.3}")));
        let mut data = self.get("query", query, time)?;
        match data["result"].take() {
            Value::Array(results) => Ok(results),
            _ => Err(format!("{query}: {data}")),
        }
    }

    /// The exemplars of the series that `query` selects, of the last hour: for each series its labels and the exemplars.
    pub(crate) fn exemplars(&self, query: &str) -> Result<Vec<Value>, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?.as_secs();
        let range = [("start", (now - 3_600).to_string()), ("end", (now + 60).to_string())];
        match self.get("query_exemplars", query, range)? {
            Value::Array(series) => Ok(series),
            data => Err(format!("{query}: {data}")),
        }
    }

    /// The data of its answer to a query.
    fn get(
        &self,
        what: &str,
        query: &str,
        parameters: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Result<Value, String> {
        let request = ureq::get(format!("{}/api/v1/{what}", self.url)).query("query", query);
        let request = request.query_pairs(parameters);
        let mut answer = request.call().map_err(|error| format!("{query}: {error}"))?;
        let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
        let mut answer: Value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
        Ok(answer["data"].take())
    }

    /// The increase of each of these series since its first sample, over exactly the time from that sample to the
    /// last, so that `increase` does not extrapolate.
    pub(crate) fn increases(&self, selector: &str) -> Result<Vec<Increase>, String> {
        let increase = |series: &Value| {
            let labels = series["metric"].as_object()?.iter();
            let exact: Vec<_> = labels.map(|(label, value)| format!("{label}={value}")).collect();
            let samples = series["values"].as_array()?;
            let (first, last) = (samples.first()?, samples.last()?);
            let (from, to) = (first[0].as_f64()?, last[0].as_f64()?);
            // The oldest Prometheus includes a sample at the beginning of the range, newer ones do not.
            let query = format!("increase({{{}}}[{:.0}ms])", exact.join(","), (to - from) * 1_000.0 + 1.0);
            let answer = self.ask(&query, Some(to)).ok()?;
            let number = |text: &Value| text.as_str()?.parse().ok();
            Some(Increase { first: number(&first[1])?, increase: number(&answer.first()?["value"][1])? })
        };
        let series = self.ask(&format!("{selector}[1h]"), None)?;
        series.iter().map(|series| increase(series).ok_or_else(|| format!("{selector}: {series}"))).collect()
    }

    /// Repeats the query until the answer is as wanted, and returns it.
    pub(crate) fn wait_for(&self, query: &str, wanted: impl Fn(&Vector) -> bool) -> Result<Vector, String> {
        eventually(query, || {
            let found = self.query(query)?;
            if wanted(&found) { Ok(found) } else { Err(format!("{found:?}")) }
        })
        .map_err(|error| format!("{error}\n{}", self.process.log()))
    }

    /// The single value of the answer to `query`.
    pub(crate) fn value(&self, query: &str) -> Result<f64, String> {
        match self.query(query)?.as_slice() {
            [(_, value)] => Ok(*value),
            several => Err(format!("{query}: {several:?}")),
        }
    }
}

/// The job `bot` with this target, as YAML.
fn job(target: &str) -> String {
    format!("  - job_name: bot\n    honor_labels: true\n    static_configs:\n      - targets: ['{target}']\n")
}

fn sample(result: &Value) -> Option<(BTreeMap<String, String>, f64)> {
    let labels = result["metric"].as_object()?.iter();
    let labels = labels.map(|(label, value)| Some((label.clone(), value.as_str()?.to_owned())));
    Some((labels.collect::<Option<_>>()?, result["value"][1].as_str()?.parse().ok()?))
}
