//! Numbers that are written without an exponent.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A finite number, serialized as a decimal text such as `"0.25"`, as in the label `le` of a bucket.
#[derive(Clone, Copy, Debug)]
pub struct Decimal(f64);

impl Decimal {
    /// The decimal of this number; `None` unless it is finite.
    #[must_use]
    pub fn new(number: f64) -> Option<Self> {
        // Negative zero would be written with its sign.
        number.is_finite().then_some(Self(number + 0.0))
    }

    /// The decimal of a bound, ratio or age, which the compile-time checks keep finite.
    pub(super) fn of_finite(number: f64) -> Self {
        Self::new(number).unwrap_or(Self(f64::MAX))
    }

    /// Its number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.0.total_cmp(&other.0).is_eq()
    }
}

impl Eq for Decimal {}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = text.parse().ok().and_then(Self::new);
        number.ok_or_else(|| {
            D::Error::custom(format_args!("`{text}` is not a finite decimal number, such as 0.25"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_exponent_is_written() {
        for (number, text) in
            [(1.0, "1"), (0.005, "0.005"), (5e-7, "0.0000005"), (1e21, "1000000000000000000000"), (-0.0, "0")]
        {
            assert_eq!(Decimal::new(number).expect("finite").to_string(), text);
        }
        assert_eq!(Decimal::new(f64::INFINITY), None);
    }
}
