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
#[inline]
fn find_first<T>(address: &T) {
    let address = std::ptr::from_ref(address);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
    // SAFETY: it contains no instruction.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!("/* {0} */", in(reg) address, options(nostack, preserves_flags));
    };
}

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
            share.waited.set(waiting::total());
            let (id, shares) = (recorder.id(), &mut membership.borrow_mut().0);
            if shares.len() <= id {
                shares.resize(id + 1, None);
            }
            shares[id] = Some(share);
            if id < NEAR {
                SHARES.with(|shares| shares[id].set(Some(share)));
            }
            share
        })
    };
    joined.unwrap_or_else(|_| recorder.token())
}

/// Copies the total waiting time of this thread, in ticks, to each of its shards.
pub(crate) fn copy_waited(ticks: u64) {
    let copy = |membership: &RefCell<ShardMembership>| {
        let membership = membership.try_borrow().ok()?;
        membership.0.iter().flatten().for_each(|share| share.waited.set(ticks));
        Some(())
    };
    // A thread that is ending has none. A thread that is creating its shard, during which an allocator waits, is not
    // inside a call of that series.
    let _ = MEMBERSHIP.try_with(copy);
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
