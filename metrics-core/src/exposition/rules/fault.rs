//! The ways in which a family can break the rules.

use crate::shown::{quoted, shown};

/// A broken rule. Its text names the allowed values.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("its name is not one: letters, digits, _ and :, no digit in front")]
    Name,
    #[error("Prometheus writes series of this name itself")]
    ReservedName,
    #[error("it is no counter, gauge, histogram or summary")]
    Type,
    #[error("a series has a value of another type than its family")]
    ValueOfOtherType,
    #[error("a series has no value; it needs one of the type of its family")]
    NoValue,
    #[error("{} is no label name: letters, digits and _, no digit in front", quoted(.0))]
    Label(String),
    #[error("the label {} is reserved", quoted(.0))]
    ReservedLabel(String),
    #[error("a series has the label {} twice", quoted(.0))]
    LabelTwice(String),
    #[error("two series have the same labels")]
    SeriesTwice,
    #[error("a counter is {0}; it has to be a number of at least 0")]
    Counter(f64),
    #[error("an info is {0}; it has to be 1")]
    Info(f64),
    #[error("a state is {0}; it has to be 0 or 1")]
    State(f64),
    #[error("a bucket has the bound {0}; it has to be a number")]
    Bound(f64),
    #[error("the bounds of a histogram do not rise: {0} does not exceed the one before it")]
    BoundsOrder(f64),
    #[error("the cumulative counts of a histogram fall at the bound {0}")]
    BucketsFall(f64),
    #[error("the count of a histogram is not that of its last bucket")]
    Count,
    #[error("a histogram has no bucket for +Inf, and so no count of all values")]
    NoInfinity,
    #[error("a sum is {0}; it has to be a number")]
    Sum(f64),
    #[error("a sum is {0}; it has to be at least 0, and left out with the count if values may be negative")]
    SumOfNegative(f64),
    #[error("the sample with the suffix {0} is missing")]
    Missing(&'static str),
    #[error("a summary has the quantile {0}; allowed: 0 to 1")]
    Quantile(f64),
    #[error("a summary has the quantile {0} twice")]
    QuantileTwice(f64),
    #[error("a series was created at {0} s; allowed: from 0 to ten minutes ahead of the clock")]
    Created(f64),
    #[error("a sample has the time {0} ms; allowed: from 0 to ten minutes ahead of the clock")]
    Timestamp(i64),
    #[error("samples of one series have different times")]
    TimestampsDiffer,
    /// One of the library's families, or one of its samples, has this name.
    #[error("{} is a metric of bot-metrics itself", shown(.0))]
    Ours(String),
    /// An earlier family has a sample of this name.
    #[error("another family has samples named {}", shown(.0))]
    Taken(String),
    /// The part of the family that is already served has another type.
    #[error("another part of it is of another type")]
    OtherType,
}
