//! The calling thread's shards of call series.

use std::cell::{Cell, RefCell};

use super::recorder::{CallSeries, CallShard};
use crate::lock;
use crate::storage::waiting;

/// The length of the array in which a thread finds its shards of the first call series: the number of values of a byte,
/// so that an index needs no bounds check. Index 0 is not used. More than the built-in subsystems, and the built-in
/// operations at all built-in exchanges, together need. The array costs each thread 2 KiB; a shard of any other call
/// series is found through [`ThreadShards`].
pub(super) const NEAR: usize = 1 << u8::BITS;

thread_local! {
    /// By the number of the call series. Contains nothing to drop, so that it can be read in a thread that is ending.
    static NEAR_SHARDS: [Cell<Option<&'static CallShard>>; NEAR] = const { [const { Cell::new(None) }; NEAR] };
    static ALL_SHARDS: RefCell<ThreadShards> = const { RefCell::new(ThreadShards(Vec::new())) };
}

/// All shards of a thread, by the number of the call series. They are released when it ends.
struct ThreadShards(Vec<Option<&'static CallShard>>);

/// This thread's shard of the call series of this number, which is below [`NEAR`], if it has one.
///
/// The number is a closure, so that it is evaluated after the address of the thread-local is computed: otherwise it
/// would be saved meanwhile, in four instructions.
#[inline]
pub(super) fn near(id: impl FnOnce() -> usize) -> Option<&'static CallShard> {
    NEAR_SHARDS.with(|shards| {
        computed_first(shards);
        shards[id()].get()
    })
}

/// Makes the compiler compute the address before the values that the following code needs, which it would otherwise
/// have to save meanwhile. Whether it did so by itself depended on how it divided the crate among codegen units, and a
/// call took four instructions more where it did not. This takes one instruction.
#[inline]
fn computed_first<T>(address: &T) {
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
pub(super) fn shard(id: usize) -> Option<&'static CallShard> {
    if id < NEAR { near(|| id) } else { far(id) }
}

fn far(id: usize) -> Option<&'static CallShard> {
    let find = |all: &RefCell<ThreadShards>| all.try_borrow().ok()?.0.get(id).copied().flatten();
    ALL_SHARDS.try_with(find).ok().flatten()
}

/// This thread's shard of the call series, which is created if there is none. Returns the fallback if the thread is
/// ending, or inside a lock of the library, where an allocator may be recording, or if calls of this series are lost.
#[cold]
#[inline(never)]
pub(super) fn create_shard(series: &'static CallSeries) -> &'static CallShard {
    if let Some(shard) = shard(series.id()) {
        return shard;
    }
    if lock::is_inside() || series.is_nowhere() {
        return series.fallback();
    }
    let created = {
        let _inside = lock::enter();
        // The first access registers the destructor, so that a shard is always released.
        ALL_SHARDS.try_with(|all| {
            let shard = series.acquire_shard();
            let (id, shards) = (series.id(), &mut all.borrow_mut().0);
            if shards.len() <= id {
                shards.resize(id + 1, None);
            }
            shards[id] = Some(shard);
            if id < NEAR {
                NEAR_SHARDS.with(|shards| shards[id].set(Some(shard)));
            }
            shard
        })
    };
    // An allocator may have ended a wait while the list was borrowed.
    copy_waited();
    created.unwrap_or_else(|_| series.fallback())
}

/// Copies the total waiting time of this thread to each of its shards. Does nothing while [`create_shard`] changes the
/// list, because it copies the total itself afterwards, and in a thread that is ending, which has no shards.
pub(crate) fn copy_waited() {
    let ticks = waiting::total();
    let copy = |all: &RefCell<ThreadShards>| {
        if let Ok(all) = all.try_borrow() {
            all.0.iter().flatten().for_each(|shard| shard.waited.set(ticks));
        }
    };
    let _ = ALL_SHARDS.try_with(copy);
}

impl Drop for ThreadShards {
    fn drop(&mut self) {
        // First, because an allocator that records deallocations made here must not use a shard after its release.
        NEAR_SHARDS.with(|shards| shards.iter().for_each(|shard| shard.set(None)));
        for shard in self.0.drain(..).flatten() {
            shard.writer.give_back();
        }
    }
}
