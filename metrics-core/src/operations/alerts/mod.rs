//! The alerts: expressions, and the scenarios in which each fires and stays silent. Their texts are in `runbook.md`.
//!
//! A scenario gives the outcome that an operator expects. It follows from the reason of the alert, and is not derived from
//! the expression.

mod budget;
mod capital;
mod definition;
mod durations;
mod events;
mod exchange;
mod library;
mod liveness;
mod market_data;
mod own;
mod reconciliation;
mod scenario;
mod subsystems;
mod work;

pub(super) use capital::{FULL, NEAR_LIMIT};
pub(super) use definition::{Alert, AlertList, Rule, Urgency};
pub(super) use library::WATCHDOG;
pub(super) use liveness::STARTS;
pub(super) use market_data::stale_after;
pub(super) use scenario::{Moment, Scenario, TICKER, TRADING, counts, with_label};

use super::context::RuleContext;

/// The alerts of one area.
pub(super) struct Area {
    /// A word for the name of its group of rules.
    pub(super) name: &'static str,
    pub(super) alerts: Vec<Alert>,
}

/// The alerts that are linked.
pub(super) fn areas(context: &RuleContext<'_>) -> Vec<Area> {
    let areas: [(_, &AlertList); 9] = [
        ("liveness", liveness::ALERTS),
        ("subsystems", subsystems::ALERTS),
        ("work", work::ALERTS),
        ("exchange", exchange::ALERTS),
        ("capital", capital::ALERTS),
        ("reconciliation", reconciliation::ALERTS),
        ("events", events::ALERTS),
        ("own", own::ALERTS),
        ("library", library::ALERTS),
    ];
    let linked = |alerts: &AlertList| alerts.iter().filter_map(|alert| alert(context)).collect();
    let areas = areas.into_iter().map(|(name, alerts)| Area { name, alerts: linked(alerts) });
    areas.filter(|area| !area.alerts.is_empty()).collect()
}
