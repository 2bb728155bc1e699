//! The two models of a metric that the crate `prometheus` has: with its feature `protobuf`, which is its default and which
//! any crate of a program enables for all, and without it. Their methods have the same names, except those here.

use prometheus::proto;

/// The value of a counter.
pub(super) fn counter_value(metric: &proto::Metric) -> f64 {
    metric.get_counter().value()
}

/// The value of a gauge.
pub(super) fn gauge_value(metric: &proto::Metric) -> f64 {
    metric.get_gauge().value()
}

/// With the feature the types have a method `value`, without it `get_value`. A method of the type takes precedence over
/// one of a trait, so each method here replaces it where the type has none, and calls the one that it has.
trait OfEitherModel {
    #[allow(dead_code, reason = "called without the feature")]
    fn value(&self) -> f64;

    #[allow(dead_code, reason = "called with the feature")]
    fn get_value(&self) -> f64;
}

impl OfEitherModel for proto::Counter {
    fn value(&self) -> f64 {
        self.get_value()
    }

    fn get_value(&self) -> f64 {
        self.value()
    }
}

impl OfEitherModel for proto::Gauge {
    fn value(&self) -> f64 {
        self.get_value()
    }

    fn get_value(&self) -> f64 {
        self.value()
    }
}
