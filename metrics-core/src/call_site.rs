//! The list of everything that is annotated, complete at link time.

use std::borrow::Borrow;
use std::fmt;
use std::panic::Location;

use linkme::distributed_slice;

use crate::capital::{CapitalGuard, CapitalSite};
use crate::event::{BareEventGuard, EventGuard, EventSite};
use crate::exchange::{ExchangeSite, SiteCall};
use crate::label::LabelValue;
use crate::reconciliation::{ReconciliationCycle, ReconciliationSite};
use crate::registry;
use crate::storage::NearNumber;
use crate::storage::Running;
pub use crate::storage::SlotCell;
use crate::subsystem::{SiteRun, SubsystemSite};
use crate::text::Text;
use crate::vocabulary::{require_method_name, require_text};

/// One element for each annotated function linked into the binary, called or not, in no particular order.
#[distributed_slice]
pub static CALL_SITES: [CallSite];

/// An annotated function.
///
/// It is one static with all that the function records to: each further item would cost as much compile time as the
/// whole function.
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
    /// What the attribute measures.
    pub target: Target,
    /// Of the recorder of its first label set, of most sites the only one. It stands here since a second argument, and
    /// what kind of site this is, cost a call ten instructions.
    pub(crate) near: NearNumber,
}

/// A function's own static, in the list of all of them.
///
/// It stands here and not in what the attributes expand to, since the compiler is quicker with what it transcribes
/// itself. `CALL_SITES!` is what linkme's attribute expands to, but for its check of the element's type: that is three
/// bodies more for the compiler, which take longer than the function.
#[doc(hidden)]
#[macro_export]
macro_rules! __site {
    ($function:literal, $target:ident, $site:expr) => {{
        $crate::__private::CALL_SITES! {
            #![linkme_macro = $crate::__private::CALL_SITES]
            static SITE: $crate::__private::CallSite = $crate::__private::CallSite::new(
                $function,
                $crate::__private::module_path!(),
                $crate::__private::Target::$target($site),
            );
        }
        &SITE
    }};
}

/// What an attribute measures.
#[derive(Debug)]
pub enum Target {
    /// `#[timed_subsystem]`
    Subsystem(SubsystemSite),
    /// `#[exchange_call]`
    Exchange(ExchangeSite),
    /// `#[operational_event]`
    Event(EventSite),
    /// `#[capital_check]`
    Capital(CapitalSite),
    /// `#[reconciliation]`
    Reconciliation(ReconciliationSite),
    /// `#[timed]`, and the name of the bot's own family.
    Timed(&'static str),
    /// `#[counted]`, likewise.
    Counted(&'static str),
}

/// What an expansion starts of its own static.
macro_rules! starts {
    ($($start:ident: $target:ident($($argument:ident: $ty:ty),*) -> $guard:ty;)*) => {
        impl CallSite {
            $(
                /// Begins a call.
                pub fn $start(&'static self, $($argument: $ty),*) -> $guard {
                    match &self.target {
                        Target::$target(site) => site.start($($argument),*),
                        other => unreachable!("an expansion starts its own target, not {other:?}"),
                    }
                }
            )*
        }
    };
}

starts! {
    capital: Capital(profile: Text) -> CapitalGuard;
}

impl CallSite {
    /// The site of the function of this name, at the place of the attribute that calls this.
    #[must_use]
    #[track_caller]
    pub const fn new(function: &'static str, module: &'static str, target: Target) -> Self {
        // Rather than `file!()` and `line!()`, which would be expanded for each site.
        let place = Location::caller();
        Self { function, module, file: place.file(), line: place.line(), target, near: NearNumber::unknown() }
    }

    /// Begins a run of the subsystem at this index of the site's choices.
    #[inline]
    pub fn subsystem(&'static self, index: usize) -> SiteRun {
        SiteRun(if index == 0 { self.first() } else { self.other(index, 0) })
    }

    /// Begins an attempt with the values at these indices of the site's choices.
    #[inline]
    pub fn exchange(&'static self, exchange: usize, operation: usize) -> SiteCall {
        SiteCall(if exchange == 0 && operation == 0 { self.first() } else { self.other(exchange, operation) })
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
        match &self.target {
            Target::Event(site) => site.start(severity, kind, [profile, symbol, text]),
            other => unreachable!("an expansion starts its own target, not {other:?}"),
        }
    }

    /// Watches a call for an event that is the same at each.
    #[inline]
    pub fn bare_event(&'static self) -> BareEventGuard {
        BareEventGuard(self)
    }

    /// Begins a cycle of the reconciliation that this site calls by this name.
    pub fn reconciliation(&'static self, name: &Text) -> ReconciliationCycle {
        ReconciliationCycle::begin(registry::process_instance(), Some(self), name.as_str())
    }

    #[inline(never)]
    fn first(&'static self) -> Running {
        self.near.start().unwrap_or_else(|| self.first_slowly())
    }

    #[cold]
    #[inline(never)]
    fn first_slowly(&'static self) -> Running {
        self.start_slowly(0, 0)
    }

    #[inline(never)]
    fn other(&'static self, first: usize, second: usize) -> Running {
        let quick = match &self.target {
            Target::Subsystem(site) => site.cell(first).start(),
            Target::Exchange(site) => site.cell(site.index(first, second)).start(),
            _ => None,
        };
        quick.unwrap_or_else(|| self.start_slowly(first, second))
    }

    #[cold]
    #[inline(never)]
    fn start_slowly(&'static self, first: usize, second: usize) -> Running {
        let near = (first == 0 && second == 0).then_some(&self.near);
        match &self.target {
            Target::Subsystem(site) => site.start_slowly(first, near),
            Target::Exchange(site) => site.start_slowly(site.index(first, second), near),
            other => unreachable!("an expansion starts its own target, not {other:?}"),
        }
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

/// A text that is a value of `L`.
///
/// # Panics
///
/// As [`require_text`] does; meant for statics, where the panic is a compile error.
#[must_use]
#[track_caller]
pub const fn fixed_text<L: LabelValue>(text: &'static str) -> Choice {
    require_text::<L>(text);
    Choice::Fixed(text)
}

/// The name of a method that is a value of `L`.
///
/// # Panics
///
/// As [`require_method_name`] does; meant for statics, where the panic is a compile error.
#[must_use]
#[track_caller]
pub const fn fixed_method_name<L: LabelValue>(name: &'static str) -> Choice {
    require_method_name::<L>(name);
    Choice::Fixed(name)
}

/// What a site knows of a label while compiling.
#[derive(Clone, Copy, Debug)]
pub enum Choice {
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
    pub(crate) fn values(&self) -> &[&'static str] {
        match self {
            Self::Fixed(text) => std::slice::from_ref(text),
            Self::FromSettings => &[],
            Self::Any(values) => values,
        }
    }

    pub(crate) fn fixed(self) -> Option<&'static str> {
        match self {
            Self::Fixed(text) => Some(text),
            Self::FromSettings | Self::Any(_) => None,
        }
    }

    /// How many values there are to pick from.
    #[must_use]
    pub const fn count(self) -> usize {
        match self {
            Self::Fixed(_) | Self::FromSettings => 1,
            Self::Any(values) => values.len(),
        }
    }
}

/// Cells for a site with `N` label sets.
#[must_use]
pub const fn slot_cells<S, const N: usize>() -> [SlotCell<S>; N] {
    [const { SlotCell::new() }; N]
}

/// A site's cells: one, or as many as its labels have values to pick from.
#[derive(Debug)]
pub(crate) struct Cells<S: 'static> {
    pub(crate) one: SlotCell<S>,
    pub(crate) many: &'static [SlotCell<S>],
}

impl<S> Cells<S> {
    pub(crate) const fn one() -> Self {
        Self { one: SlotCell::new(), many: &[] }
    }

    pub(crate) fn get(&self, index: usize) -> &SlotCell<S> {
        self.many.get(index).unwrap_or(&self.one)
    }
}
