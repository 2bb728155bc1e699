//! The names and windows from which rules are written.

use std::collections::BTreeMap;

use super::promql::{Growth, SeriesSelector, any_of, equal};
use super::scale::{MINUTE, TimeScale, in_promql};
use crate::LabelValue as _;
use crate::catalogue::{self, Family, Kind};
use crate::labels::Operation;
use crate::linked::{LinkedCatalogue, LinkedFamily};

/// The window in which a counter that grew is noticed.
pub(super) const NOTICE: u64 = 15 * MINUTE;

/// The maximum age above which a loop is paced in minutes, in seconds: ten minutes may have too few of its cycles for a
/// quantile.
const SLOW_PACED: u64 = 5 * MINUTE;

/// Loops whose rules have the same windows.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    /// A matcher of these loops; `None` if there are no others.
    pub(super) matcher: Option<String>,
    /// The largest maximum age of them, in seconds; 0 if none is known.
    pub(super) max_age: u64,
}

impl Pace {
    /// Those of these series that are about these loops.
    pub(super) fn of(&self, series: &SeriesSelector) -> SeriesSelector {
        self.matcher.as_ref().map_or_else(|| series.clone(), |matcher| series.with(matcher))
    }
}

/// A linked catalogue, and the parts of expressions that depend on it.
pub(super) struct RuleContext<'a> {
    pub(super) linked: &'a LinkedCatalogue,
    pub(super) scale: TimeScale,
    /// The value of the label `job`, by which Prometheus knows the bot.
    pub(super) job: &'a str,
}

impl<'a> RuleContext<'a> {
    /// Of the job `job`, or by default of one that is named as the bot's app.
    pub(super) fn new(linked: &'a LinkedCatalogue, scale: TimeScale, job: Option<&'a str>) -> Self {
        let app = || linked.default_labels.get("app").map_or("bot", String::as_str);
        Self { linked, scale, job: job.unwrap_or_else(app) }
    }

    /// The series of this name of the bot's job. Every selector of the rules comes from here, so that a bot is not
    /// judged by the limits of another one in the same Prometheus.
    pub(super) fn of_job(&self, name: impl Into<String>) -> SeriesSelector {
        SeriesSelector::new(name).with(equal("job", self.job))
    }

    /// The series that Prometheus itself writes about the bot's targets: 1 if the last scrape succeeded.
    pub(super) fn up(&self) -> SeriesSelector {
        self.of_job("up")
    }

    /// The series of a family; `None` unless it is linked.
    pub(super) fn series(&self, family: &Family) -> Option<SeriesSelector> {
        self.linked.family(family.name).map(|family| self.of_job(&family.name))
    }

    /// The family whose series tell env and mode of an instance.
    pub(super) fn identity(&self) -> Option<SeriesSelector> {
        let is_target_info = self.linked.default_labels_in_target_info;
        self.series(if is_target_info { &catalogue::TARGET_INFO } else { &catalogue::BUILD_INFO })
    }

    /// The series of a family if it is linked and its label can have this value.
    pub(super) fn series_with(&self, family: &Family, label: &str, value: &str) -> Option<SeriesSelector> {
        let family = self.linked.family(family.name)?;
        family.may_have(label, value).then(|| self.of_job(&family.name))
    }

    /// The names of those of these operations that a family has.
    pub(super) fn operations_of(&self, family: &Family, operations: &[Operation]) -> Vec<&'static str> {
        let names = operations.iter().map(|operation| operation.as_str());
        names.filter(|name| self.series_with(family, "operation", name).is_some()).collect()
    }

    /// The bot's own families of this kind.
    pub(super) fn own(&self, kind: Kind) -> impl Iterator<Item = &'a LinkedFamily> {
        let families = self.linked.families.iter();
        families.filter(move |family| family.origin == catalogue::Origin::Custom && family.kind == kind)
    }

    /// A duration in PromQL.
    pub(super) fn window(&self, seconds: u64) -> String {
        self.scale.duration(seconds)
    }

    /// The largest maximum age that an attribute gives for a subsystem, in whole seconds; 0 without one.
    pub(super) fn max_age(&self, subsystem: &str) -> u64 {
        self.max_ages().get(subsystem).copied().unwrap_or(0)
    }

    /// The subsystems for which attributes give a maximum age, each with the largest in whole seconds.
    fn max_ages(&self) -> BTreeMap<&'a str, u64> {
        let mut ages = BTreeMap::new();
        for function in &self.linked.functions {
            let Some(age) = function.max_age_seconds else { continue };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "ages are positive; the cast saturates"
            )]
            let age = age.get().ceil() as u64;
            for name in function.labels.get("subsystem").into_iter().flatten() {
                let longest = ages.entry(name.as_str()).or_insert(age);
                *longest = age.max(*longest);
            }
        }
        ages
    }

    /// A window of at least `least` seconds that contains several cycles of a subsystem, whose pace no time scale changes.
    pub(super) fn cycles(&self, least: u64, max_age: u64) -> String {
        let least = self.scale.milliseconds(least);
        in_promql(least.max(max_age * 1_000))
    }

    /// The loops that are paced in minutes: those with a maximum age above five minutes, each with that age in seconds.
    pub(super) fn slow_paced(&self) -> BTreeMap<&'a str, u64> {
        let mut ages = self.max_ages();
        ages.retain(|_, age| *age > SLOW_PACED);
        ages
    }

    /// The loops that are not paced in minutes.
    pub(super) fn quick_pace(&self) -> Pace {
        let slow: Vec<_> = self.slow_paced().into_keys().collect();
        let quick = self.max_ages().into_values().filter(|age| *age <= SLOW_PACED);
        Pace {
            matcher: (!slow.is_empty()).then(|| any_of("subsystem", "!~", &slow)),
            max_age: quick.max().unwrap_or(0),
        }
    }

    /// All loops: those that are not paced in minutes together, and each of the others.
    pub(super) fn paces(&self) -> Vec<Pace> {
        let slow = self.slow_paced().into_iter();
        let slow = slow.map(|(name, max_age)| Pace { matcher: Some(equal("subsystem", name)), max_age });
        [self.quick_pace()].into_iter().chain(slow).collect()
    }

    /// The growth of those of a family's series that these matchers select, within a window.
    pub(super) fn grew(&self, family: &SeriesSelector, matchers: &[String], seconds: u64) -> String {
        let start = self.series(&catalogue::PROCESS_START_TIME_SECONDS);
        let start = start.map(|start| (start, self.scale.seconds(seconds)));
        Growth { window: &self.window(seconds), up: self.up(), start }.of(family, matchers)
    }
}
