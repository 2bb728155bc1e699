//! Limits on the values of open labels and on the series of a family.

/// The maximum number of series of a family with open labels, above which label sets go to "other".
pub(crate) const DEFAULT_SERIES: usize = 2_000;

/// The limits on the values of the open labels that every bot has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LabelBounds {
    pub(crate) profiles: usize,
    pub(crate) symbols: usize,
}

impl LabelBounds {
    pub(crate) const DEFAULT: Self = Self { profiles: 50, symbols: 200 };
}
