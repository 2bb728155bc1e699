//! Reads the bot's figures from its own metrics.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant, SystemTime};

use bot_metrics::catalogue::EXCHANGE_API_LATENCY_BUCKETS;
use bot_metrics::prelude::*;
use bot_metrics::{Sample, Snapshot, SubsystemHealth, Value};
use bot_metrics_examples::fault::{Fault, Switchboard};

use crate::figures::{CallFigures, FaultFigures, Figures, LoopFigures, LoopState, ProfileFigures};
use crate::profile::PROFILES;

/// Figures of calls cover this time.
const WINDOW: Duration = Duration::from_mins(1);

/// The distance of the counts that are kept for that.
const STEP: Duration = Duration::from_secs(2);

/// Reads figures, and remembers the counts of the last minute.
#[derive(Debug)]
pub(crate) struct Sampler {
    metrics: Metrics,
    faults: Switchboard,
    url: Option<String>,
    started: Instant,
    /// The counts of calls at earlier times, oldest first.
    earlier: VecDeque<(Instant, BTreeMap<String, Calls>)>,
    /// The counts of runs at the last reading, and the outcome of the last failure, by loop.
    runs: BTreeMap<String, (BTreeMap<String, u64>, Option<String>)>,
}

/// The counts of an operation since the start.
#[derive(Debug, Clone, Default)]
struct Calls {
    /// Calls that took at most as long as each bound, and all.
    cumulative: Vec<u64>,
    all: u64,
    rejected: u64,
    failed: u64,
}

impl Sampler {
    /// A sampler for the bot that started at `started` and whose page is at `url`.
    pub(crate) fn new(metrics: Metrics, faults: Switchboard, url: Option<String>, started: Instant) -> Self {
        let earlier = VecDeque::from([(started, BTreeMap::new())]);
        Self { metrics, faults, url, started, earlier, runs: BTreeMap::new() }
    }

    /// The figures of now.
    pub(crate) fn figures(&mut self) -> Figures {
        let reading = Reading(self.metrics.snapshot());
        Figures {
            url: self.url.clone(),
            mode: self.metrics.settings().mode().as_str(),
            uptime_seconds: self.started.elapsed().as_secs_f64(),
            weight_used_ratio: reading.gauge("exchange_rate_limit_used_ratio", &["paper", "request_weight"]),
            loops: self.metrics.health().into_iter().map(|health| self.look_at(&reading, health)).collect(),
            profiles: PROFILES.map(|profile| reading.profile(profile.id)).into(),
            calls: self.calls(&reading),
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

    fn look_at(&mut self, reading: &Reading, health: SubsystemHealth) -> LoopFigures {
        let name = health.subsystem;
        let (before, failure) = self.runs.entry(name.to_owned()).or_default();
        let counts = reading.counts("subsystem_runs_total", name);
        let risen = |outcome: &&String| counts[*outcome] > before.get(*outcome).copied().unwrap_or(0);
        let failed = counts.keys().filter(|outcome| *outcome != "ok" && *outcome != "skipped").find(risen);
        if let Some(failed) = failed {
            *failure = Some(failed.clone());
        }
        let [success, attempt] = ["subsystem_last_run_timestamp", "subsystem_last_attempt_timestamp_seconds"]
            .map(|family| reading.gauge(family, &[name]));
        let last_outcome = match attempt {
            Some(_) if attempt == success => Some("ok".to_owned()),
            Some(_) => failure.clone(),
            None => None,
        };
        *before = counts;
        let is_failing = last_outcome.as_ref().is_some_and(|outcome| outcome != "ok");
        LoopFigures {
            name: name.to_owned(),
            state: state(&health, is_failing),
            age_seconds: health.age.as_secs_f64(),
            limit_seconds: health.max_age.as_secs_f64(),
            last_outcome,
            running_seconds: health.running_for.map(|running| running.as_secs_f64()),
            paused: health.paused.map(|reason| reason.to_string()),
        }
    }

    /// The calls of the last minute.
    fn calls(&mut self, reading: &Reading) -> Vec<CallFigures> {
        let (now, counts) = (Instant::now(), reading.calls());
        while self.earlier.get(1).is_some_and(|(at, _)| now - *at >= WINDOW) {
            self.earlier.pop_front();
        }
        let figures = self.earlier.front().map(|(since, before)| {
            let none = Calls::default();
            let call = |(operation, calls): (&String, &Calls)| {
                calls.since(before.get(operation).unwrap_or(&none), operation, now - *since)
            };
            counts.iter().map(call).collect()
        });
        if self.earlier.back().is_none_or(|(at, _)| now - *at >= STEP) {
            self.earlier.push_back((now, counts));
        }
        figures.unwrap_or_default()
    }

    fn active_faults(&self) -> Vec<FaultFigures> {
        let active = Fault::ALL.iter().copied().filter(|fault| self.faults.is_on(*fault));
        active.map(|fault| FaultFigures { name: fault.as_str(), see: fault.metric() }).collect()
    }
}

fn state(health: &SubsystemHealth, is_failing: bool) -> LoopState {
    if health.paused.is_some() {
        LoopState::Paused
    } else if health.hung_for.is_some() {
        LoopState::Hung
    } else if !health.is_alive() {
        LoopState::Stalled
    } else if health.runs_ended == 0 {
        LoopState::Waiting
    } else if is_failing {
        LoopState::Failing
    } else {
        LoopState::Fresh
    }
}

impl Calls {
    /// The calls between `before` and these counts.
    fn since(&self, before: &Self, operation: &str, time: Duration) -> CallFigures {
        let earlier = before.cumulative.iter().copied().chain(std::iter::repeat(0));
        let cumulative: Vec<_> =
            self.cumulative.iter().zip(earlier).map(|(now, then)| now.saturating_sub(then)).collect();
        let calls = self.all.saturating_sub(before.all);
        CallFigures {
            operation: operation.to_owned(),
            calls: self.all,
            per_second: as_f64(calls) / time.as_secs_f64(),
            p50_seconds: quantile(&cumulative, 0.5),
            p99_seconds: quantile(&cumulative, 0.99),
            rejected: self.rejected.saturating_sub(before.rejected),
            failed: self.failed.saturating_sub(before.failed),
        }
    }
}

/// A quantile as Prometheus' `histogram_quantile` computes it; `None` without observations.
fn quantile(cumulative: &[u64], q: f64) -> Option<f64> {
    let all = as_f64(*cumulative.last().filter(|all| **all > 0)?);
    let index = cumulative.iter().position(|count| as_f64(*count) >= q * all)?;
    let last = EXCHANGE_API_LATENCY_BUCKETS.len() - 1;
    let Some(end) = EXCHANGE_API_LATENCY_BUCKETS.get(index) else {
        return Some(EXCHANGE_API_LATENCY_BUCKETS[last]);
    };
    let (start, below) = match index.checked_sub(1) {
        Some(before) => (EXCHANGE_API_LATENCY_BUCKETS[before], as_f64(cumulative[before])),
        None => (0.0, 0.0),
    };
    Some(start + (end - start) * (q * all - below) / (as_f64(cumulative[index]) - below))
}

#[expect(clippy::cast_precision_loss, reason = "counts of one run of the bot")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

/// All metrics at one moment.
struct Reading(Snapshot);

impl Reading {
    fn samples(&self, family: &str) -> &[Sample] {
        let found = self.0.families.iter().find(|found| found.family.name == family);
        found.map(|found| found.samples.as_slice()).unwrap_or_default()
    }

    fn gauge(&self, family: &str, labels: &[&str]) -> Option<f64> {
        self.samples(family).iter().find_map(|sample| match sample.value {
            Value::Gauge(value) if sample.labels == labels => Some(value),
            _ => None,
        })
    }

    /// The counters of a family whose first label is `first`, by their second label.
    fn counts(&self, family: &str, first: &str) -> BTreeMap<String, u64> {
        let samples = self.samples(family).iter().filter(|sample| sample.labels[0] == first);
        samples.filter_map(|sample| Some((sample.labels[1].to_string(), count(sample)?))).collect()
    }

    fn events(&self, event_type: &str, profile: &str) -> u64 {
        let samples = self.samples("operational_events_total").iter();
        let of = samples.filter(|sample| sample.labels[1] == event_type && sample.labels[2] == profile);
        of.filter_map(count).sum()
    }

    fn profile(&self, name: &str) -> ProfileFigures {
        let gauge = |family| self.gauge(family, &[name]);
        ProfileFigures {
            name: name.to_owned(),
            placed: self.events("ORDER_PLACED", name),
            fills: self.events("ORDER_FILLED", name),
            cancelled: self.events("ORDER_CANCELLED", name),
            open: gauge("open_orders"),
            capital_used_percent: gauge("profile_utilization_percent"),
            is_below_zero: gauge("capital_below_zero") == Some(1.0),
            profit_usdt: gauge("profit_usdt"),
        }
    }

    /// The counts of calls by operation.
    fn calls(&self) -> BTreeMap<String, Calls> {
        let mut calls: BTreeMap<String, Calls> = BTreeMap::new();
        for sample in self.samples("exchange_api_latency_seconds") {
            if let Value::Histogram(histogram) = &sample.value {
                let entry = calls.entry(sample.labels[1].to_string()).or_default();
                entry.cumulative = histogram.cumulative().collect();
            }
        }
        for sample in self.samples("exchange_api_requests_total") {
            let entry = calls.entry(sample.labels[1].to_string()).or_default();
            let count = count(sample).unwrap_or(0);
            entry.all += count;
            match sample.labels[2].as_ref() {
                "ok" => {}
                "rejected" => entry.rejected += count,
                _ => entry.failed += count,
            }
        }
        calls
    }
}

fn count(sample: &Sample) -> Option<u64> {
    match sample.value {
        Value::Counter(value) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
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

        assert_eq!(trading(&after).state, LoopState::Fresh);
        rehearsal.faults.begin(Fault::ServerError);
        assert!(rehearsal.bot.trading_cycle().await.is_err());
        let figures = sampler.figures();
        assert_eq!(trading(&figures).state, LoopState::Failing);
        let fault = FaultFigures { name: "server-error", see: Fault::ServerError.metric() };
        assert_eq!(figures.faults, [fault]);
    }

    #[test]
    fn quantiles_are_those_of_prometheus() {
        let bounds = EXCHANGE_API_LATENCY_BUCKETS.len();
        let mut cumulative = vec![10; bounds + 1];
        cumulative[0] = 0;
        assert_eq!(quantile(&cumulative, 0.5), Some(f64::midpoint(0.005, 0.01)));
        let above_all = [vec![0; bounds], vec![3]].concat();
        assert_eq!(quantile(&above_all, 0.99), Some(30.0));
        assert_eq!(quantile(&vec![0; bounds + 1], 0.5), None);
    }
}
