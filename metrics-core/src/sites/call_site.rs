//! The list of everything that is annotated, complete at link time.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use linkme::distributed_slice;

use super::target::{EventSite, ExchangeSite, LabelChoices, SubsystemSite, Target};
use crate::families::event::EventSlots;
use crate::families::exchange::ExchangeSlots;
use crate::families::subsystem::{PERIODS_UNTIL_STALLED, SubsystemSlots};
use crate::outcome::ends::On;
use crate::source_line::FunctionLine;
use crate::storage::CallSeriesLease;
pub use crate::storage::SlotCell;

/// One element for each annotated function linked into the binary, called or not, in no particular order.
#[distributed_slice]
pub static CALL_SITES: [CallSite];

/// An annotated function.
///
/// It is one static with all that the function records to: each further item would cost as much compile time as the
/// whole function. It is flat, whatever the attribute, and has nothing to drop: the compiler looks at each member of each
/// static's type, and at theirs, several times, and with a value of its own for each attribute a site took it twice as long.
#[derive(Debug)]
pub struct CallSite {
    /// The function's name.
    pub function: &'static str,
    /// The module it stands in.
    pub module: &'static str,
    /// The file, as the compiler was given it.
    pub file: &'static str,
    /// The line of the attribute.
    pub line: u32,
    kind: CallSiteKind,
    /// A subsystem counts from its first run, not from `install` on.
    pub(crate) optional: bool,
    /// The duration of a subsystem's cancelled run is observed too.
    pub(crate) observes_cancelled: bool,
    /// Which ends of the call are an event.
    pub(crate) on: On,
    /// Of a subsystem; 0 where it has none.
    pub(crate) max_age_ns: u64,
    /// Its labels: subsystem, or exchange and operation, or severity and type; empty where it is not known. Or the name of
    /// the bot's own family.
    labels: [&'static str; 2],
    /// Those of which one is picked at each call.
    values: [&'static [&'static str]; 2],
    /// The cell of its first label set, of most sites the only one.
    pub(crate) cell: SlotCell<SiteSeries>,
    /// A cell for each of its label sets, where there are more than one.
    cells: &'static [SlotCell<SiteSeries>],
}

/// What an attribute measures.
#[derive(Clone, Copy, Debug)]
enum CallSiteKind {
    Subsystem,
    Exchange,
    Event,
    Capital,
    Reconciliation,
    Timed,
    Counted,
}

/// Where a site records one label set.
#[derive(Debug)]
pub enum SiteSeries {
    /// A subsystem's runs.
    Subsystem(Arc<SubsystemSlots>),
    /// The calls of an operation.
    Exchange(Arc<ExchangeSlots>),
    /// An event.
    Event(Arc<EventSlots>),
}

impl SiteSeries {
    /// Where its calls are recorded; an event has none.
    pub(crate) fn calls(&self) -> Option<&CallSeriesLease> {
        match self {
            Self::Subsystem(slots) => Some(slots.runs()),
            Self::Exchange(slots) => Some(slots.calls()),
            Self::Event(_) => None,
        }
    }
}

/// What makes a static is one call for the compiler to check and to evaluate, with plain arguments, and calls little.
impl CallSite {
    /// A site of a subsystem; an age of 0 is none.
    #[must_use]
    #[track_caller]
    pub const fn new_subsystem(
        function: &'static str,
        module: &'static str,
        subsystem: &'static str,
        every_ns: u64,
        max_age_ns: u64,
        optional: bool,
        observes_cancelled: bool,
    ) -> Self {
        let periods = every_ns.saturating_mul(PERIODS_UNTIL_STALLED as u64);
        let max_age_ns = if max_age_ns == 0 { periods } else { max_age_ns };
        let labels = [subsystem, ""];
        Self {
            optional,
            observes_cancelled,
            max_age_ns,
            labels,
            ..Self::blank(function, module, CallSiteKind::Subsystem)
        }
    }

    /// A site of an exchange call.
    #[must_use]
    #[track_caller]
    pub const fn new_exchange(
        function: &'static str,
        module: &'static str,
        exchange: &'static str,
        operation: &'static str,
    ) -> Self {
        Self { labels: [exchange, operation], ..Self::blank(function, module, CallSiteKind::Exchange) }
    }

    /// A site of an event.
    #[must_use]
    #[track_caller]
    pub const fn new_event(
        function: &'static str,
        module: &'static str,
        severity: &'static str,
        kind: &'static str,
        on: On,
    ) -> Self {
        Self { labels: [severity, kind], on, ..Self::blank(function, module, CallSiteKind::Event) }
    }

    /// A site of a capital check.
    #[must_use]
    #[track_caller]
    pub const fn new_capital(function: &'static str, module: &'static str) -> Self {
        Self::blank(function, module, CallSiteKind::Capital)
    }

    /// A site of a reconciliation.
    #[must_use]
    #[track_caller]
    pub const fn new_reconciliation(function: &'static str, module: &'static str) -> Self {
        Self::blank(function, module, CallSiteKind::Reconciliation)
    }

    /// A site whose durations are recorded to a family of the bot's own.
    #[must_use]
    #[track_caller]
    pub const fn new_timed(function: &'static str, module: &'static str, family: &'static str) -> Self {
        Self { labels: [family, ""], ..Self::blank(function, module, CallSiteKind::Timed) }
    }

    /// A site whose ends are counted by a family of the bot's own.
    #[must_use]
    #[track_caller]
    pub const fn new_counted(function: &'static str, module: &'static str, family: &'static str) -> Self {
        Self { labels: [family, ""], ..Self::blank(function, module, CallSiteKind::Counted) }
    }

    /// The site of the function of this name, at the place of the attribute.
    #[track_caller]
    const fn blank(function: &'static str, module: &'static str, kind: CallSiteKind) -> Self {
        // Rather than `file!()` and `line!()`, which would be expanded for each site.
        let place = Location::caller();
        Self {
            function,
            module,
            file: place.file(),
            line: place.line(),
            kind,
            optional: false,
            observes_cancelled: false,
            on: On::OK,
            max_age_ns: 0,
            labels: [""; 2],
            values: [&[]; 2],
            cell: SlotCell::EMPTY,
            cells: &[],
        }
    }

    /// With values to pick from at each call, and cells for each set of them.
    #[must_use]
    pub const fn with_values(
        mut self,
        values: [&'static [&'static str]; 2],
        cells: &'static [SlotCell<SiteSeries>],
    ) -> Self {
        self.values = values;
        self.cells = cells;
        self
    }

    /// What is known of its labels.
    pub(crate) fn labels(&self) -> [LabelChoices; 2] {
        [0, 1].map(|index| match (self.values[index], self.labels[index]) {
            ([], "") => LabelChoices::FromSettings,
            ([], text) => LabelChoices::Fixed(text),
            (values, _) => LabelChoices::Any(values),
        })
    }

    /// What it measures.
    pub fn target(&self) -> Target<'_> {
        match self.kind {
            CallSiteKind::Subsystem => Target::Subsystem(SubsystemSite(self)),
            CallSiteKind::Exchange => Target::Exchange(ExchangeSite(self)),
            CallSiteKind::Event => Target::Event(EventSite(self)),
            CallSiteKind::Capital => Target::Capital,
            CallSiteKind::Reconciliation => Target::Reconciliation,
            CallSiteKind::Timed => Target::Timed(self.labels[0]),
            CallSiteKind::Counted => Target::Counted(self.labels[0]),
        }
    }

    /// The function, for messages.
    pub(crate) fn place(&self) -> FunctionLine {
        let Self { function, module, file, line, .. } = *self;
        FunctionLine { function, module, file, line }
    }

    /// The cell of the values at these indices of its choices.
    pub(crate) fn cell(&self, first: usize, second: usize) -> &SlotCell<SiteSeries> {
        let index = first * self.values[1].len().max(1) + second;
        // The first label set's is the one that `first` asks, wherever there are others.
        self.cells.get(index).filter(|_| index > 0).unwrap_or(&self.cell)
    }
}

impl fmt::Display for CallSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place().fmt(f)
    }
}

/// Every linked call site, sorted by place, so that equal binaries list them equally.
#[must_use]
pub fn call_sites() -> Vec<&'static CallSite> {
    let mut sites: Vec<_> = CALL_SITES.iter().collect();
    sites.sort_by_key(|site| (site.file, site.line, site.module, site.function));
    sites
}

/// Cells for a site with `N` label sets.
#[must_use]
pub const fn slot_cells<const N: usize>() -> [SlotCell<SiteSeries>; N] {
    [const { SlotCell::EMPTY }; N]
}
