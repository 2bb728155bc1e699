//! A real VictoriaMetrics.

use std::collections::BTreeMap;
use std::process::Command;

use bot_metrics::testing::{Samples, Series};
use serde_json::Value;

use crate::process::{Directory, Process, eventually, free_port};

/// Stores imported pages; killed when this is dropped.
pub(crate) struct VictoriaMetrics {
    url: String,
    process: Process,
    _directory: Directory,
}

/// Labels an import, so that its samples are found again.
const IMPORT: &str = "import";

impl VictoriaMetrics {
    pub(crate) fn start() -> Result<Self, String> {
        let (directory, port) = (Directory::new(), free_port());
        let mut command = Command::new("victoria-metrics");
        command
            .arg(format!("--storageDataPath={}", directory.path().join("data").display()))
            .arg(format!("--httpListenAddr=127.0.0.1:{port}"));
        let process = Process::start(&mut command, &directory);
        let url = format!("http://127.0.0.1:{port}");
        let server = Self { url, process, _directory: directory };
        eventually("VictoriaMetrics answers", || server.get("/health", &[]))
            .map_err(|error| format!("{error}\n{}", server.process.log()))?;
        Ok(server)
    }

    /// Imports a page of one of the text formats, and returns its samples as they are stored: at least this number.
    pub(crate) fn stored(&self, import: &str, page: &[u8], number: usize) -> Result<Samples, String> {
        ureq::post(format!("{}/api/v1/import/prometheus", self.url))
            .query("extra_label", format!("{IMPORT}={import}"))
            .send(page)
            .map_err(|error| error.to_string())?;
        // It answers an import before all of it can be queried.
        let lines = eventually("the import can be queried", || {
            self.get("/internal/force_flush", &[])?;
            let lines = self.get("/api/v1/export", &[("match[]", &format!("{{{IMPORT}={import:?}}}"))])?;
            let found = lines.lines().count();
            if found < number { Err(format!("{found} of {number} samples")) } else { Ok(lines) }
        })?;
        lines.lines().map(|line| sample(line).ok_or_else(|| line.to_owned())).collect()
    }

    fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Result<String, String> {
        let request = ureq::get(format!("{}{path}", self.url)).query_pairs(parameters.iter().copied());
        let mut answer = request.call().map_err(|error| error.to_string())?;
        let body = answer.body_mut().with_config().limit(1 << 30).read_to_string();
        body.map_err(|error| error.to_string())
    }
}

/// The series of an exported line, and its only value.
fn sample(line: &str) -> Option<(Series, f64)> {
    // The export has infinities in a form that JSON does not have.
    let line = ["+Inf", "-Inf", "Inf"].into_iter().fold(line.to_owned(), |line, infinity| {
        line.replace(&format!("\"values\":[{infinity}]"), &format!("\"values\":[\"{infinity}\"]"))
    });
    let line: Value = serde_json::from_str(&line).ok()?;
    let labels = line["metric"].as_object()?.iter();
    let labels = labels.map(|(label, value)| Some((label.clone(), value.as_str()?.to_owned())));
    let mut labels: BTreeMap<_, _> = labels.collect::<Option<_>>()?;
    labels.remove(IMPORT);
    let name = labels.remove("__name__")?;
    let value = match line["values"].as_array()?.as_slice() {
        [Value::Null] => f64::NAN,
        [Value::String(infinity)] => infinity.parse().ok()?,
        [value] => value.as_f64()?,
        _ => return None,
    };
    Some((Series { name, labels }, value))
}
