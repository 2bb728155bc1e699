//! Families from which it can be seen that something was recorded.

use crate::catalogue::{self, CREATED_BY_USE, Family, Kind, Origin};
use crate::linked::{LinkedCatalogue, LinkedFamily};

/// Gauges that count runs or calls in progress.
const IN_PROGRESS: [&Family; 2] = [&catalogue::SUBSYSTEM_IN_PROGRESS, &catalogue::EXCHANGE_API_IN_FLIGHT];

/// Whether a family has a series only after a recording.
pub(super) fn is_created_by_use(family: &LinkedFamily, of: &LinkedCatalogue) -> bool {
    if family.origin == Origin::Custom {
        return family.labels.iter().any(|label| label.values.is_none());
    }
    is_one_of(CREATED_BY_USE, family, of)
}

/// Whether a series of the family with this value means that something was recorded. A handle creates counters at 0.
pub(super) fn proves_use(family: &LinkedFamily, value: f64, of: &LinkedCatalogue) -> bool {
    if family.kind == Kind::Gauge && !is_one_of(&IN_PROGRESS, family, of) {
        is_created_by_use(family, of)
    } else {
        value > 0.0
    }
}

fn is_one_of(families: &[&Family], family: &LinkedFamily, of: &LinkedCatalogue) -> bool {
    families.iter().any(|known| known.name == of.without_namespace(family))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::FAMILIES;
    use crate::labels::{EventType, Exchange, Operation, Severity, Subsystem};
    use crate::{Mode, Settings};

    /// Without the mark, the doctor reports a family that waits for its first recording as not exported; with it, a
    /// family that is lost as one that waits.
    #[test]
    fn the_families_marked_in_the_catalogue_are_those_without_series_before_a_recording() {
        let settings = Settings::new(Mode::Paper).expect_events([(Severity::Info, EventType::Started)]);
        let metrics = settings.build().expect("legal settings");
        // Annotated functions create the same series when the bot installs its metrics.
        let _subsystem = metrics.subsystem(Subsystem::Trading);
        let _call = metrics.exchange_call(Exchange::Okx, Operation::GetOrder);
        let snapshot = metrics.snapshot();
        // The system may not offer the standard families, and `target_info` depends on the settings.
        for family in FAMILIES.iter().filter(|family| family.origin != Origin::Standard) {
            let is_named = |known: &Family| known.name == family.name;
            let has_series = snapshot.families.iter().any(|exported| is_named(exported.family));
            let is_marked = CREATED_BY_USE.iter().any(|known| is_named(known));
            assert_ne!(has_series, is_marked, "`created_by_use` of {} in catalogue.rs", family.name);
        }
    }
}
