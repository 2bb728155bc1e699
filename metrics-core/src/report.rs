//! Where trouble of the library's own is told: never to the code that it measures.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a bot does with a line of trouble.
pub type ReportHook = Arc<dyn Fn(&str) + Send + Sync>;

/// Lines that may be told in a row; and as many again each minute.
const LINES_A_MINUTE: u32 = 10;

/// Tells trouble to a hook, a bounded number of lines a minute.
#[derive(Clone)]
pub(crate) struct Report {
    hook: ReportHook,
    budget: Arc<Mutex<Budget>>,
}

impl Report {
    pub(crate) fn new(hook: ReportHook) -> Self {
        Self { hook, budget: Arc::default() }
    }

    /// Tells `line`, unless too many were told within this minute; the next one says how many were kept back.
    pub(crate) fn tell(&self, line: &str) {
        let spent = self.budget.lock().unwrap_or_else(PoisonError::into_inner).spend(Instant::now());
        match spent {
            Spent::Nothing => {}
            Spent::Line { kept_back: 0 } => (self.hook)(line),
            Spent::Line { kept_back } => {
                (self.hook)(&format!("{line} ({kept_back} lines before it were kept back)"));
            }
        }
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

#[derive(Debug, Default)]
struct Budget {
    window: Option<Instant>,
    told: u32,
    kept_back: u64,
}

#[derive(Debug, PartialEq)]
enum Spent {
    Nothing,
    Line { kept_back: u64 },
}

impl Budget {
    fn spend(&mut self, now: Instant) -> Spent {
        let fresh = self.window.is_none_or(|begun| now.duration_since(begun) >= Duration::from_mins(1));
        if fresh {
            self.window = Some(now);
            self.told = 0;
        }
        if self.told == LINES_A_MINUTE {
            self.kept_back += 1;
            return Spent::Nothing;
        }
        self.told += 1;
        Spent::Line { kept_back: std::mem::take(&mut self.kept_back) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_to_a_few_lines_a_minute_and_says_how_many_it_cut() {
        let mut budget = Budget::default();
        let start = Instant::now();
        let told = (0..1000).filter(|_| budget.spend(start) != Spent::Nothing).count();
        assert_eq!(told, 10);
        let later = start + Duration::from_secs(61);
        assert_eq!(budget.spend(later), Spent::Line { kept_back: 990 });
        assert_eq!(budget.spend(later), Spent::Line { kept_back: 0 });
    }
}
