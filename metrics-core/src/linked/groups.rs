//! The families that are recorded together, by one attribute or one handle.

use crate::catalogue::{self, Family};
use crate::sites::call_site::CallSiteKind;

type Group = &'static [&'static Family];

const SUBSYSTEM: Group = &[
    &catalogue::SUBSYSTEM_DURATION_SECONDS,
    &catalogue::SUBSYSTEM_LAST_RUN_TIMESTAMP,
    &catalogue::SUBSYSTEM_LAST_ATTEMPT_TIMESTAMP_SECONDS,
    &catalogue::SUBSYSTEM_ALIVE,
    &catalogue::SUBSYSTEM_PAUSED,
    &catalogue::SUBSYSTEM_RUNS_TOTAL,
    &catalogue::SUBSYSTEM_IN_PROGRESS,
    &catalogue::SUBSYSTEM_MAX_AGE_SECONDS,
];

const EXCHANGE: Group = &[
    &catalogue::EXCHANGE_API_LATENCY_SECONDS,
    &catalogue::EXCHANGE_API_REQUESTS_TOTAL,
    &catalogue::EXCHANGE_API_IN_FLIGHT,
];

const EVENT: Group = &[&catalogue::OPERATIONAL_EVENTS_TOTAL];

const CAPITAL: Group = &[
    &catalogue::CAPITAL_INVARIANT_VIOLATIONS_TOTAL,
    &catalogue::CAPITAL_BELOW_ZERO,
    &catalogue::PROFILE_UTILIZATION_PERCENT,
];

const RECONCILIATION: Group = &[
    &catalogue::RECONCILIATION_MISMATCHES_TOTAL,
    &catalogue::RECONCILIATION_MISMATCHES_BY_KIND_TOTAL,
    &catalogue::RECONCILIATION_MISSING_ITEMS_COUNT,
];

/// The groups that a binary exports only if something records to them. All other families are always exported.
const GROUPS: [Group; 7] = [
    SUBSYSTEM,
    EXCHANGE,
    CAPITAL,
    RECONCILIATION,
    &[&catalogue::MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS],
    &[&catalogue::EXCHANGE_RATE_LIMIT_USED_RATIO],
    &[&catalogue::TOKIO_SCHEDULER_LAG_SECONDS],
];

/// The library's families to which an attribute records; none for those that record to a family of the bot's own.
pub(super) fn recorded_by(attribute: CallSiteKind) -> Group {
    match attribute {
        CallSiteKind::Subsystem => SUBSYSTEM,
        CallSiteKind::Exchange => EXCHANGE,
        CallSiteKind::Event => EVENT,
        CallSiteKind::Capital => CAPITAL,
        CallSiteKind::Reconciliation => RECONCILIATION,
        CallSiteKind::Timed | CallSiteKind::Counted => &[],
    }
}

/// The families that are recorded together with this one; `None` if it is always exported.
pub(super) fn group_of(family: &Family) -> Option<Group> {
    GROUPS.into_iter().find(|group| group.iter().any(|member| member.name == family.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::FAMILIES;

    /// A family in no group is listed as exported by every binary.
    #[test]
    fn each_family_that_something_has_to_record_is_in_a_group() {
        const RECORDED: [&str; 4] = ["subsystem", "exchange", "profile_id", "source"];
        let is_recorded = |family: &Family| family.labels.iter().any(|label| RECORDED.contains(label));
        // The library itself records events.
        let own = catalogue::OPERATIONAL_EVENTS_TOTAL.name;
        for family in FAMILIES.iter().filter(|family| is_recorded(family) && family.name != own) {
            assert!(group_of(family).is_some(), "{} is in no group of linked/groups.rs", family.name);
        }
    }
}
