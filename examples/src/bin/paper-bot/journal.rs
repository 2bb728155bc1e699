//! The journal: every event that an operator needs to know passes through [`Journal::record`].

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bot_metrics::labels::{EventType, Severity};
use bot_metrics::prelude::*;
use bot_metrics_examples::demo::{Tone, say_in};
use bot_metrics_examples::fault::Fault;
use bot_metrics_examples::market::Symbol;
use rust_decimal::Decimal;

use crate::api::ApiError;
use crate::output::{self, Output};

/// An event with its profile and market.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JournalEntry {
    /// The profile that it concerns, if any.
    pub(crate) profile: Option<&'static str>,
    /// The market that it concerns, if any.
    pub(crate) symbol: Option<Symbol>,
    /// What happened.
    pub(crate) event: Event,
}

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    Started,
    Stopped,
    ProfileStarted,
    ProfileStopped,
    OrderPlaced(String),
    /// An order was executed in part; more may follow.
    OrderPartlyFilled(String),
    OrderFilled(String),
    OrderCancelled(String),
    OrderRejected(String),
    OrderFailed(String),
    /// No answer came, so the order may be open or not.
    OrderUnknown(String),
    /// A call failed, whichever operation it was.
    CallFailed(String),
    /// The exchange refused a call because there were too many.
    RateLimited {
        retry_after: Duration,
    },
    /// The exchange refuses all calls of this address.
    Banned {
        retry_after: Duration,
    },
    CapitalViolation {
        available: Decimal,
    },
    CapitalRestored {
        available: Decimal,
    },
    StaleMarketData {
        age: Duration,
    },
    ReconciliationMismatch(String),
    /// The exchange accepts no orders.
    TradingHalted,
    TradingResumed,
}

impl fmt::Display for JournalEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { profile, symbol, event } = self;
        write!(f, "{} {}", event.severity().as_str(), event.event_type().as_str())?;
        let subjects = [*profile, symbol.map(Symbol::as_str)];
        subjects.into_iter().flatten().try_for_each(|subject| write!(f, " {subject}"))?;
        write!(f, ": {}", event.describe())
    }
}

impl Event {
    /// The event for a failed call. A rejection is an answer and not a failure.
    pub(crate) fn of_failed_call(error: &ApiError) -> Option<Self> {
        match error {
            ApiError::Rejected { .. } => None,
            ApiError::RateLimited { retry_after } => Some(Self::RateLimited { retry_after: *retry_after }),
            ApiError::Banned { retry_after } => Some(Self::Banned { retry_after: *retry_after }),
            ApiError::Auth { .. }
            | ApiError::Server { .. }
            | ApiError::Timeout
            | ApiError::Transport(_)
            | ApiError::Decode(_)
            | ApiError::Unclear { .. } => Some(Self::CallFailed(error.to_string())),
        }
    }

    /// Whether it is printed as a line; others are too many for that.
    fn is_printed(&self) -> bool {
        let is_notable = matches!(
            self,
            Self::CapitalRestored { .. }
                | Self::ProfileStarted
                | Self::ProfileStopped
                | Self::TradingHalted
                | Self::TradingResumed
        );
        is_notable || self.severity() >= Severity::Error
    }

    fn tone(&self) -> Tone {
        match self.severity() {
            Severity::Info => Tone::Good,
            Severity::Warning => Tone::Warning,
            Severity::Error | Severity::Critical => Tone::Bad,
        }
    }

    /// The text for an operator.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::OrderRejected(why) => format!("order rejected: {why}"),
            Self::OrderFailed(why) => format!("order failed: {why}"),
            Self::OrderUnknown(why) => format!("an order may be open or not: {why}"),
            Self::CallFailed(why) => format!("call failed: {why}"),
            Self::RateLimited { retry_after } => format!("rate limited for {retry_after:?}"),
            Self::Banned { retry_after } => format!("the exchange answers nothing for {retry_after:?}"),
            Self::CapitalViolation { available } => {
                format!("available capital fell to {available:.2} USDT: quoting stops")
            }
            Self::CapitalRestored { available } => {
                format!("available capital is {available:.2} USDT again: quoting goes on")
            }
            Self::StaleMarketData { age } => format!("market data is {:.1} s old", age.as_secs_f64()),
            Self::ReconciliationMismatch(what) => format!("mismatch: {what}"),
            Self::TradingHalted => "the exchange has halted its markets: trading pauses".to_owned(),
            Self::TradingResumed => "the markets are open again: trading goes on".to_owned(),
            Self::ProfileStarted => "back at work".to_owned(),
            Self::ProfileStopped => "stopped, its orders are cancelled".to_owned(),
            Self::OrderPlaced(terms) | Self::OrderFilled(terms) | Self::OrderCancelled(terms) => {
                terms.clone()
            }
            Self::OrderPartlyFilled(terms) => format!("in part: {terms}"),
            Self::Started => "at work".to_owned(),
            Self::Stopped => "ended".to_owned(),
        }
    }
}

/// Takes one row per pair of a severity and a type: exactly these pairs are exported as 0 from the start, because each
/// has a call site of its own with both known at compile time.
macro_rules! events {
    ($($severity:ident $kind:ident: $events:pat,)+) => {
        impl Event {
            /// The severity for an operator.
            pub(crate) const fn severity(&self) -> Severity {
                match self {
                    $($events => Severity::$severity,)+
                }
            }

            /// The type, as in the metrics.
            pub(crate) const fn event_type(&self) -> EventType {
                match self {
                    $($events => EventType::$kind,)+
                }
            }
        }

        /// Counts an event in the metrics.
        fn count_in_metrics(entry: &JournalEntry) {
            match entry.event {
                $($events => {
                    #[operational_event(
                        type = labels::EventType::$kind,
                        severity = labels::Severity::$severity,
                        profile = entry.profile.unwrap_or_default(),
                        symbol = entry.symbol.map_or("", Symbol::as_str),
                        text = entry.event.describe()
                    )]
                    fn count(entry: &JournalEntry) {}
                    count(entry);
                })+
            }
        }
    };
}

events! {
    Info Started: Event::Started,
    Info Stopped: Event::Stopped,
    Info ProfileAdded: Event::ProfileStarted,
    Warning ProfileRemoved: Event::ProfileStopped,
    Info OrderPlaced: Event::OrderPlaced(_),
    Info OrderFilled: Event::OrderPartlyFilled(_) | Event::OrderFilled(_),
    Info OrderCancelled: Event::OrderCancelled(_),
    Warning OrderRejected: Event::OrderRejected(_),
    Error OrderFailure: Event::OrderFailed(_),
    Error OrderUnknown: Event::OrderUnknown(_),
    Warning ApiFailure: Event::CallFailed(_),
    Warning RateLimited: Event::RateLimited { .. },
    Error Banned: Event::Banned { .. },
    Critical CapitalViolation: Event::CapitalViolation { .. },
    Info CapitalRestored: Event::CapitalRestored { .. },
    Error StaleMarketData: Event::StaleMarketData { .. },
    Error ReconciliationMismatch: Event::ReconciliationMismatch(_),
    Warning CircuitBreaker: Event::TradingHalted,
    Info CircuitBreaker: Event::TradingResumed,
}

/// A profile's counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) placed: u64,
    /// Orders that were completely filled.
    pub(crate) filled: u64,
    /// Executions, partial ones included.
    pub(crate) executions: u64,
    pub(crate) cancelled: u64,
    pub(crate) rejected: u64,
    /// Calls that failed.
    pub(crate) errors: u64,
}

/// Counts events and prints those that an operator must see.
#[derive(Debug)]
pub(crate) struct Journal {
    started: Instant,
    output: Output,
    tallies: Mutex<BTreeMap<Option<&'static str>, Tally>>,
}

impl Journal {
    /// An empty journal, whose lines show the time since `started`.
    pub(crate) fn new(started: Instant, output: Output) -> Self {
        Self { started, output, tallies: Mutex::default() }
    }

    /// Records an event. All events pass through this function.
    pub(crate) fn record(&self, entry: &JournalEntry) {
        count_in_metrics(entry);
        self.count(entry);
        if self.output == Output::Json {
            output::say_event(entry);
        } else if entry.event.is_printed() {
            self.say_in(entry.event.tone(), entry);
        }
    }

    /// Prints that a fault begins or ends, and which metric shows it.
    pub(crate) fn tell_fault(&self, fault: Fault, begins: bool) {
        if self.output == Output::Json {
            output::say_fault(fault, begins);
        } else if begins {
            self.say_in(Tone::Warning, format_args!("fault {fault} begins: see {}", fault.metric()));
        } else {
            self.say_in(Tone::Warning, format_args!("fault {fault} ends"));
        }
    }

    /// Prints a line with the time since the start.
    pub(crate) fn say(&self, line: impl fmt::Display) {
        self.say_in(Tone::Plain, line);
    }

    /// Prints a line with the time since the start, on a terminal in the colour of `tone`.
    pub(crate) fn say_in(&self, tone: Tone, line: impl fmt::Display) {
        match self.output {
            Output::Json => say_in(tone, line),
            Output::Lines | Output::Screen => {
                say_in(tone, format_args!("[{:7.1}s] {line}", self.started.elapsed().as_secs_f64()));
            }
        }
    }

    /// The counts of `profile`; `None` means events without a profile.
    pub(crate) fn tally(&self, profile: Option<&'static str>) -> Tally {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner).get(&profile).copied().unwrap_or_default()
    }

    fn count(&self, entry: &JournalEntry) {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = tallies.entry(entry.profile).or_default();
        match entry.event {
            Event::OrderPlaced(_) => tally.placed += 1,
            Event::OrderPartlyFilled(_) => tally.executions += 1,
            Event::OrderFilled(_) => {
                tally.filled += 1;
                tally.executions += 1;
            }
            Event::OrderCancelled(_) => tally.cancelled += 1,
            Event::OrderRejected(_) => tally.rejected += 1,
            Event::CallFailed(_) | Event::RateLimited { .. } | Event::Banned { .. } => tally.errors += 1,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_no_failure_and_a_rejection_is_an_answer() {
        let retry_after = Duration::from_secs(7);
        let event = |error| Event::of_failed_call(&error);
        assert_eq!(event(ApiError::RateLimited { retry_after }), Some(Event::RateLimited { retry_after }));
        assert_eq!(event(ApiError::Banned { retry_after }), Some(Event::Banned { retry_after }));
        for error in [ApiError::Timeout, ApiError::Server { what: "status 503".to_owned() }] {
            let text = error.to_string();
            assert_eq!(event(error), Some(Event::CallFailed(text)));
        }
        assert_eq!(event(ApiError::Rejected { code: -2010, msg: String::new() }), None);
    }

    #[test]
    fn the_description_of_an_event_has_no_repetition() {
        let rejected = Event::OrderRejected("Order would immediately match and take. (-2010)".to_owned());
        assert_eq!(rejected.describe(), "order rejected: Order would immediately match and take. (-2010)");
        let filled = Event::OrderPartlyFilled("BUY 3 at 143".to_owned());
        assert_eq!(filled.describe(), "in part: BUY 3 at 143");
    }

    #[test]
    fn events_are_counted_for_their_profile() {
        let journal = Journal::new(Instant::now(), Output::Lines);
        let record = |profile, event| journal.record(&JournalEntry { profile, symbol: None, event });
        let orders =
            [Event::OrderPlaced, Event::OrderPartlyFilled, Event::OrderFilled, Event::OrderCancelled];
        for event in orders {
            record(Some("a"), event("BUY 1 at 100".to_owned()));
        }
        record(Some("b"), Event::OrderRejected(String::new()));
        record(Some("b"), Event::CallFailed(String::new()));
        record(None, Event::CallFailed(String::new()));
        record(None, Event::RateLimited { retry_after: Duration::from_secs(1) });
        let a = Tally { placed: 1, filled: 1, executions: 2, cancelled: 1, ..Tally::default() };
        assert_eq!(journal.tally(Some("a")), a);
        assert_eq!(journal.tally(Some("b")), Tally { rejected: 1, errors: 1, ..Tally::default() });
        assert_eq!(journal.tally(None), Tally { errors: 2, ..Tally::default() });
        assert_eq!(journal.tally(Some("c")), Tally::default());
    }
}
