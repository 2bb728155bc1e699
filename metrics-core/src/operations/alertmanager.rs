//! The configuration of an Alertmanager: the receivers of the alerts, and which alerts follow from others.

use serde::Serialize;

use super::alerts::{TRADING, areas};
use super::context::RuleContext;

#[derive(Debug, Serialize)]
pub(super) struct AlertmanagerFile {
    route: Route,
    receivers: Vec<Receiver>,
    inhibit_rules: Vec<Inhibition>,
}

#[derive(Debug, Serialize)]
struct Route {
    receiver: &'static str,
    group_by: [&'static str; 3],
    group_wait: &'static str,
    group_interval: &'static str,
    repeat_interval: &'static str,
    routes: Vec<Branch>,
}

#[derive(Debug, Serialize)]
struct Branch {
    receiver: &'static str,
    matchers: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeat_interval: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Receiver {
    name: &'static str,
    webhook_configs: [Webhook; 1],
}

#[derive(Debug, Serialize)]
struct Webhook {
    url: String,
}

#[derive(Debug, Serialize)]
struct Inhibition {
    source_matchers: Vec<String>,
    target_matchers: Vec<String>,
    equal: Vec<&'static str>,
}

/// The receivers, each a webhook on this port of the Alertmanager's machine until it is replaced.
const RECEIVERS: [&str; 3] = ["chat", "pager", "heartbeat"];

/// The configuration for the alerts that are linked.
pub(super) fn configuration(context: &RuleContext<'_>) -> AlertmanagerFile {
    let receivers = RECEIVERS.map(|name| Receiver {
        name,
        webhook_configs: [Webhook { url: format!("http://localhost:9095/{name}") }],
    });
    AlertmanagerFile { route: route(), receivers: receivers.into(), inhibit_rules: inhibitions(context) }
}

fn route() -> Route {
    let branch = |receiver, matcher: &str, repeat_interval| Branch {
        receiver,
        matchers: vec![matcher.to_owned()],
        repeat_interval,
    };
    Route {
        receiver: "chat",
        group_by: ["alertname", "job", "instance"],
        group_wait: "10s",
        group_interval: "1m",
        repeat_interval: "4h",
        // The first that matches: a bot on paper never pages.
        routes: vec![
            branch("heartbeat", "alertname=\"Watchdog\"", Some("1m")),
            branch("chat", "mode=\"paper\"", None),
            branch("pager", "severity=\"critical\"", None),
        ],
    }
}

/// The causes, each with its consequences and the labels in which they agree.
fn inhibitions(context: &RuleContext<'_>) -> Vec<Inhibition> {
    let linked: Vec<_> =
        areas(context).iter().flat_map(|area| &area.alerts).map(|alert| alert.name).collect();
    let of_instance = || vec!["job", "instance"];
    let known = |name: &&str| linked.contains(name);
    let mut inhibitions = vec![Inhibition {
        source_matchers: vec!["alertname=\"BotDown\"".to_owned()],
        target_matchers: vec!["alertname!~\"BotDown|Watchdog\"".to_owned()],
        equal: of_instance(),
    }];
    let mut add = |source: &str, further: Option<&str>, targets: &[&str], equal: Vec<&'static str>| {
        let targets: Vec<_> = targets.iter().copied().filter(known).collect();
        if known(&source) && !targets.is_empty() {
            let source = [format!("alertname=\"{source}\"")].into_iter().chain(further.map(str::to_owned));
            inhibitions.push(Inhibition {
                source_matchers: source.collect(),
                target_matchers: vec![format!("alertname=~\"{}\"", targets.join("|"))],
                equal,
            });
        }
    };
    add("BotReconciliationBlind", None, &["BotReconciliationItemsMissing"], of_instance());
    add("BotSubsystemStalled", Some(TRADING), &["BotHeartbeatWithoutWork", "BotExchangeSlow"], of_instance());
    add("BotMarketDataStale", None, &["BotStrategyIdle"], of_instance());
    add("BotBannedByExchange", None, &["BotRateLimited"], vec!["job", "instance", "exchange"]);
    inhibitions
}
