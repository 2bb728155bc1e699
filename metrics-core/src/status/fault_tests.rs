//! Since when a fault lasts, and what a status leaves out.

use std::time::Duration;

use super::tests::{sample_for, sampled, trading};
use super::*;
use crate::labels::{EventType, Exchange, Operation, RateLimit, Severity, Source, Subsystem};
use crate::testing::{instance, with_manual_clock};
use crate::{AgeOrigin, Capital, Mode, Outcome, ReconciliationReport, Settings};

/// The reasons of a status, each with the seconds for which it has lasted.
fn reasons(metrics: &Metrics) -> Vec<(ReasonKind, String, Option<f64>)> {
    let status = metrics.status();
    let lasted = |since: f64| ((status.now - since) * 1_000.0).round() / 1_000.0;
    let reasons = status.verdict.reasons.into_iter();
    reasons.map(|reason| (reason.kind, reason.subject, reason.since.map(lasted))).collect()
}

fn reason(kind: ReasonKind, subject: &str, lasted: f64) -> (ReasonKind, String, Option<f64>) {
    (kind, subject.to_owned(), Some(lasted))
}

#[test]
fn a_loop_is_stalled_since_its_last_success_and_hangs_since_its_begin() {
    let (metrics, clock) = sampled();
    let handle =
        metrics.subsystem(Subsystem::Trading).with_max_age(Duration::from_secs(10)).expect("no other");
    handle.start().finish(Outcome::Ok);
    clock.advance(Duration::from_secs(4));
    handle.start().finish(Outcome::Timeout);
    clock.advance(Duration::from_secs(3));
    assert_eq!(reasons(&metrics), [reason(ReasonKind::Failing, "trading", 0.0)], "not sampled yet");
    clock.advance(Duration::from_secs(10));
    assert_eq!(reasons(&metrics), [reason(ReasonKind::Stalled, "trading", 17.0)]);
    let _run = handle.start();
    clock.advance(Duration::from_secs(12));
    assert_eq!(reasons(&metrics), [reason(ReasonKind::Hung, "trading", 12.0)]);
}

#[test]
fn a_loop_fails_since_its_first_failure_after_the_last_success() {
    let (metrics, clock) = sampled();
    let handle = metrics.subsystem(Subsystem::Trading);
    let failing = |lasted| [reason(ReasonKind::Failing, "trading", lasted)];
    let run = |outcome, seconds| {
        handle.start().finish(outcome);
        sample_for(&metrics, &clock, seconds);
    };
    run(Outcome::Ok, 40);
    handle.start().finish(Outcome::Timeout);
    assert_eq!(reasons(&metrics), failing(0.0), "not sampled yet");
    sample_for(&metrics, &clock, 10);
    assert_eq!(reasons(&metrics), failing(9.0), "it is alive, and succeeded 50 s ago");
    run(Outcome::Timeout, 20);
    assert_eq!(reasons(&metrics), failing(29.0));
    let verdict = metrics.status().verdict;
    assert_eq!(
        verdict.text,
        "trading fails: no success for 70 s, at most 60 s allowed; its last cycle ended with timeout"
    );
    // More failures than there are beats.
    (0..100).for_each(|_| run(Outcome::Error, 1));
    assert_eq!(reasons(&metrics), failing(129.0));
    run(Outcome::Ok, 1);
    assert_eq!(reasons(&metrics), []);
    run(Outcome::Error, 5);
    assert_eq!(reasons(&metrics), failing(4.0));
    handle.pause("");
    sample_for(&metrics, &clock, 100);
    handle.resume();
    run(Outcome::Error, 3);
    assert_eq!(reasons(&metrics), failing(2.0), "since the pause");
}

#[test]
fn without_samplings_it_is_not_known_since_when_a_loop_fails() {
    let (metrics, clock) = instance();
    metrics.subsystem(Subsystem::Trading).start().finish(Outcome::Error);
    clock.advance(Duration::from_secs(5));
    assert_eq!(reasons(&metrics), [(ReasonKind::Failing, "trading".to_owned(), None)]);
}

#[test]
fn an_overdrawn_profile_says_whether_it_still_trades() {
    let (metrics, clock) = sampled();
    let order =
        || metrics.event(Severity::Info, EventType::OrderPlaced).profile("maker").symbol("BTC").record();
    let capital = Capital { allocated: 100.0, positions: 110.0, ..Capital::default() };
    let text = || metrics.status().verdict.text;
    metrics.profile("maker").update(capital);
    sample_for(&metrics, &clock, 5);
    assert_eq!(text(), "the available capital of maker is below zero", "nothing is known of its orders");
    metrics.profile("maker").update(Capital { positions: 0.0, ..capital });
    order();
    sample_for(&metrics, &clock, 5);
    metrics.profile("maker").update(capital);
    sample_for(&metrics, &clock, 5);
    assert_eq!(text(), "the available capital of maker is below zero; it has placed no order since");
    let profile = &metrics.status().profiles[0];
    assert_eq!((profile.orders_placed, profile.order_age_seconds), (Some(1), Some(9.0)));
    order();
    sample_for(&metrics, &clock, 4);
    assert_eq!(
        text(),
        "the available capital of maker is below zero; it still places orders, the last 3 s ago"
    );
    metrics.profile("maker").update(capital.with_available(1.0));
    sample_for(&metrics, &clock, 2);
    assert_eq!(text(), "maker uses 110 % of its allocated capital; it still places orders, the last 5 s ago");
    sample_for(&metrics, &clock, 60);
    assert_eq!(
        text(),
        "maker uses 110 % of its allocated capital; it has placed orders since, the last 65 s ago"
    );
}

#[test]
fn money_is_at_risk_since_the_first_figures_that_say_so() {
    let (metrics, clock) = instance();
    let maker = metrics.profile("maker");
    let update = |positions: f64, available: f64| {
        let capital = Capital { allocated: 100.0, positions, ..Capital::default() };
        maker.update(capital.with_available(available));
        clock.advance(Duration::from_secs(5));
    };
    let reconcile = |report| {
        metrics.reconciliation().commit(report);
        clock.advance(Duration::from_secs(5));
    };
    update(50.0, 50.0);
    assert_eq!(reasons(&metrics), []);
    update(110.0, 1.0);
    update(120.0, 1.0);
    assert_eq!(reasons(&metrics), [reason(ReasonKind::OverAllocated, "maker", 10.0)]);
    update(120.0, -1.0);
    update(120.0, -2.0);
    assert_eq!(reasons(&metrics), [reason(ReasonKind::BelowZero, "maker", 10.0)]);
    update(120.0, 1.0);
    assert_eq!(reasons(&metrics), [reason(ReasonKind::OverAllocated, "maker", 25.0)]);
    update(10.0, 1.0);
    assert_eq!(reasons(&metrics), []);
    update(110.0, 1.0);
    assert_eq!(reasons(&metrics), [reason(ReasonKind::OverAllocated, "maker", 5.0)], "again");
    update(10.0, 1.0);

    reconcile(ReconciliationReport::new().missing(Source::Db, "a"));
    reconcile(ReconciliationReport::new().missing(Source::Db, "b").missing(Source::Exchange, "c"));
    let missing = [reason(ReasonKind::Missing, "db", 10.0), reason(ReasonKind::Missing, "exchange", 5.0)];
    assert_eq!(reasons(&metrics), missing);
    reconcile(ReconciliationReport::new());
    reconcile(ReconciliationReport::new().missing(Source::Db, "a"));
    assert_eq!(reasons(&metrics), [reason(ReasonKind::Missing, "db", 5.0)]);
}

#[test]
fn calls_fail_since_the_step_in_which_they_began_to() {
    let (metrics, clock) = sampled();
    let call = |outcome| metrics.exchange_call(Exchange::Okx, Operation::GetOrder).start().finish(outcome);
    let run = |seconds, outcome| {
        for _ in 0..seconds {
            call(outcome);
            sample_for(&metrics, &clock, 1);
        }
    };
    run(30, Outcome::Ok);
    run(20, Outcome::RateLimited);
    assert_eq!(reasons(&metrics), [reason(ReasonKind::Refused, "get_order", 20.0)]);
    run(10, Outcome::Ok);
    assert_eq!(reasons(&metrics), [reason(ReasonKind::Refused, "get_order", 30.0)], "it may return");
    run(70, Outcome::Ok);
    assert_eq!(reasons(&metrics), []);
    run(50, Outcome::Timeout);
    assert_eq!(reasons(&metrics), [reason(ReasonKind::CallsFail, "get_order", 50.0)]);
    run(1_000, Outcome::Timeout);
    assert_eq!(
        reasons(&metrics),
        [(ReasonKind::CallsFail, "get_order".to_owned(), None)],
        "longer than the history"
    );
    metrics.rate_limit(Exchange::Okx, RateLimit::Orders).set_used(1.0, 1.0);
    assert_eq!(reasons(&metrics)[1], (ReasonKind::RateLimit, "orders".to_owned(), None));
}

#[test]
fn an_age_says_from_where_on_it_counts() {
    let (metrics, clock) = sampled();
    let handle = metrics.subsystem(Subsystem::Trading);
    let origin = || {
        clock.advance(Duration::from_secs(1));
        let trading = trading(&metrics);
        (trading.age_origin, trading.age_seconds)
    };
    assert_eq!(origin(), (AgeOrigin::Registered, 1.0));
    handle.start().finish(Outcome::Error);
    assert_eq!(origin(), (AgeOrigin::Registered, 2.0));
    handle.start().finish(Outcome::Ok);
    assert_eq!(origin(), (AgeOrigin::Succeeded, 1.0));
    handle.pause("market closed");
    assert_eq!(origin(), (AgeOrigin::Succeeded, 2.0));
    handle.resume();
    assert_eq!(origin(), (AgeOrigin::Resumed, 1.0));
    handle.start().finish(Outcome::Error);
    assert_eq!(origin(), (AgeOrigin::Resumed, 2.0));
    handle.start().finish(Outcome::Skipped);
    assert_eq!(origin(), (AgeOrigin::Skipped, 1.0));
    handle.pause("");
    handle.resume();
    clock.advance(Duration::from_secs(98));
    let verdict = metrics.status().verdict;
    assert_eq!(verdict.text, "trading is stalled: no success for 98 s since its pause, at most 60 s allowed");
    handle.start().finish(Outcome::Ok);
    assert_eq!(origin(), (AgeOrigin::Succeeded, 1.0));
}

#[test]
fn a_wall_clock_that_is_set_is_no_restart_and_moves_all_moments() {
    let (metrics, clock) = sampled();
    let handle = metrics.subsystem(Subsystem::Trading);
    for _ in 0..12 {
        handle.start().finish(Outcome::Ok);
        sample_for(&metrics, &clock, 1);
    }
    let before = metrics.status();
    let set = Duration::from_secs_f64(before.now) + Duration::from_secs(3_600);
    clock.set_wall(set);
    let after = metrics.status();
    assert_eq!((&after.run, after.started), (&before.run, before.started + 3_600.0));
    let moved = |moments: &[f64]| moments.iter().map(|at| at + 3_600.0).collect::<Vec<_>>();
    assert_eq!(after.history.at, moved(&before.history.at));
    assert_eq!(after.subsystems[0].beats.at, moved(&before.subsystems[0].beats.at));
    assert_eq!(after.sequence, before.sequence);

    clock.advance(Duration::from_secs(1));
    let other = Settings { clock: metrics.settings().clock.clone(), ..Settings::new(Mode::Paper) };
    assert_ne!(other.build().expect("legal").status().run, after.run);
}

const EXCHANGES: [Exchange; 10] = [
    Exchange::Binance,
    Exchange::Bybit,
    Exchange::Okx,
    Exchange::Coinbase,
    Exchange::Kraken,
    Exchange::Bitfinex,
    Exchange::Bitstamp,
    Exchange::Kucoin,
    Exchange::GateIo,
    Exchange::Deribit,
];

const OPERATIONS: [Operation; 16] = [
    Operation::PlaceOrder,
    Operation::CancelOrder,
    Operation::CancelAllOrders,
    Operation::ReplaceOrder,
    Operation::GetOrder,
    Operation::GetOpenOrders,
    Operation::GetBalances,
    Operation::GetPositions,
    Operation::GetAccount,
    Operation::GetTicker,
    Operation::GetOrderBook,
    Operation::GetTrades,
    Operation::GetCandles,
    Operation::GetExchangeInfo,
    Operation::GetServerTime,
    Operation::Subscribe,
];

/// The operations of all exchanges.
fn operations(metrics: &Metrics) -> Vec<crate::ExchangeCallHandle> {
    let of = |exchange| OPERATIONS.map(|operation| metrics.exchange_call(exchange, operation));
    EXCHANGES.into_iter().flat_map(of).collect()
}

#[test]
fn operations_without_a_rate_or_a_chart_are_counted() {
    let (metrics, clock) = sampled();
    let operations = operations(&metrics);
    for count in [20, 40, 150] {
        for _ in 0..70 {
            operations[..count].iter().for_each(|operation| operation.start().finish(Outcome::Ok));
            sample_for(&metrics, &clock, 1);
        }
        let status = metrics.status();
        let rated =
            status.operations.iter().filter(|operation| operation.calls > 0 && operation.rate.is_some());
        assert_eq!(rated.count(), count.min(128), "of {count}");
        let over = |limit: usize| Some(count.saturating_sub(limit) as u64).filter(|over| *over > 0);
        let Notes { without_rate, without_steps, .. } = status.notes;
        assert_eq!(without_steps.get("operations").copied(), over(32), "of {count}");
        assert_eq!(without_rate.get("operations").copied(), over(128), "of {count}");
    }
}

#[test]
fn charts_that_have_begun_go_on_when_there_are_too_many() {
    let (settings, clock) = with_manual_clock(Settings::new(Mode::Paper).profile_limit(100));
    let metrics = settings.build().expect("legal");
    let operations = operations(&metrics);
    let call = |called: &[crate::ExchangeCallHandle]| {
        for _ in 0..20 {
            for operation in called {
                operation.start().finish(Outcome::Ok);
            }
            sample_for(&metrics, &clock, 1);
        }
    };
    // All of these exchanges come before Okx, by name.
    let okx = &operations[32..48];
    let profile = |name: &str| metrics.profile(name).update(Capital { allocated: 1.0, ..Capital::default() });
    call(okx);
    (50..90).for_each(|index| profile(&index.to_string()));
    sample_for(&metrics, &clock, 10);
    (0..50).for_each(|index| profile(&format!("{index:02}")));
    call(&operations[..48]);
    let status = metrics.status();
    let of_okx: Vec<_> = status.history.operations.iter().filter(|column| column.exchange == "okx").collect();
    assert_eq!(of_okx.len(), 16);
    for column in of_okx {
        assert_eq!(column.calls.last(), Some(&Some(5)), "{} stopped", column.operation);
    }
    let profiles = &status.history.profiles;
    assert_eq!(
        profiles.iter().filter(|column| column.utilization_percent.ends_with(&[Some(0.0)])).count(),
        64
    );
    let left_out = [("operations".to_owned(), 48 - 32), ("profiles".to_owned(), 90 - 64)];
    assert_eq!(status.notes.without_steps, left_out.into());
}

#[test]
fn operations_that_are_not_called_take_no_room_from_others() {
    let (metrics, clock) = sampled();
    let _uncalled = operations(&metrics);
    sample_for(&metrics, &clock, 6);
    for _ in 0..12 {
        metrics.exchange_call(Exchange::Paper, Operation::Subscribe).start().finish(Outcome::Ok);
        sample_for(&metrics, &clock, 1);
    }
    let status = metrics.status();
    assert_eq!(status.history.operations.len(), 1, "the others would fill all charts");
    assert_eq!(status.notes.without_steps, std::collections::BTreeMap::new());
}

#[test]
fn the_amounts_and_the_age_of_capital_are_those_of_the_last_update() {
    let (metrics, clock) = sampled();
    let maker = metrics.profile("maker");
    let capital = Capital { allocated: 100.0, positions: 30.0, open_orders: 12.5, ..Capital::default() };
    maker.update(capital);
    sample_for(&metrics, &clock, 1);
    maker.update(capital.with_available(40.0));
    sample_for(&metrics, &clock, 21);
    let profile = &metrics.status().profiles[0];
    let amounts = (profile.allocated, profile.used, profile.available);
    assert_eq!(amounts, (Some(100.0), Some(42.5), Some(40.0)));
    assert_eq!(profile.age_seconds, Some(20.0));
    maker.remove();
    let profile = &metrics.status().profiles[0];
    assert_eq!((profile.allocated, profile.available, profile.age_seconds), (None, None, None));
}
