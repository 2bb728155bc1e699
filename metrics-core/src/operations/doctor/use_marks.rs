//! Families from which it can be seen that something was recorded.

use crate::catalogue::{self, Family, Kind, Origin};
use crate::linked::{LinkedCatalogue, LinkedFamily};

/// Families of the library that have a series only after a recording.
const CREATED_BY_USE: [&Family; 12] = [
    &catalogue::SUBSYSTEM_LAST_RUN_TIMESTAMP,
    &catalogue::SUBSYSTEM_LAST_ATTEMPT_TIMESTAMP_SECONDS,
    &catalogue::EXCHANGE_RATE_LIMIT_USED_RATIO,
    &catalogue::CAPITAL_INVARIANT_VIOLATIONS_TOTAL,
    &catalogue::CAPITAL_BELOW_ZERO,
    &catalogue::PROFILE_UTILIZATION_PERCENT,
    &catalogue::RECONCILIATION_MISSING_ITEMS_COUNT,
    &catalogue::MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS,
    &catalogue::LABEL_OVERFLOW_TOTAL,
    &catalogue::INVALID_OBSERVATIONS_TOTAL,
    &catalogue::SCRAPE_DURATION_SECONDS,
    &catalogue::TOKIO_SCHEDULER_LAG_SECONDS,
];

/// Gauges that count runs or calls in progress.
const IN_PROGRESS: [&Family; 2] = [&catalogue::SUBSYSTEM_IN_PROGRESS, &catalogue::EXCHANGE_API_IN_FLIGHT];

/// Whether a family has a series only after a recording.
pub(super) fn is_created_by_use(family: &LinkedFamily, of: &LinkedCatalogue) -> bool {
    if family.origin == Origin::Custom {
        return family.labels.iter().any(|label| label.values.is_none());
    }
    is_one_of(&CREATED_BY_USE, family, of)
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
