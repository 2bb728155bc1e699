//! Exemplars: for a bucket of a histogram, a label set that leads from its count to one of the calls in it.
//!
//! A bot that traces its calls gives a source, which returns the identity of the current trace. The latency of exchange
//! calls, the duration of subsystems and a bot's own histograms then have at most one new exemplar for each bucket and
//! scrape: the source is not asked again for a bucket until its exemplar was exported. An exemplar is exported until
//! another replaces it, so that several scrapers receive it. OpenMetrics and protobuf have exemplars, the text format has
//! none; a Prometheus keeps them with `--enable-feature=exemplar-storage`.
//!
//! ```
//! use std::cell::RefCell;
//!
//! use bot_metrics::exemplars::{self, Exemplar};
//!
//! thread_local! {
//!     static TRACE: RefCell<Option<String>> = const { RefCell::new(None) };
//! }
//!
//! exemplars::set_source(|| {
//!     let trace = TRACE.with_borrow(Clone::clone)?;
//!     Exemplar::new([("trace_id", trace)]).ok()
//! })?;
//! # Ok::<(), bot_metrics::Error>(())
//! ```
//!
//! Without a source a recording spends about twelve instructions on this, and without the feature `exemplars` none:
//! `cargo run --release --manifest-path tests/bench/Cargo.toml --no-default-features --features bot-metrics/exemplars
//! --bin instructions` counts them, after `cargo build` with the same arguments.

mod cells;
mod source;

use std::time::Duration;

pub(crate) use cells::Exemplars;
pub use source::set_source;

use crate::catalogue::is_name;

/// The maximum number of characters in the names and values of an exemplar's labels, by the OpenMetrics specification.
pub(crate) const LONGEST: usize = 128;

/// The labels of an exemplar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemplar(Vec<(String, String)>);

/// The reason why labels are no exemplar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidExemplar {
    /// It would be no label of a series either.
    #[error("{0:?} is no label name: letters, digits and _ are allowed, and no digit in front")]
    Name(String),
    /// Two labels have this name.
    #[error("an exemplar has the label {0:?} twice")]
    Twice(String),
    /// The names and values have this number of characters.
    #[error("the labels of an exemplar have {0} characters; at most {LONGEST} are allowed")]
    Long(usize),
}

impl Exemplar {
    /// An exemplar with these labels, such as `trace_id` and `span_id`.
    ///
    /// # Errors
    ///
    /// If a name is no label name or comes twice, or if names and values have more than 128 characters in total, the
    /// limit of the OpenMetrics format.
    pub fn new<N: Into<String>, V: Into<String>>(
        labels: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, InvalidExemplar> {
        let labels: Vec<(String, String)> =
            labels.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        for (index, (name, _)) in labels.iter().enumerate() {
            if !is_name(name, false) {
                return Err(InvalidExemplar::Name(name.clone()));
            }
            if labels[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(InvalidExemplar::Twice(name.clone()));
            }
        }
        let characters =
            labels.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum();
        if characters > LONGEST { Err(InvalidExemplar::Long(characters)) } else { Ok(Self(labels)) }
    }

    /// Its labels, in the given order.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The exemplar of a bucket.
#[derive(Clone, Debug)]
pub(crate) struct BucketExemplar {
    /// The position of the bucket, from the lowest.
    pub(crate) bucket: usize,
    pub(crate) exemplar: Exemplar,
    /// The observation, in the unit of the bounds.
    pub(crate) value: f64,
    /// The wall-clock time of the observation.
    pub(crate) unix_time: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_the_format_forbids_are_refused() {
        let exemplar = Exemplar::new([("trace_id", "4bf92f"), ("span_id", "ä\"\n")]).expect("legal");
        let labels: Vec<_> = exemplar.labels().collect();
        assert_eq!(labels, [("trace_id", "4bf92f"), ("span_id", "ä\"\n")]);
        let refused = |labels: &[(&str, &str)]| {
            Exemplar::new(labels.iter().copied()).expect_err("it is not allowed").to_string()
        };
        for name in ["", "0a", "a-b", "a:b", "ä"] {
            assert!(refused(&[(name, "x")]).contains("is no label name"), "{name}");
        }
        assert_eq!(refused(&[("a", "1"), ("b", "2"), ("a", "3")]), "an exemplar has the label \"a\" twice");
        let long = |length| Exemplar::new([("a".to_owned(), "ä".repeat(length))]);
        assert!(long(127).is_ok());
        assert_eq!(long(128), Err(InvalidExemplar::Long(129)));
    }
}
