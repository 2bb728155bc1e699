//! Where trouble of the library's own is told: never to the code that it measures, and never so often that the telling
//! becomes the trouble.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::lock::Lock;

/// What a bot does with a line of trouble. It may be called on any thread, the server's among them, so it must not
/// block.
pub type ReportHook = Arc<dyn Fn(&str) + Send + Sync>;

/// At most this many lines in any minute: enough to see that trouble lasts. A listener without this limit wrote 4.98 GB
/// of log while it was out of file descriptors.
const LINES_A_MINUTE: usize = 10;
const MINUTE: Duration = Duration::from_mins(1);

/// Tells trouble to a hook. Clones share the limit.
#[derive(Clone)]
pub(crate) struct Report {
    hook: ReportHook,
    told: Arc<Lock<Told>>,
}

#[derive(Default)]
struct Told {
    last: VecDeque<Instant>,
    withheld: u64,
}

impl Report {
    pub(crate) fn new(hook: ReportHook) -> Self {
        Self { hook, told: Arc::default() }
    }

    /// Tells `line`, unless too many were told within this minute; the next one says how many were withheld.
    pub(crate) fn tell(&self, line: &str) {
        self.tell_at(Instant::now(), line);
    }

    fn tell_at(&self, now: Instant, line: &str) {
        let Some(withheld) = self.told.hold().permit(now) else {
            return;
        };
        let line = match withheld {
            0 => line.to_owned(),
            _ => format!("{line} ({withheld} earlier reports withheld)"),
        };
        // A hook that panics costs its line and nothing else.
        let _ = catch_unwind(AssertUnwindSafe(|| (self.hook)(&line)));
    }
}

impl Default for Report {
    fn default() -> Self {
        Self::new(Arc::new(|line| eprintln!("bot-metrics: {line}")))
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report").finish_non_exhaustive()
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
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn ten_lines_a_minute_and_a_count_of_the_rest() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let report = Report::new(Arc::new({
            let lines = Arc::clone(&lines);
            move |line: &str| lines.lock().unwrap().push(line.to_owned())
        }));
        let start = Instant::now();
        for second in 0..59 {
            report.tell_at(start + Duration::from_secs(second), "trouble");
        }
        assert_eq!(lines.lock().unwrap().len(), LINES_A_MINUTE);
        report.tell_at(start + MINUTE, "trouble");
        assert_eq!(lines.lock().unwrap().last().unwrap(), "trouble (49 earlier reports withheld)");
        report.tell_at(start + MINUTE, "trouble");
        assert_eq!(lines.lock().unwrap().len(), LINES_A_MINUTE + 1);
    }

    #[test]
    fn a_hook_that_panics_is_survived() {
        let report = Report::new(Arc::new(|_: &str| panic!("hook")));
        report.tell("trouble");
        report.tell("trouble");
    }
}
