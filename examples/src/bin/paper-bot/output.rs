//! How the bot shows what happens: a live table, lines, or JSON objects.

use std::time::{SystemTime, UNIX_EPOCH};

use bot_metrics::LabelValue as _;
use bot_metrics_examples::demo::{NoScreen, check_screen, print_json, say, say_json};
use bot_metrics_examples::fault::Fault;
use bot_metrics_examples::market::Symbol;
use serde::Serialize;

use crate::figures::Figures;
use crate::journal::JournalEntry;

/// How the bot shows what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// A table in place, for a person.
    Screen,
    /// Lines for a person or a log.
    Lines,
    /// One JSON object per line, for a program.
    Json,
}

/// The options that choose it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct OutputOptions {
    /// Prints lines instead of the live table that a terminal shows.
    ///
    /// Lines are also printed if standard output is not a terminal or has no size, with `TERM=dumb`, and in the
    /// background. `NO_COLOR=1` leaves out colours.
    #[arg(long)]
    plain: bool,

    /// Prints a JSON object per line: messages, events, faults, and the status every three seconds.
    #[arg(long, conflicts_with = "plain")]
    json: bool,
}

impl OutputOptions {
    /// The output that the options choose. Says why a terminal gets no table, unless that was asked for.
    pub(crate) fn choose(self) -> Output {
        if self.json {
            print_json();
            return Output::Json;
        }
        if self.plain {
            return Output::Lines;
        }
        match check_screen() {
            Ok(()) => Output::Screen,
            Err(NoScreen::NoTerminal) => Output::Lines,
            Err(reason) => {
                say(format_args!("no table: {reason}; printing lines instead"));
                Output::Lines
            }
        }
    }
}

/// A line of JSON. `at` is its time in seconds since the Unix epoch.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Object<'a> {
    /// Something that the metrics count, orders included.
    Event {
        at: f64,
        severity: &'static str,
        event: &'static str,
        /// Its profile; `null` if it has none.
        profile: Option<&'static str>,
        /// Its market; `null` if it has none.
        symbol: Option<&'static str>,
        text: String,
    },
    /// The beginning or the end of a fault.
    Fault {
        at: f64,
        fault: &'static str,
        active: bool,
        /// The metric that shows it.
        see: &'static str,
    },
    /// The figures of now.
    Status {
        at: f64,
        #[serde(flatten)]
        figures: &'a Figures,
    },
    /// The figures at the end.
    Summary {
        at: f64,
        #[serde(flatten)]
        figures: &'a Figures,
    },
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Prints an event.
pub(crate) fn say_event(entry: &JournalEntry) {
    let JournalEntry { profile, symbol, event } = entry;
    say_json(&Object::Event {
        at: now(),
        severity: event.severity().as_str(),
        event: event.event_type().as_str(),
        profile: *profile,
        symbol: symbol.map(Symbol::as_str),
        text: event.describe(),
    });
}

/// Prints that a fault begins or ends.
pub(crate) fn say_fault(fault: Fault, active: bool) {
    say_json(&Object::Fault { at: now(), fault: fault.as_str(), active, see: fault.metric() });
}

/// Prints the figures of now.
pub(crate) fn say_status(figures: &Figures) {
    say_json(&Object::Status { at: now(), figures });
}

/// Prints the figures at the end.
pub(crate) fn say_summary(figures: &Figures) {
    say_json(&Object::Summary { at: now(), figures });
}
