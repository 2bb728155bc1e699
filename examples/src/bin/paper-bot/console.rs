//! Lines on the terminal. A reader that has gone away must not end a bot with open orders, so failures are
//! swallowed.

use std::fmt::Display;
use std::io::{Write, stderr, stdout};

/// One line for whoever watches.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(stdout().lock(), "{line}");
}

/// One line about what keeps the bot from running.
pub(crate) fn complain(line: impl Display) {
    let _ = writeln!(stderr().lock(), "paper-bot: {line}");
}
