//! Label values: closed sets as Rust enums, open ones bounded.

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
