//! Label values: closed sets as Rust enums, open ones bounded.

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

    /// Hashes of the texts, each where the remainder of its division by the table's length says; 0 where there is none. An
    /// attribute knows the hash of the text that it was given, so that the compiler sees by one look, and not letter by
    /// letter, which it is slow at, that this is one of [`VALUES`](Self::VALUES). What it does not find here is looked for
    /// there.
    #[doc(hidden)]
    const HASHES: &'static [u64] = &[0];

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
