//! The ways in which a family can break the rules.

use std::fmt;

use crate::shown::{quoted, shown};

/// A broken rule. Its text names the allowed values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    Name,
    ReservedName,
    Type,
    ValueOfOtherType,
    NoValue,
    Label(String),
    ReservedLabel(String),
    LabelTwice(String),
    SeriesTwice,
    Counter(f64),
    Info(f64),
    State(f64),
    Bound(f64),
    BoundsOrder(f64),
    BucketsFall(f64),
    Count,
    NoInfinity,
    Sum(f64),
    SumOfNegative(f64),
    Missing(&'static str),
    Quantile(f64),
    QuantileTwice(f64),
    Created(f64),
    Timestamp(i64),
    TimestampsDiffer,
    /// One of the library's families, or one of its samples, has this name.
    Ours(String),
    /// An earlier family has a sample of this name.
    Taken(String),
    /// The part of the family that is already served has another type.
    OtherType,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("its name is not one: letters, digits, _ and :, no digit in front"),
            Self::ReservedName => f.write_str("Prometheus writes series of this name itself"),
            Self::Type => f.write_str("it is no counter, gauge, histogram or summary"),
            Self::ValueOfOtherType => f.write_str("a series has a value of another type than its family"),
            Self::NoValue => f.write_str("a series has no value; it needs one of the type of its family"),
            Self::Label(name) => {
                write!(f, "{} is no label name: letters, digits and _, no digit in front", quoted(name))
            }
            Self::ReservedLabel(name) => write!(f, "the label {} is reserved", quoted(name)),
            Self::LabelTwice(name) => write!(f, "a series has the label {} twice", quoted(name)),
            Self::SeriesTwice => f.write_str("two series have the same labels"),
            Self::Counter(value) => write!(f, "a counter is {value}; it has to be a number of at least 0"),
            Self::Info(value) => write!(f, "an info is {value}; it has to be 1"),
            Self::State(value) => write!(f, "a state is {value}; it has to be 0 or 1"),
            Self::Bound(bound) => write!(f, "a bucket has the bound {bound}; it has to be a number"),
            Self::BoundsOrder(bound) => {
                write!(f, "the bounds of a histogram do not rise: {bound} does not exceed the one before it")
            }
            Self::BucketsFall(bound) => {
                write!(f, "the cumulative counts of a histogram fall at the bound {bound}")
            }
            Self::Count => f.write_str("the count of a histogram is not that of its last bucket"),
            Self::NoInfinity => {
                f.write_str("a histogram has no bucket for +Inf, and so no count of all values")
            }
            Self::Sum(sum) => write!(f, "a sum is {sum}; it has to be a number"),
            Self::SumOfNegative(sum) => write!(
                f,
                "a sum is {sum}; it has to be at least 0, and left out with the count if values may be negative"
            ),
            Self::Missing(suffix) => write!(f, "the sample with the suffix {suffix} is missing"),
            Self::Quantile(quantile) => write!(f, "a summary has the quantile {quantile}; allowed: 0 to 1"),
            Self::QuantileTwice(quantile) => write!(f, "a summary has the quantile {quantile} twice"),
            Self::Created(time) => write!(
                f,
                "a series was created at {time} s; allowed: from 0 to ten minutes ahead of the clock"
            ),
            Self::Timestamp(ms) => {
                write!(f, "a sample has the time {ms} ms; allowed: from 0 to ten minutes ahead of the clock")
            }
            Self::TimestampsDiffer => f.write_str("samples of one series have different times"),
            Self::Ours(name) => write!(f, "{} is a metric of bot-metrics itself", shown(name)),
            Self::Taken(name) => write!(f, "another family has samples named {}", shown(name)),
            Self::OtherType => f.write_str("another part of it is of another type"),
        }
    }
}
