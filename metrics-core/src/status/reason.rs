//! The verdict on a bot, and its reasons.

use std::iter;

use serde::{Deserialize, Serialize};

/// The state of the bot in a sentence, and the reasons for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Verdict {
    /// The level of the worst reason.
    pub level: Level,
    /// A line of text, such as `trading, all loops fresh`.
    pub text: String,
    /// The worst first; empty at [`Level::Ok`].
    pub reasons: Vec<Reason>,
}

impl Verdict {
    /// The reasons, each followed by its consequences.
    pub fn all_reasons(&self) -> impl Iterator<Item = &Reason> {
        self.reasons.iter().flat_map(Reason::all)
    }
}

/// A reason why the bot is not well. Kind, exchange and subject identify it for as long as it lasts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reason {
    /// Its level, which is that of its worst consequence if that is higher.
    pub level: Level,
    /// Its kind.
    pub kind: ReasonKind,
    /// The exchange of an operation or a rate limit; otherwise empty.
    pub exchange: String,
    /// The subsystem, profile, source, operation or rate limit that it concerns. If it concerns several operations of the
    /// exchange, their outcome, such as `rate_limited`; empty if it concerns all of the exchange.
    pub subject: String,
    /// A line of text.
    pub text: String,
    /// The moment at which it began, as described at its kind; `None` if it is not known.
    pub since: Option<f64>,
    /// What follows from it and is no reason beside it: if an exchange does not serve several operations by one outcome,
    /// each of them, and the subsystems whose last cycle failed by that outcome.
    #[serde(default)]
    pub consequences: Vec<Reason>,
}

/// The kinds of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReasonKind {
    /// A subsystem hangs, since the cycle in progress began.
    Hung,
    /// A subsystem is stalled, since its last success or skip, its start or the end of a pause.
    Stalled,
    /// The last cycle of a subsystem failed, since the first failure after the last success, with a resolution of a second;
    /// not known if no server sampled that failure.
    Failing,
    /// The available capital of a profile is below zero, since the update that reported it.
    BelowZero,
    /// A profile uses more than its allocated capital, since the update that reported it.
    OverAllocated,
    /// Items are missing from a source, since the cycle that found one.
    Missing,
    /// Orders may be open that the bot does not know, since the step of the history in which the first placement ended so;
    /// not known if that is more than 15 minutes ago. The first reason of a verdict.
    OrdersUnknown,
    /// An exchange refuses calls of an operation, since the step of the history in which it began to, or since a
    /// subsystem began to fail by it, if that is earlier; not known if it is more than 15 minutes ago. Without a call, the
    /// exchange has said for how long it refuses them, and since when is not known.
    Refused,
    /// Most calls of an operation fail, likewise.
    CallsFail,
    /// A rate limit is nearly used up. Since when is not known.
    RateLimit,
}

/// The levels of a verdict, in increasing order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Level {
    /// Nothing is wrong.
    Ok,
    /// No cycle has ended yet, so that little is known.
    Waiting,
    /// To be checked.
    Warning,
    /// A loop does not work, or money is at risk.
    Critical,
}

impl Reason {
    pub(super) fn new(level: Level, kind: ReasonKind, subject: &str, text: String) -> Self {
        Self {
            level,
            kind,
            exchange: String::new(),
            subject: subject.to_owned(),
            text,
            since: None,
            consequences: Vec::new(),
        }
    }

    /// This one and its consequences.
    pub(super) fn all(&self) -> impl Iterator<Item = &Self> {
        iter::once(self).chain(&self.consequences)
    }

    pub(super) fn at(mut self, exchange: &str) -> Self {
        exchange.clone_into(&mut self.exchange);
        self
    }

    pub(super) fn since(mut self, since: Option<f64>) -> Self {
        self.since = since;
        self
    }
}
