//! The lock-free parts of bot-metrics under two model checkers: loom, which tries every order of a few steps and every
//! value that the memory model allows, and shuttle, which tries many random orders of many steps.
//!
//! `cargo test --manifest-path tests/models/Cargo.toml` takes about a minute. The code that is checked is the library's own
//! files with other atomics; nothing is copied.
//!
//! | part | loom, as written | loom, stores alone | shuttle |
//! | --- | --- | --- | --- |
//! | a thread's share of a series (`shard`) | ✓ | ✓ | ✓ |
//! | the share of those who have none (`shared`) | ✓ | ✓ | ✓ |
//! | a thread's observations of a histogram (`observed`) | ✓ | ✓ | ✓ |
//! | those of who has no words of his own (`shared_observed`) | ✓ | ✓ | ✓ |
//! | a count that goes from thread to thread (`single_writer`) | ✓ | ✓ | ✓ |
//! | a place of the ring of events (`recent::place`) | ✓ | ✓ | ✓ |
//! | lists that grow (`chain`) | ✓ | – | ✓ |
//!
//! Stores alone: a writer that knows what it last stored and loads nothing. A load that precedes a store hides a missing
//! fence from loom: the store cannot be seen before what the load saw. What is appended to a list is never stored to.

// Each model uses a part of what the files offer.
#![allow(dead_code)]

#[cfg(test)]
mod as_written;
#[cfg(test)]
mod expected;
#[cfg(test)]
mod random;
#[cfg(test)]
mod stores_alone;
