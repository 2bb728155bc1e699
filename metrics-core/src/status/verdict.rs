//! The state of a bot in a sentence.

use std::cmp::Reverse;

use super::fault_times::FaultTimes;
use super::reason::{Level, Reason, ReasonKind, Verdict};
use super::shape::{
    OperationStatus, ProfileStatus, RateLimitStatus, Status, SubsystemState, SubsystemStatus,
};
use crate::history::{CallStep, Ended as _, Steps};
use crate::labels::{Operation, Subsystem};
use crate::outcome::Outcome;
use crate::{AgeOrigin, LabelValue as _};

/// The used part of a rate limit from which on it is to be checked.
const NEARLY_USED: f64 = 0.9;

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
pub(super) fn of(status: &Status, times: &FaultTimes<'_>) -> Verdict {
    if !status.recording {
        let text =
            "nothing is recorded: the bot is built without the feature enable of bot-metrics".to_owned();
        return Verdict { text, ..none() };
    }
    let mut reasons: Vec<_> = status
        .subsystems
        .iter()
        .filter_map(|subsystem| of_subsystem(subsystem, status, times.steps))
        .collect();
    reasons.extend(status.profiles.iter().filter_map(|profile| of_profile(profile, times)));
    let missing = status.reconciliation.missing.iter().flatten().filter(|(_, count)| **count > 0);
    reasons.extend(missing.map(|(source, count)| of_missing(source, *count, times)));
    reasons.extend(status.operations.iter().filter_map(|operation| of_operation(operation, status, times)));
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
    let is_placing = |operation: &&OperationStatus| {
        Operation::PLACING.iter().any(|placing| placing.as_str() == operation.operation)
    };
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
    let SubsystemStatus { subsystem: name, state, age_seconds, age_origin, limit_seconds, .. } = subsystem;
    let outcome = subsystem.last_outcome.as_deref().map_or_else(|| "a failure".to_owned(), in_words);
    let running = subsystem.running_seconds.unwrap_or_default();
    let (level, kind, text) = match state {
        SubsystemState::Hung => (
            Level::Critical,
            ReasonKind::Hung,
            format!("{name} has been hanging for {running:.0} s{}", running_in(status, steps)),
        ),
        SubsystemState::Stalled => {
            let resumed = if *age_origin == AgeOrigin::Resumed { " since its pause" } else { "" };
            (
                Level::Critical,
                ReasonKind::Stalled,
                format!(
                    "{name} is stalled: no success for {age_seconds:.0} s{resumed}, at most {limit_seconds:.0} s allowed"
                ),
            )
        }
        SubsystemState::Failing if !subsystem.alive => (
            Level::Critical,
            ReasonKind::Failing,
            format!("{name} has been failing for {age_seconds:.0} s, last with {outcome}"),
        ),
        SubsystemState::Failing => (
            Level::Warning,
            ReasonKind::Failing,
            format!("{name} fails: its last cycle ended with {outcome}"),
        ),
        _ => return None,
    };
    let since = status.now - if kind == ReasonKind::Hung { running } else { *age_seconds };
    Some(Reason::new(level, kind, name, text).since(Some(since)))
}

/// The operations that have calls in progress of which none ended during the last step.
fn running_in(status: &Status, steps: &Steps) -> String {
    let ended = |operation: &OperationStatus| {
        let column = steps.operation(&operation.exchange, &operation.operation)?;
        column.cells.back().copied().flatten().map(|step| step.outcomes().iter().sum::<u32>())
    };
    let is_stuck = |operation: &&OperationStatus| {
        operation.in_flight > 0 && ended(operation).is_none_or(|ended| ended == 0)
    };
    let stuck: Vec<_> =
        status.operations.iter().filter(is_stuck).map(|operation| &*operation.operation).collect();
    if stuck.is_empty() { String::new() } else { format!(": running in {}", stuck.join(", ")) }
}

fn of_profile(profile: &ProfileStatus, times: &FaultTimes<'_>) -> Option<Reason> {
    let ProfileStatus { profile: name, utilization_percent, below_zero, .. } = profile;
    if *below_zero == Some(true) {
        let text = format!("the available capital of {name} is below zero");
        let reason = Reason::new(Level::Critical, ReasonKind::BelowZero, name, text);
        return Some(reason.since(times.below_zero(name)));
    }
    let text = match utilization_percent {
        Some(percent) if percent.is_infinite() => {
            format!("{name} uses capital, but none is allocated to it")
        }
        Some(percent) if *percent > 100.0 => format!("{name} uses {percent:.0} % of its allocated capital"),
        _ => return None,
    };
    let reason = Reason::new(Level::Warning, ReasonKind::OverAllocated, name, text);
    Some(reason.since(times.over_allocated(name)))
}

fn of_missing(source: &str, count: u64, times: &FaultTimes<'_>) -> Reason {
    let (items, are) = if count == 1 { ("item", "is") } else { ("items", "are") };
    let place = if source == "db" { "the database" } else { "the exchange" };
    let text = format!("{count} {items} {are} missing from {place}");
    Reason::new(Level::Warning, ReasonKind::Missing, source, text).since(times.missing(source))
}

fn of_operation(operation: &OperationStatus, status: &Status, times: &FaultTimes<'_>) -> Option<Reason> {
    let recent = operation.recent_outcomes.as_ref()?;
    let count = |outcome: &Outcome| recent.get(outcome.as_str()).copied().unwrap_or(0);
    let total: u64 = recent.values().sum();
    let failed = total - EXPECTED.iter().map(count).sum::<u64>();
    let OperationStatus { exchange, operation: name, .. } = operation;
    let window = in_the_window(status);
    let (kind, text) = match REFUSED.iter().find(|outcome| count(outcome) > 0) {
        Some(refused) => {
            let (outcome, times) = (in_words(refused.as_str()), count(refused));
            let times = if times == 1 { "once".to_owned() } else { format!("{times} times") };
            (ReasonKind::Refused, format!("{exchange} answered {name} with {outcome} {times} {window}"))
        }
        None if failed >= FAILED_CALLS && 2 * failed >= total => {
            let text = format!("{failed} of {total} calls of {name} at {exchange} failed {window}");
            (ReasonKind::CallsFail, text)
        }
        None => return None,
    };
    let since = times.bad_calls(operation, |step| is_bad(kind, step));
    Some(Reason::new(Level::Warning, kind, name, text).at(exchange).since(since))
}

/// Whether a step has calls that are a reason of this kind.
fn is_bad(kind: ReasonKind, step: &CallStep) -> bool {
    let is_of = |outcomes: &[Outcome], index| outcomes.iter().any(|outcome| outcome.index() == index);
    step.outcomes().iter().enumerate().any(|(index, count)| {
        let is_bad =
            if kind == ReasonKind::Refused { is_of(&REFUSED, index) } else { !is_of(&EXPECTED, index) };
        *count > 0 && is_bad
    })
}

fn of_rate_limit(RateLimitStatus { exchange, limit, used_ratio }: &RateLimitStatus) -> Option<Reason> {
    let (used, name) = (100.0 * used_ratio, in_words(limit));
    let text = format!("{used:.0} % of the rate limit {name} of {exchange} is used");
    let reason = Reason::new(Level::Warning, ReasonKind::RateLimit, limit, text).at(exchange);
    (*used_ratio >= NEARLY_USED).then_some(reason)
}

/// A label value as a person would write it.
fn in_words(value: &str) -> String {
    value.replace('_', " ")
}
