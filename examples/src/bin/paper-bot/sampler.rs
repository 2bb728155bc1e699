//! Reads the bot's figures from its own metrics, as any other bot could.

use std::collections::BTreeMap;
use std::time::{Instant, SystemTime};

use bot_metrics::prelude::*;
use bot_metrics::status::{
    Level, OperationStatus, ProfileStatus, Reason, ReasonKind, SubsystemStatus, Verdict,
};
use bot_metrics::{Sample, Snapshot, Value};
use bot_metrics_examples::fault::{Fault, Switchboard};

use crate::figures::{CallFigures, FaultFigures, Figures, LoopFigures, ProfileFigures};
use crate::profile::PROFILES;

/// Reads figures.
#[derive(Debug)]
pub(crate) struct Sampler {
    metrics: Metrics,
    faults: Switchboard,
    url: Option<String>,
    started: Instant,
    /// The sequence number of the last status; the history up to it is left out of the next.
    seen: u64,
}

impl Sampler {
    /// A sampler for the bot that started at `started` and whose page is at `url`.
    pub(crate) fn new(metrics: Metrics, faults: Switchboard, url: Option<String>, started: Instant) -> Self {
        Self { metrics, faults, url, started, seen: 0 }
    }

    /// The figures of now.
    pub(crate) fn figures(&mut self) -> Figures {
        let status = self.metrics.status_since(self.seen);
        self.seen = status.sequence;
        let reading = Reading(self.metrics.snapshot());
        let capital = |name: &str| status.profiles.iter().find(|profile| profile.profile == name);
        let loops =
            status.subsystems.iter().map(|subsystem| loop_figures(subsystem, &status.verdict)).collect();
        Figures {
            url: self.url.clone(),
            is_well: status.verdict.level <= Level::Waiting,
            verdict: status.verdict.text,
            mode: status.mode,
            uptime_seconds: self.started.elapsed().as_secs_f64(),
            weight_used_ratio: status.rate_limits.first().and_then(|limit| limit.used_ratio),
            profiles: PROFILES.map(|profile| reading.profile(profile.id, capital(profile.id))).into(),
            loops,
            calls: status.operations.into_iter().map(CallFigures::from).collect(),
            faults: self.active_faults(),
        }
    }

    /// The last orders, `most` at most, oldest first, each in one line.
    pub(crate) fn orders(&self, most: usize) -> Vec<String> {
        let events = self.metrics.recent_events();
        let orders = events.iter().filter(|event| event.event_type.starts_with("ORDER_"));
        let mut lines: Vec<_> = orders
            .take(most)
            .map(|event| {
                let ago = SystemTime::now().duration_since(event.at).unwrap_or_default();
                let at = self.started.elapsed().saturating_sub(ago).as_secs_f64();
                let (kind, profile, symbol) = (&event.event_type, &event.profile, &event.symbol);
                format!("[{at:7.1}s] {kind} {profile} {symbol}: {}", event.text)
            })
            .collect();
        lines.reverse();
        lines
    }

    fn active_faults(&self) -> Vec<FaultFigures> {
        let active = Fault::ALL.iter().copied().filter(|fault| self.faults.is_on(*fault));
        active.map(|fault| FaultFigures { name: fault.as_str(), see: fault.metric() }).collect()
    }
}

fn loop_figures(status: &SubsystemStatus, verdict: &Verdict) -> LoopFigures {
    let is_of_loop = |reason: &&Reason| {
        let is_problem = matches!(reason.kind, ReasonKind::Hung | ReasonKind::Stalled | ReasonKind::Failing);
        is_problem && reason.level == Level::Critical && reason.subject == status.subsystem
    };
    LoopFigures {
        name: status.subsystem.clone(),
        state: status.state,
        is_alive: status.alive,
        age_seconds: status.age_seconds,
        age_origin: status.age_origin,
        limit_seconds: status.limit_seconds,
        last_outcome: status.last_outcome.clone(),
        running_seconds: status.running_seconds,
        paused: status.paused.clone(),
        problem: verdict.all_reasons().find(is_of_loop).map(|reason| reason.text.clone()),
    }
}

impl From<OperationStatus> for CallFigures {
    fn from(status: OperationStatus) -> Self {
        let rejected = |recent: &BTreeMap<String, u64>| recent.get("rejected").copied().unwrap_or(0);
        Self {
            rejected: status.recent_outcomes.as_ref().map(rejected),
            failed: status.recent_failed,
            operation: status.operation,
            calls: status.calls,
            per_second: status.rate,
            p50_seconds: status.quantiles.as_ref().map(|quantiles| quantiles.p50),
            p99_seconds: status.quantiles.as_ref().map(|quantiles| quantiles.p99),
        }
    }
}

/// All metrics at one moment, for counts of events and gauges of the bot's own, of which a status has the last ones only.
struct Reading(Snapshot);

impl Reading {
    fn samples(&self, family: &str) -> &[Sample] {
        let found = self.0.families.iter().find(|found| found.family.name == family);
        found.map(|found| found.samples.as_slice()).unwrap_or_default()
    }

    fn gauge(&self, family: &str, label: &str) -> Option<f64> {
        self.samples(family).iter().find_map(|sample| match sample.value {
            Value::Gauge(value) if sample.labels == [label] => Some(value),
            _ => None,
        })
    }

    fn events(&self, event_type: &str, profile: &str) -> u64 {
        let samples = self.samples("operational_events_total").iter();
        let of = samples.filter(|sample| sample.labels[1] == event_type && sample.labels[2] == profile);
        let counts = of.filter_map(|sample| match sample.value {
            Value::Counter(count) => Some(count),
            _ => None,
        });
        counts.sum()
    }

    fn profile(&self, name: &str, capital: Option<&ProfileStatus>) -> ProfileFigures {
        ProfileFigures {
            name: name.to_owned(),
            placed: self.events("ORDER_PLACED", name),
            fills: self.events("ORDER_FILLED", name),
            cancelled: self.events("ORDER_CANCELLED", name),
            open: self.gauge("open_orders", name),
            capital_used_percent: capital.and_then(|capital| capital.utilization_percent),
            is_below_zero: capital.is_some_and(|capital| capital.below_zero == Some(true)),
            profit_usdt: self.gauge("profit_usdt", name),
        }
    }
}

#[cfg(test)]
mod tests {
    use bot_metrics::AgeOrigin;
    use bot_metrics::status::SubsystemState;

    use super::*;
    use crate::rehearsal::Rehearsal;

    fn trading(figures: &Figures) -> &LoopFigures {
        figures.loops.iter().find(|figures| figures.name == "trading").unwrap()
    }

    #[tokio::test]
    async fn the_figures_are_those_of_the_bot() {
        let rehearsal = Rehearsal::start().await;
        let desk = rehearsal.desk();
        let mut sampler = rehearsal.bot.sampler();
        let before = sampler.figures();
        rehearsal.bot.trading_cycle().await.unwrap();
        let after = sampler.figures();

        let (before, figures) = (&before.profiles[0], &after.profiles[0]);
        assert_eq!(figures.name, desk.profile.id);
        let placed = rehearsal.bot.journal.tally(Some(desk.profile.id)).placed;
        assert!(placed > 0);
        assert_eq!(figures.placed - before.placed, placed);
        let open = u32::try_from(desk.orders().open_count()).unwrap();
        assert_eq!(figures.open, Some(open.into()));
        assert!(figures.capital_used_percent.is_some_and(|used| used > 10.0), "{figures:?}");
        assert_eq!(figures.profit_usdt, Some(0.0));
        let called = after.calls.iter().find(|call| call.operation == "place_order").unwrap();
        assert!(called.calls >= placed, "{called:?}");
        assert_eq!((called.per_second, called.is_in_use()), (None, true), "nothing samples the metrics");

        assert_eq!(trading(&after).state, SubsystemState::Fresh);
        assert_eq!(
            (trading(&after).age_origin, trading(&after).problem.as_ref()),
            (AgeOrigin::Succeeded, None)
        );
        rehearsal.faults.begin(Fault::ServerError);
        assert!(rehearsal.bot.trading_cycle().await.is_err());
        let figures = sampler.figures();
        assert_eq!(trading(&figures).state, SubsystemState::Failing);
        assert!(!figures.is_well, "{}", figures.verdict);
        let fault = FaultFigures { name: "server-error", see: Fault::ServerError.metric() };
        assert_eq!(figures.faults, [fault]);
    }
}
