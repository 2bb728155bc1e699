//! What a call site remembers of a label set.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use super::recorder::{Lease, NOWHERE, Recorder};
use super::running::Running;
use super::thread::NEAR;
use crate::clock::Clock;
use crate::lock::{self, Lock};

/// Where a site keeps the slots of one label set once it has found them.
#[derive(Debug)]
pub struct SlotCell<S> {
    near: NearNumber,
    slots: OnceLock<Arc<S>>,
}

/// The near number of a recorder, while calls may begin and end by the time stamp counter; otherwise 0, of which no
/// thread has a share.
///
/// Wider than it need be: the compiler extends an atomic byte twice.
#[derive(Debug)]
pub(crate) struct NearNumber(AtomicU32);

/// The numbers that cells have published; none once they were withdrawn.
static PUBLISHED: Lock<Option<Vec<&'static NearNumber>>> = Lock::new(Some(Vec::new()));

/// Lets no further call of a site begin by the time stamp counter.
pub(crate) fn withdraw_time_stamps() {
    for near in PUBLISHED.hold().take().into_iter().flatten() {
        near.0.store(0, Relaxed);
    }
}

impl NearNumber {
    /// Of a recorder that is not known yet.
    pub(crate) const fn unknown() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Begins a call, unless this thread has begun none of these yet or the time stamp counter is not trusted.
    #[inline]
    pub(crate) fn start(&self) -> Option<Running> {
        Running::start_quickly(|| self.number())
    }

    #[inline]
    fn number(&self) -> usize {
        let number = self.0.load(Relaxed) as usize;
        // SAFETY: what is stored was a byte, of which there are as many. Without this a call has two instructions more.
        unsafe { std::hint::assert_unchecked(number < NEAR) };
        number
    }

    fn publish(&'static self, recorder: &Recorder) {
        // An allocator that records what is allocated under this very lock must not wait for it; a later call publishes.
        if recorder.near() == 0 || self.0.load(Relaxed) != 0 || lock::is_inside() {
            return;
        }
        // Without the counter every call comes by here: none of them may take a lock for it.
        if !Clock::System.counts_time_stamps() {
            return;
        }
        let mut published = PUBLISHED.hold();
        if let Some(published) = published.as_mut().filter(|_| Clock::System.counts_time_stamps()) {
            published.push(self);
            self.0.store(recorder.near().into(), Relaxed);
        }
    }
}

impl<S> SlotCell<S> {
    /// A cell that has found nothing yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it stands in statics")]
    pub const fn new() -> Self {
        Self { near: NearNumber::unknown(), slots: OnceLock::new() }
    }

    /// The slots, once they were found.
    pub(crate) fn get(&self) -> Option<&Arc<S>> {
        self.slots.get()
    }

    /// The slots, found by `find` the first time.
    pub(crate) fn get_or_init(&self, find: impl FnOnce() -> Arc<S>) -> &Arc<S> {
        self.slots.get_or_init(find)
    }

    /// Has `find` find the slots, if nobody has as yet.
    pub(crate) fn find(&self, find: impl FnOnce() -> Arc<S>) {
        // See `recorder`.
        if self.slots.get().is_none() && !lock::is_inside() {
            let _inside = lock::enter();
            self.get_or_init(find);
        }
    }

    /// See [`NearNumber::start`].
    #[inline]
    pub(crate) fn start(&self) -> Option<Running> {
        self.near.start()
    }

    /// Begins a call in any case, recorded to the slots that `find` finds the first time, whose number is then `first`
    /// too where the site has a place for it.
    pub(crate) fn start_slowly(
        &'static self,
        first: Option<&'static NearNumber>,
        find: impl FnOnce() -> Arc<S>,
        lease: impl FnOnce(&S) -> &Lease,
    ) -> Running {
        let recorder = self.recorder(find, lease);
        if recorder.is_nowhere() {
            return Running::nowhere();
        }
        for near in [Some(&self.near), first].into_iter().flatten() {
            near.publish(recorder);
        }
        let running = Running::start(recorder, &Clock::System);
        if Clock::System.counts_time_stamps() { running } else { running.with_token() }
    }

    /// The same for a call that carries a mark and neither begins nor ends quickly, at a site all of whose calls do.
    pub(crate) fn start_marked(
        &'static self,
        find: impl FnOnce() -> Arc<S>,
        lease: impl FnOnce(&S) -> &Lease,
    ) -> Running {
        let recorder = self.recorder(find, lease);
        if recorder.is_nowhere() {
            return Running::nowhere().marked();
        }
        Running::start(recorder, &Clock::System).with_token().marked()
    }

    fn recorder(
        &'static self,
        find: impl FnOnce() -> Arc<S>,
        lease: impl FnOnce(&S) -> &Lease,
    ) -> &'static Recorder {
        self.find(find);
        // An allocator records for the first time what is allocated while this thread looks for slots.
        self.slots.get().map_or(&NOWHERE, |slots| lease(slots).recorder())
    }
}
