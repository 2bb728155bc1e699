//! What moves each family, by handles on instances with a steered clock, and by attributes where they matter.
//!
//! Each sentence that promises something of a family has a test with its words.

mod annotated;
mod capital;
mod definitions;
mod events;
mod exchange;
mod exposition;
mod market_data;
mod reconciliation;
mod removed;
mod seen;
mod subsystem;
