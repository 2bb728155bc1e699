//! Tells of trouble, but never so often that the telling becomes the trouble.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Report;

/// At most this many lines in any minute: enough to see that trouble lasts. A listener without this limit
/// wrote 4.98 GB of log while it was out of file descriptors.
const LINES_A_MINUTE: usize = 10;
const MINUTE: Duration = Duration::from_mins(1);

pub(super) struct Reporter {
    report: Report,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    last: VecDeque<Instant>,
    withheld: u64,
}

impl Reporter {
    pub(super) fn new(report: Report) -> Self {
        Self { report, told: Mutex::default() }
    }

    pub(super) fn tell(&self, line: &str) {
        self.tell_at(Instant::now(), line);
    }

    fn tell_at(&self, now: Instant, line: &str) {
        let Some(withheld) = self.told.lock().unwrap_or_else(PoisonError::into_inner).permit(now) else {
            return;
        };
        let line = match withheld {
            0 => line.to_owned(),
            _ => format!("{line} ({withheld} earlier reports withheld)"),
        };
        // A hook that panics costs its line, not the server.
        let _ = catch_unwind(AssertUnwindSafe(|| (self.report)(&line)));
    }
}

impl Told {
    /// How many lines were withheld before this one, or nothing if this one has to be withheld too.
    fn permit(&mut self, now: Instant) -> Option<u64> {
        self.last.retain(|told| now.saturating_duration_since(*told) < MINUTE);
        if self.last.len() >= LINES_A_MINUTE {
            self.withheld += 1;
            return None;
        }
        self.last.push_back(now);
        Some(std::mem::take(&mut self.withheld))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, Instant};

    use super::{LINES_A_MINUTE, MINUTE, Reporter};

    #[test]
    fn ten_lines_a_minute_and_a_count_of_the_rest() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let reporter = Reporter::new(Arc::new({
            let lines = Arc::clone(&lines);
            move |line: &str| lines.lock().unwrap().push(line.to_owned())
        }));
        let start = Instant::now();
        for second in 0..59 {
            reporter.tell_at(start + Duration::from_secs(second), "trouble");
        }
        assert_eq!(lines.lock().unwrap().len(), LINES_A_MINUTE);
        reporter.tell_at(start + MINUTE, "trouble");
        assert_eq!(lines.lock().unwrap().last().unwrap(), "trouble (49 earlier reports withheld)");
        reporter.tell_at(start + MINUTE, "trouble");
        assert_eq!(lines.lock().unwrap().len(), LINES_A_MINUTE + 1);
    }

    #[test]
    fn a_hook_that_panics_is_survived() {
        let reporter = Reporter::new(Arc::new(|_: &str| panic!("hook")));
        reporter.tell("trouble");
        reporter.tell("trouble");
    }
}
