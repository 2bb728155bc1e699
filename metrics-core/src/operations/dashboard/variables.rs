//! The choices above the dashboard, and the marks in its charts.

use super::panel::{BAD, NEUTRAL};
use super::selectors::Selectors;

/// A choice of the values of a label.
pub(super) struct DashboardVariable {
    /// The name, which is that of the label.
    pub(super) name: &'static str,
    /// The series whose label has the values.
    pub(super) series: String,
    /// Whether all values are selected by a pattern that also matches series without the label. Otherwise only the
    /// listed values are selected, which depend on the variables before.
    pub(super) matches_any: bool,
}

/// Marks at the times at which a query has results.
pub(super) struct DashboardAnnotation {
    pub(super) name: &'static str,
    pub(super) expr: String,
    pub(super) text: &'static str,
    pub(super) colour: &'static str,
    /// Whether the values are the times, in milliseconds.
    pub(super) values_are_times: bool,
}

/// The variables of the linked families, each of which depends on those before it.
pub(super) fn variables(selectors: &Selectors<'_>) -> Vec<DashboardVariable> {
    let identity = selectors.identity().map_or("", |family| &family.name);
    let of_identity = |name, matchers: &str| {
        let series =
            if matchers.is_empty() { identity.to_owned() } else { format!("{identity}{{{matchers}}}") };
        Some(DashboardVariable { name, series, matches_any: false })
    };
    let of_family = |name, series| {
        selectors.expand(series).map(|series| {
            let own = format!(", {name}=~\"${name}\"");
            DashboardVariable { name, series: series.replace(&own, ""), matches_any: true }
        })
    };
    let variables = [
        of_identity("job", ""),
        of_identity("env", r#"job=~"$job""#),
        of_identity("mode", r#"job=~"$job", env=~"$env""#),
        of_identity("instance", r#"job=~"$job", env=~"$env", mode=~"$mode""#),
        of_family("exchange", "@exchange_api_latency_seconds_count"),
        of_family("profile_id", "@profile_utilization_percent"),
    ];
    variables.into_iter().flatten().collect()
}

pub(super) fn annotations(selectors: &Selectors<'_>) -> Vec<DashboardAnnotation> {
    let alerts = DashboardAnnotation {
        name: "Alerts",
        expr: r#"ALERTS{alertstate="firing", severity=~"critical|warning", job=~"$job", instance=~"$instance|"}"#
            .to_owned(),
        text: "{{alertname}} {{subsystem}} {{exchange}} {{profile_id}}",
        colour: BAD,
        values_are_times: false,
    };
    let started = selectors.expand("@process_start_time_seconds * 1000").map(|expr| DashboardAnnotation {
        name: "Starts",
        expr,
        text: "{{instance}} started",
        colour: NEUTRAL,
        values_are_times: true,
    });
    [alerts].into_iter().chain(started).collect()
}
