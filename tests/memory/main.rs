//! What series cost in memory, in a process whose allocator counts.

mod allocator;
mod series;
mod streaming;

use std::sync::{Mutex, MutexGuard, PoisonError};

#[global_allocator]
static ALLOCATOR: allocator::Counting = allocator::Counting;

/// Held by each test: what another one uses would be counted too.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
