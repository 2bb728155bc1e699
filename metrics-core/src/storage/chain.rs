//! Lists that only grow: read without a lock while others append.

use std::iter::successors;

use super::sync::OnceLock;

/// Where the next element of a list stands, or the first one.
#[derive(Debug)]
pub(super) struct Link<T: 'static>(OnceLock<&'static T>);

/// An element that knows the next one.
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
    /// The elements behind it, the first one appended first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'static T> {
        successors(self.next(), |element| element.link().next())
    }

    /// Puts an element behind all others. Inside [`lock::enter`](crate::lock::enter), so that no fork finds it half done.
    pub(super) fn append(&self, element: &'static T) {
        #[cfg(bot_metrics_tsan)]
        crate::lock::sanitizer::releases(element);
        let mut end = self;
        while end.0.set(element).is_err() {
            // Somebody else's stands there: behind that one.
            end = end.next().map_or(end, Linked::link);
        }
    }
}
