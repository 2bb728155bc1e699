//! Labels of a bot's own families: closed ones are enums, open ones bounded texts.

use std::fmt;
use std::marker::PhantomData;

use crate::LabelValue;
use crate::labels::bounds::LabelBounds;
use crate::labels::vocabulary::{equal, unknown};
use crate::series;

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
    note = "use `Symbol`, `ProfileId`, an enum that derives `LabelValue`, or a type that implements `Label`"
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
    const TYPE: LabelType = LabelType { name: T::NAME, values: T::VALUES, bound: LimitedBy::Of(0) };

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
    /// How many there can be, where it is open.
    bound: LimitedBy,
}

/// Who says how many values an open label has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LimitedBy {
    /// Its type.
    Of(usize),
    /// [`Settings::label_bounds`](crate::Settings::label_bounds).
    Profiles,
    Symbols,
}

impl LabelType {
    /// Texts, at most `bound` of them in one family; what comes later is recorded under "other".
    #[must_use]
    pub const fn open(name: &'static str, bound: usize) -> Self {
        Self { name, values: &[], bound: LimitedBy::Of(bound) }
    }

    /// How many values it can have, where it is open.
    pub(crate) const fn bound(&self, settings: LabelBounds) -> usize {
        match self.bound {
            LimitedBy::Of(bound) => bound,
            LimitedBy::Profiles => settings.profiles,
            LimitedBy::Symbols => settings.symbols,
        }
    }

    pub(crate) const fn is_open(&self) -> bool {
        self.values.is_empty()
    }
}

/// The value that a label is given, as a family takes it.
pub struct Given<'a, L> {
    position: usize,
    /// How many values the label has; 0 where it is open.
    values: usize,
    label: series::QueriedLabel<'a>,
    of: PhantomData<fn() -> L>,
}

impl<'a, L> Given<'a, L> {
    /// No value as yet.
    #[must_use]
    pub const fn none() -> Self {
        Self { position: 0, values: 0, label: series::QueriedLabel::Open(b""), of: PhantomData }
    }

    /// The position of a label set, where that of its labels before this one is `before`.
    #[inline]
    #[must_use]
    pub fn index(&self, before: usize) -> usize {
        before * self.values + self.position
    }

    /// The value.
    #[inline]
    #[must_use]
    pub fn label(self) -> series::QueriedLabel<'a> {
        self.label
    }
}

/// This value of a label.
#[inline]
#[must_use]
pub fn given<L: Label>(value: L::Value<'_>) -> Given<'_, L> {
    let position = L::position(&value);
    let label = match L::TYPE.values {
        [] => series::QueriedLabel::Open(L::text(value).as_bytes()),
        values => series::QueriedLabel::Closed(values[position]),
    };
    Given { position, values: L::TYPE.values.len(), label, of: PhantomData }
}

impl<'a, L: Label> Given<'a, L> {
    /// This value from here on.
    #[inline]
    pub fn set(&mut self, value: L::Value<'a>) {
        *self = given(value);
    }

    /// The value of this text, which is at this position where the label is closed.
    #[inline]
    pub fn set_text(&mut self, position: usize, text: &'a str) {
        let closed = L::TYPE.values.get(position).copied();
        let label =
            closed.map_or_else(|| series::QueriedLabel::Open(text.as_bytes()), series::QueriedLabel::Closed);
        *self = Self { position, values: L::TYPE.values.len(), label, of: PhantomData };
    }
}

impl<L> fmt::Debug for Given<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.label.fmt(f)
    }
}

/// What an attribute asks of a label whose value it names by a text.
#[derive(Debug)]
pub struct LabelTexts<L>(PhantomData<fn() -> L>);

impl<L> LabelTexts<L> {
    /// Of any label.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it stands in constants")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<L: Label> LabelTexts<L> {
    /// The position of a closed label's value; of no meaning where the label is open.
    ///
    /// # Panics
    ///
    /// Where the label has no such value; meant for constants.
    #[must_use]
    #[track_caller]
    pub const fn position(&self, text: &str) -> usize {
        let values = L::TYPE.values;
        let mut index = 0;
        while index < values.len() {
            if equal(values[index], text) {
                return index;
            }
            index += 1;
        }
        if L::TYPE.is_open() {
            return 0;
        }
        panic!("{}", unknown(L::TYPE.name, values, text).as_str())
    }
}

/// How many label sets there are, where all labels are closed; 0 where one is open.
#[must_use]
pub const fn closed_sets(labels: &[LabelType]) -> usize {
    let (mut sets, mut index) = (1_usize, 0);
    while index < labels.len() {
        sets = sets.saturating_mul(labels[index].values.len());
        index += 1;
    }
    sets
}

/// How many label sets there are that no other ever takes the place of: those of closed labels, each open one being empty
/// or "other".
pub(crate) const fn standing_sets(labels: &[LabelType]) -> usize {
    let (mut sets, mut index) = (1_usize, 0);
    while index < labels.len() {
        sets = sets.saturating_mul(if labels[index].is_open() { 2 } else { labels[index].values.len() });
        index += 1;
    }
    sets
}

/// A traded symbol: an open label, bounded by [`Settings::label_bounds`](crate::Settings::label_bounds) in each family.
#[derive(Clone, Copy, Debug)]
pub struct Symbol;

/// A profile: an open label, bounded likewise.
#[derive(Clone, Copy, Debug)]
pub struct ProfileId;

impl Label for Symbol {
    type Value<'a> = &'a str;
    const TYPE: LabelType = LabelType { name: "symbol", values: &[], bound: LimitedBy::Symbols };

    fn text(value: Self::Value<'_>) -> &str {
        value
    }
}

impl Label for ProfileId {
    type Value<'a> = &'a str;
    const TYPE: LabelType = LabelType { name: "profile id", values: &[], bound: LimitedBy::Profiles };

    fn text(value: Self::Value<'_>) -> &str {
        value
    }
}

/// Takes the place of a type that `metrics!` has refused as a label, so that its uses are no further errors.
#[derive(Clone, Copy, Debug)]
pub struct NoLabel<T>(PhantomData<fn() -> T>);

impl<T> Label for NoLabel<T> {
    type Value<'a> = T;
    const TYPE: LabelType = LabelType::open("no label", 0);

    #[expect(clippy::unnecessary_literal_bound, reason = "the trait says so")]
    fn text(_: Self::Value<'_>) -> &str {
        ""
    }
}
