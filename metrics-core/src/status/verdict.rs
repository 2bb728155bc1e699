//! The state of a bot in a sentence.

use std::cmp::Reverse;

use super::calls;
use super::fault_times::FaultTimes;
use super::reason::{Level, Reason, ReasonKind, Verdict};
use super::shape::{
    OperationStatus, ProfileStatus, RateLimitStatus, Status, SubsystemState, SubsystemStatus,
};
use crate::LabelValue as _;
use crate::history::Steps;
use crate::labels::Subsystem;
use crate::outcome::Outcome;

/// The used part of a rate limit from which on it is to be checked.
const NEARLY_USED: f64 = 0.9;

/// The last order of a profile is dated at most this much too late, in seconds: the server samples once a second, and
/// may be late.
const ORDER_RESOLUTION: f64 = 2.5;

/// A profile places orders if the last one is not older, in seconds.
const ORDERS_GO_ON: f64 = 60.0;

/// A verdict before anything is known.
pub(super) fn none() -> Verdict {
    Verdict { level: Level::Waiting, text: String::new(), reasons: Vec::new() }
}

/// The verdict on a status whose other fields are complete.
pub(super) fn of(status: &Status, times: &FaultTimes<'_>) -> Verdict {
    if !status.recording {
        let text =
            "nothing is recorded: the bot is built without the feature enable of bot-metrics".to_owned();
        return Verdict { text, ..none() };
    }
    let subsystems = status.subsystems.iter();
    let mut reasons: Vec<_> =
        subsystems.filter_map(|subsystem| of_subsystem(subsystem, status, times.steps)).collect();
    let of_calls = calls::reasons(status, times, &mut reasons);
    reasons.extend(status.profiles.iter().filter_map(|profile| of_profile(profile, status, times)));
    let missing = status.reconciliation.missing.iter().flatten().filter(|(_, count)| **count > 0);
    reasons.extend(missing.map(|(source, count)| of_missing(source, *count, times)));
    reasons.extend(of_calls);
    reasons.extend(status.rate_limits.iter().filter_map(of_rate_limit));
    let unknown = status.operations.iter();
    reasons.extend(unknown.filter_map(|operation| calls::unknown_order(operation, status, times)));
    let is_of_trading =
        |reason: &Reason| reason.all().any(|reason| reason.subject == Subsystem::Trading.as_str());
    reasons.sort_by_key(|reason| {
        (Reverse(reason.level), reason.kind != ReasonKind::OrdersUnknown, !is_of_trading(reason))
    });
    match &reasons[..] {
        [] => well(status),
        [only] => Verdict { level: only.level, text: only.text.clone(), reasons },
        [worst, others @ ..] => {
            let text = format!("{}; {} more to check", worst.text, others.len());
            Verdict { level: worst.level, text, reasons }
        }
    }
}

/// The verdict without a reason to worry.
fn well(status: &Status) -> Verdict {
    let is = |state| move |subsystem: &&SubsystemStatus| subsystem.state == state;
    let paused: Vec<_> = status.subsystems.iter().filter(is(SubsystemState::Paused)).map(pause).collect();
    let waiting = status.subsystems.iter().filter(is(SubsystemState::Waiting));
    let waiting: Vec<_> = waiting.map(|subsystem| &*subsystem.subsystem).collect();
    let has_ended = status.subsystems.iter().any(|subsystem| !subsystem.outcomes.is_empty());
    let (level, text) = match (&status.subsystems[..], &paused[..]) {
        ([], _) if status.operations.iter().all(|operation| operation.calls == 0) => {
            (Level::Waiting, "no loop and no call has been recorded yet".to_owned())
        }
        ([], _) => (Level::Ok, "no loop is measured; the exchange answers".to_owned()),
        (_, []) if !has_ended => (Level::Waiting, "waiting for the first cycle".to_owned()),
        (_, []) => {
            let trading = trading(status).unwrap_or_default();
            let loops = match &waiting[..] {
                [] => "all loops fresh".to_owned(),
                waiting => format!("{} waiting for the first cycle", waiting.join(", ")),
            };
            (Level::Ok, trading + &loops)
        }
        (_, paused) => (Level::Ok, paused.join("; ")),
    };
    Verdict { level, text, reasons: Vec::new() }
}

fn pause(subsystem: &SubsystemStatus) -> String {
    let SubsystemStatus { subsystem, paused, .. } = subsystem;
    match paused.as_deref() {
        None | Some("") => format!("{subsystem} is paused"),
        Some(reason) => format!("{subsystem} is paused: {reason}"),
    }
}

/// Whether the bot places orders, if it has an operation for that.
fn trading(status: &Status) -> Option<String> {
    let placing = status.operations.iter().filter(|operation| operation.places_orders);
    let recent: Vec<_> = placing.filter_map(|operation| operation.recent_outcomes.as_ref()).collect();
    if recent.iter().any(|outcomes| outcomes.contains_key(Outcome::Ok.as_str())) {
        return Some("trading, ".to_owned());
    }
    (!recent.is_empty()).then(|| format!("no order {}, ", in_the_window(status)))
}

/// The time to which the recent outcomes belong.
pub(super) fn in_the_window(status: &Status) -> String {
    format!("in the last {:.0} s", status.window_seconds.unwrap_or_default())
}

fn of_subsystem(subsystem: &SubsystemStatus, status: &Status, steps: &Steps) -> Option<Reason> {
    let SubsystemStatus { subsystem: name, state, age_seconds, age_origin, limit_seconds, .. } = subsystem;
    let outcome = subsystem.last_outcome.as_deref().map_or_else(|| "a failure".to_owned(), in_words);
    let without_success = age_origin.without_success(&format!("{age_seconds:.0} s"));
    let overdue = format!("{without_success}, at most {limit_seconds:.0} s allowed");
    let (level, kind, lasted, text) = match state {
        SubsystemState::Hung => {
            let running = subsystem.running_seconds.unwrap_or_default();
            let text = format!("{name} has been hanging for {running:.0} s{}", running_in(status, steps));
            (Level::Critical, ReasonKind::Hung, Some(running), text)
        }
        SubsystemState::Stalled => {
            let text = format!("{name} is stalled: {overdue}");
            (Level::Critical, ReasonKind::Stalled, Some(*age_seconds), text)
        }
        SubsystemState::Failing if !subsystem.alive => {
            let text = format!("{name} fails: {overdue}; its last cycle ended with {outcome}");
            (Level::Critical, ReasonKind::Failing, subsystem.failing_seconds, text)
        }
        SubsystemState::Failing => {
            let text = format!("{name} fails: its last cycle ended with {outcome}");
            (Level::Warning, ReasonKind::Failing, subsystem.failing_seconds, text)
        }
        _ => return None,
    };
    Some(Reason::new(level, kind, name, text).since(lasted.map(|lasted| status.now - lasted)))
}

/// The operations that have calls in progress of which none ended during the last step.
fn running_in(status: &Status, steps: &Steps) -> String {
    let ended = |operation: &OperationStatus| {
        let column = steps.operation(&operation.exchange, &operation.operation)?;
        column.cells.back().copied().flatten().map(|step| step.outcomes.iter().sum::<u32>())
    };
    let is_stuck = |operation: &&OperationStatus| {
        operation.in_flight > 0 && ended(operation).is_none_or(|ended| ended == 0)
    };
    let stuck: Vec<_> =
        status.operations.iter().filter(is_stuck).map(|operation| &*operation.operation).collect();
    if stuck.is_empty() { String::new() } else { format!(": running in {}", stuck.join(", ")) }
}

fn of_profile(profile: &ProfileStatus, status: &Status, times: &FaultTimes<'_>) -> Option<Reason> {
    let ProfileStatus { profile: name, utilization_percent, below_zero, .. } = profile;
    let reason = |level, kind, text: String, since: Option<f64>| {
        let text = text + &since.and_then(|since| orders_since(since, profile, status)).unwrap_or_default();
        Some(Reason::new(level, kind, name, text).since(since))
    };
    if *below_zero == Some(true) {
        let text = format!("the available capital of {name} is below zero");
        return reason(Level::Critical, ReasonKind::BelowZero, text, times.below_zero(name));
    }
    let text = match utilization_percent {
        Some(percent) if percent.is_infinite() => {
            format!("{name} uses capital, but none is allocated to it")
        }
        Some(percent) if *percent > 100.0 => format!("{name} uses {percent:.0} % of its allocated capital"),
        _ => return None,
    };
    reason(Level::Warning, ReasonKind::OverAllocated, text, times.over_allocated(name))
}

/// Whether a profile has placed orders since this moment; `None` if that is not known.
fn orders_since(since: f64, profile: &ProfileStatus, status: &Status) -> Option<String> {
    let age = profile.order_age_seconds?;
    Some(if status.now - age <= since + ORDER_RESOLUTION {
        "; it has placed no order since".to_owned()
    } else if age <= ORDERS_GO_ON {
        format!("; it still places orders, the last {age:.0} s ago")
    } else {
        format!("; it has placed orders since, the last {age:.0} s ago")
    })
}

fn of_missing(source: &str, count: u64, times: &FaultTimes<'_>) -> Reason {
    let (items, are) = if count == 1 { ("item", "is") } else { ("items", "are") };
    let place = if source == "db" { "the database" } else { "the exchange" };
    let text = format!("{count} {items} {are} missing from {place}");
    Reason::new(Level::Warning, ReasonKind::Missing, source, text).since(times.missing(source))
}

fn of_rate_limit(RateLimitStatus { exchange, limit, used_ratio, .. }: &RateLimitStatus) -> Option<Reason> {
    let used_ratio = used_ratio.filter(|used_ratio| *used_ratio >= NEARLY_USED)?;
    let (used, name) = (100.0 * used_ratio, in_words(limit));
    let text = format!("{used:.0} % of the rate limit {name} of {exchange} is used");
    Some(Reason::new(Level::Warning, ReasonKind::RateLimit, limit, text).at(exchange))
}

/// A label value as a person would write it.
pub(super) fn in_words(value: &str) -> String {
    value.replace('_', " ")
}
