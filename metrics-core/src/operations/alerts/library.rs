//! The metrics themselves, and the way of the alerts.

use super::events::GrowingCounter;
use super::{Alert, AlertList, Scenario, Urgency};
use crate::catalogue::LABEL_OVERFLOW_TOTAL;
use crate::operations::context::{NOTICE, RuleContext};

/// The alert that always fires, which proves that alerts arrive.
pub(in crate::operations) const WATCHDOG: &str = "Watchdog";

pub(super) const ALERTS: &AlertList = &[label_overflow, |context| Some(watchdog(context))];

fn label_overflow(context: &RuleContext<'_>) -> Option<Alert> {
    let overflow = context.series(&LABEL_OVERFLOW_TOTAL)?;
    let labels = "metric=\"operational_events_total\",label=\"symbol\"";
    Some(Alert::new(
        "BotLabelOverflow",
        Urgency::Inform,
        0,
        context.grew(&overflow, &[], NOTICE),
        GrowingCounter::of(NOTICE, "label_overflow_total", labels, labels).scenarios(context),
    ))
}

fn watchdog(context: &RuleContext<'_>) -> Alert {
    let up = context.up();
    let of_job = |title: &str, values: Option<&str>| {
        let bot = Scenario::new(context, title).of_target();
        let bot = values.into_iter().fold(bot, |bot, values| bot.of_prometheus("up", values));
        bot.with("instance", "").fires([0, 60], "")
    };
    Alert::new(
        WATCHDOG,
        Urgency::Heartbeat,
        0,
        // Always 1, with the label of the job.
        format!("absent({up}) or group by (job) ({up})"),
        [
            of_job("no target", None),
            of_job("the bot is up", Some("1x60")),
            of_job("it is down", Some("0x60")),
        ],
    )
}
