//! Demo bots.
