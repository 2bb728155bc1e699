//! The ways in which foreign code can fail a scrape.

/// The reason why a foreign source is missing from a scrape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    #[error("it panicked")]
    Panicked,
    #[error("it took longer than a second")]
    Late,
    #[error("no thread could be started for it")]
    NoThread,
    #[error("it cannot be exported")]
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
