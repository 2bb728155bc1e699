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
    fn newest(&self, newest: u32) -> impl Iterator<Item = usize> {
        (1..=newest.min(REMEMBERED)).map(|n| place(self.noted.get().wrapping_sub(n)))
    }

    /// What was waited since `began`, in the newest so many waits.
    fn since(&self, began: u64, newest: u32) -> u64 {
        waited(began, self.newest(newest).map(|place| self.last[place].get()))
    }

    /// The same without what belongs to futures, and with a wait that ends now, if there is one.
    fn of_no_future_since(&self, began: u64, newest: u32, now: Option<(u64, u64)>) -> u64 {
        let of_no_future = |place: &usize| self.of_futures.get() & 1 << place == 0;
        let noted = self.newest(newest).filter(of_no_future).map(|place| self.last[place].get());
        waited(began, now.into_iter().chain(noted))
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

/// What a handle's attempt has waited for, which began on this thread and may be any task's: what measured futures found
/// in their polls is theirs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    /// So many waits of this thread are subtracted already, if any.
    subtracted: Option<u32>,
}

impl Attempt {
    pub(crate) const NEW: Self = Self { subtracted: None };

    /// What is to be subtracted from an attempt that began then, with a wait that ends now, if there is one.
    pub(crate) fn subtract(&mut self, began: u64, now: Option<(u64, u64)>) -> u64 {
        WAITS.with(|waits| {
            let noted = waits.noted.get();
            let newest = self.subtracted.map_or(REMEMBERED, |subtracted| noted.wrapping_sub(subtracted));
            self.subtracted = Some(noted);
            waits.of_no_future_since(began, newest, now)
        })
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
}
