//! Profiles and their capital: how much is in use, and how often it fell below zero.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool,
    Ordering::{AcqRel, Acquire, Release},
};
use std::time::Duration;

use crate::catalogue;
use crate::guard::Guard;
use crate::labels::{EventType, Severity};
use crate::registry::{self, Core};
use crate::storage::{CounterSlot, GaugeSlot, Series, SnapshotBuilder, StampSlot, shared};
use crate::text::Text;
use crate::{LabelValue, Outcome};

/// How long a removed profile's counters stay: long enough for a scraper to see their last value.
const GRACE: Duration = Duration::from_mins(5);

/// What a profile may use and what it uses, in its currency of account.
///
/// ```
/// use bot_metrics::Capital;
///
/// let capital = Capital { allocated: 1_000.0, positions: 600.0, open_orders: 150.0, ..Capital::default() };
/// assert_eq!(capital.available(), 250.0);
/// assert_eq!(capital.utilization_percent(), 75.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Capital {
    /// What the profile may use.
    pub allocated: f64,
    /// What its positions are worth.
    pub positions: f64,
    /// What its open orders would use.
    pub open_orders: f64,
    /// What is left, where the exchange reports it; computed from the others otherwise.
    pub reported_available: Option<f64>,
}

impl Capital {
    /// Says what is left, as the exchange reports it.
    #[must_use]
    pub fn with_available(mut self, available: f64) -> Self {
        self.reported_available = Some(available);
        self
    }

    /// What is left: as reported, or allocated − positions − open orders.
    #[must_use]
    pub fn available(&self) -> f64 {
        self.reported_available.unwrap_or(self.allocated - self.positions - self.open_orders)
    }

    /// 100 × (positions + open orders) / allocated. Never clamped; with nothing allocated it is 0 while nothing is
    /// used and +∞ otherwise, since a NaN would never alert.
    #[must_use]
    pub fn utilization_percent(&self) -> f64 {
        let used = self.positions + self.open_orders;
        if self.allocated != 0.0 {
            100.0 * used / self.allocated
        } else if used > 0.0 {
            f64::INFINITY
        } else {
            0.0
        }
    }

    fn is_finite(&self) -> bool {
        [self.allocated, self.positions, self.open_orders, self.available()]
            .iter()
            .all(|figure| figure.is_finite())
    }
}

/// The profiles of an instance.
#[derive(Debug)]
pub(crate) struct Profiles {
    series: Series<Arc<str>, ProfileSlots>,
    overflow: CounterSlot,
}

impl Profiles {
    pub(crate) fn new() -> Self {
        Self { series: Series::new(), overflow: CounterSlot::new() }
    }

    pub(crate) fn collect(&self, now: Duration, snapshot: &mut SnapshotBuilder) {
        for (profile, slots) in self.series.all() {
            slots.collect(&profile, now, snapshot);
        }
        let labels = vec![catalogue::CAPITAL_INVARIANT_VIOLATIONS_TOTAL.name.into(), "profile_id".into()];
        snapshot.counter(&catalogue::LABEL_OVERFLOW_TOTAL, labels, self.overflow.value());
    }

    /// Forgets removed profiles whose grace is over and which no handle holds; returns their ids.
    pub(crate) fn forget(&self, now: Duration) -> Vec<Arc<str>> {
        self.series.remove_where(|slots| slots.is_past_grace(now) && Arc::strong_count(slots) == 1)
    }
}

#[derive(Debug)]
struct ProfileSlots {
    violations: CounterSlot,
    below_zero: AtomicBool,
    utilization: GaugeSlot,
    removed: AtomicBool,
    /// Boot time of the last removal.
    removed_at: StampSlot,
}

impl ProfileSlots {
    fn new() -> Self {
        Self {
            violations: CounterSlot::new(),
            below_zero: AtomicBool::new(false),
            utilization: GaugeSlot::new(),
            removed: AtomicBool::new(false),
            removed_at: StampSlot::new(),
        }
    }

    fn update(&self, capital: &Capital, tolerance: f64) {
        self.removed.store(false, Release);
        self.utilization.set(capital.utilization_percent());
        let below = capital.available() < -tolerance;
        // The swap decides for all threads which of them saw the edge.
        let was_below = self.below_zero.swap(below, AcqRel);
        if below && !was_below {
            self.violations.add(1);
        }
    }

    fn remove(&self, now: Duration) {
        self.removed_at.advance(now);
        self.removed.store(true, Release);
        self.utilization.clear();
        self.below_zero.store(false, Release);
    }

    fn is_past_grace(&self, now: Duration) -> bool {
        let since = self.removed_at.value().map(|at| now.saturating_sub(at));
        self.removed.load(Acquire) && since.is_some_and(|since| since > GRACE)
    }

    fn collect(&self, profile: &Arc<str>, now: Duration, snapshot: &mut SnapshotBuilder) {
        if self.is_past_grace(now) {
            return;
        }
        let labels = || vec![shared(profile)];
        snapshot.counter(&catalogue::CAPITAL_INVARIANT_VIOLATIONS_TOTAL, labels(), self.violations.value());
        if let Some(utilization) = self.utilization.value() {
            snapshot.gauge(&catalogue::PROFILE_UTILIZATION_PERCENT, labels(), utilization);
        }
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
    slots: Arc<ProfileSlots>,
}

impl Profile {
    pub(crate) fn new(core: Arc<Core>, id: &str) -> Self {
        let id = core.profile_ids.admit(id, &core.profiles.overflow);
        let slots = core.profiles.series.get_or_insert_with(&id, ProfileSlots::new);
        slots.removed.store(false, Release);
        Self { core, id, slots }
    }

    /// Takes new figures: sets the utilisation, and counts a violation where available capital has fallen below
    /// zero since the last figures. Staying below counts nothing more; recovery re-arms. Figures below zero on
    /// first sight count. A removed profile comes back.
    ///
    /// Where a figure is NaN or infinite nothing changes but an `INVALID_CAPITAL` event.
    pub fn update(&self, capital: Capital) {
        if capital.is_finite() {
            let tolerance = self.core.settings().map_or(0.0, |settings| settings.capital_tolerance);
            self.slots.update(&capital, tolerance);
        } else {
            self.core
                .event(Severity::Error.as_str(), EventType::InvalidCapital.as_str())
                .profile(&self.id)
                .record();
        }
    }

    /// Takes the profile's gauges away at once, and its counters after five minutes. Any handle brings them back
    /// with its next [`update`](Self::update).
    pub fn remove(&self) {
        self.slots.remove(self.core.clock.boot_time());
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
    fn capital(&self) -> Option<Capital>;
}

impl CapitalCheck for Capital {
    fn capital(&self) -> Option<Capital> {
        Some(*self)
    }
}

impl<E> CapitalCheck for Result<Capital, E> {
    fn capital(&self) -> Option<Capital> {
        self.as_ref().ok().copied()
    }
}

/// The verdict on a returned value.
pub fn capital_of<R: CapitalCheck>(value: &R) -> Option<Capital> {
    value.capital()
}

/// An annotated function that returns a profile's capital.
#[derive(Debug)]
pub struct CapitalSite;

impl CapitalSite {
    /// Begins a check of the capital of `profile`, which is exported from here on.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a future's start hands over what it holds")]
    pub fn start(&'static self, profile: Text) -> CapitalGuard {
        CapitalGuard { profile: Profile::new(registry::process_instance(), profile.as_str()) }
    }
}

/// A capital check under way. Without figures it records nothing.
#[derive(Debug)]
pub struct CapitalGuard {
    profile: Profile,
}

impl Guard for CapitalGuard {
    type Verdict = Option<Capital>;

    fn finish(self, capital: Option<Capital>) {
        if let Some(capital) = capital {
            self.profile.update(capital);
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
    }

    #[test]
    fn violations_count_edges() {
        let slots = ProfileSlots::new();
        for (used, violations) in [(101.0, 1), (102.0, 1), (100.0, 1), (99.0, 1), (100.5, 2), (100.5, 2)] {
            slots.update(&capital(100.0, used), 0.0);
            assert_eq!(slots.violations.value(), violations, "{used} of 100 used");
        }
    }

    #[test]
    fn negative_zero_is_not_below_and_a_tolerance_is_respected() {
        let slots = ProfileSlots::new();
        slots.update(&capital(100.0, 0.0).with_available(-0.0), 0.0);
        slots.update(&capital(100.0, 100.4), 0.5);
        assert_eq!(slots.violations.value(), 0);
        slots.update(&capital(100.0, 100.6), 0.5);
        assert_eq!(slots.violations.value(), 1);
    }

    #[test]
    fn threads_that_see_one_edge_count_it_once() {
        let slots = ProfileSlots::new();
        for round in 1..=100 {
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| slots.update(&capital(100.0, 101.0), 0.0));
                }
            });
            assert_eq!(slots.violations.value(), round);
            slots.update(&capital(100.0, 0.0), 0.0);
        }
    }
}
