//! Capital: the allocated and used capital of a profile, the figures that are recorded, and their gauges.

use crate::catalogue::{self, Family};

/// A profile's allocated and used capital, in its currency of account.
///
/// ```
/// use bot_metrics::Capital;
///
/// let capital = Capital { allocated: 1_000.0, positions: 600.0, open_orders: 150.0, ..Capital::default() };
/// assert_eq!(capital.available(), 250.0);
/// assert_eq!(capital.utilization_percent(), 75.0);
/// ```
///
/// Amounts are floats, or `rust_decimal::Decimal` with the feature of that name. In decimals, 0.3 − 0.1 − 0.2 is
/// zero; in floats it is below zero. If amounts are floats, allow for that with
/// [`Settings::capital_tolerance`](crate::Settings::capital_tolerance).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Capital<A = f64> {
    /// The capital that the profile may use.
    pub allocated: A,
    /// The capital used by its positions: their exposure or margin, never below zero. A short position uses capital
    /// like a long one; a negative amount would hide the use by others.
    pub positions: A,
    /// The capital that its open orders would use.
    pub open_orders: A,
    /// The available capital as reported by the exchange; if `None`, it is computed from the others.
    pub reported_available: Option<A>,
}

impl<A: Amount> Capital<A> {
    /// Sets the available capital as reported by the exchange.
    #[must_use]
    pub fn with_available(mut self, available: A) -> Self {
        self.reported_available = Some(available);
        self
    }

    /// The available capital: as reported, or allocated − positions − open orders.
    #[must_use]
    pub fn available(&self) -> A {
        self.reported_available.unwrap_or_else(|| self.allocated.less(self.positions).less(self.open_orders))
    }

    /// 100 × (positions + open orders) / allocated. Never clamped. If nothing is allocated, or a negative amount, it
    /// is 0 while nothing is used and +∞ otherwise, because neither NaN nor a negative value would ever cause an
    /// alert.
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

    /// The figures to record; `None` if an amount is not a finite number.
    pub(crate) fn figures(&self) -> Option<CapitalReading> {
        let amounts = [self.allocated, self.positions, self.open_orders, self.available()];
        let finite = amounts.iter().all(|amount| amount.as_f64().is_finite());
        finite.then(|| CapitalReading {
            allocated: self.allocated.as_f64(),
            used: self.positions.plus(self.open_orders).as_f64(),
            available: self.available().as_f64(),
            utilization_percent: self.utilization_percent(),
        })
    }
}

/// An amount of money: `f64`, or with the feature `rust_decimal` its `Decimal`.
pub trait Amount: Arithmetic {}

impl Amount for f64 {}

/// The operations on amounts, none of which panics.
pub trait Arithmetic: Copy {
    /// The difference.
    #[must_use]
    fn less(self, other: Self) -> Self;
    /// The sum.
    #[must_use]
    fn plus(self, other: Self) -> Self;
    /// The nearest float, with the same sign.
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

/// The recorded figures of a profile's capital.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CapitalReading {
    pub(crate) allocated: f64,
    /// By positions and open orders.
    pub(crate) used: f64,
    pub(crate) available: f64,
    pub(crate) utilization_percent: f64,
}

impl CapitalReading {
    /// Whether available capital is below zero by more than `tolerance`.
    pub(crate) fn is_below_zero(&self, tolerance: f64) -> bool {
        self.available < -tolerance
    }

    /// The gauges of a profile with these figures.
    pub(crate) fn gauges(&self, is_below_zero: bool) -> [(&'static Family, f64); 2] {
        [
            (&catalogue::PROFILE_UTILIZATION_PERCENT, self.utilization_percent),
            (&catalogue::CAPITAL_BELOW_ZERO, f64::from(u8::from(is_below_zero))),
        ]
    }
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
