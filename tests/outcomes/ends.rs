//! Each word of `on` with each end of a call.

use std::future::{Future, pending, ready};

use bot_metrics::prelude::*;
use bot_metrics::testing::Samples;

use crate::events::poll_once;
use crate::seen::{panics, samples};

/// The words as event types.
mod words {
    use bot_metrics::LabelValue;
    pub(crate) use bot_metrics::labels::Severity;

    #[derive(Clone, Copy, Debug, LabelValue)]
    #[label(rename_all = "SCREAMING_SNAKE_CASE")]
    #[allow(dead_code, reason = "named by their texts")]
    #[allow(clippy::enum_variant_names, reason = "other tests count events of the plain names")]
    pub(crate) enum EventType {
        WordOk,
        WordErr,
        WordRejected,
        WordRateLimited,
        WordBanned,
        WordAuth,
        WordServerError,
        WordTimeout,
        WordTransport,
        WordDecode,
        WordOther,
        WordSkipped,
        WordPanic,
        WordCancelled,
        WordReturn,
        WordAlways,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Ok,
    Skipped,
    Err(ErrorClass),
    Panic,
    Cancelled,
    Deadline,
}

struct Failure(ErrorClass);

impl ClassifyError for Failure {
    fn class(&self) -> ErrorClass {
        self.0
    }
}

const CLASSES: [ErrorClass; 9] = [
    ErrorClass::Rejected,
    ErrorClass::RateLimited,
    ErrorClass::Banned,
    ErrorClass::Auth,
    ErrorClass::ServerError,
    ErrorClass::Timeout,
    ErrorClass::Transport,
    ErrorClass::Decode,
    ErrorClass::Other,
];

const _: () = assert!(CLASSES.len() + 4 == Outcome::VALUES.len(), "`CLASSES` lacks a class of errors");

fn ends() -> impl Iterator<Item = End> {
    [End::Ok, End::Skipped, End::Panic, End::Cancelled, End::Deadline]
        .into_iter()
        .chain(CLASSES.map(End::Err))
}

fn call<F: Future>(end: End, function: impl FnOnce(End) -> F) {
    match end {
        End::Panic => panics(|| poll_once(function(end))),
        End::Deadline => poll_once(bot_metrics::with_deadline(ready(()), function(end))),
        _ => poll_once(function(end)),
    }
}

/// The event that is counted for a word, and a call that may cause it.
type Watched = (&'static str, &'static str, fn(End));

macro_rules! watched {
    ($($word:literal: $type:literal,)*) => {
        [$(($word, $type, |end| {
            #[operational_event(type = $type, severity = "INFO", on = $word, labels = words)]
            async fn ending(end: End) -> Result<Outcome, Failure> {
                match end {
                    End::Ok => Ok(Outcome::Ok),
                    End::Skipped => Ok(Outcome::Skipped),
                    End::Err(class) => Err(Failure(class)),
                    End::Panic => panic!("a deliberate panic"),
                    End::Cancelled | End::Deadline => pending().await,
                }
            }
            call(end, ending);
        }),)*]
    };
}

#[test]
fn each_word_of_on_matches_the_documented_ends() {
    let watched: [Watched; 16] = watched! {
        "ok": "WORD_OK",
        "err": "WORD_ERR",
        "rejected": "WORD_REJECTED",
        "rate_limited": "WORD_RATE_LIMITED",
        "banned": "WORD_BANNED",
        "auth": "WORD_AUTH",
        "server_error": "WORD_SERVER_ERROR",
        "timeout": "WORD_TIMEOUT",
        "transport": "WORD_TRANSPORT",
        "decode": "WORD_DECODE",
        "other": "WORD_OTHER",
        "skipped": "WORD_SKIPPED",
        "panic": "WORD_PANIC",
        "cancelled": "WORD_CANCELLED",
        "return": "WORD_RETURN",
        "always": "WORD_ALWAYS",
    };
    for end in ends() {
        let before = samples();
        for (_, _, call) in watched {
            call(end);
        }
        let after = samples();
        for (word, event, _) in watched {
            let count = |samples: &Samples| {
                let labels = [("type", event), ("profile_id", ""), ("symbol", "")];
                samples.value("bytelyst_bot_operational_events_total", &labels).unwrap()
            };
            let is_meant = match (word, end) {
                ("always", _)
                | ("ok" | "return", End::Ok)
                | ("skipped" | "return", End::Skipped)
                | ("err" | "return", End::Err(_))
                | ("panic", End::Panic)
                | ("cancelled", End::Cancelled | End::Deadline)
                | ("timeout", End::Deadline) => true,
                ("other", End::Err(class)) => class == ErrorClass::Other,
                (word, End::Err(class)) => Outcome::from(class).as_str() == word,
                _ => false,
            };
            assert_eq!(count(&after) - count(&before), f64::from(u8::from(is_meant)), "on = {word}, {end:?}");
        }
    }
}
