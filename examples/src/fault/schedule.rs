//! The times at which a fault begins and ends: `NAME[@AFTER[+FOR]]`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{Fault, UnknownFault};
use crate::duration::{DurationError, parse_duration};

/// A fault with its time window, counted from the start of the bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultWindow {
    /// The fault.
    pub fault: Fault,
    /// When it begins.
    pub after: Duration,
    /// Its duration; `None` means until the end.
    pub lasts: Option<Duration>,
}

/// The error of a malformed window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// The name before the `@`.
    #[error(transparent)]
    Fault(#[from] UnknownFault),
    /// The time between `@` and `+`.
    #[error("when the fault begins: {0}")]
    After(#[source] DurationError),
    /// The time after the `+`.
    #[error("how long the fault lasts: {0}")]
    Lasts(#[source] DurationError),
    /// A window of no length, which would have no effect.
    #[error("how long the fault lasts: `{0}` is no time at all; leave `+{0}` out for a fault to the end")]
    Empty(String),
}

impl FromStr for FaultWindow {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let (name, times) = text.split_once('@').map_or((text, None), |(name, times)| (name, Some(times)));
        let fault = name.parse()?;
        let (after, lasts) = match times.map(|times| times.split_once('+').ok_or(times)) {
            None => (None, None),
            Some(Err(after)) => (Some(after), None),
            Some(Ok((after, lasts))) => (Some(after), Some(lasts)),
        };
        let after = after.map_or(Ok(Duration::ZERO), parse_duration).map_err(WindowError::After)?;
        let lasts = lasts
            .map(|text| match parse_duration(text) {
                Ok(Duration::ZERO) => Err(WindowError::Empty(text.to_owned())),
                other => other.map_err(WindowError::Lasts),
            })
            .transpose()?;
        Ok(Self { fault, after, lasts })
    }
}

impl fmt::Display for FaultWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.fault)?;
        if self.after.is_zero() {
            f.write_str("from the start")?;
        } else {
            write!(f, "from {:?}", self.after)?;
        }
        match self.lasts {
            Some(lasts) => write!(f, " to {:?}", self.after + lasts),
            None => f.write_str(" to the end"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(fault: Fault, after_ms: u64, lasts_ms: Option<u64>) -> FaultWindow {
        FaultWindow {
            fault,
            after: Duration::from_millis(after_ms),
            lasts: lasts_ms.map(Duration::from_millis),
        }
    }

    #[test]
    fn reads_the_grammar() {
        for (text, expected) in [
            ("hang-trading", window(Fault::HangTrading, 0, None)),
            ("rate-limit@10s", window(Fault::RateLimit, 10_000, None)),
            ("blind-reconciliation@500ms+2m", window(Fault::BlindReconciliation, 500, Some(120_000))),
            ("negative-capital@0s+1ms", window(Fault::NegativeCapital, 0, Some(1))),
            ("remove-profile@1h", window(Fault::RemoveProfile, 3_600_000, None)),
            ("orphan-order@1s+1s", window(Fault::OrphanOrder, 1_000, Some(1_000))),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn names_what_is_wrong() {
        for (text, message) in [
            ("", "unknown fault ``; did you mean `"),
            ("hang", "unknown fault `hang`; did you mean `hang-trading`?"),
            ("Hang-Trading", "unknown fault `Hang-Trading`"),
            ("hang-trading+5s", "unknown fault `hang-trading+5s`"),
            ("hang-trading@", "when the fault begins: `` is not a duration"),
            ("hang-trading@5", "when the fault begins: `5` is not a duration: a whole number followed by"),
            ("hang-trading@+5s", "when the fault begins: `` is not"),
            ("hang-trading@5s+", "how long the fault lasts: `` is not"),
            ("hang-trading@5s+x", "how long the fault lasts: `x` is not"),
            ("hang-trading@5s+1s+1s", "how long the fault lasts: `1s+1s` is not"),
            ("hang-trading@5s@6s", "when the fault begins: `5s@6s` is not"),
            ("hang-trading@5s+0s", "how long the fault lasts: `0s` is no time at all"),
        ] {
            let error = text.parse::<FaultWindow>().unwrap_err().to_string();
            assert!(error.starts_with(message), "{text}: {error}");
        }
    }
}
