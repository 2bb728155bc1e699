//! The families that are recorded together, by one attribute or one handle.

use crate::catalogue::{Family, RECORDED, Recorder};
use crate::sites::call_site::CallSiteKind;

type Group = &'static [&'static Family];

/// The library's families to which an attribute records; none for those that record to a family of the bot's own.
pub(super) fn recorded_by(attribute: CallSiteKind) -> Group {
    let recorder = match attribute {
        CallSiteKind::Subsystem => Recorder::Subsystems,
        CallSiteKind::Exchange => Recorder::ExchangeCalls,
        CallSiteKind::Event => Recorder::Events,
        CallSiteKind::Capital => Recorder::Profiles,
        CallSiteKind::Reconciliation => Recorder::Reconciliations,
        CallSiteKind::Timed | CallSiteKind::Counted => return &[],
    };
    RECORDED.iter().find(|(known, _)| *known == recorder).map_or(&[], |(_, group)| group)
}

/// The families that are recorded together with this one, and that a binary exports only if something records to them;
/// `None` if it is always exported.
pub(super) fn group_of(family: &Family) -> Option<Group> {
    let is_member = |group: &[&Family]| group.iter().any(|member| member.name == family.name);
    let (recorder, group) = RECORDED.iter().find(|(_, group)| is_member(group))?;
    (!recorder.records_always()).then_some(group)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{self, FAMILIES};

    /// A family that is always exported is listed for every binary.
    #[test]
    fn each_family_that_something_has_to_record_is_in_a_group() {
        const RECORDED: [&str; 4] = ["subsystem", "exchange", "profile_id", "source"];
        let is_recorded = |family: &Family| family.labels.iter().any(|label| RECORDED.contains(label));
        // The library itself records events.
        let own = catalogue::OPERATIONAL_EVENTS_TOTAL.name;
        for family in FAMILIES.iter().filter(|family| is_recorded(family) && family.name != own) {
            let name = family.name;
            assert!(group_of(family).is_some(), "{name} is recorded by a part that records always");
        }
    }
}
