//! How often something is read that others write meanwhile, before it is taken as it stands: off by what came between.

/// Readings of what one thread writes. Only a thread that is running and does nothing but record makes a reading fail, and
/// then in one of some cases, never in ten thousand.
pub(super) const OF_ONE_THREADS: usize = 10_000;

/// The same of what anyone writes. A thread that dies in the middle of it, or that a forked child does not have, leaves it
/// so for ever.
pub(super) const OF_ANYONES: usize = 100;

/// Whether one of so many readings was undisturbed.
pub(super) fn patiently(readings: usize, mut read: impl FnMut() -> bool) -> bool {
    (0..readings).any(|_| {
        let undisturbed = read();
        if !undisturbed {
            std::hint::spin_loop();
        }
        undisturbed
    })
}
