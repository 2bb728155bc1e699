//! A real Pushgateway.

use std::process::Command;
use std::time::{Duration, Instant};

use bot_metrics::labels::{EventType, Severity};
use bot_metrics::push::Pushgateway;
use bot_metrics::testing::{Samples, instance};
use bot_metrics::{Families, Metrics, Mode, Settings};
use bot_metrics_tests::demo::{command, run};

use crate::Outcome;
use crate::process::{Directory, PATIENCE, Process, eventually, free_port};

const EVENTS: &str = "bytelyst_bot_operational_events_total";

/// A gateway of its own; killed when this is dropped.
pub(crate) struct Gateway {
    url: String,
    process: Process,
    _directory: Directory,
}

impl Gateway {
    pub(crate) fn start() -> Result<Self, String> {
        let (directory, port) = (Directory::new(), free_port());
        let mut command = Command::new("prometheus-pushgateway");
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let process = Process::start(&mut command, &directory);
        let gateway = Self { url: format!("http://127.0.0.1:{port}"), process, _directory: directory };
        eventually("the gateway answers", || gateway.samples())?;
        Ok(gateway)
    }

    fn group(&self) -> Pushgateway {
        Pushgateway::new(&self.url, "backtest").expect("a plain address").timeout(PATIENCE)
    }

    /// Stores a page as the group of this job.
    pub(crate) fn put(&self, job: &str, content_type: &str, page: &[u8]) -> Result<(), String> {
        let request =
            ureq::put(format!("{}/metrics/job/{job}", self.url)).header("Content-Type", content_type);
        let request = request.config().http_status_as_error(false).build();
        let mut answer = request.send(page).map_err(|error| error.to_string())?;
        if answer.status().is_success() {
            return Ok(());
        }
        Err(answer.body_mut().read_to_string().unwrap_or_else(|error| error.to_string()))
    }

    pub(crate) fn samples(&self) -> Result<Samples, String> {
        let mut answer =
            ureq::get(format!("{}/metrics", self.url)).call().map_err(|error| error.to_string())?;
        let body = answer.body_mut().with_config().limit(1 << 30).read_to_string();
        Samples::parse(&body.map_err(|error| error.to_string())?)
    }
}

fn metrics() -> Metrics {
    let (metrics, _) = instance();
    metrics.event(Severity::Info, EventType::Started).count(3).record();
    metrics
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}, expected {expected:?}")) }
}

/// Every sample of the library is on the gateway, with the group's labels added.
pub(crate) fn backtest() -> Outcome {
    let gateway = Gateway::start()?;
    let ended = run(&mut command("backtest", &["--push", &gateway.url]));
    if ended.status.code() != Some(0) || !ended.stdout.contains(&format!("metrics pushed to {}", gateway.url))
    {
        return Err(format!("{ended:?}").into());
    }
    let samples = gateway.samples()?;
    let job = ("job", "backtest");
    for (name, labels) in [
        ("bytelyst_bot_subsystem_duration_seconds_count", &[job, ("subsystem", "trading")][..]),
        ("bytelyst_bot_exchange_api_latency_seconds_count", &[job, ("operation", "place_order")]),
        (EVENTS, &[job, ("type", "ORDER_PLACED"), ("mode", "paper")]),
    ] {
        let value = samples.value(name, labels);
        if value.is_none_or(|value| value < 100.0) {
            return Err(format!("{name}: {value:?} in three simulated minutes").into());
        }
    }
    // In the recording's time, not in that of the test.
    let last = samples.value("bytelyst_bot_subsystem_last_run_timestamp", &[job]).unwrap_or_default();
    if !(1_742_944_020.0..1_742_944_300.0).contains(&last) {
        return Err(format!("the last run was at {last}").into());
    }
    Ok(())
}

pub(crate) fn groups() -> Outcome {
    let gateway = Gateway::start()?;
    let metrics = metrics();
    let values = ["plain", "a/b", "", ".", "..", "50 % & more?", "ünïcode", "==", "\"quoted\"\\\n", "base64"];
    for value in values {
        gateway.group().grouping("strategy", value)?.grouping("instance", "one")?.push(&metrics)?;
    }
    let samples = gateway.samples()?;
    for value in values {
        // The gateway omits an empty label.
        let found = samples
            .matching(EVENTS, &[("instance", "one"), ("job", "backtest")])
            .find(|(series, _)| series.labels.get("strategy").map_or("", String::as_str) == value);
        expect(&format!("{value:?}"), &found.map(|(_, value)| value), &Some(3.0))?;
    }
    expect("groups", &samples.matching(EVENTS, &[]).count(), &values.len())?;
    // The whole exposition, unchanged.
    for (series, value) in Samples::of(&metrics).iter() {
        let labels: Vec<_> =
            series.labels.iter().map(|(label, value)| (label.as_str(), value.as_str())).collect();
        let with_group = [&labels[..], &[("strategy", "a/b")]].concat();
        expect(&series.to_string(), &samples.value(&series.name, &with_group), &Some(value))?;
    }
    Ok(())
}

pub(crate) fn methods() -> Outcome {
    let gateway = Gateway::start()?;
    let few =
        Settings::new(Mode::Paper).families(Families::CoreOnly).build().map_err(|error| error.to_string())?;
    few.event(Severity::Info, EventType::Stopped).record();
    let info = |samples: &Samples| samples.matching("bytelyst_bot_build_info", &[]).count();
    let kinds = |samples: &Samples| {
        let kinds = samples.matching(EVENTS, &[]).map(|(series, _)| series.labels["type"].clone());
        kinds.collect::<Vec<_>>()
    };
    let group = gateway.group();
    group.push(&metrics())?;
    group.push(&metrics())?;
    let samples = gateway.samples()?;
    expect("pushed twice", &(info(&samples), kinds(&samples)), &(1, vec!["STARTED".to_owned()]))?;
    group.push_add(&few)?;
    let samples = gateway.samples()?;
    expect("added", &(info(&samples), kinds(&samples)), &(1, vec!["STOPPED".to_owned()]))?;
    group.push(&few)?;
    let samples = gateway.samples()?;
    expect("replaced", &(info(&samples), kinds(&samples)), &(0, vec!["STOPPED".to_owned()]))?;
    let other = gateway.group().grouping("strategy", "other")?;
    other.push(&few)?;
    group.delete()?;
    let samples = gateway.samples()?;
    let left: Vec<_> =
        samples.matching(EVENTS, &[]).map(|(series, _)| series.labels.get("strategy").cloned()).collect();
    expect("after deleting one of two groups", &left, &vec![Some("other".to_owned())])?;
    group.delete()?;
    Ok(())
}

pub(crate) fn trouble() -> Outcome {
    let mut gateway = Gateway::start()?;
    let group = gateway.group().timeout(Duration::from_millis(500));
    gateway.process.stop();
    let start = Instant::now();
    let hung = group.push(&metrics()).expect_err("nobody answers").to_string();
    expect("hung", &hung, &format!("cannot push metrics to {}: no answer within 500ms", gateway.url))?;
    if start.elapsed() > PATIENCE {
        return Err("it waited too long".into());
    }
    gateway.process.go_on();
    gateway.group().push(&metrics())?;
    // A path that the gateway does not have.
    let nowhere = Pushgateway::new(&format!("{}/nowhere", gateway.url), "backtest")?;
    let refused = nowhere.push(&metrics()).expect_err("there is nothing").status();
    expect("refused", &refused.is_some_and(|status| status >= 400), &true)?;
    let url = gateway.url.clone();
    drop(gateway);
    let gone = group.push(&metrics()).expect_err("it has ended").to_string();
    expect(
        "gone",
        &gone,
        &format!("cannot push metrics to {url}: connection refused; is a Pushgateway running there?"),
    )?;
    Ok(())
}
