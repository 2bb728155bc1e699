//! Operational events: what an operator wants in a journal, counted.

use std::sync::Arc;

use crate::Outcome;
use crate::call_site::{Cells, Choice, SlotCell};
use crate::catalogue;
use crate::guard::Guard;
use crate::label::{OTHER, OpenLabel};
use crate::lock;
use crate::registry;
use crate::storage::{CounterSlot, Series, Sink, lose};
use crate::text::Text;

/// Series of [`OPERATIONAL_EVENTS_TOTAL`](catalogue::OPERATIONAL_EVENTS_TOTAL) before the rest goes to "other".
const SERIES_BOUND: usize = 2_000;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    severity: &'static str,
    kind: &'static str,
    profile: Arc<str>,
    symbol: Arc<str>,
}

/// The events of an instance.
#[derive(Debug)]
pub(crate) struct Events {
    series: Series<Key, EventSlots>,
    /// Apart from the profiles that have capital: an id that is only named in events takes no place from those.
    profiles: OpenLabel,
    symbols: OpenLabel,
    profile_overflow: CounterSlot,
    symbol_overflow: CounterSlot,
}

impl Events {
    pub(crate) fn new() -> Self {
        Self {
            series: Series::new(),
            profiles: OpenLabel::new(),
            symbols: OpenLabel::new(),
            profile_overflow: CounterSlot::new(),
            symbol_overflow: CounterSlot::new(),
        }
    }

    pub(crate) fn set_bounds(&self, profiles: usize, symbols: usize) {
        self.profiles.set_bound(profiles);
        self.symbols.set_bound(symbols);
    }

    /// Drops the series of a profile that was removed.
    pub(crate) fn forget_profile(&self, profile: &str) {
        self.series.remove_where(|key| *key.profile == *profile);
        self.profiles.release(profile);
    }

    fn record(&self, event: &Event<'_>) {
        let profile = self.profiles.admit(event.profile, &self.profile_overflow);
        let symbol = self.symbols.admit(event.symbol, &self.symbol_overflow);
        let mut key = Key { severity: event.severity, kind: event.kind, profile, symbol };
        // What has no open label, or no other value than "other", is bounded by the enums.
        if self.series.len() >= SERIES_BOUND && self.series.get(&key).is_none() {
            crowd_out(&mut key.profile, &self.profile_overflow);
            crowd_out(&mut key.symbol, &self.symbol_overflow);
        }
        // Under the series' lock: a profile that is forgotten meanwhile takes no count with it.
        self.series.with(&key, EventSlots::new, |slots| slots.0.add(event.count));
    }

    /// The slot of an event without profile and symbol, exported from here on.
    pub(crate) fn bare(&self, severity: &'static str, kind: &'static str) -> Arc<EventSlots> {
        let key = Key { severity, kind, profile: Arc::default(), symbol: Arc::default() };
        self.series.get_or_insert_with(&key, EventSlots::new)
    }

    pub(crate) fn collect(&self, sink: &mut dyn Sink) {
        let family = &catalogue::OPERATIONAL_EVENTS_TOTAL;
        for (key, count) in self.series.all() {
            let labels = &[key.severity, key.kind, &key.profile, &key.symbol];
            sink.counter(family, labels, count.0.value());
        }
        for (label, overflow) in [("profile_id", &self.profile_overflow), ("symbol", &self.symbol_overflow)] {
            sink.counter(&catalogue::LABEL_OVERFLOW_TOTAL, &[family.name, label], overflow.value());
        }
    }
}

/// Replaces a value for which the family has no room; none stays none.
fn crowd_out(value: &mut Arc<str>, overflow: &CounterSlot) {
    if !value.is_empty() && **value != *OTHER {
        overflow.add(1);
        *value = Arc::from(OTHER);
    }
}

/// How often one event happened.
#[derive(Debug)]
pub struct EventSlots(CounterSlot);

impl EventSlots {
    fn new() -> Self {
        Self(CounterSlot::new())
    }
}

/// An event about to be recorded; from [`Metrics::event`](crate::Metrics::event).
///
/// ```
/// # use bot_metrics::{Mode, Settings, labels::{EventType, Severity}};
/// let metrics = Settings::new(Mode::Paper).build()?;
/// metrics.event(Severity::Info, EventType::OrderCancelled).profile("maker").symbol("BTCUSDT").count(20).record();
/// # Ok::<(), bot_metrics::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "an event counts when it is recorded"]
pub struct Event<'a> {
    events: &'a Events,
    severity: &'static str,
    kind: &'static str,
    profile: &'a str,
    symbol: &'a str,
    count: u64,
}

impl<'a> Event<'a> {
    pub(crate) fn new(events: &'a Events, severity: &'static str, kind: &'static str) -> Self {
        Self { events, severity, kind, profile: "", symbol: "", count: 1 }
    }

    /// The profile it happened to; none unless said.
    pub fn profile(mut self, profile_id: &'a str) -> Self {
        self.profile = profile_id;
        self
    }

    /// The symbol it happened to; none unless said.
    pub fn symbol(mut self, symbol: &'a str) -> Self {
        self.symbol = symbol;
        self
    }

    /// How many events these are: a batch of 20 cancels is 20. One unless said; 0 exports the series without
    /// counting anything.
    pub fn count(mut self, count: u64) -> Self {
        self.count = count;
        self
    }

    /// Counts it.
    pub fn record(self) {
        self.events.record(&self);
    }
}

/// The ends of a call that are an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// It succeeded.
    Ok,
    /// It returned an error, of whatever class.
    Err,
    /// It panicked.
    Panic,
    /// Its future was dropped between two polls.
    Cancelled,
    /// It returned, well or not.
    Return,
    /// It ended.
    Always,
}

impl On {
    fn includes(self, outcome: Outcome) -> bool {
        let returned = !matches!(outcome, Outcome::Panic | Outcome::Cancelled);
        match self {
            Self::Ok => outcome == Outcome::Ok,
            Self::Err => returned && !outcome.is_fresh(),
            Self::Panic => outcome == Outcome::Panic,
            Self::Cancelled => outcome == Outcome::Cancelled,
            Self::Return => returned,
            Self::Always => true,
        }
    }
}

/// An annotated function some end of which is an event.
#[derive(Debug)]
pub struct EventSite {
    severity: Choice,
    kind: Choice,
    on: On,
    slots: Cells<EventSlots>,
}

impl EventSite {
    /// A site with labels that do not vary.
    #[must_use]
    pub const fn new(severity: Choice, kind: Choice) -> Self {
        Self { severity, kind, on: On::Ok, slots: Cells::one() }
    }

    /// Cells for each set of values that the site can have, where that is more than one.
    #[must_use]
    pub const fn cells(mut self, cells: &'static [SlotCell<EventSlots>]) -> Self {
        self.slots.many = cells;
        self
    }

    /// Which ends of the call are an event; success unless said.
    #[must_use]
    pub const fn on(mut self, on: On) -> Self {
        self.on = on;
        self
    }

    /// Watches a call for an event with the values at these indices of the site's choices.
    #[must_use]
    pub fn start(&'static self, severity: usize, kind: usize, profile: Text, symbol: Text) -> EventGuard {
        EventGuard { site: self, severity, kind, profile, symbol }
    }

    /// The severity and type that this site always has, if it does not choose at run time.
    pub(crate) fn fixed(&self) -> Option<(&'static str, &'static str)> {
        self.severity.fixed().zip(self.kind.fixed())
    }

    fn record(&'static self, guard: &EventGuard) {
        let core = registry::process_core();
        let severity = self.severity.text(guard.severity).unwrap_or_default();
        let kind = self.kind.text(guard.kind).unwrap_or_default();
        let (profile, symbol) = (guard.profile.as_str(), guard.symbol.as_str());
        if profile.is_empty() && symbol.is_empty() {
            let cell = self.slots.get(guard.severity * self.kind.count() + guard.kind);
            if let Some(slots) = cell.get() {
                slots.0.add(1);
            } else if !lock::is_inside() {
                // Inside, so that an allocator which records what is allocated for this event does not wait for it.
                let _inside = lock::enter();
                cell.get_or_init(|| core.events.bare(severity, kind)).0.add(1);
            } else {
                lose();
            }
        } else {
            core.event(severity, kind).profile(profile).symbol(symbol).record();
        }
    }
}

/// A call that may end in an event.
#[derive(Debug)]
pub struct EventGuard {
    site: &'static EventSite,
    severity: usize,
    kind: usize,
    profile: Text,
    symbol: Text,
}

impl Guard for EventGuard {
    type Verdict = Outcome;

    fn finish(self, outcome: Outcome) {
        if self.site.on.includes(outcome) {
            self.site.record(&self);
        }
    }

    fn abandon(self, outcome: Outcome) {
        self.finish(outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_is_an_event_of_those_that_name_it() {
        use Outcome::{Cancelled, Error, Panic, Rejected, Skipped};
        let named = |on: On| -> Vec<Outcome> {
            let ends = [Outcome::Ok, Rejected, Error, Skipped, Panic, Cancelled];
            ends.into_iter().filter(|end| on.includes(*end)).collect()
        };
        assert_eq!(named(On::Ok), [Outcome::Ok]);
        assert_eq!(named(On::Err), [Rejected, Error]);
        assert_eq!(named(On::Panic), [Panic]);
        assert_eq!(named(On::Cancelled), [Cancelled]);
        assert_eq!(named(On::Return), [Outcome::Ok, Rejected, Error, Skipped]);
        assert_eq!(named(On::Always).len(), 6);
    }
}
