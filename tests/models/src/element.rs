//! The elements of the lists in the models.

use super::chain::List;
use super::sync::{AtomicU64, Ordering::Relaxed};

#[derive(Debug)]
pub(super) struct Element(AtomicU64);

/// Appends an element, whose value is not its atomic's first one.
pub(super) fn append(list: &List<Element>, value: u64) {
    let element = Element(AtomicU64::new(0));
    element.0.store(value, Relaxed);
    list.append(element);
}

/// The values of a list's elements, none of which may be 0.
pub(super) fn values(list: &List<Element>) -> Vec<u64> {
    let values: Vec<u64> = list.iter().map(|element: &Element| element.0.load(Relaxed)).collect();
    assert!(!values.contains(&0), "seen before it was made: {values:?}");
    values
}
