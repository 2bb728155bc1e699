//! The items to which the attributes expand. None of them is meant to be used directly, and they change without
//! notice.

pub use crate::__site as site;
pub use crate::LabelValue;
pub use crate::attributes::body::{
    Rewritten, always_ok, call, diverge, end_ok, enter, evaluate, never, returned, unmeasured,
};
pub use crate::attributes::capital::capital_of;
pub use crate::attributes::future::{instrument_async, instrument_future, instrument_typed, pinned};
pub use crate::attributes::guards::{Guard, stacked};
pub use crate::attributes::measured::{Declared, blank, counted, family_name, timed};
pub use crate::attributes::probe::Probe;
pub use crate::attributes::reconciliation::report_of;
pub use crate::attributes::text::Text;
pub use crate::catalogue::Kind;
pub use crate::families::custom::{
    CUSTOM_FAMILIES, CustomFamily, Given, Label, LabelTexts, LabelType, NoLabel, SeriesCell, closed_sets,
    given, series_cells,
};
pub use crate::labels::value::{Derived, Position, concatenated, require_disjoint, values_before};
pub use crate::labels::vocabulary::{fixed_method_name, fixed_text, require_type};
pub use crate::outcome::ends::On;
pub use crate::outcome::outcome;
pub use crate::sites::call_site::{CALL_SITES, CallSite, SiteSeries, SlotCell, slot_cells};
/// The requirements of a declared family.
pub mod check {
    pub use crate::families::custom::{
        BUDGET, bound, buckets, budget, help, label_name, name, ratio, threshold,
    };
}
/// The traits that answer a [`Probe`].
pub mod probe {
    pub use crate::attributes::probe::{
        Classes, Classified, ErrorClasses, Fallible, Infallible, NoErrors, Said, Unstarted,
    };
}
pub use bot_metrics_macros::{
    capital_check, counted, exchange_call, operational_event, reconciliation, timed, timed_subsystem,
};
pub use core::primitive::{str, usize};
pub use core::time::Duration;
pub use core::{concat, file, line, module_path};
pub use linkme;

/// Defines a function's static and adds it to the list of call sites.
///
/// It is a macro here and not part of the attributes' expansion, because the compiler transcribes its own macros
/// faster. `CALL_SITES!` has the same expansion as linkme's attribute, apart from the check of the element's type:
/// that would be three more bodies for the compiler, which take longer than the function.
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
