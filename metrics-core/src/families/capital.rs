//! Capital: what a profile may use, what it uses, and how that is recorded.

use std::sync::Arc;

use crate::attributes::guard::Guard;
use crate::attributes::text::Text;
use crate::families::profiles::ProfileSlots;
use crate::instance::registry::{self, Core};
use crate::labels::{EventType, Severity};
use crate::lock;
use crate::storage::{ENABLED, lose, record_outside};
use crate::{LabelValue, Outcome};

/// What a profile may use and what it uses, in its currency of account.
///
/// ```
/// use bot_metrics::Capital;
///
/// let capital = Capital { allocated: 1_000.0, positions: 600.0, open_orders: 150.0, ..Capital::default() };
/// assert_eq!(capital.available(), 250.0);
/// assert_eq!(capital.utilization_percent(), 75.0);
/// ```
///
/// Amounts are floats, or `rust_decimal::Decimal` with the feature of that name, in which three tenths less one tenth
/// less two tenths are nothing; in floats they are less than nothing. Where amounts are floats, allow for that with
/// [`Settings::capital_tolerance`](crate::Settings::capital_tolerance).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Capital<A = f64> {
    /// What the profile may use.
    pub allocated: A,
    /// What its positions use: their exposure or margin, never below zero. A short position uses capital as a long one
    /// does; signed, it would hide what others use.
    pub positions: A,
    /// What its open orders would use.
    pub open_orders: A,
    /// What is left, where the exchange reports it; computed from the others otherwise.
    pub reported_available: Option<A>,
}

impl<A: Amount> Capital<A> {
    /// Says what is left, as the exchange reports it.
    #[must_use]
    pub fn with_available(mut self, available: A) -> Self {
        self.reported_available = Some(available);
        self
    }

    /// What is left: as reported, or allocated − positions − open orders.
    #[must_use]
    pub fn available(&self) -> A {
        self.reported_available.unwrap_or_else(|| self.allocated.less(self.positions).less(self.open_orders))
    }

    /// 100 × (positions + open orders) / allocated. Never clamped; with nothing allocated, or less, it is 0 while nothing
    /// is used and +∞ otherwise, since neither a NaN nor a negative value would ever alert.
    #[must_use]
    pub fn utilization_percent(&self) -> f64 {
        let used = self.positions.plus(self.open_orders).as_f64();
        let allocated = self.allocated.as_f64();
        if allocated > 0.0 || allocated.is_nan() {
            100.0 * used / allocated
        } else if used > 0.0 {
            f64::INFINITY
        } else {
            0.0
        }
    }

    /// What is recorded of it; nothing where a figure is no finite number.
    pub(crate) fn figures(&self) -> Option<Figures> {
        let amounts = [self.allocated, self.positions, self.open_orders, self.available()];
        let finite = amounts.iter().all(|amount| amount.as_f64().is_finite());
        finite.then(|| Figures {
            available: self.available().as_f64(),
            utilization_percent: self.utilization_percent(),
        })
    }
}

/// An amount of money: `f64`, or with the feature `rust_decimal` its `Decimal`.
pub trait Amount: Arithmetic {}

impl Amount for f64 {}

/// What is done with amounts, none of which panics.
pub trait Arithmetic: Copy {
    /// The difference.
    #[must_use]
    fn less(self, other: Self) -> Self;
    /// The sum.
    #[must_use]
    fn plus(self, other: Self) -> Self;
    /// As near as can be; of the same sign.
    fn as_f64(self) -> f64;
}

impl Arithmetic for f64 {
    fn less(self, other: Self) -> Self {
        self - other
    }

    fn plus(self, other: Self) -> Self {
        self + other
    }

    fn as_f64(self) -> f64 {
        self
    }
}

#[cfg(feature = "rust_decimal")]
impl Amount for rust_decimal::Decimal {}

#[cfg(feature = "rust_decimal")]
impl Arithmetic for rust_decimal::Decimal {
    fn less(self, other: Self) -> Self {
        self.saturating_sub(other)
    }

    fn plus(self, other: Self) -> Self {
        self.saturating_add(other)
    }

    fn as_f64(self) -> f64 {
        use rust_decimal::prelude::ToPrimitive as _;

        self.to_f64().unwrap_or(f64::NAN)
    }
}

/// What is recorded of a profile's capital.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figures {
    pub(crate) available: f64,
    pub(crate) utilization_percent: f64,
}

impl Figures {
    /// Whether less than nothing is left, by more than `tolerance`.
    pub(crate) fn is_below_zero(&self, tolerance: f64) -> bool {
        self.available < -tolerance
    }
}

/// A profile of an instance; from [`Metrics::profile`](crate::Metrics::profile), from which moment its counter
/// stands at 0.
///
/// ```
/// # use bot_metrics::{Capital, Mode, Settings};
/// let metrics = Settings::new(Mode::Paper).build()?;
/// let maker = metrics.profile("maker");
/// maker.update(Capital { allocated: 1_000.0, positions: 1_100.0, ..Capital::default() }); // 110 %, a violation
/// maker.update(Capital { allocated: 1_000.0, positions: 1_200.0, ..Capital::default() }); // 120 %, the same one
/// maker.remove();
/// # Ok::<(), bot_metrics::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Profile {
    core: Arc<Core>,
    id: Arc<str>,
    /// None where the bound on profiles was reached; a place may come free.
    slots: Option<Arc<ProfileSlots>>,
}

impl Profile {
    /// The profile with this id, back if it was removed.
    pub(crate) fn new(core: Arc<Core>, id: &str) -> Self {
        // An allocator that asks under a lock gets a handle that looks for its slots later.
        let find = || {
            let slots = core.place_profile(id)?;
            slots.bring_back();
            Some(slots)
        };
        let slots = lock::outside(find).flatten();
        Self { core, id: Arc::from(id), slots }
    }

    /// Takes new figures: sets the utilisation, and counts a violation where available capital has fallen below
    /// zero since the last figures. Staying below counts nothing more; recovery re-arms. Figures below zero on
    /// first sight count. A removed profile comes back.
    ///
    /// Where a figure is NaN or infinite nothing changes but an `INVALID_CAPITAL` event.
    ///
    /// Profiles beyond [`Settings::label_bounds`](crate::Settings::label_bounds) share the series "other": their
    /// violations are counted there, and they have no utilisation.
    pub fn update<A: Amount>(&self, capital: Capital<A>) {
        update(&self.core, &self.id, self.slots.clone(), capital.figures());
    }

    /// Takes the profile's gauges away at once, and its counters after five minutes, those of its events among them, and
    /// those of the bot's own families whose label is a [`ProfileId`](crate::ProfileId), whoever counted there and whether or
    /// not the profile had a place. What no scrape has seen by then stays five minutes more. What was counted under "other"
    /// stays there. Any handle brings it back with its next [`update`](Self::update).
    pub fn remove(&self) {
        let remove = || {
            self.core.profiles.remove_beyond(&self.id);
            // It may have moved in since this handle found no place.
            let slots = self.slots.clone().or_else(|| self.core.profiles.standing_place(&self.id));
            self.core.remove_profile(&self.id, slots.as_deref());
        };
        let _ = record_outside(remove);
    }
}

fn update(core: &Core, id: &str, slots: Option<Arc<ProfileSlots>>, figures: Option<Figures>) {
    if !ENABLED {
        return;
    }
    let Some(figures) = figures else {
        core.profiles.refuse();
        let event = core.event(Severity::Error.as_str(), EventType::InvalidCapital.as_str());
        return event.profile(id).record();
    };
    let tolerance = core.settings().map_or(0.0, |settings| settings.capital_tolerance);
    let _ = record_outside(|| match slots.or_else(|| core.place_profile(id)) {
        Some(slots) => slots.update(&figures, tolerance),
        None => core.profiles.update_beyond(id, &figures, tolerance),
    });
}

/// What a function under `#[capital_check]` returns.
#[diagnostic::on_unimplemented(
    message = "`#[capital_check]` stands over a function that returns `Capital` or `Result<Capital, E>`",
    label = "this is neither",
    note = "compute the figures in a function of their own and put the attribute over that"
)]
pub trait CapitalCheck {
    /// The figures, unless there is an error in their place.
    fn found(&self) -> Option<Found>;
}

impl<A: Amount> CapitalCheck for Capital<A> {
    fn found(&self) -> Option<Found> {
        Some(Found(self.figures()))
    }
}

impl<A: Amount, E> CapitalCheck for Result<Capital<A>, E> {
    fn found(&self) -> Option<Found> {
        self.as_ref().ok().and_then(CapitalCheck::found)
    }
}

/// The figures of a check; none where one is no number.
#[derive(Clone, Copy, Debug)]
pub struct Found(Option<Figures>);

/// The verdict on a returned value.
pub fn capital_of<R: CapitalCheck>(value: &R) -> Option<Found> {
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
        let find = || registry::process_core().place_profile(profile.as_str());
        let slots = lock::outside(find).flatten();
        Self { profile, slots }
    }
}

impl Guard for CapitalGuard {
    type Verdict = Option<Found>;
    type Waits = ();

    fn finish(self, found: Option<Found>) {
        if let Some(Found(figures)) = found {
            match registry::process_core_unless_inside() {
                Some(core) => update(core, self.profile.as_str(), self.slots, figures),
                None => lose(),
            }
        }
    }

    fn abandon(self, _: Outcome) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capital(allocated: f64, used: f64) -> Capital {
        Capital { allocated, positions: used, ..Capital::default() }
    }

    #[test]
    fn utilization_is_neither_clamped_nor_nan() {
        assert_eq!(capital(100.0, 250.0).utilization_percent(), 250.0);
        assert_eq!(capital(0.0, 0.0).utilization_percent(), 0.0);
        assert_eq!(capital(0.0, 1.0).utilization_percent(), f64::INFINITY);
        assert_eq!(capital(-100.0, 0.0).utilization_percent(), 0.0);
        assert_eq!(capital(-100.0, 50.0).utilization_percent(), f64::INFINITY);
    }
}
