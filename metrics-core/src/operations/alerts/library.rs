//! The metrics themselves, and the way of the alerts.

use super::events::{growth, info};
use super::{Alert, Scenario, Urgency};
use crate::catalogue::LABEL_OVERFLOW_TOTAL;
use crate::operations::context::{NOTICE, RuleContext};

pub(super) fn alerts(context: &RuleContext<'_>) -> Vec<Alert> {
    label_overflow(context).into_iter().chain([watchdog(context)]).collect()
}

fn label_overflow(context: &RuleContext<'_>) -> Option<Alert> {
    let overflow = context.name(&LABEL_OVERFLOW_TOTAL)?;
    let labels = "metric=\"operational_events_total\",label=\"symbol\"";
    let scenarios = growth(context, NOTICE, "label_overflow_total", labels, labels).into_iter().map(info);
    Some(Alert::new(
        "BotLabelOverflow",
        Urgency::Inform,
        0,
        context.grew(&overflow, "", NOTICE),
        [
            "The label {{ $labels.label }} of {{ $labels.metric }} has more values than its limit.",
            "Further values are counted under \"other\". Likely causes: more symbols or profiles than the limits in the \
             settings, or an id in a label.",
        ],
        scenarios.collect::<Vec<_>>(),
    ))
}

fn watchdog(context: &RuleContext<'_>) -> Alert {
    let scenario = Scenario::new(context, "always");
    let bare = ["app", "env", "mode", "job", "instance"]
        .into_iter()
        .fold(scenario, |bare, label| bare.with(label, ""));
    Alert::new(
        "Watchdog",
        Urgency::Heartbeat,
        0,
        "vector(1)",
        [
            "Alerts are evaluated and delivered.",
            "It always fires. A service outside should complain when it stops: then no other alert arrives either.",
        ],
        [bare.fires([0, 60], "severity=\"none\"")],
    )
}
