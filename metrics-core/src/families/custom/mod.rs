//! A bot's own metric families, declared with [`metrics!`](crate::metrics).

mod check;
mod family;
mod handle;
mod label;
mod series;

pub use check::{BUDGET, bound, buckets, budget, help, label_name, name, ratio, threshold};
pub use family::{CUSTOM_FAMILIES, CustomFamily};
pub use handle::{Counter, FloatCounter, Gauge, Histogram, HistogramTimer};
pub use label::{Given, Label, LabelTexts, LabelType, NoLabel, ProfileId, Symbol, closed_sets, given};
pub(crate) use series::{CustomSeries, process_series};
pub use series::{SeriesCell, series_cells};

/// Every linked family of the bot's own, sorted by name, so that equal binaries give equal lists. If a family is
/// declared several times, its first declaration.
pub(crate) fn custom_families() -> Vec<&'static CustomFamily> {
    let mut families = declared_families();
    families.dedup_by_key(|family| family.family.name);
    families
}

/// Every declaration of a family, sorted by name and location.
pub(crate) fn declared_families() -> Vec<&'static CustomFamily> {
    let mut families = CUSTOM_FAMILIES.to_vec();
    families.sort_by_key(|family| (family.family.name, family.place.file, family.place.line));
    families
}
