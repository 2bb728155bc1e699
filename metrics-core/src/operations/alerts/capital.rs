//! Capital of the profiles.

use super::events::GrowingCounter;
use super::{Alert, AlertList, Scenario, Urgency};
use crate::catalogue::{CAPITAL_INVARIANT_VIOLATIONS_TOTAL, PROFILE_UTILIZATION_PERCENT};
use crate::operations::context::{NOTICE, RuleContext};
use crate::operations::scale::{DAY, HOUR, MINUTE};

/// The use of an allocation above which it is exceeded, in percent.
pub(in crate::operations) const FULL: u8 = 100;

/// The use of an allocation from which on it may soon be too small, in percent.
pub(in crate::operations) const NEAR_LIMIT: u8 = 90;

const MAKER: &str = "profile_id=\"maker\"";

pub(super) const ALERTS: &AlertList = &[violated, over_allocated, near_limit, idle];

fn violated(context: &RuleContext<'_>) -> Option<Alert> {
    let violations = context.series(&CAPITAL_INVARIANT_VIOLATIONS_TOTAL)?;
    let counter = GrowingCounter::of(NOTICE, "capital_invariant_violations_total", MAKER, MAKER);
    Some(Alert::new(
        "BotCapitalInvariantViolated",
        Urgency::Page,
        0,
        context.grew(&violations, &[], NOTICE),
        counter.scenarios(context),
    ))
}

fn utilization(context: &RuleContext<'_>, title: &str, values: &str) -> Scenario {
    let other = "profile_id=\"other\"";
    let bot = Scenario::new(context, title).series("profile_utilization_percent", MAKER, values);
    bot.series("profile_utilization_percent", other, "50x3000")
}

fn over_allocated(context: &RuleContext<'_>) -> Option<Alert> {
    let used = context.series(&PROFILE_UTILIZATION_PERCENT)?;
    let bot = |title: &str, values: &str| utilization(context, title, values);
    let scenarios = [
        bot("more than the allocation is used, then less", "99x3 101x4 99x9")
            .silent([3])
            .fires([6], MAKER)
            .silent([9]),
        bot("exactly the allocation is used", "100x20").silent([10]),
        bot("nothing is allocated, but something is used", "Inf Inf Inf Inf").fires([3], MAKER),
    ];
    Some(Alert::new("BotProfileOverAllocated", Urgency::Page, MINUTE, format!("{used} > {FULL}"), scenarios))
}

fn near_limit(context: &RuleContext<'_>) -> Option<Alert> {
    let used = context.series(&PROFILE_UTILIZATION_PERCENT)?;
    let bot = |title: &str, values: &str| utilization(context, title, values);
    let scenarios = [
        bot("nearly all is used for a while", "50x3 90x17 89x9")
            .silent([18])
            .fires([19, 20], MAKER)
            .silent([22]),
        bot("all is used", "100x30").fires([20], MAKER),
        bot("more than all is used, which another alert tells", "101x30").silent([20]),
        bot("much is used", "89x30").silent([20]),
    ];
    Some(Alert::new(
        "BotProfileNearLimit",
        Urgency::Warn,
        15 * MINUTE,
        format!("{used} >= {NEAR_LIMIT} <= {FULL}"),
        scenarios,
    ))
}

fn idle(context: &RuleContext<'_>) -> Option<Alert> {
    let used = context.series(&PROFILE_UTILIZATION_PERCENT)?;
    let day = context.window(DAY);
    let bot = |title: &str, values: &str| utilization(context, title, values).every(300);
    let hour = |hours: u64| hours * 60;
    let scenarios = [
        bot("something is used, then nothing for more than a day, then something", "0x12 1 0x303 5x10")
            .silent([hour(25), hour(26)])
            .fires([hour(26) + 10], MAKER)
            .silent([hour(26) + 35]),
        bot("a profile that is new", "0x40").silent([hour(3)]),
        bot("a profile that is new since yesterday", "0x280").silent([hour(20)]).long(),
    ];
    Some(Alert::new(
        "BotProfileIdle",
        Urgency::Inform,
        HOUR,
        format!("max_over_time({used}[{day}]) == 0 and {used} offset {day}"),
        scenarios,
    ))
}
