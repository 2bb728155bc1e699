//! Lines on their way to a hook, and the thread that calls it.
//!
//! The thread is started for a line and ends when none is left, so that a bot without problems has none, and a forked
//! process starts a new one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::Duration;

use super::{DOING, Doing, exit, standard_error};
use crate::lock::{self, Lock, LockGuard};
use crate::panics::contained;

/// The bot's handler for a line about one of the library's own problems.
///
/// It is called on a separate thread, with one line at a time. While it blocks, up to 64 lines wait; further ones are
/// dropped and counted in a later line. Reports that it causes itself are not delivered.
pub type ReportHook = Arc<dyn Fn(&str) + Send + Sync>;

/// The maximum number of waiting lines.
pub(super) const MOST: usize = 64;

/// The default of the standard library, given explicitly because it would read the environment under a lock.
const STACK: usize = 2 << 20;

/// Lines that wait for a hook.
pub(super) struct Queue {
    hook: ReportHook,
    entries: Lock<Entries>,
    dropped: AtomicU64,
}

#[derive(Default)]
struct Entries {
    waiting: VecDeque<QueuedLine>,
    /// The process whose thread takes them, if there is one.
    taken_in: Option<u32>,
}

enum QueuedLine {
    Line(String, exit::Untold),
    /// Sent by a caller of `flush`, which waits until the lines before it are delivered.
    Flush(SyncSender<()>),
}

impl Queue {
    pub(super) fn new(hook: ReportHook) -> Self {
        Self { hook, entries: Lock::default(), dropped: AtomicU64::new(0) }
    }

    /// Counts a line that cannot be delivered.
    pub(super) fn drop_line(&self) {
        self.dropped.fetch_add(1, Relaxed);
    }

    /// Adds a line, or counts it if there is no room, and returns whether there was.
    pub(super) fn send(self: &Arc<Self>, line: String) -> bool {
        let untold = exit::Untold::new();
        let is_sent = self.push(QueuedLine::Line(line, untold));
        if !is_sent {
            self.drop_line();
        }
        is_sent
    }

    /// Waits until the lines that were sent are delivered, `timeout` at most, and returns whether they are.
    pub(super) fn flush(self: &Arc<Self>, timeout: Duration) -> bool {
        if self.entries().is_idle() && self.dropped.load(Relaxed) == 0 {
            return true;
        }
        let (sender, told) = mpsc::sync_channel(1);
        self.push(QueuedLine::Flush(sender)) && told.recv_timeout(timeout).is_ok()
    }

    /// Adds an entry, if there is room, and starts the thread if there is none.
    fn push(self: &Arc<Self>, entry: QueuedLine) -> bool {
        let (pushed, starts) = {
            let mut entries = self.entries();
            let pushed = entries.push(entry);
            (pushed, entries.taken_in.replace(lock::generation()).is_none())
        };
        // Not under the lock, because starting a thread allocates.
        if starts {
            self.start();
        }
        pushed
    }

    /// Starts the thread. If the system has none left, the next line tries again.
    fn start(self: &Arc<Self>) {
        let queue = Arc::clone(self);
        let thread = thread::Builder::new().name("bot-metrics-report".to_owned()).stack_size(STACK);
        if thread.spawn(move || queue.tell_all()).is_err() {
            self.entries().taken_in = None;
        }
    }

    fn tell_all(&self) {
        DOING.set(Doing::CallingHooks);
        standard_error::ignore_broken_pipes();
        while let Some(entry) = self.next() {
            match entry {
                QueuedLine::Line(line, untold) => {
                    self.tell(&line);
                    drop(untold);
                }
                QueuedLine::Flush(sender) => {
                    // The caller of `flush` may have stopped waiting.
                    let _ = sender.send(());
                }
            }
        }
    }

    /// The next entry; `None` if the thread should end.
    fn next(&self) -> Option<QueuedLine> {
        let dropped = self.dropped.swap(0, Relaxed);
        if dropped > 0 {
            self.tell(&format!(
                "{dropped} reports were dropped: they came faster than they are read, or from within an allocation"
            ));
        }
        let mut entries = self.entries();
        let entry = entries.waiting.pop_front();
        if entry.is_none() {
            entries.taken_in = None;
        }
        entry
    }

    fn tell(&self, line: &str) {
        // A hook that panics loses its line and nothing else.
        let _ = contained(|| (self.hook)(line));
    }

    fn entries(&self) -> LockGuard<'_, Entries> {
        let mut entries = self.entries.lock();
        entries.leave_to_parent();
        entries
    }
}

impl Entries {
    fn push(&mut self, entry: QueuedLine) -> bool {
        let lines = self.waiting.iter().filter(|entry| matches!(entry, QueuedLine::Line(..))).count();
        let has_room = match entry {
            QueuedLine::Line(..) => lines < MOST,
            QueuedLine::Flush(_) => self.waiting.len() - lines < MOST,
        };
        if has_room {
            self.waiting.push_back(entry);
        }
        has_room
    }

    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.taken_in.is_none()
    }

    /// In a forked process: the waiting lines are delivered by the thread of the parent.
    fn leave_to_parent(&mut self) {
        if self.taken_in.is_some_and(|generation| generation != lock::generation()) {
            self.taken_in = None;
            self.waiting.clear();
        }
    }
}
