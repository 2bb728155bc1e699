//! The state of a bot in a sentence.

use std::cmp::Reverse;

use super::shape::{
    Level, OperationStatus, ProfileStatus, RateLimitStatus, Reason, Status, SubsystemState, SubsystemStatus,
    Verdict,
};
use crate::LabelValue as _;
use crate::history::{CallStep, Column, Ended as _, Steps};
use crate::labels::{Operation, Subsystem};
use crate::outcome::Outcome;

/// The used part of a rate limit from which on it is to be checked.
const NEARLY_USED: f64 = 0.9;

/// The operations that place an order.
const PLACING: [Operation; 2] = [Operation::PlaceOrder, Operation::ReplaceOrder];

/// Outcomes that mean that the exchange no longer serves the bot.
const REFUSED: [Outcome; 3] = [Outcome::Banned, Outcome::Auth, Outcome::RateLimited];

/// Outcomes that are no failures of a call. A healthy market maker has rejected orders.
const EXPECTED: [Outcome; 3] = [Outcome::Ok, Outcome::Rejected, Outcome::Cancelled];

/// Fewer failed calls may be chance.
const FAILED_CALLS: u64 = 3;

/// A verdict before anything is known.
pub(super) fn none() -> Verdict {
    Verdict { level: Level::Waiting, text: String::new(), reasons: Vec::new() }
}

/// The verdict on a status whose other fields are complete.
pub(super) fn of(status: &Status, steps: &Steps) -> Verdict {
    if !status.recording {
        let text =
            "nothing is recorded: the bot is built without the feature enable of bot-metrics".to_owned();
        return Verdict { text, ..none() };
    }
    let mut reasons: Vec<_> =
        status.subsystems.iter().filter_map(|subsystem| of_subsystem(subsystem, status, steps)).collect();
    reasons.extend(status.profiles.iter().filter_map(of_profile));
    reasons.extend(
        status.reconciliation.missing.iter().flatten().filter(|(_, count)| **count > 0).map(of_missing),
    );
    reasons.extend(status.operations.iter().filter_map(|operation| of_operation(operation, status)));
    reasons.extend(status.rate_limits.iter().filter_map(of_rate_limit));
    reasons.sort_by_key(|reason| (Reverse(reason.level), reason.subject != Subsystem::Trading.as_str()));
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
    let is_placing =
        |operation: &&OperationStatus| PLACING.iter().any(|placing| placing.as_str() == operation.operation);
    let recent: Vec<_> = status
        .operations
        .iter()
        .filter(is_placing)
        .filter_map(|operation| operation.recent_outcomes.as_ref())
        .collect();
    if recent.iter().any(|outcomes| outcomes.contains_key(Outcome::Ok.as_str())) {
        return Some("trading, ".to_owned());
    }
    (!recent.is_empty()).then(|| format!("no order {}, ", in_the_window(status)))
}

/// The time to which the recent outcomes belong.
fn in_the_window(status: &Status) -> String {
    format!("in the last {:.0} s", status.window_seconds.unwrap_or_default())
}

fn of_subsystem(subsystem: &SubsystemStatus, status: &Status, steps: &Steps) -> Option<Reason> {
    let SubsystemStatus { subsystem: name, state, age_seconds, limit_seconds, last_outcome, .. } = subsystem;
    let outcome = last_outcome.as_deref().map_or_else(|| "a failure".to_owned(), in_words);
    let (level, text) = match state {
        SubsystemState::Hung => {
            let running = subsystem.running_seconds.unwrap_or_default();
            (
                Level::Critical,
                format!("{name} has been hanging for {running:.0} s{}", running_in(status, steps)),
            )
        }
        SubsystemState::Stalled => (
            Level::Critical,
            format!(
                "{name} is stalled: no success for {age_seconds:.0} s, at most {limit_seconds:.0} s allowed"
            ),
        ),
        SubsystemState::Failing if !subsystem.alive => {
            (Level::Critical, format!("{name} has been failing for {age_seconds:.0} s, last with {outcome}"))
        }
        SubsystemState::Failing => {
            (Level::Warning, format!("{name} fails: its last cycle ended with {outcome}"))
        }
        _ => return None,
    };
    Some(Reason { level, subject: name.clone(), text })
}

/// The operations that have calls in progress of which none ended during the last step.
fn running_in(status: &Status, steps: &Steps) -> String {
    let ended = |column: &Column<CallStep>| {
        column.cells.back().copied().flatten().map_or(0, |step| step.outcomes().iter().sum::<u32>())
    };
    let is_stuck = |operation: &&OperationStatus| {
        let is_its = |column: &&Column<CallStep>| {
            column.labels[..] == [operation.exchange.as_str(), operation.operation.as_str()]
        };
        operation.in_flight > 0
            && steps.operations().iter().find(is_its).is_none_or(|column| ended(column) == 0)
    };
    let stuck: Vec<_> =
        status.operations.iter().filter(is_stuck).map(|operation| &*operation.operation).collect();
    if stuck.is_empty() { String::new() } else { format!(": running in {}", stuck.join(", ")) }
}

fn of_profile(profile: &ProfileStatus) -> Option<Reason> {
    let ProfileStatus { profile: name, utilization_percent, below_zero, .. } = profile;
    let (level, text) = match utilization_percent {
        _ if *below_zero == Some(true) => {
            (Level::Critical, format!("the available capital of {name} is below zero"))
        }
        Some(percent) if percent.is_infinite() => {
            (Level::Warning, format!("{name} uses capital, but none is allocated to it"))
        }
        Some(percent) if *percent > 100.0 => {
            (Level::Warning, format!("{name} uses {percent:.0} % of its allocated capital"))
        }
        _ => return None,
    };
    Some(Reason { level, subject: name.clone(), text })
}

fn of_missing((source, count): (&String, &u64)) -> Reason {
    let (items, are) = if *count == 1 { ("item", "is") } else { ("items", "are") };
    let place = if source == "db" { "the database" } else { "the exchange" };
    Reason {
        level: Level::Warning,
        subject: source.clone(),
        text: format!("{count} {items} {are} missing from {place}"),
    }
}

fn of_operation(operation: &OperationStatus, status: &Status) -> Option<Reason> {
    let recent = operation.recent_outcomes.as_ref()?;
    let count = |outcome: &Outcome| recent.get(outcome.as_str()).copied().unwrap_or(0);
    let total: u64 = recent.values().sum();
    let failed = total - EXPECTED.iter().map(count).sum::<u64>();
    let OperationStatus { exchange, operation, .. } = operation;
    let window = in_the_window(status);
    let text = match REFUSED.iter().find(|outcome| count(outcome) > 0) {
        Some(refused) => {
            let (outcome, times) = (in_words(refused.as_str()), count(refused));
            let times = if times == 1 { "once".to_owned() } else { format!("{times} times") };
            format!("{exchange} answered {operation} with {outcome} {times} {window}")
        }
        None if failed >= FAILED_CALLS && 2 * failed >= total => {
            format!("{failed} of {total} calls of {operation} at {exchange} failed {window}")
        }
        None => return None,
    };
    Some(Reason { level: Level::Warning, subject: operation.clone(), text })
}

fn of_rate_limit(RateLimitStatus { exchange, limit, used_ratio }: &RateLimitStatus) -> Option<Reason> {
    let (used, name) = (100.0 * used_ratio, in_words(limit));
    let text = format!("{used:.0} % of the rate limit {name} of {exchange} is used");
    (*used_ratio >= NEARLY_USED).then(|| Reason { level: Level::Warning, subject: limit.clone(), text })
}

/// A label value as a person would write it.
fn in_words(value: &str) -> String {
    value.replace('_', " ")
}
