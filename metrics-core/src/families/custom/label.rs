//! Labels of a bot's own families: closed ones are enums, open ones limited texts.

use std::fmt;
use std::marker::PhantomData;

use crate::LabelValue;
use crate::labels::bounds::LabelBounds;
use crate::labels::vocabulary::{position, unknown};
use crate::series;

/// The type of a label in [`metrics!`](crate::metrics): any [`LabelValue`], [`Symbol`], [`ProfileId`], or an open
/// label defined by the bot.
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
    message = "`{Self}` is not a label",
    label = "not a label",
    note = "use `Symbol`, `ProfileId`, an enum that derives `LabelValue`, or a type that implements `Label`"
)]
pub trait Label {
    /// The type of a value in a recording.
    type Value<'a>;

    /// The possible values.
    const TYPE: LabelType;

    /// The text of a value.
    fn text(value: Self::Value<'_>) -> &str;

    /// The position of a value among those of a closed label.
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

/// The values of a label, as known at compile time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelType {
    pub(crate) name: &'static str,
    /// All values, if the label is closed.
    pub(crate) values: &'static [&'static str],
    /// The maximum number of values, if the label is open.
    bound: LimitedBy,
}

/// The source of an open label's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LimitedBy {
    /// The type.
    Of(usize),
    /// [`Settings::profile_limit`](crate::Settings::profile_limit).
    Profiles,
    /// [`Settings::symbol_limit`](crate::Settings::symbol_limit).
    Symbols,
}

impl LabelType {
    /// An open label with at most `bound` values in one family; later ones are recorded under "other".
    #[must_use]
    pub const fn open(name: &'static str, bound: usize) -> Self {
        Self { name, values: &[], bound: LimitedBy::Of(bound) }
    }

    /// The maximum number of values, if it is open.
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

/// A label's value, as passed to a family.
pub struct Given<'a, L> {
    position: usize,
    /// The number of values of the label; 0 if it is open.
    values: usize,
    label: series::QueriedLabel<'a>,
    of: PhantomData<fn() -> L>,
}

impl<'a, L> Given<'a, L> {
    /// No value yet.
    #[must_use]
    pub const fn none() -> Self {
        Self { position: 0, values: 0, label: series::QueriedLabel::Open(b""), of: PhantomData }
    }

    /// The position of a label set, given the position `before` of the labels before this one.
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

/// Wraps a value of a label.
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
    /// Sets the value.
    #[inline]
    pub fn set(&mut self, value: L::Value<'a>) {
        *self = given(value);
    }

    /// Sets the value with this text, which is at this position if the label is closed.
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

/// The look-up of a label's value that an attribute names by a text.
#[derive(Debug)]
pub struct LabelTexts<L>(PhantomData<fn() -> L>);

impl<L> LabelTexts<L> {
    /// For any label.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it is used in constants")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<L: Label> LabelTexts<L> {
    /// The position of a closed label's value; meaningless if the label is open.
    ///
    /// # Panics
    ///
    /// If the label has no such value; meant for constants.
    #[must_use]
    #[track_caller]
    pub const fn position(&self, text: &str) -> usize {
        match position(L::TYPE.values, text) {
            Some(position) => position,
            None if L::TYPE.is_open() => 0,
            None => panic!("{}", unknown(L::TYPE.name, L::TYPE.values, text).as_str()),
        }
    }
}

/// The number of label sets, if all labels are closed; 0 if one is open.
#[must_use]
pub const fn closed_sets(labels: &[LabelType]) -> usize {
    label_sets(labels, 0)
}

/// The number of label sets that are never replaced: those of closed labels, with each open one empty or "other".
pub(crate) const fn standing_sets(labels: &[LabelType]) -> usize {
    label_sets(labels, 2)
}

/// The number of label sets, if each open label has `open` values.
const fn label_sets(labels: &[LabelType], open: usize) -> usize {
    let (mut sets, mut index) = (1_usize, 0);
    while index < labels.len() {
        let values = if labels[index].is_open() { open } else { labels[index].values.len() };
        sets = sets.saturating_mul(values);
        index += 1;
    }
    sets
}

/// A traded symbol: an open label, limited by [`Settings::symbol_limit`](crate::Settings::symbol_limit) in each family.
#[derive(Clone, Copy, Debug)]
pub struct Symbol;

/// A profile: an open label, limited by [`Settings::profile_limit`](crate::Settings::profile_limit) in each family.
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

/// Replaces a type that `metrics!` has rejected as a label, so that its uses cause no further errors.
#[derive(Clone, Copy, Debug)]
pub struct NoLabel<T>(PhantomData<fn() -> T>);

impl<T> Label for NoLabel<T> {
    type Value<'a> = T;
    const TYPE: LabelType = LabelType::open("no label", 0);

    #[expect(clippy::unnecessary_literal_bound, reason = "the trait requires it")]
    fn text(_: Self::Value<'_>) -> &str {
        ""
    }
}
