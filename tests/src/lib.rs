//! Shared support of the cross-crate tests.

pub mod broken_pages;
pub mod demo;
pub mod pages;
pub mod paper_bot;
pub mod process;
pub mod workspace;

/// Compiles the README's examples.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

/// Compiles the guide's examples.
#[cfg(doctest)]
#[path = "../../metrics-core/src/guide.rs"]
mod guide;
