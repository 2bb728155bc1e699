//! Calls that are recorded in a bot's own family: `#[timed]` and `#[counted]`.

use super::guard::Guard;
use crate::Outcome;
use crate::clock::{self, Clock};
use crate::families::custom::{Counter, Histogram};
use crate::outcome::ends::{CallEnd, On};

/// A declared family with a value for each of its labels.
pub trait Declared {
    /// What records to the series.
    type Handle;

    /// Without the namespace.
    const NAME: &'static str;

    /// The family without values as yet.
    fn blank() -> Self;

    /// The series' handle.
    fn handle(self) -> Self::Handle;
}

/// What takes durations.
#[diagnostic::on_unimplemented(
    message = "`#[timed]` records to a histogram, not to a `{Self}`",
    label = "this family is no histogram",
    note = "declare a `histogram` in `metrics!` for it; what counts calls is `#[counted]`"
)]
pub trait TakesDurations {
    /// Begins to take the time.
    fn start(self) -> TimedGuard;
}

/// What counts.
#[diagnostic::on_unimplemented(
    message = "`#[counted]` records to a counter, not to a `{Self}`",
    label = "this family is no counter",
    note = "declare a `counter` in `metrics!` for it; what takes the time of calls is `#[timed]`"
)]
pub trait TakesCounts {
    /// Waits for one of these ends.
    fn start(self, on: On) -> CountedGuard;
}

/// The name of the family that a pattern says.
#[must_use]
pub const fn family_name<F: Declared>(_: fn(F)) -> &'static str {
    F::NAME
}

/// The family that a pattern says, without values as yet.
#[inline]
#[must_use]
pub fn blank<F: Declared>() -> F {
    F::blank()
}

/// Begins to take the time of a call.
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
        // As late as can be: what was done above is not the call's.
        clock::now_unless_inside()
            .map_or_else(TimedGuard::lost, |began| TimedGuard { histogram: self, began })
    }
}

impl TakesCounts for Counter {
    #[inline]
    fn start(self, on: On) -> CountedGuard {
        CountedGuard { counter: self, on }
    }
}

/// A call whose duration is observed however it ends.
#[derive(Debug)]
pub struct TimedGuard {
    histogram: Histogram,
    began: u64,
}

impl TimedGuard {
    /// Of a call that an allocator makes while the clock is made.
    #[cold]
    fn lost() -> Self {
        Self { histogram: Histogram::LOST, began: 0 }
    }
}

impl Guard for TimedGuard {
    type Verdict = Outcome;
    type Waits = ();

    #[inline]
    fn finish(self, outcome: Outcome) {
        // However it ended: otherwise what hangs would make the others look better. A skip is no call.
        if outcome == Outcome::Skipped {
            return;
        }
        // Where there is no time now there was none when it began.
        let took = clock::now_unless_inside().map_or(0, |now| now.saturating_sub(self.began));
        self.histogram.observe(if took == 0 { 0.0 } else { Clock::System.scale().seconds(took) });
    }

    #[inline]
    fn abandon(self, outcome: Outcome) {
        self.finish(outcome);
    }
}

/// A call that counts if it ends in a certain way.
#[derive(Debug)]
pub struct CountedGuard {
    counter: Counter,
    on: On,
}

impl CountedGuard {
    /// One body for both ways to end: where it is inlined twice, a call takes four instructions more.
    #[inline]
    fn end(self, end: CallEnd) {
        if self.on.include_end(end) {
            self.counter.increment();
        }
    }
}

impl Guard for CountedGuard {
    type Verdict = Outcome;
    type Waits = ();

    #[inline]
    fn finish(self, outcome: Outcome) {
        self.end(CallEnd::returned(outcome));
    }

    #[inline]
    fn abandon(self, outcome: Outcome) {
        self.end(CallEnd::abandoned(outcome));
    }
}
