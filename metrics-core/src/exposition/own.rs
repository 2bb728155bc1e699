//! Our families as one collector of a `prometheus::Registry`.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Weak;

use prometheus::core::{Collector, Desc};
use prometheus::proto;

use crate::catalogue::{FAMILIES, Family, Kind};
use crate::families::custom::custom_families;
use crate::instance::registry::{Core, CoreId};
use crate::instance::settings::Settings;
use crate::storage::{FamilySnapshot, HistogramValue, Sample, Value};

thread_local! {
    /// The core for whose server this thread gathers: that server spells the core's families itself.
    static MUTED: Cell<Option<CoreId>> = const { Cell::new(None) };
}

/// Our families, and those of the collectors that a bot registered: everything to anybody's gather, nothing to our own
/// server's.
#[derive(Debug)]
pub(crate) struct OwnFamilies {
    /// Weak, since the core owns the registry that owns this.
    core: Weak<Core>,
    descriptions: Vec<Desc>,
}

impl OwnFamilies {
    pub(crate) fn new(core: Weak<Core>, settings: &Settings) -> Result<Self, prometheus::Error> {
        let custom = custom_families().into_iter().map(|family| &family.family);
        let families = FAMILIES.into_iter().chain(custom).filter(|family| settings.families.include(family));
        let descriptions = families.map(|family| describe(family, settings)).collect::<Result<_, _>>()?;
        Ok(Self { core, descriptions })
    }

    /// Runs `gather` on this thread without the families of `core`.
    pub(crate) fn muted<R>(core: CoreId, gather: impl FnOnce() -> R) -> R {
        struct Restore(Option<CoreId>);
        impl Drop for Restore {
            fn drop(&mut self) {
                MUTED.set(self.0);
            }
        }
        let _restore = Restore(MUTED.replace(Some(core)));
        gather()
    }
}

impl Collector for OwnFamilies {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let Some(core) = self.core.upgrade() else { return Vec::new() };
        if MUTED.get() == Some(core.id()) {
            return Vec::new();
        }
        let Some(settings) = core.settings() else { return Vec::new() };
        let foreign = core.foreign.collected(settings);
        core.snapshot().families.iter().map(|family| family_proto(family, settings)).chain(foreign).collect()
    }
}

fn describe(family: &Family, settings: &Settings) -> Result<Desc, prometheus::Error> {
    let default_labels: HashMap<_, _> =
        settings.default_labels().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Desc::new(
        family.full_name(&settings.namespace),
        family.help.to_owned(),
        family.labels.iter().map(|&label| label.to_owned()).collect(),
        default_labels,
    )
}

fn family_proto(snapshot: &FamilySnapshot, settings: &Settings) -> proto::MetricFamily {
    let mut family = proto::MetricFamily::default();
    family.set_name(snapshot.family.full_name(&settings.namespace));
    family.set_help(snapshot.family.help.to_owned());
    family.set_field_type(match snapshot.family.kind {
        Kind::Counter => proto::MetricType::COUNTER,
        Kind::Gauge => proto::MetricType::GAUGE,
        Kind::Histogram => proto::MetricType::HISTOGRAM,
    });
    let samples = snapshot.samples.iter();
    family.set_metric(samples.map(|sample| metric_proto(snapshot.family, sample, settings)).collect());
    family
}

fn metric_proto(family: &Family, sample: &Sample, settings: &Settings) -> proto::Metric {
    let own = family.labels.iter().copied().zip(sample.labels.iter().map(|value| &**value));
    let labels = own.chain(settings.default_labels()).map(|(name, value)| {
        let mut pair = proto::LabelPair::default();
        pair.set_name(name.to_owned());
        pair.set_value(value.to_owned());
        pair
    });
    let mut metric = proto::Metric::from_label(labels.collect());
    match &sample.value {
        Value::Counter(value) => {
            let mut counter = proto::Counter::default();
            #[expect(clippy::cast_precision_loss, reason = "the crate keeps counters as f64")]
            counter.set_value(*value as f64);
            metric.set_counter(counter);
        }
        Value::Seconds(value) => {
            let mut counter = proto::Counter::default();
            counter.set_value(*value);
            metric.set_counter(counter);
        }
        Value::Gauge(value) => {
            let mut gauge = proto::Gauge::default();
            gauge.set_value(*value);
            metric.set_gauge(gauge);
        }
        Value::Histogram(value) => metric.set_histogram(histogram_proto(family, value)),
    }
    metric
}

fn histogram_proto(family: &Family, value: &HistogramValue) -> proto::Histogram {
    // Without that of +Inf, which the crate's encoder would spell `inf`; it writes the count for it.
    let buckets = family.buckets.iter().copied().zip(value.cumulative()).map(|(bound, count)| {
        let mut bucket = proto::Bucket::default();
        bucket.set_upper_bound(bound);
        bucket.set_cumulative_count(count);
        bucket
    });
    let mut histogram = proto::Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_sum(value.sum());
    histogram.set_sample_count(value.count());
    histogram
}
