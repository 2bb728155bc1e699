//! Append-only lists that are read without a lock while other threads append.

use std::iter::successors;

use super::sync::OnceLock;

/// A list of elements that live for ever.
#[derive(Debug)]
pub(super) struct List<T: 'static>(OnceLock<&'static Node<T>>);

/// Aligned to cache lines because threads write the elements; an element that is so itself would leave a gap.
#[derive(Debug)]
#[repr(C, align(64))]
struct Node<T: 'static> {
    element: T,
    rest: List<T>,
}

impl<T> List<T> {
    pub(super) const fn new() -> Self {
        Self(OnceLock::new())
    }

    fn first(&self) -> Option<&'static Node<T>> {
        let first = self.0.get().copied()?;
        #[cfg(bot_metrics_tsan)]
        crate::lock::sanitizer::acquired(first);
        Some(first)
    }

    /// The elements, in the order in which they were appended.
    pub(super) fn iter<'a>(&self) -> impl Iterator<Item = &'a T> + use<'a, T> {
        successors(self.first(), |node| node.rest.first()).map(|node| &node.element)
    }

    /// Appends an element. Call it inside [`lock::enter`](crate::lock::enter), so that a fork never copies a partial
    /// append.
    pub(super) fn append(&self, element: T) -> &'static T {
        // Not `new`: a model checker's atomic must exist before other threads see it.
        let rest = Self(OnceLock::default());
        let node = Box::leak(Box::new(Node { element, rest }));
        #[cfg(bot_metrics_tsan)]
        crate::lock::sanitizer::releases(node);
        let mut end = self;
        while end.0.set(node).is_err() {
            // Another thread appended an element here; continue after it.
            end = end.first().map_or(end, |node| &node.rest);
        }
        &node.element
    }
}
