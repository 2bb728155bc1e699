//! A queue of lines for one file, and the thread that writes them.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use super::line::Line;

/// Lines waiting to be written: a few minutes of a demo bot's output.
const MOST: usize = 1_000;

/// Lines that are kept while a screen is shown, which has shown the earlier ones.
const MOST_HELD: usize = 100;

/// A queue of lines for one file, and the thread that writes them.
#[derive(Debug, Default)]
pub(super) struct Writer {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    lines: VecDeque<Line>,
    left_out: usize,
    is_writing: bool,
    is_held: bool,
}

impl Writer {
    /// Starts the thread; `failed` is called with the first error. With `columns`, which measures its width, the file
    /// is a terminal that shows colours. `note` makes the line that tells how many others were left out.
    pub(super) fn start(
        name: &str,
        file: impl Write + Send + 'static,
        columns: Option<fn() -> usize>,
        note: fn(&str) -> Line,
        failed: impl FnOnce(io::Error) + Send + 'static,
    ) -> Arc<Self> {
        let writer = Arc::new(Self::default());
        let of_thread = Arc::clone(&writer);
        // Without a thread nothing is printed, but the bot continues.
        let _ = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || of_thread.write(file, columns, note, failed));
        writer
    }

    /// Adds a line, or counts it as dropped if too many are waiting. Never waits for the file.
    pub(super) fn add(&self, line: Line) {
        let mut queue = self.lock();
        if queue.is_held && queue.lines.len() >= MOST_HELD {
            queue.lines.pop_front();
        }
        if queue.lines.len() < MOST {
            queue.lines.push_back(line);
        } else {
            queue.left_out += 1;
        }
        self.changed.notify_all();
    }

    /// Writes nothing from now on, once the waiting lines are written, or `deadline` has passed.
    pub(super) fn hold(&self, deadline: Instant) {
        let mut queue = self.wait_until_written(deadline);
        queue.is_held = true;
    }

    /// Writes again.
    pub(super) fn release(&self) {
        self.lock().is_held = false;
        self.changed.notify_all();
    }

    pub(super) fn is_held(&self) -> bool {
        self.lock().is_held
    }

    /// The last waiting lines, `most` at most, oldest first.
    pub(super) fn last(&self, most: usize) -> Vec<Line> {
        let queue = self.lock();
        queue.lines.iter().skip(queue.lines.len().saturating_sub(most)).cloned().collect()
    }

    /// Waits until all lines are written, until `deadline` at most, and returns whether they are.
    pub(super) fn flush(&self, deadline: Instant) -> bool {
        let queue = self.wait_until_written(deadline);
        !queue.is_writing && queue.lines.is_empty()
    }

    fn wait_until_written(&self, deadline: Instant) -> MutexGuard<'_, Queue> {
        let longest = deadline.saturating_duration_since(Instant::now());
        let waits = |queue: &mut Queue| queue.is_writing || !queue.lines.is_empty();
        let waited = self.changed.wait_timeout_while(self.lock(), longest, waits);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn write(
        &self,
        mut file: impl Write,
        columns: Option<fn() -> usize>,
        note: fn(&str) -> Line,
        failed: impl FnOnce(io::Error),
    ) {
        let mut failed = Some(failed);
        loop {
            let mut text = String::new();
            for line in self.next(note) {
                text.push_str(&columns.map_or_else(|| line.to_string(), |columns| line.painted(columns())));
                text.push('\n');
            }
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
    fn next(&self, note: fn(&str) -> Line) -> Vec<Line> {
        let queue = self.lock();
        let nothing_to_write = |queue: &mut Queue| queue.lines.is_empty() || queue.is_held;
        let mut queue =
            self.changed.wait_while(queue, nothing_to_write).unwrap_or_else(PoisonError::into_inner);
        queue.is_writing = true;
        let mut lines: Vec<_> = queue.lines.drain(..).collect();
        let left_out = std::mem::take(&mut queue.left_out);
        drop(queue);
        if left_out > 0 {
            lines.push(note(&format!("… {left_out} lines left out: they were not read in time")));
        }
        lines
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::Duration;

    use super::super::line::Tone;
    use super::*;

    fn line(text: &str) -> Line {
        Line::new(Tone::Plain, text)
    }

    fn note(text: &str) -> Line {
        Line::new(Tone::Plain, format!("note: {text}"))
    }

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
    fn unread_lines_are_bounded_and_counted() {
        let (file, allow, texts) = slow();
        let writer = Writer::start("test", file, None, note, |_| {});
        writer.add(line("first"));
        while !writer.lock().is_writing {
            thread::yield_now();
        }
        for number in 0..MOST + 7 {
            writer.add(line(&number.to_string()));
        }
        assert!(!writer.flush(Instant::now()), "it does not wait for the file");
        allow.send(()).unwrap();
        allow.send(()).unwrap();
        assert_eq!(texts.recv().unwrap(), "first\n");
        let text = texts.recv().unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!((lines[0], lines[MOST - 1], lines.len()), ("0", "999", MOST + 1));
        assert_eq!(lines[MOST], "note: … 7 lines left out: they were not read in time");
        assert!(writer.flush(soon()));
        allow.send(()).unwrap();
        writer.add(line("last"));
        assert_eq!(texts.recv().unwrap(), "last\n", "none are left out any more");
    }

    #[test]
    fn an_error_is_reported_once_and_does_not_end_the_bot() {
        let (file, allow, _texts) = slow();
        drop(allow);
        let (told, errors) = channel();
        let writer = Writer::start("test", file, None, note, move |error| told.send(error.kind()).unwrap());
        for text in ["a", "b", "c"] {
            writer.add(line(text));
            assert!(writer.flush(soon()));
        }
        assert_eq!(errors.iter().collect::<Vec<_>>(), [ErrorKind::BrokenPipe]);
    }

    #[test]
    fn held_lines_are_the_last_ones_and_written_later() {
        let (file, allow, texts) = slow();
        let writer = Writer::start("test", file, None, note, |_| {});
        allow.send(()).unwrap();
        writer.add(line("before"));
        writer.hold(soon());
        assert_eq!(texts.recv().unwrap(), "before\n", "it waits for earlier lines");
        for number in 1..=MOST_HELD + 2 {
            writer.add(line(&number.to_string()));
        }
        assert_eq!(writer.last(2), [line("101"), line("102")]);
        allow.send(()).unwrap();
        assert!(!writer.flush(Instant::now() + Duration::from_millis(50)), "nothing is written while held");
        writer.release();
        let text = texts.recv().unwrap();
        assert_eq!((text.lines().next(), text.lines().count()), (Some("3"), MOST_HELD));
    }

    #[test]
    fn a_terminal_has_colours_and_wrapped_lines() {
        let (file, allow, texts) = slow();
        let writer = Writer::start("test", file, Some(|| 30), note, |_| {});
        allow.send(()).unwrap();
        writer.add(Line::new(Tone::Bad, "ERROR: a line that is too long for it"));
        let text = texts.recv().unwrap();
        assert_eq!(text.lines().count(), 2, "{text:?}");
        assert!(text.contains("ERROR: a line that is too long"), "{text:?}");
    }
}
