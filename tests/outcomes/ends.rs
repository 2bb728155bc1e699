//! Each word of `on` with each end of a call.

use std::future::{Future, pending, ready};

use bot_metrics::prelude::*;
use bot_metrics::testing::Samples;

use crate::events::poll_once;
use crate::seen::{panics, samples};

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

pub(crate) const CLASSES: [ErrorClass; 9] = [
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

/// A word, the text of the event that is counted for it, and a call that may cause it.
type Watched = (&'static str, &'static str, fn(End));

/// Declares an event type for each word, and a call for each.
macro_rules! watched {
    ($($word:literal: $event:ident,)*) => {
        mod words {
            use bot_metrics::LabelValue;
            pub(crate) use bot_metrics::labels::Severity;

            #[derive(Clone, Copy, Debug, LabelValue)]
            #[label(rename_all = "SCREAMING_SNAKE_CASE")]
            #[allow(clippy::enum_variant_names, reason = "other tests count events of the plain names")]
            pub(crate) enum EventType {
                $($event,)*
            }
        }

        const WATCHED: &[Watched] = &[$(($word, words::EventType::VALUES[words::EventType::$event as usize], |end| {
            #[operational_event(type = words::EventType::$event, severity = "INFO", on = $word, labels = words)]
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
        }),)*];
    };
}

watched! {
    "ok": WordOk,
    "err": WordErr,
    "rejected": WordRejected,
    "rate_limited": WordRateLimited,
    "banned": WordBanned,
    "auth": WordAuth,
    "server_error": WordServerError,
    "timeout": WordTimeout,
    "transport": WordTransport,
    "decode": WordDecode,
    "other": WordOther,
    "skipped": WordSkipped,
    "panic": WordPanic,
    "cancelled": WordCancelled,
    "return": WordReturn,
    "always": WordAlways,
}

#[test]
fn each_word_of_on_matches_the_documented_ends() {
    // Each outcome has a word, and so have three groups: "err", "return" and "always".
    assert_eq!(WATCHED.len(), Outcome::VALUES.len() + 3);
    for end in ends() {
        let before = samples();
        for (_, _, call) in WATCHED {
            call(end);
        }
        let after = samples();
        for (word, event, _) in WATCHED.iter().copied() {
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
