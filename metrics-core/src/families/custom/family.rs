//! A declared family, as listed by the linker.

use std::time::Duration;

use linkme::distributed_slice;

use super::handle::{Counter, FloatCounter, Gauge, Handle, Histogram};
use super::label::LabelType;
use super::series::{SeriesCell, process_series};
use crate::catalogue::{Family, Kind, Objective, Origin};
use crate::clock::Clock;
use crate::labels::bounds::DEFAULT_SERIES;
use crate::lock;
use crate::series::{self, FamilyKey, LabelSetQuery, QueriedLabel};
use crate::source_line::SourceLine;
use crate::storage::ENABLED;
use crate::storage::not_installed;

/// One element for each family declared in a crate that is linked, used or not, in no particular order.
#[distributed_slice]
pub static CUSTOM_FAMILIES: [&'static CustomFamily];

/// A family of the bot's own.
#[derive(Debug)]
#[must_use]
pub struct CustomFamily {
    pub(crate) family: Family,
    pub(crate) labels: &'static [LabelType],
    /// Whether it is a counter of floats.
    pub(crate) is_float: bool,
    /// The maximum number of its series.
    pub(crate) budget: usize,
    pub(crate) place: SourceLine,
}

/// Two declarations of one family are equal regardless of their location.
impl PartialEq for CustomFamily {
    fn eq(&self, other: &Self) -> bool {
        let [one, other] = [self, other].map(|of| (&of.family, of.labels, of.is_float, of.budget));
        one == other
    }
}

/// Defines the methods that return the handle of a series.
macro_rules! handles {
    ($($(#[$docs:meta])+ $method:ident -> $handle:ident;)+) => {
        impl CustomFamily {
            $($(#[$docs])+
            #[inline]
            #[must_use]
            pub fn $method<'a, const N: usize>(
                &'static self,
                cell: Option<&'static SeriesCell>,
                values: impl FnOnce() -> [QueriedLabel<'a>; N],
            ) -> $handle {
                $handle(self.handle(cell, values))
            })+
        }
    };
}

handles! {
    /// The counter with these label values, in the process-wide instance. `cell` is that of the label set, if all
    /// labels are closed.
    counter -> Counter;
    /// The counter of floats with these label values; see [`counter`](Self::counter).
    float_counter -> FloatCounter;
    /// The gauge with these label values; see [`counter`](Self::counter).
    gauge -> Gauge;
    /// The histogram with these label values; see [`counter`](Self::counter).
    histogram -> Histogram;
}

impl CustomFamily {
    /// A family with these labels, which the caller declares in this module.
    #[track_caller]
    pub const fn new(
        kind: Kind,
        name: &'static str,
        help: &'static str,
        label_names: &'static [&'static str],
        labels: &'static [LabelType],
        module: &'static str,
    ) -> Self {
        let family = Family {
            name,
            kind,
            help,
            labels: label_names,
            buckets: &[],
            objective: None,
            origin: Origin::Custom,
        };
        let place = SourceLine::of_caller_in(module);
        Self { family, labels, is_float: false, budget: DEFAULT_SERIES, place }
    }

    /// Sets the bucket bounds.
    pub const fn buckets(mut self, buckets: &'static [f64]) -> Self {
        self.family.buckets = buckets;
        self
    }

    /// Makes a counter one of floats.
    pub const fn float(mut self) -> Self {
        self.is_float = true;
        self
    }

    /// Sets the maximum number of series.
    pub const fn budget(mut self, series: usize) -> Self {
        self.budget = series;
        self
    }

    /// Sets the objective.
    pub const fn objective(mut self, threshold: f64, ratio: f64) -> Self {
        self.family.objective = Some(Objective { threshold, ratio });
        self
    }

    #[inline]
    fn handle<'a, const N: usize>(
        &'static self,
        cell: Option<&'static SeriesCell>,
        values: impl FnOnce() -> [QueriedLabel<'a>; N],
    ) -> Handle {
        if !ENABLED {
            return Handle::NOWHERE;
        }
        match (cell.and_then(SeriesCell::get), cell) {
            (Some(slot), _) => Handle::Closed(slot),
            (None, Some(cell)) => self.closed(cell, &values()),
            (None, None) => self.open(&values()),
        }
    }

    /// Called for the first look-up of a closed label set.
    #[cold]
    #[inline(never)]
    fn closed(&'static self, cell: &'static SeriesCell, values: &[QueriedLabel<'_>]) -> Handle {
        if lock::is_inside() {
            // An allocator makes its first recording for an allocation made while this thread looks for a slot.
            return Handle::LOST;
        }
        self.note();
        let _inside = lock::enter();
        let asked = LabelSetQuery::new(FamilyKey::of(self), values);
        let find = || process_series().open(self, &asked, Duration::ZERO).leaked_slot();
        // Until settings are installed each look-up takes this path.
        let slot = if not_installed::is_settled() { cell.get_or_find(find) } else { find() };
        slot.map_or(Handle::NOWHERE, Handle::Closed)
    }

    fn note(&self) {
        not_installed::note(format_args!("{}, declared in {},", self.family.name, self.place));
    }

    #[inline(never)]
    fn open(&'static self, values: &[QueriedLabel<'_>]) -> Handle {
        let asked = LabelSetQuery::new(FamilyKey::of(self), values);
        series::held(&asked).map_or_else(|| self.open_slowly(&asked), Handle::Open)
    }

    /// Called for a thread's first look-up of an open label set.
    #[cold]
    #[inline(never)]
    fn open_slowly(&'static self, asked: &LabelSetQuery<'_>) -> Handle {
        if lock::is_inside() {
            return Handle::LOST;
        }
        self.note();
        let found_at = series::epoch();
        let entry = process_series().open(self, asked, Clock::System.boot_time());
        series::remember(&entry, found_at);
        Handle::Open(entry.into())
    }
}
