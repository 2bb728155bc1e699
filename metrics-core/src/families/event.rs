//! Operational events: events for an operator's journal, counted.

use std::sync::Arc;
use std::time::Duration;

use crate::catalogue::OPERATIONAL_EVENTS_TOTAL;
use crate::clock::Clock;
use crate::families::recent::Recent;
use crate::labels::bounds::LabelBounds;
use crate::series::{Bound, CachedSeries, QueriedLabel};
use crate::storage::{ENABLED, Sink};

/// The positions of these labels in the family.
const PROFILE: usize = 2;
const SYMBOL: usize = 3;

/// The events of an instance.
#[derive(Debug)]
pub(crate) struct Events {
    /// The profiles here are limited separately from those with capital: an id that is used only in events takes no
    /// capacity from those.
    series: CachedSeries,
    recent: Recent,
}

impl Events {
    pub(crate) fn new(clock: Clock) -> Self {
        // Severities and types are enums, even a bot's own; profiles and symbols are limited by the settings.
        let LabelBounds { profiles, symbols } = LabelBounds::DEFAULT;
        let bounds = vec![Bound::Closed, Bound::Closed, Bound::Open(profiles), Bound::Open(symbols)];
        let series = CachedSeries::new(&OPERATIONAL_EVENTS_TOTAL, bounds, clock);
        Self { series, recent: Recent::new() }
    }

    pub(crate) fn set_bounds(&self, LabelBounds { profiles, symbols }: LabelBounds) {
        let mut series = self.series.lock();
        series.set_bound(PROFILE, profiles);
        series.set_bound(SYMBOL, symbols);
    }

    /// Removes the series of a removed profile.
    pub(crate) fn forget_profile(&self, profile: &str, now: Duration) {
        self.series.lock().forget(PROFILE, profile, now);
    }

    pub(crate) fn record(&self, labels: &[QueriedLabel<'_>; 4], count: u64) {
        self.series.record(labels, |slot| slot.add(count));
    }

    /// Stores an event in the ring of recent events, if it has a text.
    pub(crate) fn keep(&self, severity: &str, kind: &str, [profile, symbol, text]: [&[u8]; 3]) {
        if !text.is_empty() {
            let at = self.series.clock.wall();
            self.recent.keep(at, [severity.as_bytes(), kind.as_bytes(), profile, symbol, text]);
        }
    }

    /// The last events with a text, the newest first.
    pub(crate) fn recent(&self) -> &Recent {
        &self.recent
    }

    /// The entry of events without profile and symbol, exported from here on.
    pub(crate) fn bare(&self, severity: &'static str, kind: &'static str) -> Arc<EventSlots> {
        self.series.get_or_create(&labels(severity, kind, b"", b""))
    }

    pub(crate) fn collect(&self, now: Duration, namespace: &str, sink: &mut dyn Sink) {
        sink.open(&OPERATIONAL_EVENTS_TOTAL);
        self.series.collect(now, namespace, sink);
    }
}

/// The family's labels, in its order; the open ones as the bytes of a text.
pub(crate) fn labels<'a>(
    severity: &'static str,
    kind: &'static str,
    profile: &'a [u8],
    symbol: &'a [u8],
) -> [QueriedLabel<'a>; 4] {
    [
        QueriedLabel::Closed(severity),
        QueriedLabel::Closed(kind),
        QueriedLabel::Open(profile),
        QueriedLabel::Open(symbol),
    ]
}

/// The count of one event.
pub(crate) use crate::series::Entry as EventSlots;

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
    text: &'a str,
    count: u64,
}

impl<'a> Event<'a> {
    pub(crate) fn new(events: &'a Events, severity: &'static str, kind: &'static str) -> Self {
        Self { events, severity, kind, profile: "", symbol: "", text: "", count: 1 }
    }

    /// Sets the profile that it concerns; none by default.
    pub fn profile(mut self, profile_id: &'a str) -> Self {
        self.profile = profile_id;
        self
    }

    /// Sets the symbol that it concerns; none by default.
    pub fn symbol(mut self, symbol: &'a str) -> Self {
        self.symbol = symbol;
        self
    }

    /// Sets a description. Events with one are kept, with their time: the last 64 of each severity are in
    /// [`Metrics::recent_events`](crate::Metrics::recent_events) and on the status page. It is never a label. It is
    /// cut at 240 bytes.
    pub fn text(mut self, text: &'a str) -> Self {
        self.text = text;
        self
    }

    /// Sets the number of events: a batch of 20 cancels is 20. The default is 1; 0 exports the series without
    /// counting anything.
    pub fn count(mut self, count: u64) -> Self {
        self.count = count;
        self
    }

    /// Counts the event.
    pub fn record(self) {
        if !ENABLED {
            return;
        }
        let Self { events, severity, kind, profile, symbol, text, count } = self;
        let [profile, symbol, text] = [profile, symbol, text].map(str::as_bytes);
        events.record(&labels(severity, kind, profile, symbol), count);
        events.keep(severity, kind, [profile, symbol, text]);
    }
}
