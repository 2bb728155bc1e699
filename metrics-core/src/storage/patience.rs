//! The number of attempts to read words that are being written, before an inconsistent reading is accepted.

/// Attempts to read words of one thread. Only a thread that does nothing but record makes a reading fail, and then in
/// some of the attempts, never in ten thousand of them.
pub(super) const OF_ONE_THREADS: usize = 10_000;

/// Attempts to read words shared by threads. A thread that dies while writing, or that a forked child does not have,
/// leaves them inconsistent for ever.
pub(super) const OF_ANYONES: usize = 100;

/// Whether one of `readings` attempts was consistent.
pub(super) fn read_consistent(readings: usize, mut read: impl FnMut() -> bool) -> bool {
    (0..readings).any(|_| {
        let undisturbed = read();
        if !undisturbed {
            std::hint::spin_loop();
        }
        undisturbed
    })
}
