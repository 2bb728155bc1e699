//! The ways in which foreign code can fail a scrape.

use std::fmt;

/// The reason why a foreign source is missing from a scrape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    Panicked,
    Late,
    NoThread,
    Invalid,
}

impl Failure {
    pub(super) const ALL: [Self; 4] = [Self::Panicked, Self::Late, Self::NoThread, Self::Invalid];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Panicked => "panic",
            Self::Late => "timeout",
            Self::NoThread => "no_thread",
            Self::Invalid => "invalid",
        }
    }
}

/// The values of the label `reason`.
#[cfg(feature = "linked-catalogue")]
pub(crate) const FAILURE_REASONS: [&str; Failure::ALL.len()] = {
    let [first, second, third, fourth] = Failure::ALL;
    [first.as_str(), second.as_str(), third.as_str(), fourth.as_str()]
};

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Panicked => "it panicked",
            Self::Late => "it took longer than a second",
            Self::NoThread => "no thread could be started for it",
            Self::Invalid => "it cannot be exported",
        })
    }
}
