//! The atomics of the lock-free parts, in a place of their own so that a model checker can give them others.

pub(crate) use std::sync::OnceLock;
pub(crate) use std::sync::atomic::{AtomicU64, Ordering, fence};
