//! The series of a bot's own families.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::family::CustomFamily;
use crate::catalogue::{self, Kind};
use crate::label::OTHER;
use crate::lock::{Held, Lock};
use crate::storage::{CounterSlot, GaugeSlot, Sink};

/// Every series, by family.
#[derive(Debug, Default)]
pub(crate) struct CustomSeries(Lock<BTreeMap<&'static str, FamilySeries>>);

/// One family's series, and the values that its open labels have taken.
#[derive(Debug)]
struct FamilySeries {
    family: &'static CustomFamily,
    series: BTreeMap<Vec<Arc<str>>, Arc<Slot>>,
    taken: Vec<BTreeMap<String, Arc<str>>>,
    overflow: Vec<u64>,
}

/// One value of the kind that its family has.
#[derive(Debug)]
pub(crate) enum Slot {
    Counter(CounterSlot),
    Gauge(GaugeSlot),
    Histogram(Buckets),
}

/// Values sorted into buckets.
#[derive(Debug)]
pub(crate) struct Buckets {
    bounds: &'static [f64],
    counts: Vec<AtomicU64>,
    /// The bits of a float.
    sum: AtomicU64,
}

impl CustomSeries {
    /// Makes every series stand that has closed labels alone.
    pub(crate) fn declare(&self, family: &'static CustomFamily) {
        let mut families = self.families();
        let series = families.entry(family.family.name).or_insert_with(|| FamilySeries::new(family));
        if family.labels.iter().any(super::LabelType::is_open) {
            return;
        }
        let mut sets: Vec<Vec<&str>> = vec![Vec::new()];
        for label in family.labels {
            sets = sets
                .into_iter()
                .flat_map(|set| label.values.iter().map(move |value| [&set[..], &[*value]].concat()))
                .collect();
        }
        for set in sets {
            let _ = series.slot(&set);
        }
    }

    pub(crate) fn slot(&self, family: &'static CustomFamily, values: &[&str]) -> Arc<Slot> {
        let mut families = self.families();
        families.entry(family.family.name).or_insert_with(|| FamilySeries::new(family)).slot(values)
    }

    /// After all others: these families stand behind those of the catalogue.
    pub(crate) fn collect(&self, sink: &mut dyn Sink) {
        for series in self.families().values() {
            series.collect(sink);
        }
    }

    pub(crate) fn collect_overflow(&self, sink: &mut dyn Sink) {
        for series in self.families().values() {
            series.collect_overflow(sink);
        }
    }

    fn families(&self) -> Held<'_, BTreeMap<&'static str, FamilySeries>> {
        self.0.hold()
    }
}

impl FamilySeries {
    fn new(family: &'static CustomFamily) -> Self {
        let labels = family.labels.len();
        Self {
            family,
            series: BTreeMap::new(),
            taken: vec![BTreeMap::new(); labels],
            overflow: vec![0; labels],
        }
    }

    fn slot(&mut self, values: &[&str]) -> Arc<Slot> {
        let values: Vec<_> =
            values.iter().enumerate().map(|(label, value)| self.admit(label, value)).collect();
        let family = self.family;
        Arc::clone(self.series.entry(values).or_insert_with(|| Arc::new(Slot::new(family))))
    }

    /// The shared text of a label's value, or "other" where the label's bound is reached.
    fn admit(&mut self, label: usize, value: &str) -> Arc<str> {
        let (taken, kind) = (&mut self.taken[label], self.family.labels[label]);
        if let Some(text) = taken.get(value) {
            return Arc::clone(text);
        }
        if kind.is_open() && !value.is_empty() && value != OTHER && taken.len() >= kind.bound {
            self.overflow[label] += 1;
            return Arc::from(OTHER);
        }
        let text: Arc<str> = Arc::from(value);
        taken.insert(value.to_owned(), Arc::clone(&text));
        text
    }

    fn collect(&self, sink: &mut dyn Sink) {
        let family = &self.family.family;
        sink.open(family);
        for (values, slot) in &self.series {
            let labels: Vec<&str> = values.iter().map(|value| &**value).collect();
            match &**slot {
                Slot::Counter(counter) => sink.counter(family, &labels, counter.value()),
                Slot::Histogram(histogram) => {
                    let (buckets, sum) = histogram.value();
                    sink.histogram(family, &labels, &buckets, sum);
                }
                Slot::Gauge(gauge) => {
                    if let Some(value) = gauge.value() {
                        sink.gauge(family, &labels, value);
                    }
                }
            }
        }
    }

    fn collect_overflow(&self, sink: &mut dyn Sink) {
        let family = &self.family.family;
        let open = family.labels.iter().zip(self.family.labels).zip(&self.overflow);
        for ((label, _), overflow) in open.filter(|((_, kind), _)| kind.is_open()) {
            sink.counter(&catalogue::LABEL_OVERFLOW_TOTAL, &[family.name, label], *overflow);
        }
    }
}

impl Slot {
    fn new(family: &'static CustomFamily) -> Self {
        match family.family.kind {
            Kind::Counter => Self::Counter(CounterSlot::new()),
            Kind::Gauge => Self::Gauge(GaugeSlot::new()),
            Kind::Histogram => Self::Histogram(Buckets::new(family.family.buckets)),
        }
    }
}

impl Buckets {
    fn new(bounds: &'static [f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0.0f64.to_bits()) }
    }

    pub(super) fn observe(&self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket].fetch_add(1, Relaxed);
        let add = |sum: u64| Some((f64::from_bits(sum) + value).to_bits());
        // It never gives up: the closure always has a value.
        let _ = self.sum.fetch_update(Relaxed, Relaxed, add);
    }

    fn value(&self) -> (Vec<u64>, f64) {
        let counts = self.counts.iter().map(|count| count.load(Relaxed)).collect();
        (counts, f64::from_bits(self.sum.load(Relaxed)))
    }
}
