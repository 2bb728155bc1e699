//! The lock-free parts of bot-metrics under two model checkers: loom, which tries every order of a few steps and every
//! value that the memory model allows, and shuttle, which tries many random orders of many steps.
//!
//! `cargo test --manifest-path tests/models/Cargo.toml` takes about a minute. The code that is checked is the library's own
//! files with other atomics; nothing is copied.
//!
//! | part | loom, as written | loom, stores alone | shuttle |
//! | --- | --- | --- | --- |
//! | a thread's shard of a series (`shard`) | ✓ | ✓ | ✓ |
//! | the shard that threads without one of their own borrow (`shard`) | ✓ | ✓ | ✓ |
//! | a thread's observations of a histogram (`observed`) | ✓ | ✓ | ✓ |
//! | words that threads without words of their own borrow (`observed`) | ✓ | ✓ | ✓ |
//! | a count whose single writer changes (`single_writer`) | ✓ | ✓ | ✓ |
//! | a slot of the ring of events (`recent::place`) | ✓ | ✓ | ✓ |
//! | lists that grow (`chain`) | ✓ | – | ✓ |
//!
//! Stores alone: the writer remembers the values it stored and loads nothing. A load that precedes a store hides a missing
//! fence from loom, because the store cannot be seen before the loaded value. Appended elements of a list are never
//! stored to.

// Each model uses only a part of these files.
#![allow(dead_code)]

#[cfg(test)]
mod as_written;
#[cfg(test)]
mod expected;
#[cfg(test)]
mod random;
#[cfg(test)]
mod stores_alone;
