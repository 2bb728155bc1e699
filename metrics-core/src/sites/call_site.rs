//! The list of all annotated functions, complete at link time.

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
/// It is a single static with everything that the function needs to record, because each further item would cost as
/// much compile time as the whole function. It is flat for every attribute and has no destructor: the compiler
/// inspects each field of each static's type, recursively and several times, and with a separate field for each
/// attribute a call site took twice as long.
#[derive(Debug)]
pub struct CallSite {
    /// The function's name.
    pub function: &'static str,
    /// The module that contains it.
    pub module: &'static str,
    /// The file, as passed to the compiler.
    pub file: &'static str,
    /// The line of the attribute.
    pub line: u32,
    kind: CallSiteKind,
    /// Whether the subsystem is exported from its first run, not from `install` on.
    pub(crate) optional: bool,
    /// Whether the durations of the subsystem's cancelled runs are observed too.
    pub(crate) observes_cancelled: bool,
    /// The ends of the call that are an event.
    pub(crate) on: On,
    /// The subsystem's age in nanoseconds; 0 if it has none.
    pub(crate) max_age_ns: u64,
    /// Its labels: subsystem, or exchange and operation, or severity and type; empty if not known. Or the name of the
    /// bot's own family.
    labels: [&'static str; 2],
    /// The values from which one is chosen at each call.
    values: [&'static [&'static str]; 2],
    /// The cell of its first label set, which for most call sites is the only one.
    pub(crate) cell: SlotCell<SiteSeries>,
    /// The cells of its label sets, if there are several.
    cells: &'static [SlotCell<SiteSeries>],
}

/// The attribute.
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

/// The series of one label set.
#[derive(Debug)]
pub enum SiteSeries {
    /// The runs of a subsystem.
    Subsystem(Arc<SubsystemSlots>),
    /// The calls of an operation.
    Exchange(Arc<ExchangeSlots>),
    /// An event.
    Event(Arc<EventSlots>),
}

impl SiteSeries {
    /// The lease to which its calls are recorded; `None` for an event.
    pub(crate) fn calls(&self) -> Option<&CallSeriesLease> {
        match self {
            Self::Subsystem(slots) => Some(slots.runs()),
            Self::Exchange(slots) => Some(slots.calls()),
            Self::Event(_) => None,
        }
    }
}

/// A static is created by one call, which the compiler has to check and evaluate, with plain arguments and few inner
/// calls.
#[doc(hidden)]
impl CallSite {
    /// The site of a subsystem; an age of 0 means none.
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

    /// The site of an exchange call.
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

    /// The site of an event.
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

    /// The site of a capital check.
    #[must_use]
    #[track_caller]
    pub const fn new_capital(function: &'static str, module: &'static str) -> Self {
        Self::blank(function, module, CallSiteKind::Capital)
    }

    /// The site of a reconciliation.
    #[must_use]
    #[track_caller]
    pub const fn new_reconciliation(function: &'static str, module: &'static str) -> Self {
        Self::blank(function, module, CallSiteKind::Reconciliation)
    }

    /// The site of a function whose durations are recorded to one of the bot's own families.
    #[must_use]
    #[track_caller]
    pub const fn new_timed(function: &'static str, module: &'static str, family: &'static str) -> Self {
        Self { labels: [family, ""], ..Self::blank(function, module, CallSiteKind::Timed) }
    }

    /// The site of a function whose ends are counted in one of the bot's own families.
    #[must_use]
    #[track_caller]
    pub const fn new_counted(function: &'static str, module: &'static str, family: &'static str) -> Self {
        Self { labels: [family, ""], ..Self::blank(function, module, CallSiteKind::Counted) }
    }

    /// A site of a subsystem whose attribute has no other key than an age.
    #[cfg(test)]
    pub(crate) fn test_subsystem(
        function: &'static str,
        module: &'static str,
        subsystem: &'static str,
        max_age_ns: u64,
    ) -> Self {
        let labels = [subsystem, ""];
        Self { max_age_ns, labels, ..Self::blank(function, module, CallSiteKind::Subsystem) }
    }

    /// The site of the function of this name, at the location of the attribute.
    #[track_caller]
    const fn blank(function: &'static str, module: &'static str, kind: CallSiteKind) -> Self {
        // Cheaper than `file!()` and `line!()`, which would be expanded for each site.
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

    /// Adds the values from which each call chooses, and cells for each combination of them.
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

    /// The possible values of its labels.
    pub(crate) fn labels(&self) -> [LabelChoices; 2] {
        [0, 1].map(|index| match (self.values[index], self.labels[index]) {
            ([], "") => LabelChoices::FromSettings,
            ([], text) => LabelChoices::Fixed(text),
            (values, _) => LabelChoices::Any(values),
        })
    }

    /// The attribute and its labels.
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
        // The first label set uses the cell that is read first, even if there are others.
        self.cells.get(index).filter(|_| index > 0).unwrap_or(&self.cell)
    }
}

impl fmt::Display for CallSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place().fmt(f)
    }
}

/// Every linked call site, sorted by location, so that equal binaries give equal lists.
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
