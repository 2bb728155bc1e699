//! Reports of the library's own problems, to a hook or on standard error.
//!
//! A report costs its caller no more than a short lock: a separate thread calls the hook, with a bounded [`queue`] in
//! between, and [limits](limit) keep a persistent problem from filling the log.

mod exit;
mod limit;
mod queue;
mod standard_error;

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::limit::ReportLimits;
pub(crate) use self::limit::Topic;
use self::queue::Queue;
pub use self::queue::ReportHook;
use crate::lock::{self, Lock};
use crate::panics::contained;
use crate::shown::shown;

/// The maximum number of bytes of a line.
pub(crate) const LONGEST_LINE: usize = 2_000;

/// The time for which the end of an object, such as a server, waits until its last reports are delivered.
#[cfg(feature = "server")]
pub(crate) const LAST_REPORTS: Duration = Duration::from_millis(100);

/// The state of a thread with respect to reports, so that none causes another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    Nothing,
    /// It is sending a report.
    Telling,
    /// It calls hooks, for its whole life.
    CallingHooks,
}

thread_local! {
    static DOING: Cell<Doing> = const { Cell::new(Doing::Nothing) };
}

/// Sends reports to a hook. Clones share the hook, its limits and its queue.
#[derive(Clone)]
pub(crate) struct Report {
    limits: Arc<Lock<ReportLimits>>,
    queue: Arc<Queue>,
}

impl Report {
    pub(crate) fn new(hook: ReportHook) -> Self {
        Self { limits: Arc::default(), queue: Arc::new(Queue::new(hook)) }
    }

    /// Sends `line`, unless the limit of this topic and source is used up; the next line of the topic counts the
    /// suppressed ones. A `place` is a source location, a page, the name of a family, or empty.
    ///
    /// Neither blocks nor panics. If called by an allocator under one of the library's locks, or while another report
    /// is sent, it only counts the line as dropped. If called by a hook it does nothing, because each line would
    /// cause another.
    pub(crate) fn tell(&self, topic: Topic, place: impl fmt::Display, line: impl fmt::Display) -> bool {
        self.tell_at(Instant::now(), topic, &place, &line)
    }

    fn tell_at(&self, now: Instant, topic: Topic, place: &dyn fmt::Display, line: &dyn fmt::Display) -> bool {
        match DOING.get() {
            Doing::CallingHooks => return false,
            // An allocator inside a lock must not wait for the lock under which it was called.
            Doing::Nothing if !lock::is_inside() => DOING.set(Doing::Telling),
            Doing::Nothing | Doing::Telling => {
                self.queue.drop_line();
                return false;
            }
        }
        let is_sent = contained(|| {
            let place = place.to_string();
            let permit = self.limits.lock().permit(topic, &place, now)?;
            let line = line.to_string();
            Some(self.queue.send(format!("{}{permit}", shown(&line).up_to(LONGEST_LINE))))
        });
        DOING.set(Doing::Nothing);
        is_sent.ok().flatten().unwrap_or(false)
    }

    /// Waits until all reports so far are delivered to the hook, `timeout` at most, and returns whether they are.
    #[cfg_attr(
        not(any(test, feature = "server", feature = "test-util")),
        expect(dead_code, reason = "a server's end and tests wait")
    )]
    pub(crate) fn flush(&self, timeout: Duration) -> bool {
        DOING.get() == Doing::Nothing && self.queue.flush(timeout)
    }
}

/// The reports of all instances without a hook share one limit and go to standard error.
impl Default for Report {
    fn default() -> Self {
        static STANDARD_ERROR: lock::Once<Report> = lock::Once::new();
        STANDARD_ERROR.get_or_init(|| Self::new(Arc::new(standard_error::write))).clone()
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use super::*;

    /// Far longer than any step of these tests.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// A report, and the lines with which its hook was called.
    fn report() -> (Report, Arc<Mutex<Vec<String>>>) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        (Report::new(Arc::new(move |line: &str| kept.lock().unwrap().push(line.to_owned()))), lines)
    }

    #[test]
    fn lines_are_delivered_in_order_with_the_number_of_suppressed_ones() {
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

    /// As by an allocator that is called while a report is sent, or under one of the library's locks.
    #[test]
    fn reports_sent_while_sending_or_inside_a_lock_are_counted_as_dropped() {
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

    /// The hook's end is what matters, not the caller's.
    #[test]
    fn while_a_hook_blocks_lines_wait_and_those_over_the_limit_are_counted() {
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
