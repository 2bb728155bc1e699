//! The ends of a call that an attribute records.

use super::{ErrorClass, Outcome};
use crate::LabelValue as _;

/// A set of outcomes of a call, one bit for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct On(u16);

// An outcome or class that is not covered here has no word in metrics-macros/src/grammar/outcome_words.rs.
bot_metrics_macros::__on_constants!();

impl On {
    const NONE: Self = Self(0);
    const DEADLINE: Self = Self(1 << CallEnd::DEADLINE.0);

    const fn of(outcome: Outcome) -> Self {
        Self(1 << outcome as u8)
    }

    /// The union of both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set without the other's ends.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether it contains this end.
    #[inline]
    pub(crate) fn include(self, CallEnd(end): CallEnd) -> bool {
        self.0 & 1 << end != 0
    }
}

/// The end of a call, as the number of its bit in [`On`].
#[derive(Clone, Copy, Debug)]
pub struct CallEnd(u8);

impl CallEnd {
    /// The end of a call dropped by a deadline, which is a timeout although it returned no error.
    const DEADLINE: Self = Self(15);

    /// The end of a call that returned with this outcome.
    #[inline]
    pub(crate) fn returned(outcome: Outcome) -> Self {
        Self(outcome as u8)
    }

    /// The end of a call that did not return and has this outcome.
    #[inline]
    pub(crate) fn abandoned(outcome: Outcome) -> Self {
        if outcome == Outcome::Timeout { Self::DEADLINE } else { Self(outcome as u8) }
    }
}

const _: () = assert!(Outcome::VALUES.len() <= CallEnd::DEADLINE.0 as usize, "`On` has no bit left");

#[cfg(test)]
mod tests {
    use super::*;

    const ABANDONED: [Outcome; 3] = [Outcome::Panic, Outcome::Cancelled, Outcome::Timeout];

    /// The outcomes of a call that returns.
    fn returned() -> Vec<Outcome> {
        let classes = CLASSES.iter().map(|(_, outcome)| *outcome);
        [Outcome::Ok].into_iter().chain(classes).chain([Outcome::Error, Outcome::Skipped]).collect()
    }

    /// The ends in a set: those with a value, and those without.
    fn named(on: On) -> (Vec<Outcome>, Vec<Outcome>) {
        let returned = returned().into_iter().filter(|end| on.include(CallEnd::returned(*end))).collect();
        (returned, ABANDONED.into_iter().filter(|end| on.include(CallEnd::abandoned(*end))).collect())
    }

    #[test]
    fn each_end_is_in_the_sets_that_name_it() {
        assert_eq!(named(On::OK), (vec![Outcome::Ok], vec![]));
        let errors = returned()[1..returned().len() - 1].to_vec();
        assert_eq!(named(On::ERR), (errors, vec![]));
        assert_eq!(named(On::PANIC), (vec![], vec![Outcome::Panic]));
        assert_eq!(named(On::SKIPPED), (vec![Outcome::Skipped], vec![]));
        assert_eq!(named(On::RETURN), (returned(), vec![]));
        assert_eq!(named(On::ALWAYS), (returned(), ABANDONED.to_vec()));
        let classes = || CLASSES.iter().copied().chain([(On::OTHER, Outcome::Error)]);
        for (class, outcome) in classes() {
            let abandoned = if class == On::TIMEOUT { vec![Outcome::Timeout] } else { vec![] };
            assert_eq!(named(class), (vec![outcome], abandoned), "{outcome:?}");
        }
        assert_eq!(
            named(classes().map(|(class, _)| class).fold(On::OK, On::and).and(On::SKIPPED)).0,
            returned(),
            "nothing else"
        );
    }

    #[test]
    fn a_call_dropped_by_a_deadline_is_a_timeout_and_cancelled_but_not_an_error() {
        assert_eq!(named(On::CANCELLED), (vec![], vec![Outcome::Cancelled, Outcome::Timeout]));
        assert_eq!(named(On::CANCELLED.without(On::TIMEOUT)), (vec![], vec![Outcome::Cancelled]));
        let unknown = On::ERR.without(On::REJECTED).and(On::CANCELLED);
        let (returned, _) = named(unknown);
        assert!(returned.contains(&Outcome::Timeout) && !returned.contains(&Outcome::Rejected));
        assert!(unknown.include(CallEnd::abandoned(Outcome::Timeout)));
    }
}
