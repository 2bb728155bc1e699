//! `#[operational_event]`: an event at given ends of a call.

use std::borrow::Borrow;

use super::guards::EndGuard;
use super::text::Text;
use crate::families::event::labels;
use crate::instance::process;
use crate::lock;
use crate::outcome::ends::CallEnd;
use crate::sites::call_site::{CallSite, SiteSeries};
use crate::storage::{Slot, SlotCell, lose, not_installed};

#[doc(hidden)]
impl CallSite {
    /// Watches a call for an event with the values at these indices of the site's choices.
    pub fn event<T: Borrow<Text>>(
        &'static self,
        severity: usize,
        kind: usize,
        profile: T,
        symbol: T,
        text: T,
    ) -> EventGuard<T> {
        EventGuard { site: self, severity, kind, texts: [profile, symbol, text] }
    }

    /// Watches a call for an event that is the same for every call.
    #[inline]
    pub fn bare_event(&'static self) -> BareEventGuard {
        BareEventGuard(self)
    }
}

/// A call that may end in an event. It borrows its texts if possible, because moving them through the call costs more
/// than the event.
#[derive(Debug)]
pub struct EventGuard<T> {
    site: &'static CallSite,
    severity: usize,
    kind: usize,
    texts: [T; 3],
}

impl<T: Borrow<Text>> EndGuard for EventGuard<T> {
    #[inline]
    fn end(self, end: CallEnd) {
        if self.site.on.include(end) {
            record(self.site, (self.severity, self.kind), self.texts.each_ref().map(Borrow::borrow));
        }
    }
}

/// A call that may end in an event that is completely known at compile time.
#[derive(Debug)]
pub struct BareEventGuard(pub(crate) &'static CallSite);

impl EndGuard for BareEventGuard {
    #[inline]
    fn end(self, end: CallEnd) {
        end_bare(self.0, end);
    }
}

/// Compiled once for all call sites, not in each annotated function.
#[inline(never)]
fn end_bare(site: &'static CallSite, end: CallEnd) {
    if site.on.include(end) {
        record_to(site, &site.cell, 0, 0);
    }
}

/// `given` contains the profile, the symbol and the text for the journal.
#[inline(never)]
fn record(site: &'static CallSite, (severity, kind): (usize, usize), given: [&Text; 3]) {
    let [profile, symbol, text] = given.map(Text::as_bytes);
    if profile.is_empty() && symbol.is_empty() {
        record_to(site, site.cell(severity, kind), severity, kind);
        if text.is_empty() {
            return;
        }
        let (severity, kind) = texts(site, severity, kind);
        if let Some(core) = process::core_unless_inside() {
            core.events.keep(severity, kind, [profile, symbol, text]);
        }
        return;
    }
    let (severity, kind) = texts(site, severity, kind);
    let Some(core) = process::core_unless_inside() else { return lose() };
    let events = &core.events;
    events.record(&labels(severity, kind, profile, symbol), 1);
    events.keep(severity, kind, [profile, symbol, text]);
}

#[inline]
fn record_to(site: &'static CallSite, cell: &'static SlotCell<SiteSeries>, severity: usize, kind: usize) {
    match cell.get() {
        Some(SiteSeries::Event(entry)) => entry.record(Slot::increment),
        _ => record_first(site, cell, severity, kind),
    }
}

#[cold]
#[inline(never)]
fn record_first(site: &'static CallSite, cell: &'static SlotCell<SiteSeries>, severity: usize, kind: usize) {
    if lock::is_inside() {
        return lose();
    }
    not_installed::note(site);
    // Inside a lock, so that an allocator that records allocations made for this event does not wait for it.
    let _inside = lock::enter();
    let (severity, kind) = texts(site, severity, kind);
    let entry = process::core().events.bare(severity, kind);
    entry.record(Slot::increment);
    // Until settings are installed every event takes this path.
    if not_installed::is_settled() {
        cell.get_or_init(|| SiteSeries::Event(entry));
    }
}

fn texts(site: &CallSite, severity: usize, kind: usize) -> (&'static str, &'static str) {
    let [severities, kinds] = site.labels();
    (severities.text(severity).unwrap_or_default(), kinds.text(kind).unwrap_or_default())
}
