//! Where trouble of the library's own is told: to a hook, or on standard error.
//!
//! A report never costs the code that it comes from more than a short lock: a thread of its own calls the hook, with a
//! bounded [`queue`] in between, and [limits](limit) keep trouble that lasts from filling the log.

mod exit;
mod limit;
mod queue;
mod standard_error;

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::limit::Limits;
use self::queue::Queue;
use crate::lock::{self, Lock};
use crate::shown::shown;

/// What a bot does with a line about trouble of the library's own.
///
/// It is called on a thread of its own, with one line at a time. While it blocks up to 64 lines wait; those beyond are
/// dropped and counted in a later line. Reports that it causes itself are not told.
pub type ReportHook = Arc<dyn Fn(&str) + Send + Sync>;

/// How many bytes a line may have.
pub(crate) const LONGEST_LINE: usize = 2_000;

/// How long the end of something, such as a server, waits until its last reports are told.
#[cfg(feature = "server")]
pub(crate) const LAST_REPORTS: Duration = Duration::from_millis(100);

/// What a report is about. Each has a limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// The time stamp counter is not used.
    Clock,
    /// Something is recorded and no settings are installed.
    NotInstalled,
    /// The server serves no metrics, since they are switched off.
    #[cfg(feature = "server")]
    SwitchedOff,
    /// Two places give one subsystem different ages.
    MaxAge,
    /// A foreign collector failed, or families of it are not served.
    Foreign,
    /// More reconciliations than have names of their own.
    Reconciliations,
    /// An event of a type that is not known.
    #[cfg(feature = "tracing")]
    EventType,
    /// A connection was not accepted.
    #[cfg(feature = "server")]
    Accept,
    /// A server was dropped before it could be of use.
    #[cfg(feature = "server")]
    ServerDropped,
    /// A page took too long.
    #[cfg(feature = "server")]
    LatePage,
    /// A page panicked.
    #[cfg(feature = "server")]
    BrokenPage,
}

/// Tells trouble to a hook. Clones share the hook, its limits and its queue.
#[derive(Clone)]
pub(crate) struct Report(Arc<Reporter>);

struct Reporter {
    limits: Lock<Limits>,
    queue: Arc<Queue>,
}

/// What a thread is doing about reports.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    Nothing,
    /// It tells one.
    Telling,
    /// It calls hooks, as long as it lives.
    CallingHooks,
}

thread_local! {
    static DOING: Cell<Doing> = const { Cell::new(Doing::Nothing) };
}

impl Report {
    pub(crate) fn new(hook: ReportHook) -> Self {
        Self(Arc::new(Reporter { limits: Lock::default(), queue: Arc::new(Queue::new(hook)) }))
    }

    /// Tells `line`, unless the limit of this topic and place is used up: the next line of the topic counts those that
    /// were suppressed. A `place` is a source file with its line, a page, the name of a family, or empty.
    ///
    /// It neither blocks nor panics. Called by an allocator that was called under one of our locks, or for another report,
    /// it only counts the line as dropped. Called by a hook it does nothing, or each line would cause the next.
    pub(crate) fn tell(&self, topic: Topic, place: impl fmt::Display, line: impl fmt::Display) -> bool {
        self.tell_at(Instant::now(), topic, &place, &line)
    }

    fn tell_at(&self, now: Instant, topic: Topic, place: &dyn fmt::Display, line: &dyn fmt::Display) -> bool {
        if DOING.get() == Doing::CallingHooks {
            return false;
        }
        let Some(_telling) = Telling::begin() else {
            self.0.queue.drop_line();
            return false;
        };
        let place = place.to_string();
        let permit = self.0.limits.hold().permit(topic, &place, now);
        permit.is_some_and(|permit| {
            let line = line.to_string();
            self.0.queue.send(format!("{}{permit}", shown(&line).up_to(LONGEST_LINE)))
        })
    }

    /// Waits until all that was told is with the hook, `timeout` at most, and says whether it is.
    #[cfg_attr(
        not(any(test, feature = "server", feature = "test-util")),
        expect(dead_code, reason = "a server's end and tests wait")
    )]
    pub(crate) fn flush(&self, timeout: Duration) -> bool {
        DOING.get() == Doing::Nothing && self.0.queue.flush(timeout)
    }
}

/// The reports of all instances without a hook share one limit and go to standard error.
impl Default for Report {
    fn default() -> Self {
        static STANDARD_ERROR: lock::Once<Report> = lock::Once::new();
        STANDARD_ERROR.get_or_make(|| Self::new(Arc::new(standard_error::write))).clone()
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report").finish_non_exhaustive()
    }
}

/// A thread that tells a report, until dropped.
struct Telling;

impl Telling {
    /// Nothing where this thread already does, or is inside a lock: an allocator may have called, and must not wait for
    /// the lock that it was called under.
    fn begin() -> Option<Self> {
        let begins = !lock::is_inside() && DOING.get() == Doing::Nothing;
        begins.then(|| {
            DOING.set(Doing::Telling);
            Self
        })
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        DOING.set(Doing::Nothing);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use super::*;

    /// Far longer than anything here takes.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// A report, and what its hook was called with.
    fn report() -> (Report, Arc<Mutex<Vec<String>>>) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        (Report::new(Arc::new(move |line: &str| kept.lock().unwrap().push(line.to_owned()))), lines)
    }

    #[test]
    fn lines_are_told_in_order_with_what_was_suppressed() {
        let (report, lines) = report();
        let start = Instant::now();
        for second in 0..59 {
            report.tell_at(
                start + Duration::from_secs(second),
                Topic::Clock,
                &"",
                &format_args!("trouble {second}"),
            );
        }
        report.tell_at(start + Duration::from_mins(1), Topic::Clock, &"", &"trouble 60");
        assert!(report.flush(PATIENCE));
        assert_eq!(
            *lines.lock().unwrap(),
            [
                "trouble 0",
                "trouble 1",
                "trouble 2 (more within this minute are suppressed)",
                "trouble 60 (56 more suppressed)"
            ]
        );
    }

    #[test]
    fn a_line_is_escaped_and_cut() {
        let (report, lines) = report();
        report.tell(Topic::Clock, "", "\x1b[2J\n");
        report.tell(Topic::Clock, "", "x".repeat(3_000));
        assert!(report.flush(PATIENCE));
        let lines = lines.lock().unwrap();
        assert_eq!(lines[0], "\\u{1b}[2J\\n");
        assert!(lines[1].ends_with("x… (3000 bytes)") && lines[1].len() < LONGEST_LINE + 50, "{}", lines[1]);
    }

    /// As an allocator does that is called by what is told, or under one of our locks.
    #[test]
    fn what_is_told_while_telling_or_inside_a_lock_is_counted_as_dropped() {
        struct Tells<'a>(&'a Report);
        impl fmt::Display for Tells<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.tell(Topic::MaxAge, "", "nested");
                f.write_str("trouble")
            }
        }
        let (report, lines) = report();
        let inside = lock::enter();
        report.tell(Topic::MaxAge, "", "inside");
        drop(inside);
        report.tell(Topic::Clock, "", Tells(&report));
        assert!(report.flush(PATIENCE));
        let lines = lines.lock().unwrap();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines.iter().any(|line| line == "trouble"), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("2 reports were dropped")), "{lines:?}");
    }

    /// It ends with the hook, not with the caller.
    #[test]
    fn while_a_hook_blocks_lines_wait_and_those_beyond_are_counted() {
        let (entered, begun) = mpsc::channel();
        let (release, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        let report = Report::new(Arc::new(move |line: &str| {
            let _ = entered.send(());
            let _ = gate.lock().unwrap().recv();
            kept.lock().unwrap().push(line.to_owned());
        }));
        let start = Instant::now();
        let tell = |minute: u64| {
            report.tell_at(
                start + Duration::from_mins(minute),
                Topic::Clock,
                &"",
                &format_args!("trouble {minute}"),
            );
        };
        tell(0);
        begun.recv_timeout(PATIENCE).unwrap();
        assert!(!report.flush(Duration::from_millis(1)), "it blocks");
        (1..=100).for_each(tell);
        drop(release);
        assert!(report.flush(PATIENCE));
        let lines = lines.lock().unwrap();
        let told = lines.iter().filter(|line| line.starts_with("trouble")).count();
        assert_eq!((told, lines.len()), (1 + queue::MOST, 2 + queue::MOST), "{lines:?}");
        let dropped = format!("{} reports were dropped", 100 - queue::MOST);
        assert!(lines.iter().any(|line| line.starts_with(&dropped)), "{lines:?}");
    }
}
