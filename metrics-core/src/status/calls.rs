//! Exchange calls that go wrong, as reasons of the verdict: one for each exchange and outcome, with what follows from it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::{iter, slice};

use super::fault_times::FaultTimes;
use super::reason::{Level, Reason, ReasonKind};
use super::shape::{OperationStatus, Status};
use super::verdict::{in_the_window, in_words};
use crate::LabelValue as _;
use crate::history::{CallStep, failed_calls};
use crate::labels::Subsystem;
use crate::outcome::Outcome;

/// Outcomes that mean that the exchange no longer serves the bot.
const REFUSED: [Outcome; 3] = [Outcome::Banned, Outcome::Auth, Outcome::RateLimited];

/// Outcomes that say nothing about the cause, so that two of them may have different ones.
const CATCH_ALL: [Outcome; 2] = [Outcome::Error, Outcome::Panic];

/// Fewer failed calls may be chance.
const FAILED_CALLS: u64 = 3;

/// The orders whose placement ended so that they may be open.
pub(super) fn unknown_order(
    operation: &OperationStatus,
    status: &Status,
    times: &FaultTimes<'_>,
) -> Option<Reason> {
    let OperationStatus { exchange, operation: name, recent_outcomes, places_orders: true, .. } = operation
    else {
        return None;
    };
    let recent = recent_outcomes.as_ref()?;
    let unknown = Outcome::unknown_placements();
    let found: Vec<_> = unknown.iter().filter(|outcome| recent.contains_key(**outcome)).collect();
    let count: u64 = found.iter().filter_map(|outcome| recent.get(**outcome)).sum();
    let orders = match count {
        0 => return None,
        1 => "1 order".to_owned(),
        _ => format!("{count} orders"),
    };
    let outcomes: Vec<_> = found.into_iter().map(|outcome| in_words(outcome)).collect();
    let (outcomes, window) = (outcomes.join(" or "), in_the_window(status));
    let text = format!("{orders} at {exchange} may be open: {name} ended with {outcomes} {window}");
    let is_unknown = |(index, count): (usize, &u32)| *count > 0 && unknown.contains(&Outcome::VALUES[index]);
    let since = times.bad_calls(operation, |step| step.outcomes.iter().enumerate().any(is_unknown));
    Some(Reason::new(Level::Critical, ReasonKind::OrdersUnknown, name, text).at(exchange).since(since))
}

/// The calls of an operation that go wrong.
struct BadCalls<'a> {
    operation: &'a OperationStatus,
    kind: ReasonKind,
    /// The outcome of most of them.
    outcome: String,
    count: u64,
    total: u64,
    since: Option<f64>,
}

/// The reasons of exchange calls. Of `loops`, the reasons of subsystems, those that follow from one become its
/// consequences.
pub(super) fn reasons(status: &Status, times: &FaultTimes<'_>, loops: &mut Vec<Reason>) -> Vec<Reason> {
    let mut groups: Vec<Vec<BadCalls<'_>>> = Vec::new();
    for bad in status.operations.iter().filter_map(|operation| bad_calls(operation, times)) {
        match groups.iter_mut().find(|group| group[0].has_cause_of(&bad)) {
            Some(group) => group.push(bad),
            None => groups.push(vec![bad]),
        }
    }
    let outcomes: Vec<_> = groups.iter().map(|group| group[0].outcome.clone()).collect();
    let banned = bans(&groups, status);
    let reason = |group: Vec<BadCalls<'_>>| {
        // With two causes of the same outcome, it is not known which one a loop fails by.
        let is_only = outcomes.iter().filter(|outcome| **outcome == group[0].outcome).count() == 1;
        let failing = if is_only { failing_by(&group[0].outcome, status, loops) } else { Vec::new() };
        of_group(&group, status, failing)
    };
    groups.into_iter().map(reason).chain(banned).collect()
}

/// A reason for each exchange that has said for how long it refuses calls, unless those of `groups` say it.
fn bans(groups: &[Vec<BadCalls<'_>>], status: &Status) -> Vec<Reason> {
    let said: BTreeSet<_> = groups
        .iter()
        .filter(|group| group[0].is_refused_for_a_time())
        .map(|group| &group[0].operation.exchange)
        .collect();
    let refusing = status.rate_limits.iter().filter(|limit| limit.refused_seconds.is_some());
    let exchanges: BTreeSet<_> = refusing.map(|limit| &limit.exchange).collect();
    let ban = |exchange: &String| {
        let rest = rest_of_refusal(exchange, status).unwrap_or_default();
        let text = format!("{exchange} refuses calls for {rest:.0} s more");
        Reason::new(Level::Warning, ReasonKind::Refused, "", text).at(exchange)
    };
    exchanges.difference(&said).copied().map(ban).collect()
}

impl BadCalls<'_> {
    fn has_cause_of(&self, other: &Self) -> bool {
        self.operation.exchange == other.operation.exchange
            && (self.kind, &self.outcome) == (other.kind, &other.outcome)
    }

    /// Whether the exchange serves the bot again after some time.
    fn is_refused_for_a_time(&self) -> bool {
        self.kind == ReasonKind::Refused && self.outcome != Outcome::Auth.as_str()
    }

    fn reason(&self, status: &Status) -> Reason {
        let OperationStatus { exchange, operation, .. } = self.operation;
        let text = text(slice::from_ref(self), operation, status);
        Reason::new(Level::Warning, self.kind, operation, text).at(exchange).since(self.since)
    }
}

fn bad_calls<'a>(operation: &'a OperationStatus, times: &FaultTimes<'_>) -> Option<BadCalls<'a>> {
    let recent = operation.recent_outcomes.as_ref()?;
    let count = |outcome: &str| recent.get(outcome).copied().unwrap_or(0);
    let (total, failed) = (recent.values().sum(), operation.recent_failed?);
    let most_fail = failed >= FAILED_CALLS && 2 * failed >= total;
    let refusals = REFUSED.map(Outcome::as_str);
    let refused: u64 = refusals.into_iter().map(count).sum();
    let (kind, outcome, bad) = match refusals.into_iter().find(|outcome| count(outcome) > 0) {
        // A few refusals must not hide an outage.
        Some(outcome) if !most_fail || 2 * refused >= failed => {
            (ReasonKind::Refused, outcome, count(outcome))
        }
        _ if most_fail => {
            let indexes = (0..Outcome::VALUES.len()).filter(|index| Outcome::is_failed_call(*index));
            let main = indexes.map(|index| Outcome::VALUES[index]).max_by_key(|outcome| count(outcome))?;
            (ReasonKind::CallsFail, main, failed)
        }
        _ => return None,
    };
    let since = times.bad_calls(operation, |step| is_bad(kind, step));
    Some(BadCalls { operation, kind, outcome: outcome.to_owned(), count: bad, total, since })
}

/// Whether a step has calls that are a reason of this kind.
fn is_bad(kind: ReasonKind, step: &CallStep) -> bool {
    let is_refusal = |index| REFUSED.iter().any(|outcome| outcome.index() == index);
    failed_calls(&step.outcomes)
        .any(|(index, count)| count > 0 && (kind != ReasonKind::Refused || is_refusal(index)))
}

/// Takes the reasons of subsystems whose last cycle failed with this outcome, in the window, out of `loops`.
fn failing_by(outcome: &str, status: &Status, loops: &mut Vec<Reason>) -> Vec<Reason> {
    if CATCH_ALL.iter().any(|any| any.as_str() == outcome) {
        return Vec::new();
    }
    let is_recent =
        |age: Option<f64>| age.zip(status.window_seconds).is_some_and(|(age, window)| age <= window);
    let fails_by_it = |reason: &mut Reason| {
        let mut subsystems = status.subsystems.iter();
        let subsystem = subsystems.find(|subsystem| subsystem.subsystem == reason.subject);
        reason.kind == ReasonKind::Failing
            && subsystem.is_some_and(|subsystem| {
                subsystem.last_outcome.as_deref() == Some(outcome) && is_recent(subsystem.attempt_age_seconds)
            })
    };
    loops.extract_if(.., fails_by_it).collect()
}

/// The reason of calls with the same cause, of which `failing` loops are a consequence.
fn of_group(group: &[BadCalls<'_>], status: &Status, failing: Vec<Reason>) -> Reason {
    let first = &group[0];
    let mut reason = first.reason(status);
    if group.len() > 1 {
        reason.subject.clone_from(&first.outcome);
        reason.text = text(group, &format!("{} operations", group.len()), status);
        let since: Option<Vec<_>> = group.iter().map(|bad| bad.since).collect();
        reason.since = since.and_then(|since| since.into_iter().reduce(f64::min));
        reason.consequences = group.iter().map(|bad| bad.reason(status)).collect();
    }
    let rest = rest_of_refusal(&first.operation.exchange, status);
    if let Some(rest) = rest.filter(|_| first.is_refused_for_a_time()) {
        let _ = write!(reason.text, " for {rest:.0} s more");
    }
    if !failing.is_empty() {
        reason.text = format!("{} because {}", fail(&failing), reason.text);
    }
    let since = iter::once(reason.since).chain(failing.iter().map(|failing| failing.since));
    reason.since = since.flatten().reduce(f64::min);
    reason.consequences.extend(failing);
    let worst = reason.consequences.iter().map(|consequence| consequence.level).max();
    reason.level = reason.level.max(worst.unwrap_or(reason.level));
    reason
}

/// What goes wrong with calls of these operations, which have the same cause.
fn text(group: &[BadCalls<'_>], operations: &str, status: &Status) -> String {
    let BadCalls { operation: OperationStatus { exchange, .. }, outcome, kind, .. } = &group[0];
    let (outcome, window) = (in_words(outcome), in_the_window(status));
    let sum = |number: fn(&BadCalls<'_>) -> u64| group.iter().map(number).sum::<u64>();
    let (count, total) = (sum(|bad| bad.count), sum(|bad| bad.total));
    if *kind == ReasonKind::Refused {
        let calls = if count == 1 { "call" } else { "calls" };
        format!("{exchange} refused {count} {calls} of {operations} {window}: {outcome}")
    } else {
        format!(
            "{count} of {total} calls of {operations} at {exchange} failed {window}, mostly with {outcome}"
        )
    }
}

/// The longest time for which an exchange says that it refuses calls.
fn rest_of_refusal(exchange: &str, status: &Status) -> Option<f64> {
    let of_exchange = status.rate_limits.iter().filter(|limit| limit.exchange == exchange);
    of_exchange.filter_map(|limit| limit.refused_seconds).reduce(f64::max)
}

/// That these loops fail, trading first.
fn fail(loops: &[Reason]) -> String {
    let mut names: Vec<_> = loops.iter().map(|reason| &*reason.subject).collect();
    names.sort_by_key(|name| *name != Subsystem::Trading.as_str());
    match &names[..] {
        [only] => format!("{only} fails"),
        [others @ .., last] => format!("{} and {last} fail", others.join(", ")),
        [] => String::new(),
    }
}
