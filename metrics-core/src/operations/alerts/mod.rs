//! The alerts: expression, reason, and the scenarios in which each fires and stays silent.
//!
//! A scenario gives the outcome that an operator expects. It is written beside the alert's reason and is not derived
//! from the expression.

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
pub(super) use definition::{Alert, Rule, Urgency};
pub(super) use library::WATCHDOG;
pub(super) use liveness::STARTS;
pub(super) use market_data::stale_after;
pub(super) use scenario::{Moment, Scenario, TRADING, counts};

use super::context::RuleContext;

/// The alerts of one area.
pub(super) struct Area {
    /// A word for the name of its group of rules.
    pub(super) name: &'static str,
    pub(super) alerts: Vec<Alert>,
}

/// The alerts whose families, labels and objectives are linked.
pub(super) fn areas(context: &RuleContext<'_>) -> Vec<Area> {
    let areas = [
        ("liveness", liveness::alerts(context)),
        ("subsystems", subsystems::alerts(context)),
        ("work", work::alerts(context)),
        ("exchange", exchange::alerts(context)),
        ("capital", capital::alerts(context)),
        ("reconciliation", reconciliation::alerts(context)),
        ("events", events::alerts(context)),
        ("own", own::alerts(context)),
        ("library", library::alerts(context)),
    ];
    let areas = areas.into_iter().map(|(name, alerts)| Area { name, alerts });
    areas.filter(|area| !area.alerts.is_empty()).collect()
}
