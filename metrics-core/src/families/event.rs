//! Operational events: what an operator wants in a journal, counted.

use std::borrow::Borrow;
use std::sync::Arc;
use std::time::Duration;

use crate::Outcome;
use crate::attributes::guard::Guard;
use crate::attributes::text::Text;
use crate::catalogue::OPERATIONAL_EVENTS_TOTAL;
use crate::clock::Clock;
use crate::families::recent::Recent;
use crate::instance::registry;
use crate::instance::settings::{DEFAULT_SERIES, LabelBounds};
use crate::lock::{self, Lock};
use crate::series::{self, Bound, BoundedSeries, FamilyKey, Label, LabelSetQuery};
use crate::sites::call_site::{CallSite, Choice, Found};
use crate::storage::not_installed;
use crate::storage::{ENABLED, Sink, Slot, SlotCell, lose};

/// Where the label stands among the family's, and so with the next.
const PROFILE: usize = 2;
const SYMBOL: usize = 3;

/// The events of an instance.
#[derive(Debug)]
pub(crate) struct Events {
    clock: Clock,
    key: FamilyKey,
    /// The profiles that it admits stand apart from those that have capital: an id that is only named in events takes no
    /// place from those.
    family: Lock<BoundedSeries>,
    recent: Recent,
}

impl Events {
    pub(crate) fn new(clock: Clock) -> Self {
        let key = FamilyKey::new();
        // Severities and types are enums, whichever a bot has; profiles and symbols are for the settings to bound.
        let LabelBounds { profiles, symbols } = LabelBounds::DEFAULT;
        let bounds = vec![Bound::Closed, Bound::Closed, Bound::Open(profiles), Bound::Open(symbols)];
        let family = Lock::new(BoundedSeries::new(&OPERATIONAL_EVENTS_TOTAL, bounds, DEFAULT_SERIES));
        Self { clock, key, family, recent: Recent::new() }
    }

    pub(crate) fn set_bounds(&self, LabelBounds { profiles, symbols }: LabelBounds) {
        let mut family = self.family.hold();
        family.set_bound(PROFILE, profiles);
        family.set_bound(SYMBOL, symbols);
    }

    /// Takes away the series of a profile that was removed.
    pub(crate) fn forget_profile(&self, profile: &str, now: Duration) {
        self.family.hold().forget(PROFILE, profile, now);
    }

    fn record(&self, labels: &[Label<'_>; 4], count: u64) {
        let asked = LabelSetQuery::new(self.key, labels);
        if series::remembered(&asked, |entry| entry.record(|slot| slot.add(count))).is_none() {
            self.record_slowly(&asked, count);
        }
    }

    /// Keeps what was said of an event, if anything was.
    fn keep(&self, severity: &str, kind: &str, [profile, symbol, text]: [&[u8]; 3]) {
        if !text.is_empty() {
            self.recent
                .keep(self.clock.wall(), [severity.as_bytes(), kind.as_bytes(), profile, symbol, text]);
        }
    }

    /// The last events of which something was said, the newest first.
    pub(crate) fn recent(&self) -> &Recent {
        &self.recent
    }

    /// For a thread's first event of a label set.
    #[cold]
    #[inline(never)]
    fn record_slowly(&self, asked: &LabelSetQuery<'_>, count: u64) {
        if lock::is_inside() {
            // An allocator records for the first time what is allocated under this very lock.
            return lose();
        }
        let now = self.clock.boot_time();
        let found_at = series::epoch();
        let entry = self.family.hold().get_or_create(asked, now, Slot::counter);
        entry.record(|slot| slot.add(count));
        series::remember(&entry, found_at);
    }

    /// Where an event without profile and symbol goes, exported from here on.
    pub(crate) fn bare(&self, severity: &'static str, kind: &'static str) -> Arc<EventSlots> {
        let labels = labels(severity, kind, b"", b"");
        let now = self.clock.boot_time();
        self.family.hold().get_or_create(&LabelSetQuery::new(self.key, &labels), now, Slot::counter)
    }

    pub(crate) fn collect(&self, now: Duration, namespace: &str, sink: &mut dyn Sink) {
        sink.open(&OPERATIONAL_EVENTS_TOTAL);
        let mut after = self.family.hold().collect_some(now, None, sink);
        while let Some(labels) = after {
            sink.rest();
            after = self.family.hold().collect_some(now, Some(&labels), sink);
        }
        self.family.hold().collect_overflow(namespace, sink);
    }
}

/// The family's labels, in its order; the open ones as the bytes of a text.
fn labels<'a>(
    severity: &'static str,
    kind: &'static str,
    profile: &'a [u8],
    symbol: &'a [u8],
) -> [Label<'a>; 4] {
    [Label::Closed(severity), Label::Closed(kind), Label::Open(profile), Label::Open(symbol)]
}

/// How often one event happened.
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

    /// What is to be said of it: kept, with the time, among the last 64 of its severity that came with a text, for
    /// [`Metrics::recent_events`](crate::Metrics::recent_events) and the status page. It is never a label. Beyond 240
    /// bytes it is cut.
    pub fn text(mut self, text: &'a str) -> Self {
        self.text = text;
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
        if !ENABLED {
            return;
        }
        let Self { events, severity, kind, profile, symbol, text, count } = self;
        let [profile, symbol, text] = [profile, symbol, text].map(str::as_bytes);
        events.record(&labels(severity, kind, profile, symbol), count);
        events.keep(severity, kind, [profile, symbol, text]);
    }
}

/// The outcomes of a call that are an event, a bit for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct On(u16);

bot_metrics_macros::__on_constants!();

impl On {
    const NONE: Self = Self(0);
    const DEADLINE: Self = Self(1 << End::DEADLINE.0);

    const fn of(outcome: Outcome) -> Self {
        Self(1 << outcome as u8)
    }

    /// These ends and the other ones.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These ends but for the other ones.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether a call that returned so is among them.
    #[inline]
    pub(crate) fn include(self, outcome: Outcome) -> bool {
        self.include_end(End::returned(outcome))
    }

    /// Whether a call that did not return, and ended so, is among them.
    #[inline]
    pub(crate) fn include_abandoned(self, outcome: Outcome) -> bool {
        self.include_end(End::abandoned(outcome))
    }

    #[inline]
    pub(crate) fn include_end(self, End(end): End) -> bool {
        self.0 & 1 << end != 0
    }
}

/// How a call ended, as the number of its bit in [`On`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct End(u8);

impl End {
    /// What a deadline dropped has returned no error, and is a timeout all the same.
    const DEADLINE: Self = Self(15);

    #[inline]
    pub(crate) fn returned(outcome: Outcome) -> Self {
        Self(outcome as u8)
    }

    #[inline]
    pub(crate) fn abandoned(outcome: Outcome) -> Self {
        if outcome == Outcome::Timeout { Self::DEADLINE } else { Self(outcome as u8) }
    }
}

/// An annotated function some end of which is an event.
#[derive(Clone, Copy, Debug)]
pub struct EventSite<'a>(pub(crate) &'a CallSite);

impl EventSite<'static> {
    /// Watches a call for an event with the values at these indices of the site's choices.
    #[must_use]
    pub(crate) fn start<T: Borrow<Text>>(self, severity: usize, kind: usize, texts: [T; 3]) -> EventGuard<T> {
        EventGuard { site: self, severity, kind, texts }
    }

    fn record_bare(self, severity: usize, kind: usize) {
        self.record_to(self.0.cell(severity, kind), severity, kind);
    }

    #[inline]
    fn record_to(self, cell: &'static SlotCell<Found>, severity: usize, kind: usize) {
        match cell.get() {
            Some(Found::Event(entry)) => entry.record(Slot::increment),
            _ => self.record_first(cell, severity, kind),
        }
    }

    #[cold]
    #[inline(never)]
    fn record_first(self, cell: &'static SlotCell<Found>, severity: usize, kind: usize) {
        if lock::is_inside() {
            return lose();
        }
        not_installed::note(self.0);
        // Inside, so that an allocator which records what is allocated for this event does not wait for it.
        let _inside = lock::enter();
        let (severity, kind) = self.texts(severity, kind);
        let find = || Found::Event(registry::process_core().events.bare(severity, kind));
        let record = |found: &Found| {
            if let Found::Event(entry) = found {
                entry.record(Slot::increment);
            }
        };
        // Until settings are installed each event comes by here.
        if not_installed::is_settled() { record(cell.get_or_init(find)) } else { record(&find()) }
    }

    fn texts(self, severity: usize, kind: usize) -> (&'static str, &'static str) {
        let [severities, kinds] = self.0.labels();
        (severities.text(severity).unwrap_or_default(), kinds.text(kind).unwrap_or_default())
    }

    /// `texts` are the profile, the symbol and what is to be said.
    #[inline(never)]
    fn record(self, (severity, kind): (usize, usize), texts: [&Text; 3]) {
        let [profile, symbol, text] = texts.map(Text::as_bytes);
        if profile.is_empty() && symbol.is_empty() {
            self.record_bare(severity, kind);
            if text.is_empty() {
                return;
            }
            let (severity, kind) = self.texts(severity, kind);
            if let Some(core) = registry::process_core_unless_inside() {
                core.events.keep(severity, kind, [profile, symbol, text]);
            }
            return;
        }
        let (severity, kind) = self.texts(severity, kind);
        let Some(core) = registry::process_core_unless_inside() else { return lose() };
        let events = &core.events;
        events.record(&labels(severity, kind, profile, symbol), 1);
        events.keep(severity, kind, [profile, symbol, text]);
    }
}

impl EventSite<'_> {
    /// Each pair of a severity and a type that it can have: its choices at run time are among values known while
    /// linking.
    pub(crate) fn pairs(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let [severities, kinds] = self.0.labels().map(Choice::values);
        severities
            .into_iter()
            .flat_map(move |severity| kinds.clone().into_iter().map(move |kind| (severity, kind)))
    }
}

/// A call that may end in an event. It borrows its texts where it can: to move them through the call costs more than the
/// event.
#[derive(Debug)]
pub struct EventGuard<T> {
    site: EventSite<'static>,
    severity: usize,
    kind: usize,
    texts: [T; 3],
}

impl<T: Borrow<Text>> EventGuard<T> {
    #[inline]
    fn record(self) {
        self.site.record((self.severity, self.kind), self.texts.each_ref().map(Borrow::borrow));
    }
}

impl<T: Borrow<Text>> Guard for EventGuard<T> {
    type Verdict = Outcome;
    type Waits = ();

    #[inline]
    fn finish(self, outcome: Outcome) {
        if self.site.0.on.include(outcome) {
            self.record();
        }
    }

    fn abandon(self, outcome: Outcome) {
        if self.site.0.on.include_abandoned(outcome) {
            self.record();
        }
    }
}

/// A call that may end in an event all of which is known while compiling.
#[derive(Debug)]
pub struct BareEventGuard(pub(crate) &'static CallSite);

impl Guard for BareEventGuard {
    type Verdict = Outcome;
    type Waits = ();

    #[inline]
    fn finish(self, outcome: Outcome) {
        end_bare(self.0, outcome);
    }

    #[inline]
    fn abandon(self, outcome: Outcome) {
        abandon_bare(self.0, outcome);
    }
}

/// Once for all sites, not once in each annotated function.
#[inline(never)]
fn end_bare(site: &'static CallSite, outcome: Outcome) {
    if site.on.include(outcome) {
        EventSite(site).record_to(&site.cell, 0, 0);
    }
}

/// The same of one that did not return.
#[cold]
#[inline(never)]
fn abandon_bare(site: &'static CallSite, outcome: Outcome) {
    if site.on.include_abandoned(outcome) {
        EventSite(site).record_to(&site.cell, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETURNED: [Outcome; 11] = [
        Outcome::Ok,
        Outcome::Rejected,
        Outcome::RateLimited,
        Outcome::Banned,
        Outcome::Auth,
        Outcome::ServerError,
        Outcome::Timeout,
        Outcome::Transport,
        Outcome::Decode,
        Outcome::Error,
        Outcome::Skipped,
    ];
    const ABANDONED: [Outcome; 3] = [Outcome::Panic, Outcome::Cancelled, Outcome::Timeout];

    /// The ends that are an event: those with a value, and those without.
    fn named(on: On) -> (Vec<Outcome>, Vec<Outcome>) {
        let returned = RETURNED.into_iter().filter(|end| on.include(*end)).collect();
        (returned, ABANDONED.into_iter().filter(|end| on.include_abandoned(*end)).collect())
    }

    #[test]
    fn each_end_is_an_event_of_those_that_name_it() {
        assert_eq!(named(On::OK), (vec![Outcome::Ok], vec![]));
        assert_eq!(named(On::ERR), (RETURNED[1..10].to_vec(), vec![]));
        assert_eq!(named(On::PANIC), (vec![], vec![Outcome::Panic]));
        assert_eq!(named(On::SKIPPED), (vec![Outcome::Skipped], vec![]));
        assert_eq!(named(On::RETURN), (RETURNED.to_vec(), vec![]));
        assert_eq!(named(On::ALWAYS), (RETURNED.to_vec(), ABANDONED.to_vec()));
        let classes = [
            On::REJECTED,
            On::RATE_LIMITED,
            On::BANNED,
            On::AUTH,
            On::SERVER_ERROR,
            On::TIMEOUT,
            On::TRANSPORT,
            On::DECODE,
            On::OTHER,
        ];
        for (class, outcome) in classes.into_iter().zip(&RETURNED[1..]) {
            let abandoned = if class == On::TIMEOUT { vec![Outcome::Timeout] } else { vec![] };
            assert_eq!(named(class), (vec![*outcome], abandoned), "{outcome:?}");
        }
        assert_eq!(
            named(classes.into_iter().fold(On::OK, On::and).and(On::SKIPPED)).0,
            RETURNED,
            "nothing else"
        );
    }

    #[test]
    fn what_a_deadline_drops_is_a_timeout_and_cancelled_and_no_error() {
        assert_eq!(named(On::CANCELLED), (vec![], vec![Outcome::Cancelled, Outcome::Timeout]));
        assert_eq!(named(On::CANCELLED.without(On::TIMEOUT)), (vec![], vec![Outcome::Cancelled]));
        let unknown = On::ERR.without(On::REJECTED).and(On::CANCELLED);
        assert!(unknown.include(Outcome::Timeout) && !unknown.include(Outcome::Rejected));
        assert!(unknown.include_abandoned(Outcome::Timeout));
    }
}
