use std::time::Duration;

use super::*;
use crate::labels::{EventType, Exchange, Operation, RateLimit, Severity, Source, Subsystem};
use crate::testing::{ManualClock, Samples, instance, with_manual_clock};
use crate::{Capital, Mode, Outcome, ReconciliationReport, Settings};

/// Samples once a second, as a server does.
pub(super) fn sample_for(metrics: &Metrics, clock: &ManualClock, seconds: u64) {
    for _ in 0..seconds {
        clock.advance(Duration::from_secs(1));
        metrics.core.sample();
    }
}

/// An instance that is sampled from the beginning.
pub(super) fn sampled() -> (Metrics, ManualClock) {
    let (metrics, clock) = instance();
    metrics.core.sample();
    (metrics, clock)
}

pub(super) fn trading(metrics: &Metrics) -> SubsystemStatus {
    let status = metrics.status();
    status
        .subsystems
        .into_iter()
        .find(|subsystem| subsystem.subsystem == "trading")
        .expect("it is registered")
}

#[test]
fn every_state_of_a_subsystem_is_told() {
    let (metrics, clock) = sampled();
    let handle =
        metrics.subsystem(Subsystem::Trading).with_max_age(Duration::from_secs(10)).expect("no other");
    let state = || trading(&metrics).state;
    let verdict = || metrics.status().verdict;
    assert_eq!(state(), SubsystemState::Waiting);
    assert_eq!((verdict().level, &*verdict().text), (Level::Waiting, "waiting for the first cycle"));

    clock.advance(Duration::from_secs(11));
    assert_eq!(state(), SubsystemState::Stalled, "it never began");
    assert_eq!(
        verdict().text,
        "trading is stalled: no success for 11 s since its start, at most 10 s allowed"
    );

    handle.start().finish(Outcome::Ok);
    assert_eq!(state(), SubsystemState::Fresh);
    assert_eq!((verdict().level, &*verdict().text), (Level::Ok, "all loops fresh"));

    clock.advance(Duration::from_secs(1));
    handle.start().finish(Outcome::Timeout);
    let failing = trading(&metrics);
    assert_eq!((failing.state, failing.alive), (SubsystemState::Failing, true));
    assert_eq!(failing.last_outcome.as_deref(), Some("timeout"));
    assert_eq!((failing.age_seconds, failing.attempt_age_seconds), (1.0, Some(0.0)));
    assert_eq!(
        (verdict().level, &*verdict().text),
        (Level::Warning, "trading fails: its last cycle ended with timeout")
    );

    clock.advance(Duration::from_secs(10));
    let failing = trading(&metrics);
    assert_eq!((failing.state, failing.alive), (SubsystemState::Failing, false), "it still ran 10 s ago");
    assert_eq!(
        verdict().text,
        "trading fails: no success for 11 s, at most 10 s allowed; its last cycle ended with timeout"
    );
    clock.advance(Duration::from_secs(1));
    assert_eq!(state(), SubsystemState::Stalled, "no run has ended for longer than the limit");

    clock.advance(Duration::from_secs(1));
    handle.start().finish(Outcome::Skipped);
    let skipped = trading(&metrics);
    assert_eq!((skipped.state, skipped.last_outcome.as_deref()), (SubsystemState::Fresh, Some("skipped")));

    let run = handle.start();
    clock.advance(Duration::from_secs(42));
    let hung = trading(&metrics);
    assert_eq!((hung.state, hung.running_seconds, hung.in_progress), (SubsystemState::Hung, Some(42.0), 1));
    assert_eq!((verdict().level, &*verdict().text), (Level::Critical, "trading has been hanging for 42 s"));

    handle.pause("market closed");
    let paused = trading(&metrics);
    assert_eq!(
        (paused.state, paused.paused.as_deref(), paused.alive),
        (SubsystemState::Paused, Some("market closed"), true)
    );
    assert_eq!((verdict().level, &*verdict().text), (Level::Ok, "trading is paused: market closed"));
    run.finish(Outcome::Ok);
}

#[test]
fn a_hang_names_the_call_that_does_not_end() {
    let (metrics, clock) = sampled();
    let handle =
        metrics.subsystem(Subsystem::Trading).with_max_age(Duration::from_secs(5)).expect("no other");
    let place_order = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    let get_balances = metrics.exchange_call(Exchange::Binance, Operation::GetBalances);
    let _run = handle.start();
    let _order = place_order.start();
    for _ in 0..20 {
        sample_for(&metrics, &clock, 1);
        get_balances.start().finish(Outcome::Ok);
    }
    let _balances = get_balances.start();
    let verdict = metrics.status().verdict;
    assert_eq!(verdict.text, "trading has been hanging for 20 s: running in place_order");
    assert_eq!((&*verdict.reasons[0].subject, verdict.reasons.len()), ("trading", 1));
}

#[test]
fn of_equally_bad_loops_the_verdict_names_trading_first() {
    let (metrics, clock) = instance();
    for subsystem in [Subsystem::Monitor, Subsystem::Trading] {
        let loop_ = metrics.subsystem(subsystem).with_max_age(Duration::from_secs(5)).expect("no other age");
        loop_.start().finish(Outcome::Timeout);
    }
    clock.advance(Duration::from_secs(6));
    let verdict = metrics.status().verdict;
    assert_eq!(
        verdict.text,
        "trading is stalled: no success for 6 s since its start, at most 5 s allowed; 1 more to check"
    );
}

#[test]
fn the_verdict_says_whether_orders_are_placed() {
    let (metrics, clock) = sampled();
    let place_order = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    let handle = metrics.subsystem(Subsystem::Trading);
    handle.start().finish(Outcome::Ok);
    place_order.start().finish(Outcome::Ok);
    sample_for(&metrics, &clock, 20);
    assert_eq!(metrics.status().verdict.text, "trading, all loops fresh");
    sample_for(&metrics, &clock, 70);
    handle.start().finish(Outcome::Ok);
    assert_eq!(metrics.status().verdict.text, "no order in the last 30 s, all loops fresh");
}

#[test]
fn calls_that_fail_are_in_the_verdict_although_the_loop_is_fresh() {
    let (metrics, clock) = sampled();
    let trading = metrics.subsystem(Subsystem::Trading);
    let get_order = metrics.exchange_call(Exchange::Binance, Operation::GetOrder);
    let fails = |outcome, times| {
        trading.start().finish(Outcome::Ok);
        (0..times).for_each(|_| get_order.start().finish(outcome));
    };
    fails(Outcome::Rejected, 6);
    fails(Outcome::Timeout, 2);
    sample_for(&metrics, &clock, 2);
    assert_eq!(metrics.status().verdict.level, Level::Ok, "two of eight may be chance");
    fails(Outcome::Timeout, 4);
    sample_for(&metrics, &clock, 2);
    let verdict = metrics.status().verdict;
    assert_eq!(verdict.level, Level::Warning);
    assert_eq!(
        verdict.text,
        "6 of 12 calls of get_order at binance failed in the last 4 s, mostly with timeout"
    );
}

#[test]
fn a_loop_that_waits_for_its_first_cycle_is_not_called_fresh() {
    let (metrics, clock) = sampled();
    metrics.subsystem(Subsystem::Monitor).start().finish(Outcome::Ok);
    let _trading = metrics.subsystem(Subsystem::Trading);
    sample_for(&metrics, &clock, 2);
    let verdict = metrics.status().verdict;
    assert_eq!((verdict.level, &*verdict.text), (Level::Ok, "trading waiting for the first cycle"));
}

#[test]
fn the_verdict_names_the_worst_reason_first() {
    let (metrics, clock) = sampled();
    metrics.rate_limit(Exchange::Binance, RateLimit::RequestWeight).set_used(5_500.0, 6_000.0);
    metrics.reconciliation().commit(ReconciliationReport::new().missing(Source::Db, "order 1"));
    metrics.profile("over").update(Capital {
        allocated: 10.0,
        positions: 12.0,
        reported_available: Some(1.0),
        ..Capital::default()
    });
    metrics.profile("none").update(Capital {
        positions: 1.0,
        reported_available: Some(1.0),
        ..Capital::default()
    });
    metrics.profile("broke").update(Capital { allocated: 10.0, positions: 11.0, ..Capital::default() });
    metrics.exchange_call(Exchange::Binance, Operation::GetOrder).start().finish(Outcome::Banned);
    sample_for(&metrics, &clock, 2);
    let verdict = metrics.status().verdict;
    let texts: Vec<_> = verdict.reasons.iter().map(|reason| &*reason.text).collect();
    assert_eq!(
        texts,
        [
            "the available capital of broke is below zero",
            "none uses capital, but none is allocated to it",
            "over uses 120 % of its allocated capital",
            "1 item is missing from the database",
            "binance refused 1 call of get_order in the last 2 s: banned",
            "92 % of the rate limit request weight of binance is used",
        ]
    );
    assert_eq!(
        (verdict.level, &*verdict.text),
        (Level::Critical, "the available capital of broke is below zero; 5 more to check")
    );
}

#[test]
fn figures_equal_those_of_the_exposition() {
    let (metrics, clock) = sampled();
    let handle = metrics.subsystem(Subsystem::Trading);
    let place_order = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    for outcome in [Outcome::Ok, Outcome::Ok, Outcome::Rejected] {
        let (run, call) = (handle.start(), place_order.start());
        clock.advance(Duration::from_millis(80));
        call.finish(outcome);
        run.finish(outcome);
    }
    let _open = place_order.start();
    metrics.rate_limit(Exchange::Binance, RateLimit::Orders).set_used(3.0, 50.0);
    metrics.profile("maker").update(Capital { allocated: 1_000.0, positions: 333.3, ..Capital::default() });
    metrics.profile("idle").update(Capital { positions: 1.0, ..Capital::default() });
    metrics.market_data(Exchange::Binance, "BTCUSDT").updated();
    metrics.reconciliation().commit(ReconciliationReport::new().missing(Source::Exchange, "a").differs("b"));
    clock.advance(Duration::from_secs(3));
    let (status, samples) = (metrics.status(), Samples::of(&metrics));
    let value = |name: &str, labels: &[(&str, &str)]| samples.value(&format!("bytelyst_bot_{name}"), labels);

    let operation = &status.operations[0];
    let labels = [("exchange", "binance"), ("operation", "place_order")];
    assert_eq!(operation.calls, 3);
    assert_eq!(value("exchange_api_latency_seconds_count", &labels), Some(3.0));
    for (outcome, calls) in [("ok", 2), ("rejected", 1)] {
        let labels = [labels[0], labels[1], ("outcome", outcome)];
        assert_eq!(value("exchange_api_requests_total", &labels), Some(f64::from(calls)));
        assert_eq!(operation.outcomes[outcome], u64::try_from(calls).expect("few"));
    }
    assert_eq!(operation.outcomes.len(), 2);
    assert_eq!((operation.in_flight, value("exchange_api_in_flight", &labels)), (1, Some(1.0)));
    let subsystem = &status.subsystems[0];
    assert_eq!(
        f64::from(u8::from(subsystem.alive)),
        value("subsystem_alive", &[("subsystem", "trading")]).expect("it is there")
    );
    assert_eq!(
        Some(subsystem.limit_seconds),
        value("subsystem_max_age_seconds", &[("subsystem", "trading")])
    );
    assert_eq!(
        status.rate_limits[0].used_ratio,
        value("exchange_rate_limit_used_ratio", &[("limit", "orders")])
    );
    for profile in &status.profiles {
        let labels = [("profile_id", &*profile.profile)];
        assert_eq!(profile.utilization_percent, value("profile_utilization_percent", &labels));
        assert_eq!(profile.below_zero.map(u8::from).map(f64::from), value("capital_below_zero", &labels));
        assert_eq!(
            profile.violations.to_string(),
            value("capital_invariant_violations_total", &labels).expect("it is there").to_string()
        );
    }
    assert_eq!(status.profiles[0].utilization_percent, Some(f64::INFINITY));
    let updated =
        value("market_data_last_update_timestamp_seconds", &[("symbol", "BTCUSDT")]).expect("it is there");
    assert!((status.now - updated - status.market_data[0].age_seconds).abs() < 0.002);
    let reconciliation = &status.reconciliation;
    assert_eq!(reconciliation.missing.as_ref().expect("a cycle")["exchange"], 1);
    assert_eq!((reconciliation.mismatches, value("reconciliation_mismatches_total", &[])), (2, Some(2.0)));
    assert_eq!(reconciliation.age_seconds, Some(3.0));
}

#[test]
fn rates_and_quantiles_are_those_of_the_last_minute() {
    let (metrics, clock) = sampled();
    let place_order = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    assert_eq!(metrics.status().window_seconds, None);
    for second in 0..100 {
        // Slow at first.
        let call = place_order.start();
        clock.advance(Duration::from_millis(if second < 40 { 900 } else { 8 }));
        call.finish(Outcome::Ok);
        clock.advance(Duration::from_millis(if second < 40 { 100 } else { 992 }));
        metrics.core.sample();
    }
    let status = metrics.status();
    assert_eq!(status.window_seconds, Some(40.0));
    let operation = &status.operations[0];
    assert_eq!((operation.rate, operation.calls), (Some(1.0), 100));
    assert_eq!(operation.recent_outcomes.as_ref().expect("a window")["ok"], 40);
    let quantiles = operation.quantiles.expect("calls ended");
    assert_eq!((quantiles.p50, quantiles.p99), (0.0075, 0.00995));
}

#[test]
fn since_leaves_out_what_is_known_and_loses_nothing() {
    let (metrics, clock) = sampled();
    let (mut known, mut steps, mut sequence) = (Vec::new(), Vec::new(), 0);
    for second in 0..100_u64 {
        sample_for(&metrics, &clock, 1);
        if second % 7 == 0 {
            metrics.event(Severity::Info, EventType::OrderPlaced).text(&second.to_string()).record();
        }
        let status = metrics.status_since(sequence);
        assert_eq!(status.since, sequence);
        assert!(status.sequence >= sequence);
        assert!(status.events.len() <= 2 && status.history.sequence.len() <= 2, "second {second}");
        sequence = status.sequence;
        known.extend(status.events.into_iter().rev().map(|event| event.text));
        known.dedup();
        steps.extend(status.history.sequence);
        steps.dedup();
    }
    assert_eq!(
        known,
        (0..100).filter(|second| second % 7 == 0).map(|second| second.to_string()).collect::<Vec<_>>()
    );
    assert_eq!(steps.len(), 20);
    assert!(steps.is_sorted());
    let future = metrics.status_since(1_000);
    assert_eq!((future.since, future.history.sequence.len()), (0, 20), "of an earlier process");
}

#[test]
fn a_status_is_read_back_as_it_was_written() {
    let (metrics, clock) = sampled();
    let hostile = "<script>\"\\\u{0}\u{202e}\u{2028}';--";
    metrics.profile(hostile).update(Capital { positions: 1.0, ..Capital::default() });
    metrics.market_data(Exchange::Okx, hostile).updated();
    metrics.subsystem(Subsystem::Monitor).pause(hostile);
    metrics
        .event(Severity::Error, EventType::OrderRejected)
        .profile(hostile)
        .symbol(hostile)
        .text(hostile)
        .record();
    metrics.exchange_call(Exchange::Okx, Operation::GetOrder).start().finish(Outcome::Ok);
    sample_for(&metrics, &clock, 12);
    let status = metrics.status();
    assert_eq!((&*status.events[0].text, &*status.profiles[0].profile), (hostile, hostile));
    assert_eq!(status.history.profiles[0].utilization_percent, [Some(f32::INFINITY); 2]);
    let json = serde_json::to_string(&status).expect("texts and numbers");
    assert!(json.contains("\"utilization_percent\":\"+Inf\""), "{json}");
    assert_eq!(serde_json::from_str::<Status>(&json).expect("as written"), status);
    let catalogue = Metrics::catalogue(&metrics);
    let json = serde_json::to_string(&catalogue).expect("texts and numbers");
    assert_eq!(serde_json::from_str::<Catalogue>(&json).expect("as written"), catalogue);
}

#[test]
fn lists_are_limited_and_say_what_they_leave_out() {
    let (settings, _clock) = with_manual_clock(Settings::new(Mode::Paper).profile_limit(100));
    let metrics = settings.build().expect("legal");
    for index in 0..100 {
        let below_zero = f64::from(u8::from(index == 99)) * 20.0;
        let capital = Capital { allocated: 10.0, positions: below_zero, ..Capital::default() };
        metrics.profile(&format!("{index:02}")).update(capital);
        metrics.market_data(Exchange::Okx, &format!("{index:02}")).updated();
    }
    let status = metrics.status();
    assert_eq!((status.profiles.len(), status.market_data.len()), (64, 50));
    assert_eq!(status.profiles[63].profile, "99", "the one at risk is shown");
    let left_out = &status.notes.left_out;
    assert_eq!((left_out["profiles"], left_out["market_data"]), (36, 50));
}
