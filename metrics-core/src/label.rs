//! Label values: closed sets as Rust enums, open ones bounded.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::lock::Lock;
use crate::storage::CounterSlot;

/// A closed set of label values, as a fieldless enum.
///
/// Derive it; the derive gives every variant its text and refuses sets that cannot be labels.
///
/// ```
/// use bot_metrics::LabelValue;
///
/// #[derive(Clone, Copy, Debug, LabelValue)]
/// pub enum Subsystem {
///     Trading,
///     OrderRouter,
///     #[label("hedge")]
///     Hedging,
/// }
///
/// assert_eq!(Subsystem::NAME, "subsystem");
/// assert_eq!(Subsystem::VALUES, ["trading", "order_router", "hedge"]);
/// assert_eq!(Subsystem::Hedging.as_str(), "hedge");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no set of label values",
    label = "no set of label values",
    note = "a closed set of label values is an enum without data that derives `LabelValue`, beside `Clone` and `Copy`; \
            the open labels of `metrics!` are `Symbol`, `ProfileId` and types that implement `Label`"
)]
pub trait LabelValue: Copy + 'static {
    /// What a value of the set is called in messages and where a handle asks for one: the type's name in words,
    /// unless the derive was told another.
    const NAME: &'static str;

    /// Every value's text, in the order of the variants.
    const VALUES: &'static [&'static str];

    /// The path of the type, for messages; the derive knows it.
    #[doc(hidden)]
    const PATH: &'static str = "";

    /// The position of this value in [`VALUES`](Self::VALUES).
    fn index(self) -> usize;

    /// This value's text.
    #[must_use]
    fn as_str(self) -> &'static str {
        Self::VALUES[self.index()]
    }
}

/// The value that stands for all that found no place in an open label.
pub(crate) const OTHER: &str = "other";

/// The values that an open label (a profile, a symbol) has taken, bounded.
///
/// Unbounded labels take down the monitoring before they take down the bot: every value is a series in every
/// family that carries the label.
#[derive(Debug)]
pub(crate) struct OpenLabel {
    bound: AtomicUsize,
    values: Lock<BTreeSet<Arc<str>>>,
    other: Arc<str>,
}

impl OpenLabel {
    /// A label without a bound as yet: that is for the settings to say.
    pub(crate) fn new() -> Self {
        Self { bound: AtomicUsize::new(usize::MAX), values: Lock::default(), other: Arc::from(OTHER) }
    }

    /// Bounds the values from here on; those that have a place keep it.
    pub(crate) fn set_bound(&self, bound: usize) {
        self.bound.store(bound, Relaxed);
    }

    /// The shared text for `value`, or [`OTHER`] where the bound is reached, which `overflow` counts. The empty
    /// value means "none" and takes no place.
    pub(crate) fn admit(&self, value: &str, overflow: &CounterSlot) -> Arc<str> {
        if value.is_empty() {
            // It is the one text that an `Arc` holds without an allocation.
            return Arc::default();
        }
        if value == OTHER {
            return Arc::clone(&self.other);
        }
        if let Some(known) = self.known(value) {
            return known;
        }
        let mut values = self.values.hold();
        if let Some(known) = values.get(value) {
            return Arc::clone(known);
        }
        if values.len() >= self.bound.load(Relaxed) {
            overflow.add(1);
            return Arc::clone(&self.other);
        }
        let text: Arc<str> = Arc::from(value);
        values.insert(Arc::clone(&text));
        text
    }

    /// Frees the place of a value whose series are gone.
    pub(crate) fn release(&self, value: &str) {
        self.values.hold().remove(value);
    }

    fn known(&self, value: &str) -> Option<Arc<str>> {
        self.values.hold().get(value).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_beyond_the_bound_become_other_and_are_counted() {
        let label = OpenLabel::new();
        label.set_bound(2);
        let overflow = CounterSlot::new();
        assert_eq!(&*label.admit("BTCUSDT", &overflow), "BTCUSDT");
        assert_eq!(&*label.admit("ETHUSDT", &overflow), "ETHUSDT");
        assert_eq!(&*label.admit("SOLUSDT", &overflow), OTHER);
        assert_eq!(&*label.admit("BTCUSDT", &overflow), "BTCUSDT");
        assert_eq!(&*label.admit("", &overflow), "");
        assert_eq!(overflow.value(), 1);
        label.release("BTCUSDT");
        assert_eq!(&*label.admit("SOLUSDT", &overflow), "SOLUSDT");
    }
}
