//! The counts written by annotated test programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::workspace::files;

/// The counts of a crate's functions in all its test programs.
#[derive(Debug, Default)]
pub struct Counts {
    /// The number of test processes that called an annotated function and ended.
    pub processes: usize,
    /// Functions known to bot-metrics.
    pub linked: BTreeSet<usize>,
    /// The number of calls by function, for functions that were called.
    pub calls: BTreeMap<usize, u64>,
    /// The number of calls that had not ended at the end of their process.
    pub in_progress: u64,
    /// The functions whose counts differ.
    pub mismatches: Vec<Mismatch>,
}

/// A function for which bot-metrics recorded more or fewer calls than there were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    pub function: usize,
    pub calls: u64,
    pub ended: u64,
    pub in_progress: u64,
    /// The events, if the function has one for each end.
    pub events: Option<u64>,
}

impl Counts {
    /// Reads all files in a directory.
    ///
    /// # Errors
    ///
    /// If a file does not have the format of `call-counter`.
    pub fn of(directory: &Path) -> Result<Self, String> {
        let mut counts = Self::default();
        for file in files(directory).map_err(|error| error.to_string())? {
            let text = fs::read_to_string(&file).map_err(|error| error.to_string())?;
            counts.processes += 1;
            for line in text.lines() {
                counts
                    .add(line)
                    .ok_or_else(|| format!("{}: not a line of counts: {line:?}", file.display()))?;
            }
        }
        Ok(counts)
    }

    fn add(&mut self, line: &str) -> Option<()> {
        let mut words = line.split(' ');
        let mut number = || words.next()?.parse::<u64>().ok();
        let [function, calls, ended, in_progress] = [number()?, number()?, number()?, number()?];
        let events = match words.next()? {
            "-" => None,
            events => Some(events.parse().ok()?),
        };
        let function = usize::try_from(function).ok()?;
        self.linked.insert(function);
        if calls > 0 {
            *self.calls.entry(function).or_default() += calls;
        }
        self.in_progress += in_progress;
        if calls != ended + in_progress || events.is_some_and(|events| events != ended) {
            self.mismatches.push(Mismatch { function, calls, ended, in_progress, events });
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_was_not_recorded_is_a_mismatch() {
        let mut counts = Counts::default();
        for line in ["0 3 2 1 -", "1 3 3 0 3", "2 0 0 0 0"] {
            counts.add(line).unwrap();
        }
        assert!(counts.mismatches.is_empty());
        assert_eq!((counts.linked.len(), counts.calls.len(), counts.in_progress), (3, 2, 1));
        for line in ["3 3 2 0 -", "4 1 2 0 -", "5 2 2 0 1", "6 2 2 0 3"] {
            counts.add(line).unwrap();
        }
        assert_eq!(counts.mismatches.len(), 4);
        assert!(counts.add("7 1").is_none());
    }
}
