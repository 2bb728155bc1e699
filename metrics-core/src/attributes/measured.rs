//! Calls that are recorded in a bot's own family: `#[timed]` and `#[counted]`.

use super::guards::{EndGuard, Guard};
use crate::Outcome;
use crate::clock;
use crate::families::custom::{Counter, Histogram};
use crate::outcome::ends::{CallEnd, On};

/// A declared family with a value for each of its labels.
pub trait Declared {
    /// The handle that records to the series.
    type Handle;

    /// The name without the namespace.
    const NAME: &'static str;

    /// The family without label values.
    fn blank() -> Self;

    /// The handle of the series.
    fn handle(self) -> Self::Handle;
}

/// A handle that observes durations.
#[diagnostic::on_unimplemented(
    message = "`#[timed]` records to a histogram, not to a `{Self}`",
    label = "this family is not a histogram",
    note = "declare a `histogram` in `metrics!` for it; use `#[counted]` to count calls"
)]
pub trait TakesDurations {
    /// Begins to measure the duration.
    fn start(self) -> TimedGuard;
}

/// A handle that counts.
#[diagnostic::on_unimplemented(
    message = "`#[counted]` records to a counter, not to a `{Self}`",
    label = "this family is not a counter",
    note = "declare a `counter` in `metrics!` for it; use `#[timed]` to measure durations"
)]
pub trait TakesCounts {
    /// Begins a call that counts if it ends in one of these ways.
    fn start(self, on: On) -> CountedGuard;
}

/// The name of the family in a pattern.
#[must_use]
pub const fn family_name<F: Declared>(_: fn(F)) -> &'static str {
    F::NAME
}

/// The family in a pattern, without label values.
#[inline]
#[must_use]
pub fn blank<F: Declared>() -> F {
    F::blank()
}

/// Begins to measure the duration of a call.
#[inline]
pub fn timed<H: TakesDurations>(handle: H) -> TimedGuard {
    handle.start()
}

/// Begins a call that is to be counted.
pub fn counted<H: TakesCounts>(handle: H, on: On) -> CountedGuard {
    handle.start(on)
}

impl TakesDurations for Histogram {
    #[inline]
    fn start(self) -> TimedGuard {
        // Read the clock last, so that set-up above is not counted as call time.
        match clock::now_unless_inside() {
            Some(began) => TimedGuard { histogram: self, began },
            // An allocator makes this call while the clock is being created.
            None => TimedGuard { histogram: Histogram::LOST, began: 0 },
        }
    }
}

impl TakesCounts for Counter {
    #[inline]
    fn start(self, on: On) -> CountedGuard {
        CountedGuard { counter: self, on }
    }
}

/// A call whose duration is observed for every outcome.
#[derive(Debug)]
pub struct TimedGuard {
    histogram: Histogram,
    began: u64,
}

impl Guard for TimedGuard {
    type Verdict = Outcome;
    type Waits = ();

    #[inline]
    fn finish(self, outcome: Outcome) {
        // For every outcome, because a call that hangs must not make the others look better. A skipped call did
        // nothing.
        if outcome != Outcome::Skipped {
            self.histogram.observe(clock::seconds_since(self.began));
        }
    }

    #[inline]
    fn abandon(self, outcome: Outcome) {
        self.finish(outcome);
    }
}

/// A call that counts if it ends in a given way.
#[derive(Debug)]
pub struct CountedGuard {
    counter: Counter,
    on: On,
}

impl EndGuard for CountedGuard {
    /// One body for both ways to end: inlined twice, it costs a call four more instructions.
    #[inline]
    fn end(self, end: CallEnd) {
        if self.on.include(end) {
            self.counter.increment();
        }
    }
}
