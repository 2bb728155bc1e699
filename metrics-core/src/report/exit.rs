//! The last reports of a process: its end waits for them briefly.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::lock;

/// The number of undelivered lines of this process. The upper half identifies the process, since a forked one does
/// not deliver the lines of its parent.
static UNTOLD: AtomicU64 = AtomicU64::new(0);

/// An undelivered line, until dropped.
pub(super) struct Untold {
    /// The process that counts it; in a forked process dropping it does not count.
    generation: u32,
}

impl Untold {
    pub(super) fn new() -> Self {
        at_end::wait_for_lines();
        change(|untold| untold + 1);
        Self { generation: lock::generation() }
    }
}

impl Drop for Untold {
    fn drop(&mut self) {
        if self.generation == lock::generation() {
            change(|untold| untold.saturating_sub(1));
        }
    }
}

fn change(change: impl Fn(u64) -> u64) {
    let _always_ok = UNTOLD.fetch_update(Relaxed, Relaxed, |word| Some(process() | change(untold(word))));
}

fn process() -> u64 {
    u64::from(lock::generation()) << 32
}

/// The number of these lines that are this process's.
fn untold(word: u64) -> u64 {
    if word >> 32 == process() >> 32 { word & u64::from(u32::MAX) } else { 0 }
}

#[cfg(unix)]
mod at_end {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    use super::{UNTOLD, untold};
    use crate::report::{DOING, Doing};

    /// The time for which the end of the process waits.
    const LONGEST: Duration = Duration::from_millis(100);

    pub(super) fn wait_for_lines() {
        static WAITS: AtomicBool = AtomicBool::new(false);
        if !WAITS.swap(true, Relaxed) {
            // SAFETY: the function lives as long as the process and does not unwind.
            // If it fails, for lack of memory, the last lines may be lost.
            let _ = unsafe { libc::atexit(wait) };
        }
    }

    extern "C" fn wait() {
        let start = Instant::now();
        // A hook that ends the process would wait for itself.
        let waits = DOING.get() == Doing::Nothing;
        while waits && untold(UNTOLD.load(Relaxed)) > 0 && start.elapsed() < LONGEST {
            sleep(Duration::from_millis(1));
        }
    }
}

#[cfg(not(unix))]
mod at_end {
    pub(super) fn wait_for_lines() {}
}
