//! Label values: closed sets as Rust enums, open ones with a limit.

use std::marker::PhantomData;

use crate::labels::vocabulary::{Message, contains, require_type};

/// A closed set of label values, as a fieldless enum.
///
/// Derive it: the derive gives every variant its text and rejects sets that cannot be labels. A manual implementation
/// does not compile. At compile time an attribute looks up the text of a variant by the variant's number, so the
/// numbers must follow the order of the texts, which only the derive guarantees.
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
///
/// A set of your own replaces the library's. To keep the library's values,
/// [extend](derive@crate::LabelValue#values-of-another-set) it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no set of label values",
    label = "no set of label values",
    note = "a closed set of label values is an enum without data that derives `LabelValue`, beside `Clone` and `Copy`; \
            the open labels of `metrics!` are `Symbol`, `ProfileId` and types that implement `Label`"
)]
pub trait LabelValue: Derived + Copy + 'static {
    /// The name of a value in messages and in the methods of handles: by default the type's name in words.
    const NAME: &'static str;

    /// Every value's text, in the order of the variants.
    const VALUES: &'static [&'static str];

    /// The path of the type, for messages; set by the derive.
    #[doc(hidden)]
    const PATH: &'static str = "";

    /// The short texts as numbers, each in the entry that `vocabulary` computes from it, and zeros elsewhere. The
    /// compiler compares two numbers much faster than two texts, byte by byte.
    #[doc(hidden)]
    const KEYS: &'static [[u128; 2]] = &[[0; 2]];

    /// The position of this value in [`VALUES`](Self::VALUES).
    fn index(self) -> usize;

    /// This value's text.
    #[must_use]
    fn as_str(self) -> &'static str {
        Self::VALUES[self.index()]
    }
}

/// Implemented by `#[derive(LabelValue)]`, and by nothing else.
#[diagnostic::on_unimplemented(
    message = "`LabelValue` is implemented by hand for `{Self}`",
    label = "use `#[derive(LabelValue)]` instead",
    note = "an attribute takes the text of a variant by the variant's number, and only the derive keeps numbers and texts \
            in one order; `#[label(\"text\")]` gives a variant a text of its own"
)]
pub trait Derived {}

/// The value of an open label for all values over its limit.
pub(crate) const OTHER: &str = "other";

/// The index of a value in its set's [`VALUES`](LabelValue::VALUES), computed at compile time.
#[derive(Debug)]
pub struct Position<L> {
    index: usize,
    of: PhantomData<fn() -> L>,
}

impl<L> Position<L> {
    /// The value at this index.
    #[must_use]
    pub const fn new(index: usize) -> Self {
        Self { index, of: PhantomData }
    }

    /// Its index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.index
    }
}

impl<L: LabelValue> Position<L> {
    /// Its text.
    #[must_use]
    pub const fn text(self) -> &'static str {
        L::VALUES[self.index]
    }

    /// Its text, for a use that requires a value of the type that messages call `wanted`.
    ///
    /// # Panics
    ///
    /// If it is of another type; meant for constants.
    #[must_use]
    #[track_caller]
    pub const fn text_of(self, wanted: &str) -> &'static str {
        require_type::<L>(wanted);
        self.text()
    }
}

/// The number of values of the first `sets` of these sets.
#[must_use]
pub const fn values_before(all: &[&[&str]], sets: usize) -> usize {
    let (mut values, mut index) = (0, 0);
    while index < sets && index < all.len() {
        values += all[index].len();
        index += 1;
    }
    values
}

/// The values of all these sets, whose number is `N`.
#[must_use]
pub const fn concatenated<const N: usize>(sets: &[&[&'static str]]) -> [&'static str; N] {
    let mut values = [""; N];
    let (mut set, mut index, mut filled) = (0, 0, 0);
    while filled < N {
        if index < sets[set].len() {
            values[filled] = sets[set][index];
            index += 1;
            filled += 1;
        } else {
            set += 1;
            index = 0;
        }
    }
    values
}

/// Rejects values that are also in another set.
///
/// # Panics
///
/// If both sets have one; meant for constants.
#[track_caller]
pub const fn require_disjoint(set: &[&str], other: &[&str]) {
    let mut index = 0;
    while index < set.len() {
        if contains(other, set[index]) {
            let message = Message::new()
                .push("\"")
                .push(set[index])
                .push("\" is a value of a set that this one extends: two variants would be one series");
            panic!("{}", message.as_str());
        }
        index += 1;
    }
}

#[cfg(test)]
mod tests {
    use crate::LabelValue;
    use crate::labels::{Exchange, Source};

    #[derive(Clone, Copy, Debug, PartialEq, LabelValue)]
    enum Venue {
        First,
        #[label(extends)]
        Source(Source),
        Between,
        #[label(extends)]
        Common(Exchange),
        #[label("LAST")]
        Last,
    }

    #[derive(Clone, Copy, Debug, PartialEq, LabelValue)]
    enum Nested {
        #[label(extends)]
        Venue(Side),
        Own,
    }

    #[derive(Clone, Copy, Debug, PartialEq, LabelValue)]
    enum Side {
        #[label(extends)]
        Source(Source),
        Mine,
    }

    #[test]
    fn a_set_that_extends_others_has_their_values_and_its_own_in_the_order_of_its_variants() {
        let mut expected = vec!["first", "db", "exchange", "between"];
        expected.extend(Exchange::VALUES);
        expected.push("LAST");
        assert_eq!(Venue::VALUES, expected);
        assert_eq!(Nested::VALUES, ["db", "exchange", "mine", "own"]);
    }

    #[test]
    fn each_value_of_a_set_that_extends_others_finds_its_text() {
        for (value, text) in [
            (Venue::First, "first"),
            (Venue::Source(Source::Exchange), "exchange"),
            (Venue::Between, "between"),
            (Venue::Common(Exchange::Binance), "binance"),
            (Venue::Common(Exchange::Paper), "paper"),
            (Venue::Last, "LAST"),
        ] {
            assert_eq!(value.as_str(), text);
        }
        assert_eq!(Nested::Venue(Side::Source(Source::Exchange)).as_str(), "exchange");
        assert_eq!(Nested::Venue(Side::Mine).as_str(), "mine");
        assert_eq!(Nested::Own.as_str(), "own");
        assert_eq!(const { Venue::Last.__bot_metrics_position().text() }, "LAST");
    }
}
