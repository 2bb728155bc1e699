//! A real Prometheus.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::process::{Directory, Process, eventually, free_port};

/// Scrapes every second; killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Prometheus {
    url: String,
    process: Process,
    _directory: Directory,
}

/// A series' labels and its value.
pub(crate) type Vector = Vec<(BTreeMap<String, String>, f64)>;

impl Prometheus {
    /// Starts one that scrapes the bot under `url`.
    pub(crate) fn scraping(url: &str) -> Result<Self, String> {
        let (directory, port) = (Directory::new(), free_port());
        let target = url.strip_prefix("http://").ok_or("a plain URL")?;
        let config = directory.path().join("prometheus.yml");
        let text = format!(
            "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\nscrape_configs:\n  - job_name: bot\n    \
             honor_labels: true\n    static_configs:\n      - targets: ['{target}']\n"
        );
        fs::write(&config, text).map_err(|error| error.to_string())?;
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let process = Process::start(&mut command, &directory);
        let prometheus = Self { url: format!("http://127.0.0.1:{port}"), process, _directory: directory };
        prometheus.wait_for("up == 1", |up| up.len() == 1)?;
        Ok(prometheus)
    }

    /// What it answers to `query` now.
    pub(crate) fn query(&self, query: &str) -> Result<Vector, String> {
        let url = format!("{}/api/v1/query", self.url);
        let mut answer =
            ureq::get(url).query("query", query).call().map_err(|error| format!("{query}: {error}"))?;
        let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
        let answer: Value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
        let results = answer["data"]["result"].as_array().ok_or_else(|| format!("{query}: {text}"))?;
        results.iter().map(|result| sample(result).ok_or_else(|| format!("{query}: {text}"))).collect()
    }

    /// Asks until the answer is as wanted, and returns it.
    pub(crate) fn wait_for(&self, query: &str, wanted: impl Fn(&Vector) -> bool) -> Result<Vector, String> {
        eventually(query, || {
            let found = self.query(query)?;
            if wanted(&found) { Ok(found) } else { Err(format!("{found:?}")) }
        })
        .map_err(|error| format!("{error}\n{}", self.process.log()))
    }

    /// The one value that it answers to `query`.
    pub(crate) fn value(&self, query: &str) -> Result<f64, String> {
        match self.query(query)?.as_slice() {
            [(_, value)] => Ok(*value),
            several => Err(format!("{query}: {several:?}")),
        }
    }
}

fn sample(result: &Value) -> Option<(BTreeMap<String, String>, f64)> {
    let labels = result["metric"].as_object()?.iter();
    let labels = labels.map(|(label, value)| Some((label.clone(), value.as_str()?.to_owned())));
    Some((labels.collect::<Option<_>>()?, result["value"][1].as_str()?.parse().ok()?))
}
