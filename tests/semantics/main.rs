//! The rules of each family, tested through handles on instances with a manual clock, and through attributes where
//! they matter.
//!
//! Each promise about a family has a test named after it.

mod annotated;
mod capital;
mod catalogue;
mod definitions;
mod events;
mod exchange;
mod exposition;
mod market_data;
mod reconciliation;
mod removed;
mod seen;
mod subsystem;
