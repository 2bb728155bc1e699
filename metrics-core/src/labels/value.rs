//! Label values: closed sets as Rust enums, open ones bounded.

use std::marker::PhantomData;

use crate::labels::vocabulary::{Message, contains, require_type};

/// A closed set of label values, as a fieldless enum.
///
/// Derive it: the derive gives every variant its text and refuses sets that cannot be labels. An implementation by hand
/// does not compile. An attribute takes the text of a variant by the variant's number while compiling, so the numbers
/// have to follow the texts, and only the derive sees that they do.
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
    /// What a value of the set is called in messages and where a handle asks for one: the type's name in words,
    /// unless the derive was told another.
    const NAME: &'static str;

    /// Every value's text, in the order of the variants.
    const VALUES: &'static [&'static str];

    /// The path of the type, for messages; the derive knows it.
    #[doc(hidden)]
    const PATH: &'static str = "";

    /// The short texts as numbers, each in the entry that `vocabulary` computes from it, and zeros elsewhere. The compiler
    /// compares two numbers much faster than two texts, byte by byte.
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

/// The value that stands for all that found no place in an open label.
pub(crate) const OTHER: &str = "other";

/// The index of a value in its set's [`VALUES`](LabelValue::VALUES), computed while compiling.
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

    /// Its text, where a value of the type that messages call `wanted` is asked for.
    ///
    /// # Panics
    ///
    /// Where it is of another type; meant for constants.
    #[must_use]
    #[track_caller]
    pub const fn text_of(self, wanted: &str) -> &'static str {
        require_type::<L>(wanted);
        self.text()
    }
}

/// How many values the first `sets` of these sets have.
#[must_use]
pub const fn values_before(all: &[&[&str]], sets: usize) -> usize {
    let (mut values, mut index) = (0, 0);
    while index < sets && index < all.len() {
        values += all[index].len();
        index += 1;
    }
    values
}

/// The values of all these sets, of which there are `N`.
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

/// Refuses values of a set that another has too.
///
/// # Panics
///
/// Where both have one; meant for constants.
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
