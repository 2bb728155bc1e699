//! What moves each family, by handles on instances with a steered clock.

mod capital;
mod events;
mod exchange;
mod exposition;
mod reconciliation;
mod subsystem;
