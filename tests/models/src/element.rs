//! The elements of the lists in the models.

use super::chain::{Link, Linked};
use super::sync::{AtomicU64, Ordering::Relaxed};

#[derive(Debug)]
pub(super) struct Element {
    value: AtomicU64,
    link: Link<Self>,
}

impl Linked for Element {
    fn link(&self) -> &Link<Self> {
        &self.link
    }
}

impl Element {
    pub(super) fn leaked(value: u64) -> &'static Self {
        let element: &'static Self = Box::leak(Box::new(Self { value: AtomicU64::new(0), link: Link::new() }));
        element.value.store(value, Relaxed);
        // Creates the atomic here and not at its first use by another thread.
        assert_eq!(element.link.iter().count(), 0);
        element
    }
}

/// The values of a list's elements, none of which may be 0.
pub(super) fn values(list: &Link<Element>) -> Vec<u64> {
    let values: Vec<u64> = list.iter().map(|element| element.value.load(Relaxed)).collect();
    assert!(!values.contains(&0), "seen before it was made: {values:?}");
    values
}
