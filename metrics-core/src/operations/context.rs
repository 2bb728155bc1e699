//! The names and windows from which rules are written.

use std::collections::BTreeMap;

use super::scale::{MINUTE, TimeScale, in_promql};
use crate::LabelValue as _;
use crate::catalogue::{self, Family, Kind};
use crate::labels::Operation;
use crate::linked::{LinkedCatalogue, LinkedFamily};

/// The window in which a counter that grew is noticed.
pub(super) const NOTICE: u64 = 15 * MINUTE;

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

    /// The full name of a family; `None` unless it is linked.
    pub(super) fn name(&self, family: &Family) -> Option<String> {
        self.linked.family(family.name).map(|family| family.name.clone())
    }

    /// The family whose series tell env and mode of an instance.
    pub(super) fn identity(&self) -> Option<String> {
        let is_target_info = self.linked.default_labels_in_target_info;
        self.name(if is_target_info { &catalogue::TARGET_INFO } else { &catalogue::BUILD_INFO })
    }

    /// The name of a family if it is linked and its label can have this value.
    pub(super) fn name_with(&self, family: &Family, label: &str, value: &str) -> Option<String> {
        let family = self.linked.family(family.name)?;
        family.may_have(label, value).then(|| family.name.clone())
    }

    /// The names of those of these operations that a family has.
    pub(super) fn operations_of(&self, family: &Family, operations: &[Operation]) -> Vec<&'static str> {
        let names = operations.iter().map(|operation| operation.as_str());
        names.filter(|name| self.name_with(family, "operation", name).is_some()).collect()
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

    /// The largest limit of a subsystem's age that an attribute gives, in whole seconds: for one subsystem, or for all.
    pub(super) fn longest_max_age(&self, subsystem: Option<&str>) -> u64 {
        let functions = self.linked.functions.iter().filter(|function| {
            let names = function.labels.get("subsystem");
            names.is_some_and(|names| subsystem.is_none_or(|name| names.iter().any(|known| known == name)))
        });
        let ages = functions.filter_map(|function| function.max_age_seconds).map(|age| age.get().ceil());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "ages are positive; the cast saturates"
        )]
        ages.map(|age| age as u64).max().unwrap_or(0)
    }

    /// A window of at least `least` seconds that contains several cycles of a subsystem, whose pace no time scale changes.
    pub(super) fn cycles(&self, least: u64, max_age: u64) -> String {
        let least = self.scale.milliseconds(least);
        in_promql(least.max(max_age * 1_000))
    }

    /// The subsystems with a maximum age above five minutes, each with that age in seconds. Ten minutes may have too few of
    /// their cycles for a quantile.
    pub(super) fn slow_paced(&self) -> BTreeMap<&'a str, u64> {
        let mut ages = BTreeMap::new();
        for function in &self.linked.functions {
            let names = function.labels.get("subsystem").into_iter().flatten();
            for name in names {
                let age = self.longest_max_age(Some(name));
                if age > 5 * MINUTE {
                    ages.insert(name.as_str(), age);
                }
            }
        }
        ages
    }

    /// The growth of a counter within a window, where positive. `matchers` select its series, in braces. A series that
    /// began within the window counts in full if the bot could be scraped before, or has just started: `increase` does not
    /// see its first value. Otherwise, after Prometheus was down, old counts would look new.
    ///
    /// The growth is not a whole number, because `increase` extrapolates by up to the time of one scrape: a threshold has
    /// to lie between two of them.
    pub(super) fn grew(&self, family: &str, matchers: &str, seconds: u64) -> String {
        let window = self.window(seconds);
        let mut scraped = format!("(up offset {window} == 1)");
        if let Some(start) = self.name(&catalogue::PROCESS_START_TIME_SECONDS) {
            let young = self.scale.seconds(seconds);
            scraped = format!("({scraped} or (time() - {start} < {young}))");
        }
        let series = format!("{family}{matchers}");
        format!(
            "({series} > 0 unless {family} offset {window})\n  and on (job, instance) {scraped}\n\
             or increase({series}[{window}]) > 0"
        )
    }
}
