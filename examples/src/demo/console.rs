//! Terminal output. A bot neither waits for a terminal nor ends with it: a separate thread writes the lines; lines
//! that it cannot write soon are dropped and counted; if the reader has gone away, that is reported once on the other
//! stream.

use std::collections::VecDeque;
use std::fmt::{Display, Write as _};
use std::io::{self, ErrorKind, Write, stderr, stdout};
use std::path::Path;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Lines waiting to be written: a few minutes of a demo bot's output.
const MOST: usize = 1_000;

/// The time that the end of a program waits for its last lines to be read.
const LAST_LINES: Duration = Duration::from_secs(1);

static OUT: LazyLock<Arc<Writer>> = LazyLock::new(|| {
    Writer::start("stdout", stdout(), |error| {
        if error.kind() == ErrorKind::BrokenPipe {
            complain("its output is no longer read; trading continues, Ctrl-C or SIGTERM stops it");
        }
    })
});

static ERR: LazyLock<Arc<Writer>> = LazyLock::new(|| Writer::start("stderr", stderr(), |_| {}));

/// Prints one line on standard output.
pub fn say(line: impl Display) {
    OUT.add(printable(format!("{line}\n")));
}

/// Prints one line on standard error, for errors that keep the bot from running.
pub fn complain(line: impl Display) {
    ERR.add(printable(format!("{}: {line}\n", program())));
}

/// Escapes control characters, because lines contain text from exchanges.
fn printable(text: String) -> String {
    let is_obeyed = |character: char| character.is_control() && character != '\n';
    if !text.contains(is_obeyed) {
        return text;
    }
    let mut printable = String::new();
    for character in text.chars() {
        if is_obeyed(character) {
            printable.extend(character.escape_default());
        } else {
            printable.push(character);
        }
    }
    printable
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

/// A queue of lines for one file, and the thread that writes them.
#[derive(Debug, Default)]
struct Writer {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    lines: VecDeque<String>,
    left_out: usize,
    is_writing: bool,
}

impl Writer {
    /// Starts the thread; `failed` is called with the first error.
    fn start(
        name: &str,
        file: impl Write + Send + 'static,
        failed: impl FnOnce(io::Error) + Send + 'static,
    ) -> Arc<Self> {
        let writer = Arc::new(Self::default());
        let of_thread = Arc::clone(&writer);
        // Without a thread nothing is printed, but the bot continues.
        let _ = thread::Builder::new().name(name.to_owned()).spawn(move || of_thread.write(file, failed));
        writer
    }

    /// Adds a line, or counts it as dropped if too many are waiting. Never waits for the file.
    fn add(&self, line: String) {
        let mut queue = self.lock();
        if queue.lines.len() < MOST {
            queue.lines.push_back(line);
        } else {
            queue.left_out += 1;
        }
        self.changed.notify_all();
    }

    /// Waits until all lines are written, until `deadline` at most, and returns whether they are.
    fn flush(&self, deadline: Instant) -> bool {
        let longest = deadline.saturating_duration_since(Instant::now());
        let waits = |queue: &mut Queue| queue.is_writing || !queue.lines.is_empty();
        let (queue, _) = self
            .changed
            .wait_timeout_while(self.lock(), longest, waits)
            .unwrap_or_else(PoisonError::into_inner);
        !queue.is_writing && queue.lines.is_empty()
    }

    fn write(&self, mut file: impl Write, failed: impl FnOnce(io::Error)) {
        let mut failed = Some(failed);
        loop {
            let text = self.next();
            // One write, so that a reader that goes away cannot cut a line in two.
            if let Err(error) = file.write_all(text.as_bytes()).and_then(|()| file.flush())
                && let Some(failed) = failed.take()
            {
                failed(error);
            }
            self.lock().is_writing = false;
            self.changed.notify_all();
        }
    }

    /// Waits for lines and returns all of them, followed by a note about dropped ones.
    fn next(&self) -> String {
        let queue = self.lock();
        let mut queue = self
            .changed
            .wait_while(queue, |queue| queue.lines.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        queue.is_writing = true;
        let mut text: String = queue.lines.drain(..).collect();
        match std::mem::take(&mut queue.left_out) {
            0 => {}
            lines => {
                let _ = writeln!(text, "… {lines} lines left out: they were not read in time");
            }
        }
        text
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A file that accepts a write only when permitted, and passes it on.
    struct Slow {
        allowed: Receiver<()>,
        written: Sender<String>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.allowed.recv().map_err(|_| ErrorKind::BrokenPipe)?;
            self.written.send(String::from_utf8_lossy(bytes).into_owned()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow() -> (Slow, Sender<()>, Receiver<String>) {
        let ((allow, allowed), (written, texts)) = (channel(), channel());
        (Slow { allowed, written }, allow, texts)
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_mins(1)
    }

    #[test]
    fn control_characters_of_a_line_are_escaped() {
        let plain = "größer 價格 \"x\" \\\n";
        assert_eq!(printable(plain.to_owned()), plain);
        assert_eq!(printable("a\x1b[2J\r\u{9b}1m\n".to_owned()), "a\\u{1b}[2J\\r\\u{9b}1m\n");
    }

    #[test]
    fn unread_lines_are_bounded_and_counted() {
        let (file, allow, texts) = slow();
        let writer = Writer::start("test", file, |_| {});
        writer.add("first\n".to_owned());
        while !writer.lock().is_writing {
            thread::yield_now();
        }
        for line in 0..MOST + 7 {
            writer.add(format!("{line}\n"));
        }
        assert!(!writer.flush(Instant::now()), "it does not wait for the file");
        allow.send(()).unwrap();
        allow.send(()).unwrap();
        assert_eq!(texts.recv().unwrap(), "first\n");
        let text = texts.recv().unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!((lines[0], lines[MOST - 1], lines.len()), ("0", "999", MOST + 1));
        assert_eq!(lines[MOST], "… 7 lines left out: they were not read in time");
        assert!(writer.flush(soon()));
        allow.send(()).unwrap();
        writer.add("last\n".to_owned());
        assert_eq!(texts.recv().unwrap(), "last\n", "none are left out any more");
    }

    #[test]
    fn an_error_is_reported_once_and_does_not_end_the_bot() {
        let (file, allow, _texts) = slow();
        drop(allow);
        let (told, errors) = channel();
        let writer = Writer::start("test", file, move |error| told.send(error.kind()).unwrap());
        for line in ["a\n", "b\n", "c\n"] {
            writer.add(line.to_owned());
            assert!(writer.flush(soon()));
        }
        assert_eq!(errors.iter().collect::<Vec<_>>(), [ErrorKind::BrokenPipe]);
    }
}
