//! The list of all annotated functions, complete at link time.

use std::fmt;
use std::panic::Location;
use std::slice;
use std::sync::Arc;
#[cfg(feature = "page")]
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use linkme::distributed_slice;

use crate::families::event::EventSlots;
use crate::families::subsystem::{MaxAge, PERIODS_UNTIL_STALLED, SubsystemSlots};
use crate::outcome::ends::On;
use crate::source_line::SourceLine;
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
    pub(crate) kind: CallSiteKind,
    /// Whether the subsystem is exported from its first run, not from `install` on.
    pub(crate) optional: bool,
    /// Whether the durations of the subsystem's cancelled runs are observed too.
    pub(crate) observes_cancelled: bool,
    /// The ends of the call that are an event.
    pub(crate) on: On,
    /// The subsystem's age in nanoseconds; 0 if it has none.
    max_age_ns: u64,
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

/// The attribute of a call site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallSiteKind {
    /// `#[timed_subsystem]`
    Subsystem,
    /// `#[exchange_call]`
    Exchange,
    /// `#[operational_event]`
    Event,
    /// `#[capital_check]`
    Capital,
    /// `#[reconciliation]`
    Reconciliation,
    /// `#[timed]`
    Timed,
    /// `#[counted]`
    Counted,
}

/// The series of one label set.
#[derive(Debug)]
pub enum SiteSeries {
    /// The runs of a subsystem.
    Subsystem(Arc<SubsystemSlots>),
    /// The calls of an operation.
    Exchange(Arc<CallSeriesLease>),
    /// An event.
    Event(Arc<EventSlots>),
    /// The number of capital checks, which have no series of their own.
    #[cfg(feature = "page")]
    Checks(AtomicU64),
}

impl SiteSeries {
    /// The lease to which its calls are recorded; `None` for an event.
    pub(crate) fn calls(&self) -> Option<&CallSeriesLease> {
        match self {
            Self::Subsystem(slots) => Some(&slots.runs),
            Self::Exchange(calls) => Some(calls),
            Self::Event(_) => None,
            #[cfg(feature = "page")]
            Self::Checks(_) => None,
        }
    }
}

/// A static is created by one call, which the compiler has to check and evaluate, with plain arguments and few inner
/// calls.
#[doc(hidden)]
#[expect(clippy::must_use_candidate, reason = "only statics are created")]
impl CallSite {
    /// The site of a subsystem; an age of 0 means none.
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
        let site = Self::new(function, module, CallSiteKind::Subsystem, [subsystem, ""]);
        Self { optional, observes_cancelled, max_age_ns, ..site }
    }

    /// The site of an exchange call.
    #[track_caller]
    pub const fn new_exchange(
        function: &'static str,
        module: &'static str,
        exchange: &'static str,
        operation: &'static str,
    ) -> Self {
        Self::new(function, module, CallSiteKind::Exchange, [exchange, operation])
    }

    /// The site of an event.
    #[track_caller]
    pub const fn new_event(
        function: &'static str,
        module: &'static str,
        severity: &'static str,
        kind: &'static str,
        on: On,
    ) -> Self {
        Self { on, ..Self::new(function, module, CallSiteKind::Event, [severity, kind]) }
    }

    /// The site of a capital check.
    #[track_caller]
    pub const fn new_capital(function: &'static str, module: &'static str) -> Self {
        Self::new(function, module, CallSiteKind::Capital, ["", ""])
    }

    /// The site of a reconciliation.
    #[track_caller]
    pub const fn new_reconciliation(function: &'static str, module: &'static str) -> Self {
        Self::new(function, module, CallSiteKind::Reconciliation, ["", ""])
    }

    /// The site of a function whose durations are recorded to one of the bot's own families.
    #[track_caller]
    pub const fn new_timed(function: &'static str, module: &'static str, family: &'static str) -> Self {
        Self::new(function, module, CallSiteKind::Timed, [family, ""])
    }

    /// The site of a function whose ends are counted in one of the bot's own families.
    #[track_caller]
    pub const fn new_counted(function: &'static str, module: &'static str, family: &'static str) -> Self {
        Self::new(function, module, CallSiteKind::Counted, [family, ""])
    }

    /// The site of the function of this name, at the location of the attribute.
    #[track_caller]
    const fn new(
        function: &'static str,
        module: &'static str,
        kind: CallSiteKind,
        labels: [&'static str; 2],
    ) -> Self {
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
            labels,
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

    /// The attribute, and the labels that are known at compile time.
    pub fn target(&self) -> (CallSiteKind, [&'static str; 2]) {
        (self.kind, self.labels)
    }

    /// Whether it has found the series of a call. A call of a run or of an exchange call finds it, and so does an event
    /// without profile and symbol, once it has occurred.
    #[cfg(feature = "page")]
    pub(crate) fn has_found_series(&self) -> bool {
        std::iter::once(&self.cell).chain(self.cells).any(|cell| cell.get().is_some())
    }

    /// Counts a capital check.
    #[cfg(feature = "page")]
    pub(crate) fn count_check(&self) {
        self.cell.find(|| SiteSeries::Checks(AtomicU64::new(0)));
        if let Some(SiteSeries::Checks(checks)) = self.cell.get() {
            checks.fetch_add(1, Relaxed);
        }
    }

    /// The number of capital checks.
    #[cfg(feature = "page")]
    pub(crate) fn checks(&self) -> u64 {
        match self.cell.get() {
            Some(SiteSeries::Checks(checks)) => checks.load(Relaxed),
            _ => 0,
        }
    }

    /// The age given by the attribute of a subsystem.
    pub(crate) fn max_age(&self) -> Option<MaxAge> {
        let age = Duration::from_nanos(self.max_age_ns);
        (!age.is_zero()).then_some(MaxAge { age, place: self.place() })
    }

    /// The function, for messages.
    fn place(&self) -> SourceLine {
        let Self { function, module, file, line, .. } = *self;
        SourceLine { module, function, file, line }
    }

    /// The cell of the values at these indices of its choices.
    pub(crate) fn cell(&self, first: usize, second: usize) -> &SlotCell<SiteSeries> {
        let index = first * self.values[1].len().max(1) + second;
        // The first label set uses the cell that is read first, even if there are others.
        self.cells.get(index).filter(|_| index > 0).unwrap_or(&self.cell)
    }
}

/// Sites for unit tests, without the arguments that these do not need.
#[cfg(test)]
impl CallSite {
    pub(crate) const fn test_subsystem(subsystem: &'static str, max_age_ns: u64) -> Self {
        Self::new_subsystem("cycle", "bot", subsystem, 0, max_age_ns, false, false)
    }

    pub(crate) const fn test_exchange(exchange: &'static str) -> Self {
        Self::new_exchange("call", "bot", exchange, "")
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

/// Whether a function with this attribute is linked.
#[cfg(feature = "page")]
pub(crate) fn is_linked(kind: CallSiteKind) -> bool {
    CALL_SITES.iter().any(|site| site.kind == kind)
}

/// Whether this subsystem has call sites and all of them are optional.
pub(crate) fn is_optional(subsystem: &str) -> bool {
    let mut sites = CALL_SITES.iter().filter(|site| {
        site.kind == CallSiteKind::Subsystem && site.labels()[0].values().contains(&subsystem)
    });
    sites.next().is_some_and(|first| first.optional && sites.all(|site| site.optional))
}

/// A label of a site, as known at compile time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LabelChoices {
    /// Its value.
    Fixed(&'static str),
    /// The value from the settings.
    FromSettings,
    /// The values from which one is chosen at each call.
    Any(&'static [&'static str]),
}

impl LabelChoices {
    /// The value at `index`; `None` if it comes from the settings.
    pub(crate) fn text(self, index: usize) -> Option<&'static str> {
        match self {
            Self::Fixed(text) => Some(text),
            Self::FromSettings => None,
            Self::Any(values) => Some(values[index]),
        }
    }

    /// All values that are known at link time.
    pub(crate) fn values(&self) -> &[&'static str] {
        match self {
            Self::Fixed(text) => slice::from_ref(text),
            Self::FromSettings => &[],
            Self::Any(values) => values,
        }
    }
}

/// Cells for a site with `N` label sets.
#[must_use]
pub const fn slot_cells<const N: usize>() -> [SlotCell<SiteSeries>; N] {
    [const { SlotCell::EMPTY }; N]
}
