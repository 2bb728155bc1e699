//! Local waiting inside an exchange call: what is not the exchange's latency.
//!
//! Whoever waited notes from when to when on his thread. A synchronous call finds at its end what was noted since its
//! beginning; a future finds after each poll what was noted meanwhile, wherever it is polled, and what it holds when it
//! is dropped. Neither costs a call that waits for nothing: the one goes the quick way unless something was noted on its
//! thread, the other compares a word.

use std::cell::Cell;
use std::fmt;

use crate::clock;
use crate::storage::end_slowly_next;

/// Waits within one synchronous attempt, or one poll, that are told apart; what is older is not subtracted.
const REMEMBERED: u32 = 32;

thread_local! {
    static WAITS: Waits = const {
        Waits {
            noted: Cell::new(0),
            last: [const { Cell::new((0, 0)) }; REMEMBERED as usize],
            of_futures: Cell::new(0),
        }
    };
}

/// What was noted on a thread, in ticks. Nothing in it is ever dropped, so that it can be used in a thread that is ending.
struct Waits {
    /// How many, wrapped: whoever looks has seen the last few.
    noted: Cell<u32>,
    /// From when to when, each at its number's place.
    last: [Cell<(u64, u64)>; REMEMBERED as usize],
    /// Which of these a future found after its poll, a bit for each place.
    of_futures: Cell<u32>,
}

impl Waits {
    fn note(&self, from: u64, to: u64) {
        let number = self.noted.get();
        self.last[place(number)].set((from, to));
        self.of_futures.set(self.of_futures.get() & !(1 << place(number)));
        self.noted.set(number.wrapping_add(1));
    }

    /// The places of the newest so many waits, the newest first.
    fn newest(&self, newest: u32) -> impl DoubleEndedIterator<Item = usize> {
        (1..=newest.min(REMEMBERED)).map(|n| place(self.noted.get().wrapping_sub(n)))
    }

    /// What was waited since `began`, in the newest so many waits.
    fn since(&self, began: u64, newest: u32) -> u64 {
        waited(began, self.newest(newest).map(|place| self.last[place].get()))
    }

    /// The newest so many waits that belong to no future, the oldest first.
    fn of_no_future(&self, newest: u32) -> impl Iterator<Item = (u64, u64)> {
        let of_no_future = |place: &usize| self.of_futures.get() & 1 << place == 0;
        self.newest(newest).rev().filter(of_no_future).map(|place| self.last[place].get())
    }

    /// Gives the newest so many to the future that was polled meanwhile.
    fn give_to_future(&self, newest: u32) {
        let bits = self.newest(newest).fold(0, |bits, place| bits | 1 << place);
        self.of_futures.set(self.of_futures.get() | bits);
    }
}

/// How long these waits, the newest first, lasted since `began`; of waits one in the other, the outer.
fn waited(began: u64, newest_first: impl Iterator<Item = (u64, u64)>) -> u64 {
    let (mut waited, mut counted_from) = (0, u64::MAX);
    for (from, to) in newest_first.take_while(|(_, to)| *to > began) {
        let from = from.max(began);
        waited += to.min(counted_from).saturating_sub(from);
        counted_from = counted_from.min(from);
    }
    waited
}

fn place(number: u32) -> usize {
    (number % REMEMBERED) as usize
}

/// How many waits were noted on this thread: a difference tells how many in between.
#[inline]
pub(crate) fn noted() -> u32 {
    WAITS.with(|waits| waits.noted.get())
}

/// What was noted on this thread since `began`.
pub(crate) fn since(began: u64) -> u64 {
    WAITS.with(|waits| waits.since(began, REMEMBERED))
}

/// The same of what was noted since so many waits were, while a future was polled.
pub(crate) fn polled_since_beyond(began: u64, noted: u32) -> u64 {
    WAITS.with(|waits| {
        let newest = waits.noted.get().wrapping_sub(noted);
        waits.give_to_future(newest);
        waits.since(began, newest)
    })
}

/// What a handle's attempt has waited for. What is noted on the thread that it began on may be any task's: what measured
/// futures found in their polls is theirs.
///
/// One that waited for nothing costs a word, not what is known of the others.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attempt {
    New,
    Waited {
        /// So many waits of the thread that it began on are subtracted already, if any.
        noted: Option<u32>,
        subtracted: Subtracted,
    },
}

impl Attempt {
    /// What is to be subtracted from an attempt with a wait of its own that ends now, if there is one; and with those that
    /// are noted here since it began, if that was on this thread. `began` is without what was subtracted before.
    pub(crate) fn subtract(&mut self, began: Option<u64>, own: Option<(u64, u64)>) -> u64 {
        let (mut noted, mut subtracted) = match *self {
            Self::New => (None, Subtracted::NOTHING),
            Self::Waited { noted, subtracted } => (noted, subtracted),
        };
        let before = subtracted.total();
        if let Some(began) = began {
            let began = began.wrapping_sub(before);
            WAITS.with(|waits| {
                let now = waits.noted.get();
                let newest = noted.map_or(REMEMBERED, |noted| now.wrapping_sub(noted));
                for (from, to) in waits.of_no_future(newest) {
                    subtracted.add(from.max(began), to);
                }
                noted = Some(now);
            });
        }
        if let Some((from, to)) = own {
            subtracted.add(from, to);
        }
        *self = Self::Waited { noted, subtracted };
        subtracted.total().saturating_sub(before)
    }
}

/// Spans of an attempt that are told apart. Of more, the oldest are one: a wait that began between those counts as if it
/// had waited for all of them.
const SPANS: usize = 4;

/// What was subtracted from an attempt, so that a wait around it counts for no more than the rest of it. The newest first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subtracted([Span; SPANS]);

/// From when to when something was subtracted, in ticks, and how much.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: u64,
    to: u64,
    waited: u64,
}

impl Span {
    const NONE: Self = Self { from: u64::MAX, to: 0, waited: 0 };

    /// Both, as one.
    fn and(self, other: Self) -> Self {
        Self {
            from: self.from.min(other.from),
            to: self.to.max(other.to),
            waited: self.waited + other.waited,
        }
    }

    /// How much of the other can be in this one.
    fn overlap(self, other: Self) -> u64 {
        let length = self.to.min(other.to).saturating_sub(self.from.max(other.from));
        length.min(self.waited).min(other.waited)
    }
}

impl Subtracted {
    const NOTHING: Self = Self([Span::NONE; SPANS]);

    fn total(&self) -> u64 {
        self.0.iter().map(|span| span.waited).sum()
    }

    fn add(&mut self, from: u64, to: u64) {
        if to <= from {
            return;
        }
        let new = Span { from, to, waited: to - from };
        let (mut whole, mut twice) = (new, 0);
        while self.0[0].to > from {
            twice += self.0[0].overlap(new);
            whole = whole.and(self.0[0]);
            self.0[0] = Span::NONE;
            self.0.rotate_left(1);
        }
        whole.waited = whole.waited.saturating_sub(twice);
        self.0[SPANS - 2] = self.0[SPANS - 2].and(self.0[SPANS - 1]);
        self.0[SPANS - 1] = whole;
        self.0.rotate_right(1);
    }
}

/// Says that from here on, until the returned guard is dropped, an exchange call waits for something of the bot's own: a
/// rate limiter, a backoff, a lock. Every measured exchange call around it subtracts that from its latency, however deep
/// it is nested and through whatever measured functions in between.
///
/// ```
/// use bot_metrics::prelude::*;
///
/// # struct Limiter;
/// # impl Limiter { async fn ready(&self) {} }
/// #[exchange_call(op = "place_order", exchange = "binance")]
/// async fn place_order(limiter: &Limiter) -> Result<(), std::io::Error> {
///     let waiting = bot_metrics::local_wait();
///     limiter.ready().await;
///     drop(waiting);
///     // … the request …
///     Ok(())
/// }
/// ```
///
/// It may be held across an `.await` and dropped on another thread. In one future, hold one at a time: of two, both are
/// subtracted. What waits in a task or a thread of its own is not the call's.
///
/// An attempt that a [handle](crate::ExchangeCall) began counts as measured where it ends on the thread that it began on.
/// Held across an `.await` it cannot know whose waits these are, since other tasks run on its thread meanwhile: what
/// measured futures waited for it leaves to them, all else it takes for its own. There, say
/// [`CallGuard::local_wait`](crate::CallGuard::local_wait).
///
/// Outside any measured call it does nothing.
#[must_use = "it waits as long as the guard lives"]
pub fn local_wait() -> LocalWait {
    LocalWait { from: clock::now_unless_inside() }
}

/// Local waiting that lasts; from [`local_wait`].
#[must_use = "it waits as long as the guard lives"]
pub struct LocalWait {
    /// None where an allocator began to wait while the clock was made.
    from: Option<u64>,
}

impl Drop for LocalWait {
    fn drop(&mut self) {
        let Some(from) = self.from else { return };
        let to = clock::now();
        WAITS.with(|waits| waits.note(from, to));
        end_slowly_next();
    }
}

impl fmt::Debug for LocalWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalWait").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_waited_since_a_beginning_counts_once_however_it_is_nested() {
        let waits = Waits {
            noted: Cell::new(0),
            last: [const { Cell::new((0, 0)) }; REMEMBERED as usize],
            of_futures: Cell::new(0),
        };
        for (from, to) in [(10, 20), (32, 34), (36, 38), (30, 40), (50, 60)] {
            waits.note(from, to);
        }
        assert_eq!(
            [0, 15, 25, 31, 45, 55, 60].map(|began| waits.since(began, REMEMBERED)),
            [30, 25, 20, 19, 10, 5, 0]
        );
        for n in 0..100 {
            waits.note(100 + 2 * n, 101 + 2 * n);
        }
        assert_eq!(waits.since(0, REMEMBERED), u64::from(REMEMBERED), "the newest");
        assert_eq!([0, 1, 2, 99].map(|newest| waits.since(0, newest)), [0, 1, 2, u64::from(REMEMBERED)]);
    }

    #[test]
    fn what_an_attempt_waited_for_counts_once_however_it_is_nested_and_in_how_many_spans() {
        let total = |waits: &[(u64, u64)]| {
            let mut subtracted = Subtracted::NOTHING;
            for (from, to) in waits {
                subtracted.add(*from, *to);
            }
            subtracted.total()
        };
        assert_eq!(total(&[(20, 30), (40, 50), (10, 70)]), 60, "one around two");
        assert_eq!(total(&[(1, 5), (20, 30), (40, 50), (10, 70)]), 64, "and one before");
        assert_eq!(total(&[(10, 30), (20, 40), (40, 50)]), 40, "one after the other's beginning");
        assert_eq!(total(&[(30, 40), (10, 20), (5, 50)]), 45, "one that another thread told first");
        let many: Vec<_> = (1..=50).map(|n| (10 * n, 10 * n + 5)).collect();
        assert_eq!(total(&many), 250);
        assert_eq!(total(&[&many[..], &[(0, 1_000)]].concat()), 1_000, "one around many");
        assert_eq!(
            total(&[&many[..], &[(474, 600)]].concat()),
            47 * 5 - 1 + 126,
            "one around the last three"
        );
    }

    #[test]
    fn an_attempts_wait_is_subtracted_once_where_it_goes_from_thread_to_thread() {
        let began = clock::now();
        let mut attempt = Attempt::New;
        let own = |from, to| Some((began + from, began + to));
        // On another thread, and back.
        let mut waited = attempt.subtract(None, own(20, 30));
        waited += attempt.subtract(Some(began + waited), own(40, 50));
        assert_eq!(waited, 20);
        WAITS.with(|waits| waits.note(began + 10, began + 70));
        waited += attempt.subtract(Some(began + waited), None);
        assert_eq!(waited, 60);
        WAITS.with(|waits| waits.note(began - 10, began + 80));
        waited += attempt.subtract(Some(began + waited), own(85, 90));
        assert_eq!(waited, 85, "from its beginning on");
    }
}
