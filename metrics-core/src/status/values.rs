//! The values of an instance at one moment, compared with those at the begin of the window.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::shape::{
    InvalidObservations, LabelOverflow, MarketDataStatus, MismatchCount, Notes, OperationStatus,
    ProfileStatus, Quantiles, RateLimitStatus, ReconciliationStatus,
};
use super::time::seconds;
use crate::LabelValue as _;
use crate::catalogue::{self, EXCHANGE_API_LATENCY_BUCKETS, Family, Origin};
use crate::families::profile_times::ProfileFigures;
use crate::families::rate_limit::Refusals;
use crate::families::reconciliation::Reconciliations;
use crate::history::{
    CallCounts, CountedSeries, HistoryReading, LastOrders, SeriesLabels, Steps, percentiles, rounded,
};
use crate::labels::Operation;
use crate::outcome::Outcome;
use crate::sites::call_site::{CallSiteKind, is_linked};
use crate::storage::{Sample, Snapshot, Value};

/// The limits of lists, so that a status is small.
const MOST_MARKET_DATA: usize = 50;
const MOST_PROFILES: usize = 64;
pub(super) const MOST_OWN_SERIES: usize = 120;

/// A rate over a shorter window would be that of a handful of calls.
const SHORTEST_WINDOW: Duration = Duration::from_secs(1);

/// Whether a status has a place for a family. The others have too many series, or are for Prometheus alone.
pub(super) fn is_shown(family: &Family) -> bool {
    let hidden = [catalogue::OPERATIONAL_EVENTS_TOTAL.name, catalogue::TARGET_INFO.name];
    family.origin != Origin::Standard && !hidden.contains(&family.name)
}

/// What an instance has counted, and what it had counted when the window began.
pub(super) struct StatusValues<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) now: &'a HistoryReading,
    pub(super) begin: Option<&'a HistoryReading>,
}

impl StatusValues<'_> {
    /// The length of the window.
    pub(super) fn window(&self) -> Option<Duration> {
        let window = self.now.at.boot_time.checked_sub(self.begin?.at.boot_time)?;
        (window >= SHORTEST_WINDOW).then_some(window)
    }

    /// What a series of calls or runs has counted in the window.
    pub(super) fn recent(
        &self,
        labels: &SeriesLabels,
        series: impl Fn(&HistoryReading) -> &CountedSeries,
    ) -> Option<CallCounts> {
        self.window()?;
        let then = series(self.begin?);
        if then.may_lack(labels) {
            return None;
        }
        series(self.now).values.get(labels)?.since(then.values.get(labels))
    }

    /// The number of operations, subsystems and series of own families whose counts at the beginning of the window are not
    /// known, by list.
    fn without_rate(&self) -> BTreeMap<String, u64> {
        let Some(begin) = self.begin.filter(|_| self.window().is_some()) else { return BTreeMap::new() };
        let lacking = |series: fn(&HistoryReading) -> &CountedSeries| {
            let then = series(begin);
            let counted = series(self.now).values.iter().filter(|(_, counts)| counts.has_begun());
            counted.filter(|(labels, _)| then.may_lack(labels)).count()
        };
        noted([
            ("operations", lacking(|reading| &reading.operations)),
            ("subsystems", lacking(|reading| &reading.subsystems)),
            ("own_families", self.now.own.values.keys().filter(|key| begin.own.may_lack(key)).count()),
        ])
    }

    /// The number of operations, subsystems and profiles for which the history has no room, by list.
    fn without_steps(&self, steps: &Steps) -> BTreeMap<String, u64> {
        let called = self.now.operations.values.iter().filter(|(_, counts)| counts.ended() > 0);
        let run = self.now.subsystems.values.iter().filter(|(_, counts)| counts.ended() > 0);
        noted([
            ("operations", steps.without_room(&steps.operations, called.map(|(labels, _)| labels))),
            ("subsystems", steps.without_room(&steps.subsystems, run.map(|(labels, _)| labels))),
            ("profiles", steps.without_room(&steps.utilization, self.now.utilization.keys())),
        ])
    }

    /// A number in the window as a rate per second.
    pub(super) fn rate(&self, number: f64) -> Option<f64> {
        self.window().map(|window| rounded(number / window.as_secs_f64()))
    }

    /// The number of ends per second.
    pub(super) fn rate_of(&self, recent: &CallCounts) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a rate has three digits")]
        self.rate(recent.ended() as f64)
    }

    pub(super) fn samples(&self, family: &Family) -> &[Sample] {
        let found = self.snapshot.families.iter().find(|found| found.family.name == family.name);
        found.map_or(&[], |found| &found.samples)
    }

    fn counters(&self, family: &Family) -> impl Iterator<Item = (&[Cow<'static, str>], u64)> {
        self.samples(family).iter().filter_map(|Sample { labels, value }| match value {
            Value::Counter(count) => Some((&labels[..], *count)),
            _ => None,
        })
    }

    fn gauges(&self, family: &Family) -> impl Iterator<Item = (&[Cow<'static, str>], f64)> {
        self.samples(family).iter().filter_map(|Sample { labels, value }| match value {
            Value::Gauge(gauge) => Some((&labels[..], *gauge)),
            _ => None,
        })
    }

    fn counter(&self, family: &Family) -> u64 {
        self.counters(family).map(|(_, count)| count).sum()
    }

    pub(super) fn operations(&self) -> Vec<OperationStatus> {
        let operation = |(labels, counts): (&SeriesLabels, &CallCounts)| {
            let recent = self.recent(labels, |reading| &reading.operations);
            let recent = recent.as_ref();
            OperationStatus {
                exchange: label(labels, 0),
                operation: label(labels, 1),
                calls: counts.ended(),
                in_flight: counts.in_progress,
                outcomes: outcomes(counts),
                rate: recent.and_then(|recent| self.rate_of(recent)),
                quantiles: recent
                    .and_then(|recent| quantiles(&recent.buckets, &EXCHANGE_API_LATENCY_BUCKETS)),
                recent_outcomes: recent.map(outcomes),
                recent_failed: recent.map(CallCounts::failed_calls),
                places_orders: Operation::PLACING.iter().any(|placing| labels[1..] == [placing.as_str()]),
            }
        };
        self.now.operations.values.iter().map(operation).collect()
    }

    /// `refusals` are the current ones, with the rest of their time.
    pub(super) fn rate_limits(&self, refusals: &Refusals) -> Vec<RateLimitStatus> {
        let used = self.gauges(&catalogue::EXCHANGE_RATE_LIMIT_USED_RATIO);
        let used: BTreeMap<_, _> = used.map(|(labels, used)| ((&*labels[0], &*labels[1]), used)).collect();
        let names: BTreeSet<_> = used.keys().chain(refusals.keys()).copied().collect();
        let limit = |(exchange, limit): (&str, &str)| RateLimitStatus {
            exchange: exchange.to_owned(),
            limit: limit.to_owned(),
            used_ratio: used.get(&(exchange, limit)).copied(),
            refused_seconds: refusals.get(&(exchange, limit)).copied().map(seconds),
        };
        names.into_iter().map(limit).collect()
    }

    pub(super) fn market_data(&self, notes: &mut Notes) -> Vec<MarketDataStatus> {
        let now = self.now.at.wall.as_secs_f64();
        let updates = self.gauges(&catalogue::MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS);
        let age = |updated: f64| seconds(Duration::try_from_secs_f64(now - updated).unwrap_or_default());
        let mut market_data: Vec<_> = updates
            .map(|(labels, updated)| MarketDataStatus {
                exchange: label(labels, 0),
                symbol: label(labels, 1),
                age_seconds: age(updated),
            })
            .collect();
        market_data.sort_by(|one, other| other.age_seconds.total_cmp(&one.age_seconds));
        cut(&mut market_data, MOST_MARKET_DATA, "market_data", notes);
        market_data
    }

    /// `figures` are those of the last updates; `orders` are those that a server has sampled.
    pub(super) fn profiles(
        &self,
        figures: &BTreeMap<Arc<str>, ProfileFigures>,
        orders: Option<&LastOrders>,
        notes: &mut Notes,
    ) -> Vec<ProfileStatus> {
        let below: BTreeMap<_, _> = self.gauges(&catalogue::CAPITAL_BELOW_ZERO).collect();
        let utilization: BTreeMap<_, _> = self.gauges(&catalogue::PROFILE_UTILIZATION_PERCENT).collect();
        let profile = |(labels, violations): (&[Cow<'static, str>], u64)| {
            let profile = label(labels, 0);
            let figures = figures.get(&*profile);
            let amounts = figures.map(|figures| figures.reading);
            let placed = self.now.placed.get(&*profile).copied();
            let now = self.now.at.boot_time;
            let last_order = placed.and_then(|placed| orders?.at(&profile, placed, now));
            ProfileStatus {
                utilization_percent: utilization.get(labels).copied(),
                below_zero: below.get(labels).map(|below| *below > 0.0),
                violations,
                allocated: amounts.map(|amounts| amounts.allocated),
                used: amounts.map(|amounts| amounts.used),
                available: amounts.map(|amounts| amounts.available),
                age_seconds: figures.and_then(|figures| figures.age).map(seconds),
                orders_placed: placed,
                order_age_seconds: last_order.map(|at| seconds(now.saturating_sub(at))),
                profile,
            }
        };
        let mut profiles: Vec<_> =
            self.counters(&catalogue::CAPITAL_INVARIANT_VIOLATIONS_TOTAL).map(profile).collect();
        // Those at risk must not be the ones that are left out.
        profiles.sort_by_key(|profile| profile.below_zero != Some(true));
        cut(&mut profiles, MOST_PROFILES, "profiles", notes);
        profiles.sort_by(|one, other| one.profile.cmp(&other.profile));
        profiles
    }

    pub(super) fn reconciliation(&self, reconciliations: &Reconciliations) -> ReconciliationStatus {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count, and a cast saturates"
        )]
        let missing = self
            .gauges(&catalogue::RECONCILIATION_MISSING_ITEMS_COUNT)
            .map(|(labels, count)| (label(labels, 0), count as u64));
        let missing: BTreeMap<_, _> = missing.collect();
        let kinds = self.counters(&catalogue::RECONCILIATION_MISMATCHES_BY_KIND_TOTAL);
        let kind = |(labels, count): (&[Cow<'static, str>], u64)| MismatchCount {
            kind: label(labels, 0),
            source: label(labels, 1),
            count,
        };
        ReconciliationStatus {
            is_used: reconciliations.has_begun() || is_linked(CallSiteKind::Reconciliation),
            missing: (!missing.is_empty()).then_some(missing),
            mismatches: self.counter(&catalogue::RECONCILIATION_MISMATCHES_TOTAL),
            kinds: kinds.map(kind).collect(),
            age_seconds: reconciliations
                .committed_at()
                .map(|at| seconds(self.now.at.boot_time.saturating_sub(at))),
        }
    }

    pub(super) fn notes(&self, steps: &Steps) -> Notes {
        let above_zero = |family| self.counters(family).filter(|(_, count)| *count > 0);
        let overflow = |(labels, count): (&[Cow<'static, str>], u64)| LabelOverflow {
            metric: label(labels, 0),
            label: label(labels, 1),
            count,
        };
        let invalid = |(labels, count): (&[Cow<'static, str>], u64)| InvalidObservations {
            metric: label(labels, 0),
            count,
        };
        Notes {
            label_overflow: above_zero(&catalogue::LABEL_OVERFLOW_TOTAL).map(overflow).collect(),
            invalid_observations: above_zero(&catalogue::INVALID_OBSERVATIONS_TOTAL).map(invalid).collect(),
            foreign_collector_failures: above_zero(&catalogue::FOREIGN_COLLECTOR_FAILURES_TOTAL)
                .map(|(labels, count)| (label(labels, 0), count))
                .collect(),
            recordings_lost: self.counter(&catalogue::RECORDINGS_LOST_TOTAL),
            clock_fallbacks: self.counter(&catalogue::CLOCK_FALLBACKS_TOTAL),
            left_out: BTreeMap::new(),
            without_rate: self.without_rate(),
            without_steps: self.without_steps(steps),
        }
    }
}

pub(super) fn label(labels: &[Cow<'static, str>], index: usize) -> String {
    labels.get(index).map(ToString::to_string).unwrap_or_default()
}

/// The outcomes that have occurred.
pub(super) fn outcomes(counts: &CallCounts) -> BTreeMap<String, u64> {
    let occurred = Outcome::VALUES.iter().zip(counts.outcomes).filter(|(_, count)| *count > 0);
    occurred.map(|(outcome, count)| ((*outcome).to_owned(), count)).collect()
}

/// The quantiles of observations that are counted by bucket.
pub(super) fn quantiles(buckets: &[u64], bounds: &[f64]) -> Option<Quantiles> {
    let [p50, p90, p99] = percentiles(buckets, bounds)?.map(rounded);
    Some(Quantiles { p50, p90, p99, resolution: *bounds.first()? })
}

/// The numbers above 0.
fn noted<const N: usize>(numbers: [(&str, usize); N]) -> BTreeMap<String, u64> {
    let above = numbers.into_iter().filter(|(_, number)| *number > 0);
    above.map(|(name, number)| (name.to_owned(), number as u64)).collect()
}

/// Shortens a list, and notes how many items it lost.
fn cut<T>(list: &mut Vec<T>, most: usize, name: &str, notes: &mut Notes) {
    let left_out = list.len().saturating_sub(most);
    if left_out > 0 {
        list.truncate(most);
        notes.left_out.insert(name.to_owned(), left_out as u64);
    }
}
