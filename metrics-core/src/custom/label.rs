//! Labels of a bot's own families: closed ones are enums, open ones bounded texts.

use crate::{LabelValue, open};

/// The type of a label in [`metrics!`](crate::metrics): any [`LabelValue`], [`Symbol`], [`ProfileId`], or an open label
/// of one's own.
///
/// ```
/// use bot_metrics::{Label, LabelType};
///
/// /// The name of a strategy; at most 20 of them.
/// pub struct Strategy;
///
/// impl Label for Strategy {
///     type Value<'a> = &'a str;
///     const TYPE: LabelType = LabelType::open("strategy", 20);
///
///     fn text(value: Self::Value<'_>) -> &str {
///         value
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no label",
    label = "no label",
    note = "a label is an enum that derives `LabelValue`, or `Symbol`, `ProfileId`, or a type that implements `Label`"
)]
pub trait Label {
    /// What a recording names a value with.
    type Value<'a>;

    /// Which values there are.
    const TYPE: LabelType;

    /// The text of a value.
    fn text(value: Self::Value<'_>) -> &str;

    /// Which of a closed label's values it is.
    #[doc(hidden)]
    fn position(_value: &Self::Value<'_>) -> usize {
        0
    }
}

impl<T: LabelValue> Label for T {
    type Value<'a> = T;
    const TYPE: LabelType = LabelType { name: T::NAME, values: T::VALUES, bound: T::VALUES.len() };

    fn text(value: Self::Value<'_>) -> &str {
        value.as_str()
    }

    fn position(value: &Self::Value<'_>) -> usize {
        value.index()
    }
}

/// What is known of a label's values while compiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelType {
    pub(crate) name: &'static str,
    /// All of them, where the label is closed.
    pub(crate) values: &'static [&'static str],
    /// How many there can be.
    pub(crate) bound: usize,
}

impl LabelType {
    /// Texts, at most `bound` of them in one family; what comes later is recorded under "other".
    #[must_use]
    pub const fn open(name: &'static str, bound: usize) -> Self {
        Self { name, values: &[], bound }
    }

    pub(crate) const fn is_open(&self) -> bool {
        self.values.is_empty()
    }
}

/// A label's value, as a family takes it.
#[inline]
pub fn label_of<L: Label>(value: L::Value<'_>) -> open::Label<'_> {
    match L::TYPE.values {
        [] => open::Label::Open(L::text(value).as_bytes()),
        values => open::Label::Closed(values[L::position(&value)]),
    }
}

/// How many label sets there are, where all labels are closed; 0 where one is open.
#[must_use]
pub const fn closed_sets(labels: &[LabelType]) -> usize {
    let (mut sets, mut index) = (1, 0);
    while index < labels.len() {
        sets *= labels[index].values.len();
        index += 1;
    }
    sets
}

/// The position of a label set, where that of its labels before this one is `before`.
#[inline]
#[must_use]
pub const fn set_index(before: usize, label: &LabelType, position: usize) -> usize {
    before * label.values.len() + position
}

/// A traded symbol: an open label, at most 200 a family.
#[derive(Clone, Copy, Debug)]
pub struct Symbol;

/// A profile: an open label, at most 50 a family.
#[derive(Clone, Copy, Debug)]
pub struct ProfileId;

impl Label for Symbol {
    type Value<'a> = &'a str;
    const TYPE: LabelType = LabelType::open("symbol", 200);

    fn text(value: Self::Value<'_>) -> &str {
        value
    }
}

impl Label for ProfileId {
    type Value<'a> = &'a str;
    const TYPE: LabelType = LabelType::open("profile id", 50);

    fn text(value: Self::Value<'_>) -> &str {
        value
    }
}
