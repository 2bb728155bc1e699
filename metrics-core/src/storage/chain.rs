//! Append-only lists that are read without a lock while other threads append.

use std::iter::successors;

use super::sync::OnceLock;

/// A link to the next element of a list, or to the first one.
#[derive(Debug)]
pub(super) struct Link<T: 'static>(OnceLock<&'static T>);

/// An element of a list.
pub(super) trait Linked: Sized + 'static {
    fn link(&self) -> &Link<Self>;
}

impl<T> Default for Link<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Link<T> {
    pub(super) const fn new() -> Self {
        Self(OnceLock::new())
    }

    fn next(&self) -> Option<&'static T> {
        let next = self.0.get().copied()?;
        #[cfg(bot_metrics_tsan)]
        crate::lock::sanitizer::acquired(next);
        Some(next)
    }
}

impl<T: Linked> Link<T> {
    /// The elements after this link, in the order in which they were appended.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'static T> {
        successors(self.next(), |element| element.link().next())
    }

    /// Appends an element. Call it inside [`lock::enter`](crate::lock::enter), so that a fork never copies a partial
    /// append.
    pub(super) fn append(&self, element: &'static T) {
        #[cfg(bot_metrics_tsan)]
        crate::lock::sanitizer::releases(element);
        let mut end = self;
        while end.0.set(element).is_err() {
            // Another thread appended an element here; continue after it.
            end = end.next().map_or(end, Linked::link);
        }
    }
}
