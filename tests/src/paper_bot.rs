//! The main demo bot.

use std::process::Command;

use crate::demo;
pub use crate::demo::{Ended, Running, run};

const NAME: &str = "paper-bot";

/// A command that runs it in an empty environment.
#[must_use]
pub fn command(arguments: &[&str]) -> Command {
    demo::command(NAME, arguments)
}

/// Starts it on a free port and waits until it prints the address of its metrics.
///
/// # Panics
///
/// If it ends or prints nothing.
#[must_use]
pub fn start(arguments: &[&str]) -> Running {
    Running::start(NAME, arguments)
}

/// Starts it on this port and waits until it prints the address of its metrics.
///
/// # Panics
///
/// If it ends or prints nothing.
#[must_use]
pub fn start_at(port: u16, arguments: &[&str]) -> Running {
    Running::start_at(NAME, port, arguments)
}
