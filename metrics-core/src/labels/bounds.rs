//! Limits on the values of open labels and on the series of a family.

/// Series of a family with open labels, before label sets go to "other".
pub(crate) const DEFAULT_SERIES: usize = 2_000;

/// How many values the open labels have that every bot has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LabelBounds {
    pub(crate) profiles: usize,
    pub(crate) symbols: usize,
}

impl LabelBounds {
    pub(crate) const DEFAULT: Self = Self { profiles: 50, symbols: 200 };
}
