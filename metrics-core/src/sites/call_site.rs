//! The list of everything that is annotated, complete at link time.

use std::borrow::Borrow;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use linkme::distributed_slice;

use crate::attributes::text::Text;
use crate::families::capital::CapitalGuard;
use crate::families::event::{BareEventGuard, EventGuard, EventSite, EventSlots, On};
use crate::families::exchange::{ExchangeSite, ExchangeSlots, SiteCall};
use crate::families::reconciliation::ReconciliationCycle;
use crate::families::subsystem::{PERIODS_UNTIL_STALLED, SiteRun, SubsystemSite, SubsystemSlots};
use crate::labels::value::LabelValue;
use crate::labels::vocabulary::{has_key, require_method_name, require_text};
pub use crate::storage::SlotCell;
use crate::storage::not_installed;
use crate::storage::{Call, Run};

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
    kind: Kind,
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
    pub(crate) cell: SlotCell<Found>,
    /// A cell for each of its label sets, where there are more than one.
    cells: &'static [SlotCell<Found>],
}

/// What an attribute measures.
#[derive(Clone, Copy, Debug)]
enum Kind {
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
pub enum Found {
    /// A subsystem's runs.
    Subsystem(Arc<SubsystemSlots>),
    /// The calls of an operation.
    Exchange(Arc<ExchangeSlots>),
    /// An event.
    Event(Arc<EventSlots>),
}

/// A function's own static, in the list of all of them.
///
/// It stands here and not in what the attributes expand to, since the compiler is quicker with what it transcribes
/// itself. `CALL_SITES!` is what linkme's attribute expands to, but for its check of the element's type: that is three
/// bodies more for the compiler, which take longer than the function.
#[doc(hidden)]
#[macro_export]
macro_rules! __site {
    ($function:literal, $new:ident($($argument:expr),*) $(, $values:expr, &$cells:ident)?) => {{
        $crate::__private::CALL_SITES! {
            #![linkme_macro = $crate::__private::CALL_SITES]
            static SITE: $crate::__private::CallSite = $crate::__private::CallSite::$new(
                $function,
                $crate::__private::module_path!(),
                $($argument),*
            ) $(.with_values($values, &$cells))?;
        }
        &SITE
    }};
}

/// A site by what it measures.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// `#[timed_subsystem]`
    Subsystem(SubsystemSite<'a>),
    /// `#[exchange_call]`
    Exchange(ExchangeSite<'a>),
    /// `#[operational_event]`
    Event(EventSite<'a>),
    /// `#[capital_check]`
    Capital,
    /// `#[reconciliation]`
    Reconciliation,
    /// `#[timed]`, and the name of the bot's own family.
    Timed(&'static str),
    /// `#[counted]`, likewise.
    Counted(&'static str),
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
            ..Self::blank(function, module, Kind::Subsystem)
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
        Self { labels: [exchange, operation], ..Self::blank(function, module, Kind::Exchange) }
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
        Self { labels: [severity, kind], on, ..Self::blank(function, module, Kind::Event) }
    }

    /// A site of a capital check.
    #[must_use]
    #[track_caller]
    pub const fn new_capital(function: &'static str, module: &'static str) -> Self {
        Self::blank(function, module, Kind::Capital)
    }

    /// A site of a reconciliation.
    #[must_use]
    #[track_caller]
    pub const fn new_reconciliation(function: &'static str, module: &'static str) -> Self {
        Self::blank(function, module, Kind::Reconciliation)
    }

    /// A site whose durations are recorded to a family of the bot's own.
    #[must_use]
    #[track_caller]
    pub const fn new_timed(function: &'static str, module: &'static str, family: &'static str) -> Self {
        Self { labels: [family, ""], ..Self::blank(function, module, Kind::Timed) }
    }

    /// A site whose ends are counted by a family of the bot's own.
    #[must_use]
    #[track_caller]
    pub const fn new_counted(function: &'static str, module: &'static str, family: &'static str) -> Self {
        Self { labels: [family, ""], ..Self::blank(function, module, Kind::Counted) }
    }

    /// The site of the function of this name, at the place of the attribute.
    #[track_caller]
    const fn blank(function: &'static str, module: &'static str, kind: Kind) -> Self {
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
        cells: &'static [SlotCell<Found>],
    ) -> Self {
        self.values = values;
        self.cells = cells;
        self
    }

    /// What is known of its labels.
    pub(crate) fn labels(&self) -> [Choice; 2] {
        [0, 1].map(|index| match (self.values[index], self.labels[index]) {
            ([], "") => Choice::FromSettings,
            ([], text) => Choice::Fixed(text),
            (values, _) => Choice::Any(values),
        })
    }

    /// What it measures.
    pub fn target(&self) -> Target<'_> {
        match self.kind {
            Kind::Subsystem => Target::Subsystem(SubsystemSite(self)),
            Kind::Exchange => Target::Exchange(ExchangeSite(self)),
            Kind::Event => Target::Event(EventSite(self)),
            Kind::Capital => Target::Capital,
            Kind::Reconciliation => Target::Reconciliation,
            Kind::Timed => Target::Timed(self.labels[0]),
            Kind::Counted => Target::Counted(self.labels[0]),
        }
    }

    /// The cell of the values at these indices of its choices.
    pub(crate) fn cell(&self, first: usize, second: usize) -> &SlotCell<Found> {
        let index = first * self.values[1].len().max(1) + second;
        // The first label set's is the one that `first` asks, wherever there are others.
        self.cells.get(index).filter(|_| index > 0).unwrap_or(&self.cell)
    }
}

impl CallSite {
    /// Begins a run of the subsystem at this index of the site's choices.
    #[inline]
    pub fn subsystem(&'static self, index: usize) -> SiteRun {
        SiteRun(if index == 0 { self.first_run() } else { self.other_run(index) })
    }

    /// Begins an attempt with the values at these indices of the site's choices.
    #[inline]
    pub fn exchange(&'static self, exchange: usize, operation: usize) -> SiteCall {
        let is_first = exchange == 0 && operation == 0;
        SiteCall(if is_first { self.first_call() } else { self.other_call(exchange, operation) })
    }

    /// Watches a call for an event with the values at these indices of the site's choices.
    pub fn event<T: Borrow<Text>>(
        &'static self,
        severity: usize,
        kind: usize,
        profile: T,
        symbol: T,
        text: T,
    ) -> EventGuard<T> {
        EventSite(self).start(severity, kind, [profile, symbol, text])
    }

    /// Watches a call for an event that is the same at each.
    #[inline]
    pub fn bare_event(&'static self) -> BareEventGuard {
        BareEventGuard(self)
    }

    /// Begins a check of the capital of `profile`.
    pub fn capital(&'static self, profile: Text) -> CapitalGuard {
        not_installed::note(self);
        CapitalGuard::begin(profile)
    }

    /// Begins a cycle of the reconciliation that this site calls by this name.
    pub fn reconciliation(&'static self, name: &Text) -> ReconciliationCycle {
        not_installed::note(self);
        ReconciliationCycle::begin_at_site(self, name.as_str())
    }

    // Not generic: each would be compiled in the crate of its first user, where a thread's memory is farther away.

    #[inline(never)]
    fn first_run(&'static self) -> Run {
        self.cell.start().unwrap_or_else(|| self.run_slowly(0))
    }

    #[inline(never)]
    fn other_run(&'static self, index: usize) -> Run {
        self.cell(index, 0).start().unwrap_or_else(|| self.run_slowly(index))
    }

    #[inline(never)]
    fn first_call(&'static self) -> Call {
        self.cell.start().unwrap_or_else(|| self.call_slowly(0, 0))
    }

    #[inline(never)]
    fn other_call(&'static self, exchange: usize, operation: usize) -> Call {
        self.cell(exchange, operation).start().unwrap_or_else(|| self.call_slowly(exchange, operation))
    }

    #[cold]
    #[inline(never)]
    fn run_slowly(&'static self, index: usize) -> Run {
        SubsystemSite(self).start_slowly(index)
    }

    #[cold]
    #[inline(never)]
    fn call_slowly(&'static self, exchange: usize, operation: usize) -> Call {
        ExchangeSite(self).start_slowly(exchange, operation)
    }
}

impl fmt::Display for CallSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{} ({}:{})", self.module, self.function, self.file, self.line)
    }
}

/// Every linked call site, sorted by place, so that equal binaries list them equally.
#[must_use]
pub fn call_sites() -> Vec<&'static CallSite> {
    let mut sites: Vec<_> = CALL_SITES.iter().collect();
    sites.sort_by_key(|site| (site.file, site.line, site.module, site.function));
    sites
}

/// A text that is a value of `L`, and its [key](LabelValue::KEYS).
///
/// # Panics
///
/// As `require_text` does; meant for statics, where the panic is a compile error.
#[must_use]
#[track_caller]
pub const fn fixed_text<L: LabelValue>(text: &'static str, low: u128, high: u128) -> &'static str {
    if !has_key::<L>(low, high) {
        require_text::<L>(text);
    }
    text
}

/// The name of a method that is a value of `L`, and its key.
///
/// # Panics
///
/// As `require_method_name` does; meant for statics, where the panic is a compile error.
#[must_use]
#[track_caller]
pub const fn fixed_method_name<L: LabelValue>(name: &'static str, low: u128, high: u128) -> &'static str {
    if !has_key::<L>(low, high) {
        require_method_name::<L>(name);
    }
    name
}

/// What a site knows of a label while compiling.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Choice {
    /// Its value.
    Fixed(&'static str),
    /// That the settings say it.
    FromSettings,
    /// Its values, one of which is picked at each call.
    Any(&'static [&'static str]),
}

impl Choice {
    /// The value at `index`; none where the settings say it.
    pub(crate) fn text(self, index: usize) -> Option<&'static str> {
        match self {
            Self::Fixed(text) => Some(text),
            Self::FromSettings => None,
            Self::Any(values) => Some(values[index]),
        }
    }

    /// All that are known while linking.
    pub(crate) fn values(self) -> Vec<&'static str> {
        match self {
            Self::Fixed(text) => vec![text],
            Self::FromSettings => Vec::new(),
            Self::Any(values) => values.to_vec(),
        }
    }

    pub(crate) fn fixed(self) -> Option<&'static str> {
        match self {
            Self::Fixed(text) => Some(text),
            Self::FromSettings | Self::Any(_) => None,
        }
    }
}

/// Cells for a site with `N` label sets.
#[must_use]
pub const fn slot_cells<const N: usize>() -> [SlotCell<Found>; N] {
    [const { SlotCell::EMPTY }; N]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;
    use crate::attributes::guard::Guard as _;
    use crate::storage::Value;

    #[test]
    fn the_first_of_several_label_sets_is_found_where_a_call_looks_first() {
        static CELLS: [SlotCell<Found>; 2] = slot_cells();
        static SITE: CallSite = CallSite::new_exchange("call", "bot", "okx", "")
            .with_values([&[], &["get_order", "get_trades"]], &CELLS);
        for operation in [0, 1] {
            SITE.exchange(0, operation).finish(Outcome::Ok);
        }
        assert!(SITE.cell.get().is_some(), "otherwise each of its calls goes the slow way");
        assert!(CELLS[1].get().is_some());
    }

    #[test]
    fn each_pair_of_labels_picked_at_run_time_is_recorded_as_that_pair() {
        const EXCHANGES: &[&str] = &["pair-a", "pair-b", "pair-c"];
        const OPERATIONS: &[&str] = &["get_order", "get_trades"];
        static CELLS: [SlotCell<Found>; 6] = slot_cells();
        static SITE: CallSite =
            CallSite::new_exchange("call", "bot", "", "").with_values([EXCHANGES, OPERATIONS], &CELLS);
        let pairs = || (0..3).flat_map(|exchange| (0..2).map(move |operation| (exchange, operation)));
        // The second round goes by what the first remembered, if anything.
        for _ in 0..2 {
            for (number, (exchange, operation)) in (1..).zip(pairs()) {
                (0..number).for_each(|_| SITE.exchange(exchange, operation).finish(Outcome::Ok));
            }
        }
        let snapshot = crate::instance::registry::process_core().snapshot();
        let all =
            |family: &str| snapshot.families.iter().find(|of| of.family.name == family).map(|of| &of.samples);
        let requests = all("exchange_api_requests_total").expect("it is there");
        for (number, (exchange, operation)) in (1..).zip(pairs()) {
            let labels = [EXCHANGES[exchange], OPERATIONS[operation], "ok"];
            let sample = requests.iter().find(|sample| sample.labels.iter().eq(labels)).expect("a series");
            let Value::Counter(count) = sample.value else { panic!("a counter: {sample:?}") };
            assert_eq!(count, 2 * number, "{labels:?}");
        }
    }
}
