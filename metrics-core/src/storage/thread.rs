//! The shards of this thread, by series.

use std::cell::{Cell, RefCell};

use super::recorder::{CallSeries, CallShard};
use crate::lock;
use crate::storage::waiting;

/// The number of call series that are found with one load: the range of a byte, so that the index needs no bounds
/// check, and more than the core's subsystems and all its operations at all its exchanges. They cost each thread 2
/// KiB; a shard of any other call series is found through [`ShardMembership`].
pub(super) const NEAR: usize = 1 << u8::BITS;

thread_local! {
    /// By the call series' near number. Contains nothing to drop, so that it can be read in a thread that is ending.
    static SHARES: [Cell<Option<&'static CallShard>>; NEAR] = const { [const { Cell::new(None) }; NEAR] };
    static MEMBERSHIP: RefCell<ShardMembership> = const { RefCell::new(ShardMembership(Vec::new())) };
}

/// All shards of a thread, by the call series' number. They are released when it ends.
struct ShardMembership(Vec<Option<&'static CallShard>>);

/// This thread's shard of the near call series of this number, if it has one.
///
/// The number is evaluated late, because values known before the thread-local is found must be saved across that:
/// four instructions less.
#[inline]
pub(super) fn near(near: impl FnOnce() -> usize) -> Option<&'static CallShard> {
    SHARES.with(|shares| {
        find_first(shares);
        shares[near()].get()
    })
}

/// Makes the compiler find the address before it evaluates what follows, which it would otherwise have to save. Whether
/// it did so by itself depended on how it divided the crate among codegen units, and a call took four instructions more
/// where it did not. This takes one.
#[cfg(target_arch = "x86_64")]
#[inline]
fn find_first<T>(address: &T) {
    // SAFETY: it contains no instruction.
    unsafe {
        std::arch::asm!("/* {0} */", in(reg) std::ptr::from_ref(address), options(nostack, preserves_flags));
    };
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn find_first<T>(_: &T) {}

/// This thread's shard of the call series of this number, if it has one.
#[inline]
pub(super) fn share(id: usize) -> Option<&'static CallShard> {
    if id < NEAR { near(|| id) } else { far(id) }
}

fn far(id: usize) -> Option<&'static CallShard> {
    let found =
        |membership: &RefCell<ShardMembership>| membership.try_borrow().ok()?.0.get(id).copied().flatten();
    MEMBERSHIP.try_with(found).ok().flatten()
}

/// Like [`share`], for a thread's first call: creates the shard. Returns the fallback in a thread that is ending, and
/// in an allocator that records allocations made here.
#[cold]
#[inline(never)]
pub(super) fn join(recorder: &'static CallSeries) -> &'static CallShard {
    if let Some(share) = share(recorder.id()) {
        return share;
    }
    if lock::is_inside() || recorder.is_nowhere() {
        return recorder.token();
    }
    let joined = {
        let _inside = lock::enter();
        // The destructor is registered before there is anything to destroy.
        MEMBERSHIP.try_with(|membership| {
            let share = recorder.admit();
            share.set_waited(waiting::total());
            membership.borrow_mut().insert(recorder.id(), share);
            share
        })
    };
    joined.unwrap_or_else(|_| recorder.token())
}

/// Copies the total waiting time of this thread, in ticks, to each of its shards.
pub(crate) fn copy_waited(ticks: u64) {
    let copy = |membership: &RefCell<ShardMembership>| {
        let membership = membership.try_borrow().ok()?;
        membership.0.iter().flatten().for_each(|share| share.set_waited(ticks));
        Some(())
    };
    // A thread that is ending has none. A thread that is creating its shard, during which an allocator waits, is not
    // inside a call of that series.
    let _ = MEMBERSHIP.try_with(copy);
}

impl ShardMembership {
    fn insert(&mut self, id: usize, share: &'static CallShard) {
        if self.0.len() <= id {
            self.0.resize(id + 1, None);
        }
        self.0[id] = Some(share);
        if let Ok(near) = u8::try_from(id) {
            SHARES.with(|shares| shares[usize::from(near)].set(Some(share)));
        }
    }
}

impl Drop for ShardMembership {
    fn drop(&mut self) {
        // An allocator that records deallocations made here must not acquire a shard again.
        SHARES.with(|shares| shares.iter().for_each(|share| share.set(None)));
        for share in self.0.drain(..).flatten() {
            share.writer.give_back();
        }
    }
}
