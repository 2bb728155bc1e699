//! Exchange calls that fail or are refused, in the verdict.

use std::time::Duration;

use super::tests::{sample_for, sampled};
use super::*;
use crate::labels::{Exchange, Operation, RateLimit, Subsystem};
use crate::{LabelValue as _, Outcome};

#[test]
fn a_reject_and_a_cancelled_call_are_no_failures() {
    let (metrics, clock) = sampled();
    let call = |outcome| metrics.exchange_call(Exchange::Okx, Operation::PlaceOrder).start().finish(outcome);
    let failed = || metrics.status().operations[0].recent_failed;
    [Outcome::Ok, Outcome::Rejected, Outcome::Cancelled].into_iter().for_each(call);
    sample_for(&metrics, &clock, 2);
    assert_eq!(failed(), Some(0));
    let failures =
        [Outcome::RateLimited, Outcome::Banned, Outcome::Auth, Outcome::ServerError, Outcome::Timeout];
    failures.into_iter().for_each(call);
    [Outcome::Transport, Outcome::Decode, Outcome::Panic, Outcome::Error].into_iter().for_each(call);
    sample_for(&metrics, &clock, 2);
    assert_eq!(failed(), Some(9));
}

#[test]
fn operations_that_place_orders_are_named() {
    let (metrics, _clock) = sampled();
    for operation in [Operation::CancelOrder, Operation::PlaceOrder, Operation::ReplaceOrder] {
        metrics.exchange_call(Exchange::Okx, operation).start().finish(Outcome::Ok);
    }
    let operations = metrics.status().operations;
    let placing: Vec<_> = operations.iter().filter(|operation| operation.places_orders).collect();
    assert_eq!(
        placing.iter().map(|operation| &*operation.operation).collect::<Vec<_>>(),
        ["place_order", "replace_order"]
    );
}

#[test]
fn what_follows_from_one_refusal_is_one_reason() {
    let (metrics, clock) = sampled();
    let weight = metrics.rate_limit(Exchange::Okx, RateLimit::RequestWeight);
    weight.set_used(6.0, 100.0);
    let [trading, monitor, reconciliation] =
        [Subsystem::Trading, Subsystem::Monitor, Subsystem::Reconciliation]
            .map(|subsystem| metrics.subsystem(subsystem));
    reconciliation.start().finish(Outcome::Error);
    for _ in 0..5 {
        for operation in [Operation::GetOrder, Operation::GetTicker] {
            metrics.exchange_call(Exchange::Okx, operation).start().finish(Outcome::RateLimited);
        }
        for subsystem in [&monitor, &trading] {
            subsystem.start().finish(Outcome::RateLimited);
        }
        sample_for(&metrics, &clock, 1);
    }
    weight.set_refused_for(Duration::from_secs(30));
    weight.set_refused_for(Duration::from_secs(2));
    sample_for(&metrics, &clock, 1);
    let status = metrics.status();
    assert_eq!(status.rate_limits[0].refused_seconds, Some(29.0));
    assert_eq!(
        status.verdict.text,
        "trading and monitor fail because okx refused 10 calls of 2 operations in the last 6 s: rate limited for 29 s \
         more; 1 more to check"
    );
    let [refused, failing] = &status.verdict.reasons[..] else { panic!("{:?}", status.verdict) };
    assert_eq!(
        (refused.kind, &*refused.exchange, &*refused.subject),
        (ReasonKind::Refused, "okx", "rate_limited")
    );
    assert_eq!(failing.subject, "reconciliation", "it fails for another reason");
    let consequences: Vec<_> = refused.consequences.iter().map(|reason| &*reason.subject).collect();
    assert_eq!(consequences, ["get_order", "get_ticker", "monitor", "trading"]);
    assert!(status.verdict.all_reasons().any(|reason| reason.subject == "trading"));

    sample_for(&metrics, &clock, 60);
    let verdict = metrics.status().verdict;
    assert!(verdict.reasons.iter().all(|reason| reason.kind != ReasonKind::Refused), "{verdict:?}");
    assert_eq!(metrics.status().rate_limits[0].refused_seconds, None, "it is over");
}

#[test]
fn a_cause_is_as_bad_as_its_worst_consequence() {
    let (metrics, clock) = sampled();
    let trading =
        metrics.subsystem(Subsystem::Trading).with_max_age(Duration::from_secs(5)).expect("no other");
    let level = || metrics.status().verdict.level;
    for (seconds, expected) in [(3, Level::Warning), (10, Level::Critical)] {
        for _ in 0..seconds {
            metrics.exchange_call(Exchange::Okx, Operation::GetOrder).start().finish(Outcome::Timeout);
            trading.start().finish(Outcome::Timeout);
            sample_for(&metrics, &clock, 1);
        }
        assert_eq!(level(), expected);
    }
    assert_eq!(
        metrics.status().verdict.text,
        "trading fails because 13 of 13 calls of get_order at okx failed in the last 13 s, mostly with timeout"
    );
}

#[test]
fn a_loop_is_not_attributed_to_one_of_two_causes() {
    let (metrics, clock) = sampled();
    metrics.subsystem(Subsystem::Trading).start().finish(Outcome::Banned);
    for exchange in [Exchange::Okx, Exchange::Kraken] {
        metrics.exchange_call(exchange, Operation::GetOrder).start().finish(Outcome::Banned);
    }
    sample_for(&metrics, &clock, 2);
    let verdict = metrics.status().verdict;
    assert_eq!(verdict.reasons.len(), 3, "{verdict:?}");
    assert_eq!(verdict.reasons[0].subject, Subsystem::Trading.as_str());
}

#[test]
fn a_limit_without_a_count_is_listed_while_it_refuses() {
    let (metrics, clock) = sampled();
    metrics.rate_limit(Exchange::Okx, RateLimit::Orders).set_refused_for(Duration::from_secs(10));
    let limits = metrics.status().rate_limits;
    assert_eq!(
        (&*limits[0].limit, limits[0].used_ratio, limits[0].refused_seconds),
        ("orders", None, Some(10.0))
    );
    clock.advance(Duration::from_secs(10));
    assert_eq!(metrics.status().rate_limits, []);
}

#[test]
fn orders_that_may_be_open_come_first() {
    let (metrics, clock) = sampled();
    let trading =
        metrics.subsystem(Subsystem::Trading).with_max_age(Duration::from_secs(5)).expect("no other");
    let call = |operation, outcome| metrics.exchange_call(Exchange::Okx, operation).start().finish(outcome);
    call(Operation::PlaceOrder, Outcome::Timeout);
    call(Operation::CancelOrder, Outcome::Timeout);
    for _ in 0..10 {
        call(Operation::GetTicker, Outcome::RateLimited);
        trading.start().finish(Outcome::RateLimited);
        sample_for(&metrics, &clock, 1);
    }
    let verdict = metrics.status().verdict;
    assert_eq!(
        verdict.text,
        "1 order at okx may be open: place_order ended with timeout in the last 10 s; 1 more to check"
    );
    assert_eq!(verdict.reasons[0].kind, ReasonKind::OrdersUnknown);
    for outcome in [Outcome::Rejected, Outcome::Ok, Outcome::RateLimited] {
        call(Operation::PlaceOrder, outcome);
    }
    sample_for(&metrics, &clock, 90);
    assert!(metrics.status().verdict.reasons.iter().all(|reason| reason.kind != ReasonKind::OrdersUnknown));
}

#[test]
fn two_causes_at_an_exchange_are_two_reasons() {
    let (metrics, clock) = sampled();
    for (operation, outcome) in [
        (Operation::GetOrder, Outcome::Banned),
        (Operation::GetTicker, Outcome::Banned),
        (Operation::GetBalances, Outcome::Auth),
        (Operation::GetPositions, Outcome::Auth),
    ] {
        metrics.exchange_call(Exchange::Okx, operation).start().finish(outcome);
    }
    sample_for(&metrics, &clock, 2);
    let reasons = metrics.status().verdict.reasons;
    let subjects: Vec<_> = reasons.iter().map(|reason| (reason.kind, &*reason.subject)).collect();
    assert_eq!(subjects.len(), 2);
    assert!(["auth", "banned"].into_iter().all(|outcome| subjects.contains(&(ReasonKind::Refused, outcome))));
}

#[test]
fn a_loop_is_not_attributed_to_calls_of_another_time_or_an_unknown_cause() {
    for (outcome, waited, attributed) in
        [(Outcome::Timeout, 0, true), (Outcome::Timeout, 100, false), (Outcome::Error, 0, false)]
    {
        let (metrics, clock) = sampled();
        let trading =
            metrics.subsystem(Subsystem::Trading).with_max_age(Duration::from_secs(3600)).expect("no other");
        trading.start().finish(outcome);
        sample_for(&metrics, &clock, waited);
        for _ in 0..5 {
            metrics.exchange_call(Exchange::Okx, Operation::GetOrder).start().finish(outcome);
        }
        sample_for(&metrics, &clock, 2);
        let reasons = metrics.status().verdict.reasons;
        assert_eq!(reasons.len(), if attributed { 1 } else { 2 }, "{reasons:?}");
    }
}

#[test]
fn a_cause_began_when_the_first_loop_failed() {
    let (metrics, clock) = sampled();
    let monitor = metrics.subsystem(Subsystem::Monitor);
    monitor.start().finish(Outcome::Timeout);
    sample_for(&metrics, &clock, 30);
    let began = metrics.status().verdict.reasons[0].since;
    assert!(began.is_some());
    for _ in 0..5 {
        metrics.exchange_call(Exchange::Okx, Operation::GetOrder).start().finish(Outcome::Timeout);
    }
    sample_for(&metrics, &clock, 2);
    let reasons = metrics.status().verdict.reasons;
    assert_eq!((reasons.len(), reasons[0].kind, reasons[0].since), (1, ReasonKind::CallsFail, began));
}

#[test]
fn a_ban_is_a_reason_also_without_calls() {
    let (metrics, clock) = sampled();
    let orders = metrics.rate_limit(Exchange::Okx, RateLimit::Orders);
    orders.set_refused_for(Duration::from_secs(3600));
    metrics.exchange_call(Exchange::Okx, Operation::GetOrder).start().finish(Outcome::Banned);
    sample_for(&metrics, &clock, 2);
    let text = || metrics.status().verdict.text;
    assert_eq!(text(), "okx refused 1 call of get_order in the last 2 s: banned for 3598 s more");
    sample_for(&metrics, &clock, 98);
    let verdict = metrics.status().verdict;
    assert_eq!((verdict.level, &*verdict.text), (Level::Warning, "okx refuses calls for 3500 s more"));
    assert_eq!(verdict.reasons[0].exchange, "okx");
    orders.set_refused_for(Duration::ZERO);
    assert_eq!(metrics.status().verdict.reasons, [], "the exchange serves calls again");
    orders.set_refused_for(Duration::MAX);
    assert_eq!(metrics.status().rate_limits[0].refused_seconds, Some(365.0 * 86_400.0));
}

#[test]
fn a_few_refusals_do_not_hide_an_outage() {
    let (metrics, clock) = sampled();
    let call = |outcome| metrics.exchange_call(Exchange::Okx, Operation::GetOrder).start().finish(outcome);
    for _ in 0..9 {
        call(Outcome::Timeout);
    }
    call(Outcome::RateLimited);
    sample_for(&metrics, &clock, 2);
    assert_eq!(
        metrics.status().verdict.text,
        "10 of 10 calls of get_order at okx failed in the last 2 s, mostly with timeout"
    );
    for _ in 0..8 {
        call(Outcome::RateLimited);
    }
    sample_for(&metrics, &clock, 1);
    assert_eq!(metrics.status().verdict.reasons[0].kind, ReasonKind::Refused);
}

#[test]
fn a_status_of_an_older_bot_is_read() {
    let (metrics, clock) = sampled();
    metrics.exchange_call(Exchange::Okx, Operation::PlaceOrder).start().finish(Outcome::Banned);
    sample_for(&metrics, &clock, 2);
    let mut status = serde_json::to_value(metrics.status()).expect("it has a form");
    let mut remove = |pointer: &str, field: &str| {
        let removed = status.pointer_mut(pointer).and_then(|object| object.as_object_mut()?.remove(field));
        assert!(removed.is_some(), "{pointer} {field}");
    };
    remove("/verdict/reasons/0", "consequences");
    remove("/operations/0", "places_orders");
    remove("/operations/0/quantiles", "resolution");
    remove("/reconciliation", "is_used");
    remove("/history", "latency_resolution");
    serde_json::from_value::<Status>(status).expect("later fields have defaults");
}
