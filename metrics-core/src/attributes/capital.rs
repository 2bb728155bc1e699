//! `#[capital_check]`: a function that returns a profile's capital.

use std::sync::Arc;

use super::guards::Guard;
use super::text::Text;
use crate::families::capital::{Amount, Capital, CapitalReading};
use crate::instance::process;
use crate::sites::call_site::CallSite;
use crate::storage::{lose, not_installed};
use crate::{Outcome, lock};

#[doc(hidden)]
impl CallSite {
    /// Begins a check of the capital of `profile`, which is exported from here on.
    pub fn capital(&'static self, profile: Text) -> CapitalGuard {
        not_installed::note(self);
        #[cfg(feature = "page")]
        self.count_check();
        // A removed profile stays removed until there are figures.
        let id = lock::outside(|| process::core().profiles.id(profile.as_str())).flatten();
        CapitalGuard { profile, _id: id }
    }
}

/// The return type of a function with `#[capital_check]`.
#[diagnostic::on_unimplemented(
    message = "`#[capital_check]` needs a function that returns `Capital` or `Result<Capital, E>`",
    label = "this type is neither",
    note = "compute the figures in a separate function and annotate that"
)]
pub trait CapitalCheck {
    /// The figures, unless there is an error instead.
    fn found(&self) -> Option<CheckedCapital>;
}

impl<A: Amount> CapitalCheck for Capital<A> {
    fn found(&self) -> Option<CheckedCapital> {
        Some(CheckedCapital(self.figures()))
    }
}

impl<A: Amount, E> CapitalCheck for Result<Capital<A>, E> {
    fn found(&self) -> Option<CheckedCapital> {
        self.as_ref().ok().and_then(CapitalCheck::found)
    }
}

/// The figures of a check; `None` if one is not a number.
#[derive(Clone, Copy, Debug)]
pub struct CheckedCapital(Option<CapitalReading>);

/// The verdict on a returned value.
pub fn capital_of<R: CapitalCheck>(value: &R) -> Option<CheckedCapital> {
    value.found()
}

/// A capital check in progress. Without figures it records nothing.
#[derive(Debug)]
pub struct CapitalGuard {
    profile: Text,
    /// Held, so that the counts of a profile that is removed meanwhile are kept.
    _id: Option<Arc<str>>,
}

impl Guard for CapitalGuard {
    type Verdict = Option<CheckedCapital>;
    type Waits = ();

    fn finish(self, found: Option<CheckedCapital>) {
        if let Some(CheckedCapital(figures)) = found {
            match process::core_unless_inside() {
                Some(core) => core.profiles.record(self.profile.as_str(), figures),
                None => lose(),
            }
        }
    }

    fn abandon(self, _: Outcome) {}
}
