//! Shared support of the cross-crate tests.

#![doc = include_str!("../../README.md")]

pub mod paper_bot;
pub mod workspace;
