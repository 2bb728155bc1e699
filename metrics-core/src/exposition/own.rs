//! The library's families as one collector of a `prometheus::Registry`.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Weak;

use prometheus::core::{Collector, Desc};
use prometheus::proto;

use super::naming::Naming;
use crate::catalogue::{FAMILIES, Family, Kind};
use crate::families::custom::custom_families;
use crate::storage::{FamilySnapshot, HistogramValue, Sample, Snapshot, Value};

thread_local! {
    /// The instance for whose server this thread gathers: that server encodes the instance's families itself.
    static MUTED: Cell<Option<InstanceId>> = const { Cell::new(None) };
}

/// The interface of an instance to a registry.
pub(crate) trait Exposed: fmt::Debug + Send + Sync {
    fn id(&self) -> InstanceId;

    /// `None` before the settings are known.
    fn naming(&self) -> Option<&Naming>;

    /// Every current value of the library's families.
    fn snapshot(&self) -> Snapshot;

    /// The families of the collectors that the bot registered.
    fn foreign_families(&self) -> Vec<proto::MetricFamily>;
}

/// Identifies an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InstanceId(usize);

impl InstanceId {
    /// Its address, which no two instances that exist at the same time share.
    pub(crate) fn of<T>(instance: &T) -> Self {
        Self(std::ptr::from_ref(instance).addr())
    }
}

/// The library's families, and those of the collectors that a bot registered: all of them for another gather, none
/// for the library's own server.
#[derive(Debug)]
pub(crate) struct OwnFamilies {
    /// Weak, since the instance owns the registry that owns this.
    instance: Weak<dyn Exposed>,
    descriptions: Vec<Desc>,
}

impl OwnFamilies {
    pub(crate) fn new(instance: Weak<dyn Exposed>, naming: &Naming) -> Result<Self, prometheus::Error> {
        let descriptions =
            exported(naming).map(|family| describe(family, naming)).collect::<Result<_, _>>()?;
        Ok(Self { instance, descriptions })
    }

    /// Runs `gather` on this thread without the families of `instance`.
    pub(crate) fn muted<R>(instance: InstanceId, gather: impl FnOnce() -> R) -> R {
        struct Restore(Option<InstanceId>);
        impl Drop for Restore {
            fn drop(&mut self) {
                MUTED.set(self.0);
            }
        }
        let _restore = Restore(MUTED.replace(Some(instance)));
        gather()
    }
}

impl Collector for OwnFamilies {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let Some(instance) = self.instance.upgrade() else { return Vec::new() };
        if MUTED.get() == Some(instance.id()) {
            return Vec::new();
        }
        let Some(naming) = instance.naming() else { return Vec::new() };
        // Foreign families first: their failures are counted in the library's own.
        let foreign = instance.foreign_families();
        let ours = instance.snapshot();
        ours.families.iter().map(|family| family_proto(family, naming)).chain(foreign).collect()
    }
}

/// The library's families and the bot's own that these settings export.
pub(super) fn exported(naming: &Naming) -> impl Iterator<Item = &'static Family> {
    let custom = custom_families().into_iter().map(|family| &family.family);
    FAMILIES.iter().copied().chain(custom).filter(|family| naming.families.include(family))
}

fn describe(family: &Family, naming: &Naming) -> Result<Desc, prometheus::Error> {
    let default_labels: HashMap<_, _> =
        naming.default_labels.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Desc::new(
        naming.full_name(family),
        family.help.to_owned(),
        family.labels.iter().map(|&label| label.to_owned()).collect(),
        default_labels,
    )
}

fn family_proto(snapshot: &FamilySnapshot, naming: &Naming) -> proto::MetricFamily {
    let mut family = proto::MetricFamily::default();
    family.set_name(naming.full_name(snapshot.family));
    family.set_help(snapshot.family.help.to_owned());
    family.set_field_type(match snapshot.family.kind {
        Kind::Counter => proto::MetricType::COUNTER,
        Kind::Gauge => proto::MetricType::GAUGE,
        Kind::Histogram => proto::MetricType::HISTOGRAM,
    });
    let samples = snapshot.samples.iter();
    family.set_metric(samples.map(|sample| metric_proto(snapshot.family, sample, naming)).collect());
    family
}

fn metric_proto(family: &Family, sample: &Sample, naming: &Naming) -> proto::Metric {
    let own = family.labels.iter().copied().zip(sample.labels.iter().map(|value| &**value));
    let labels = own.chain(naming.default_labels.iter().map(|(name, value)| (*name, &**value))).map(
        |(name, value)| {
            let mut pair = proto::LabelPair::default();
            pair.set_name(name.to_owned());
            pair.set_value(value.to_owned());
            pair
        },
    );
    let mut metric = proto::Metric::from_label(labels.collect());
    let counter = |value| {
        let mut counter = proto::Counter::default();
        counter.set_value(value);
        counter
    };
    match &sample.value {
        #[expect(clippy::cast_precision_loss, reason = "the crate keeps counters as f64")]
        Value::Counter(value) => metric.set_counter(counter(*value as f64)),
        Value::FloatCounter(value) => metric.set_counter(counter(*value)),
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
    // Without the bucket +Inf, which the crate's encoder would write as `inf`; it writes the count for it.
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
