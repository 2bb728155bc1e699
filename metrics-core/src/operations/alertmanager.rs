//! The configuration of an Alertmanager: the receivers of the alerts, and which alerts follow from others.

use serde::Serialize;

use super::alerts::{TRADING, areas};
use super::context::RuleContext;
use super::serialized::yaml;

/// The routes, and the receivers: each a webhook of the Alertmanager's machine until it is replaced. The first route that
/// matches is taken, so that a bot on paper never pages.
const ROUTES: &str = include_str!("alertmanager.yml");

#[derive(Debug, Serialize)]
struct Inhibitions {
    inhibit_rules: Vec<Inhibition>,
}

#[derive(Debug, Serialize)]
struct Inhibition {
    source_matchers: Vec<String>,
    target_matchers: [String; 1],
    equal: Vec<&'static str>,
}

/// The configuration for the alerts that are linked.
pub(super) fn configuration(context: &RuleContext<'_>) -> Result<String, String> {
    Ok(ROUTES.to_owned() + &yaml(&Inhibitions { inhibit_rules: inhibitions(context) })?)
}

/// The causes, each with its consequences and the labels in which they agree.
fn inhibitions(context: &RuleContext<'_>) -> Vec<Inhibition> {
    let areas = areas(context);
    let linked: Vec<_> = areas.iter().flat_map(|area| &area.alerts).map(|alert| alert.name).collect();
    let inhibition = |(source, further, targets, labels): (&str, &[&str], &[&str], &[_])| {
        let is_linked = |name: &&str| linked.contains(name);
        let targets: Vec<_> = targets.iter().copied().filter(is_linked).collect();
        let further = further.iter().map(|matcher| (*matcher).to_owned());
        (is_linked(&source) && !targets.is_empty()).then(|| Inhibition {
            source_matchers: [format!("alertname=\"{source}\"")].into_iter().chain(further).collect(),
            target_matchers: [format!("alertname=~\"{}\"", targets.join("|"))],
            equal: ["job", "instance"].iter().chain(labels).copied().collect(),
        })
    };
    let causes: [(_, &[_], &[_], &[_]); 4] = [
        ("BotReconciliationBlind", &[], &["BotReconciliationItemsMissing"], &[]),
        ("BotSubsystemStalled", &[TRADING], &["BotHeartbeatWithoutWork", "BotExchangeSlow"], &[]),
        ("BotMarketDataStale", &[], &["BotStrategyIdle"], &[]),
        ("BotBannedByExchange", &[], &["BotRateLimited"], &["exchange"]),
    ];
    let down = Inhibition {
        source_matchers: vec!["alertname=\"BotDown\"".to_owned()],
        target_matchers: ["alertname!~\"BotDown|Watchdog\"".to_owned()],
        equal: vec!["job", "instance"],
    };
    [down].into_iter().chain(causes.into_iter().filter_map(inhibition)).collect()
}
