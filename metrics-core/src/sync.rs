//! The atomics of the lock-free parts, in a separate module so that a model checker can replace them.

pub(crate) use std::sync::OnceLock;
pub(crate) use std::sync::atomic::{AtomicU64, Ordering, fence};
pub(crate) use std::thread::yield_now;
