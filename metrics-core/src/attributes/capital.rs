//! `#[capital_check]`: a function that returns a profile's capital.

use std::sync::Arc;

use super::guard::Guard;
use super::text::Text;
use crate::families::capital::{Amount, Capital, CapitalReading};
use crate::families::profiles::ProfileSlots;
use crate::instance::process;
use crate::instance::profile::update;
use crate::sites::call_site::CallSite;
use crate::storage::{lose, not_installed};
use crate::{Outcome, lock};

impl CallSite {
    /// Begins a check of the capital of `profile`.
    pub fn capital(&'static self, profile: Text) -> CapitalGuard {
        not_installed::note(self);
        CapitalGuard::begin(profile)
    }
}

/// What a function under `#[capital_check]` returns.
#[diagnostic::on_unimplemented(
    message = "`#[capital_check]` stands over a function that returns `Capital` or `Result<Capital, E>`",
    label = "this is neither",
    note = "compute the figures in a function of their own and put the attribute over that"
)]
pub trait CapitalCheck {
    /// The figures, unless there is an error in their place.
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

/// The figures of a check; none where one is no number.
#[derive(Clone, Copy, Debug)]
pub struct CheckedCapital(Option<CapitalReading>);

/// The verdict on a returned value.
pub fn capital_of<R: CapitalCheck>(value: &R) -> Option<CheckedCapital> {
    value.found()
}

/// A capital check under way. Without figures it records nothing.
#[derive(Debug)]
pub struct CapitalGuard {
    profile: Text,
    slots: Option<Arc<ProfileSlots>>,
}

impl CapitalGuard {
    /// Begins a check of the capital of `profile`, which is exported from here on.
    pub(crate) fn begin(profile: Text) -> Self {
        // One that was removed stays so, until there are figures.
        let find = || process::core().profile_slots(profile.as_str());
        let slots = lock::outside(find).flatten();
        Self { profile, slots }
    }
}

impl Guard for CapitalGuard {
    type Verdict = Option<CheckedCapital>;
    type Waits = ();

    fn finish(self, found: Option<CheckedCapital>) {
        if let Some(CheckedCapital(figures)) = found {
            match process::core_unless_inside() {
                Some(core) => update(core, self.profile.as_str(), self.slots, figures),
                None => lose(),
            }
        }
    }

    fn abandon(self, _: Outcome) {}
}
