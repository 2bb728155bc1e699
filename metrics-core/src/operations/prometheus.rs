//! The configuration of a Prometheus that scrapes the bot.

use serde::Serialize;

use super::rule_tests::RULES;

#[derive(Debug, Serialize)]
pub(super) struct PrometheusFile {
    global: Global,
    rule_files: [&'static str; 1],
    alerting: Alerting,
    scrape_configs: [Scrape; 1],
}

#[derive(Debug, Serialize)]
struct Global {
    scrape_interval: &'static str,
    evaluation_interval: &'static str,
}

#[derive(Debug, Serialize)]
struct Alerting {
    alertmanagers: [Alertmanagers; 1],
}

#[derive(Debug, Serialize)]
struct Alertmanagers {
    static_configs: [Targets; 1],
}

#[derive(Debug, Serialize)]
struct Scrape {
    job_name: String,
    /// Otherwise a label of the target would rename the bot's `env` to `exported_env`.
    honor_labels: bool,
    static_configs: [Targets; 1],
}

#[derive(Debug, Serialize)]
struct Targets {
    targets: [String; 1],
}

/// The configuration for a bot at this address, known under this job.
pub(super) fn configuration(job: &str, address: &str) -> PrometheusFile {
    let targets = |target: String| [Targets { targets: [target] }];
    PrometheusFile {
        // The shortest windows of the rules are five minutes and need four scrapes.
        global: Global { scrape_interval: "15s", evaluation_interval: "15s" },
        rule_files: [RULES],
        alerting: Alerting {
            alertmanagers: [Alertmanagers { static_configs: targets("localhost:9093".to_owned()) }],
        },
        scrape_configs: [Scrape {
            job_name: job.to_owned(),
            honor_labels: true,
            static_configs: targets(reachable(address)),
        }],
    }
}

/// An address under which Prometheus on the bot's machine reaches it.
fn reachable(address: &str) -> String {
    match address.rsplit_once(':') {
        Some(("0.0.0.0" | "[::]" | "", port)) => format!("localhost:{port}"),
        _ => address.to_owned(),
    }
}
