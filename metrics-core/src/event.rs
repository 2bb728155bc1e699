//! Operational events: what an operator wants in a journal, counted.

use std::sync::Arc;

use crate::catalogue;
use crate::label::{OTHER, OpenLabel};
use crate::storage::{CounterSlot, Series, SnapshotBuilder, shared};

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
    series: Series<Key, CounterSlot>,
    symbols: OpenLabel,
    profile_overflow: CounterSlot,
    symbol_overflow: CounterSlot,
}

impl Events {
    pub(crate) fn new() -> Self {
        Self {
            series: Series::new(),
            symbols: OpenLabel::new(),
            profile_overflow: CounterSlot::new(),
            symbol_overflow: CounterSlot::new(),
        }
    }

    pub(crate) fn set_symbol_bound(&self, bound: usize) {
        self.symbols.set_bound(bound);
    }

    fn record(&self, event: &Event<'_>) {
        let profile = event.profiles.admit(event.profile, &self.profile_overflow);
        let symbol = self.symbols.admit(event.symbol, &self.symbol_overflow);
        let mut key = Key { severity: event.severity, kind: event.kind, profile, symbol };
        if self.series.len() >= SERIES_BOUND && self.series.get(&key).is_none() {
            self.profile_overflow.add(u64::from(!key.profile.is_empty()));
            self.symbol_overflow.add(u64::from(!key.symbol.is_empty()));
            key.profile = Arc::from(OTHER);
            key.symbol = Arc::from(OTHER);
        }
        self.series.get_or_insert_with(&key, CounterSlot::new).add(event.count);
    }

    pub(crate) fn collect(&self, snapshot: &mut SnapshotBuilder) {
        let family = &catalogue::OPERATIONAL_EVENTS_TOTAL;
        for (key, count) in self.series.all() {
            let labels =
                vec![key.severity.into(), key.kind.into(), shared(&key.profile), shared(&key.symbol)];
            snapshot.counter(family, labels, count.value());
        }
        for (label, overflow) in [("profile_id", &self.profile_overflow), ("symbol", &self.symbol_overflow)] {
            let labels = vec![family.name.into(), label.into()];
            snapshot.counter(&catalogue::LABEL_OVERFLOW_TOTAL, labels, overflow.value());
        }
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
    profiles: &'a OpenLabel,
    severity: &'static str,
    kind: &'static str,
    profile: &'a str,
    symbol: &'a str,
    count: u64,
}

impl<'a> Event<'a> {
    pub(crate) fn new(
        events: &'a Events,
        profiles: &'a OpenLabel,
        severity: &'static str,
        kind: &'static str,
    ) -> Self {
        Self { events, profiles, severity, kind, profile: "", symbol: "", count: 1 }
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
