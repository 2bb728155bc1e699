//! Lines on the terminal. A reader that has gone away must not end a bot with open orders, so failures are
//! swallowed; the first is told on the other channel.

use std::fmt::Display;
use std::io::{ErrorKind, Write, stderr, stdout};
use std::path::Path;
use std::sync::Once;

/// One line for whoever watches.
pub fn say(line: impl Display) {
    static UNHEARD: Once = Once::new();
    // In one piece: a line that is written in parts may be cut by a reader that goes away between them.
    if let Err(error) = stdout().lock().write_all(format!("{line}\n").as_bytes())
        && error.kind() == ErrorKind::BrokenPipe
    {
        UNHEARD.call_once(|| {
            complain("nobody reads its output any more; trading goes on, Ctrl-C or SIGTERM ends it");
        });
    }
}

/// One line about what keeps the bot from running.
pub fn complain(line: impl Display) {
    let _ = writeln!(stderr().lock(), "{}: {line}", program());
}

/// What the program was started as.
pub(super) fn program() -> String {
    let name = std::env::args_os().next().unwrap_or_default();
    Path::new(&name).file_name().map_or_else(|| "bot".to_owned(), |name| name.to_string_lossy().into_owned())
}
