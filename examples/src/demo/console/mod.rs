//! Terminal output. A bot neither waits for a terminal nor ends with it: a separate thread writes the lines; lines
//! that it cannot write soon are dropped and counted; if the reader has gone away, that is reported once on the other
//! stream.

mod line;
mod writer;

use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal as _, stderr, stdout};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::getpgrp;
use rustix::termios::{tcgetpgrp, tcgetwinsize};
use serde::Serialize;
use serde_json::json;

pub use line::{Line, Tone, escaped, shortened};
use writer::Writer;

/// The time that the end of a program waits for its last lines to be read.
const LAST_LINES: Duration = Duration::from_secs(1);

static OUT: LazyLock<Arc<Writer>> = LazyLock::new(|| {
    // A JSON object that is wrapped at the end of a row cannot be parsed.
    let is_styled = stdout().is_terminal() && !is_dumb() && !PRINTS_JSON.load(Ordering::Relaxed);
    let note = |text: &str| message(Tone::Warning, text);
    Writer::start("stdout", stdout(), is_styled.then_some(columns), note, |error| {
        if error.kind() == ErrorKind::BrokenPipe {
            complain("its output is no longer read; trading continues, Ctrl-C or SIGTERM stops it");
        }
    })
});

static ERR: LazyLock<Arc<Writer>> = LazyLock::new(|| {
    let note = |text: &str| Line::new(Tone::Warning, text);
    Writer::start("stderr", stderr(), None, note, |_| {})
});

static PRINTS_JSON: AtomicBool = AtomicBool::new(false);

/// Prints one line on standard output.
pub fn say(line: impl Display) {
    say_in(Tone::Plain, line);
}

/// Prints one line on standard output, on a terminal in the colour of `tone`.
pub fn say_in(tone: Tone, line: impl Display) {
    OUT.add(message(tone, line));
}

/// A message for standard output, in the form that was chosen.
fn message(tone: Tone, text: impl Display) -> Line {
    if !PRINTS_JSON.load(Ordering::Relaxed) {
        return Line::new(tone, text);
    }
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    Line::of_json(&json!({ "type": "message", "at": at, "text": text.to_string() }).to_string())
}

/// Prints one line on standard error, for errors that keep the bot from running.
pub fn complain(line: impl Display) {
    let line = Line::new(Tone::Bad, format_args!("{}: {line}", program()));
    // Both are one terminal, in which the line would be written over the other program's screen.
    if OUT.is_held() && stderr().is_terminal() {
        OUT.add(line);
    } else {
        ERR.add(line);
    }
}

/// Makes [`say`], from its first line on, print JSON objects of the form `{"type":"message","at":1764492000.5,"text":"…"}`, with the time in
/// seconds since the Unix epoch.
pub fn print_json() {
    PRINTS_JSON.store(true, Ordering::Relaxed);
}

/// Prints an object in one line on standard output.
pub fn say_json(object: &impl Serialize) {
    // The objects of demo bots have text keys, so that each of them is valid JSON.
    if let Ok(text) = serde_json::to_string(object) {
        OUT.add(Line::of_json(&text));
    }
}

/// The reason why standard output cannot show more than lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoScreen {
    /// It is a file, a pipe or closed.
    #[error("standard output is not a terminal")]
    NoTerminal,
    /// `TERM` is not set, or names a terminal without cursor movements.
    #[error("TERM is unset, empty or `dumb`")]
    Dumb,
    /// The terminal is that of another job in the foreground.
    #[error("the program runs in the background")]
    Background,
    /// The terminal does not know its columns and rows.
    #[error("the terminal has no size")]
    NoSize,
}

/// Checks whether standard output can show more than lines.
///
/// # Errors
///
/// The reason why it cannot.
pub fn check_screen() -> Result<(), NoScreen> {
    if !stdout().is_terminal() {
        Err(NoScreen::NoTerminal)
    } else if is_dumb() {
        Err(NoScreen::Dumb)
    } else if tcgetpgrp(stdout()).is_ok_and(|foreground| foreground != getpgrp()) {
        Err(NoScreen::Background)
    } else if tcgetwinsize(stdout()).is_ok_and(|size| size.ws_col > 0 && size.ws_row > 0) {
        Ok(())
    } else {
        Err(NoScreen::NoSize)
    }
}

/// Whether the terminal has no more abilities than a printer.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}

/// The width of the terminal.
fn columns() -> usize {
    tcgetwinsize(stdout()).map_or(0, |size| size.ws_col.into())
}

/// Keeps standard output free for a screen while this lives: lines wait, and are printed when it is dropped.
#[derive(Debug)]
#[must_use = "dropping it prints the lines"]
pub struct Held(());

/// Holds back lines from now on, once earlier ones are written. Of a long time the last hundred lines are kept.
pub fn hold() -> Held {
    OUT.hold(Instant::now() + LAST_LINES);
    Held(())
}

impl Held {
    /// The last lines that wait, `most` at most, oldest first.
    #[must_use]
    pub fn last(&self, most: usize) -> Vec<Line> {
        OUT.last(most)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        OUT.release();
    }
}

/// Waits until all lines are written, but not for a reader that does not read.
pub(super) fn flush() {
    let deadline = Instant::now() + LAST_LINES;
    // Standard output is flushed first because its first error prints a line on standard error.
    OUT.flush(deadline);
    ERR.flush(deadline);
}

/// The name under which the program was started.
pub(super) fn program() -> String {
    let name = std::env::args_os().next().unwrap_or_default();
    Path::new(&name).file_name().map_or_else(|| "bot".to_owned(), |name| name.to_string_lossy().into_owned())
}
