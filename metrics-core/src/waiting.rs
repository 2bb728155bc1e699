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
        Waits { noted: Cell::new(0), last: [const { Cell::new((0, 0)) }; REMEMBERED as usize] }
    };
}

/// What was noted on a thread, in ticks. Nothing in it is ever dropped, so that it can be used in a thread that is ending.
struct Waits {
    /// How many, wrapped: whoever looks has seen the last few.
    noted: Cell<u32>,
    /// From when to when, each at its number's place.
    last: [Cell<(u64, u64)>; REMEMBERED as usize],
}

impl Waits {
    fn note(&self, from: u64, to: u64) {
        let number = self.noted.get();
        self.last[place(number)].set((from, to));
        self.noted.set(number.wrapping_add(1));
    }

    /// What was waited since `began`, in the newest so many waits; of waits one in the other, the outer.
    fn since(&self, began: u64, newest: u32) -> u64 {
        let newest_first =
            (1..=newest.min(REMEMBERED)).map(|n| self.last[place(self.noted.get().wrapping_sub(n))].get());
        let (mut waited, mut counted_from) = (0, u64::MAX);
        for (from, to) in newest_first.take_while(|(_, to)| *to > began) {
            let from = from.max(began);
            waited += to.min(counted_from).saturating_sub(from);
            counted_from = counted_from.min(from);
        }
        waited
    }
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

/// The same of what was noted since so many waits were.
pub(crate) fn since_beyond(began: u64, noted: u32) -> u64 {
    WAITS.with(|waits| waits.since(began, waits.noted.get().wrapping_sub(noted)))
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
/// Outside any measured call it does nothing. On a handle, see [`CallGuard::local_wait`](crate::CallGuard::local_wait).
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
        let waits = WAITS.with(|_| Waits {
            noted: Cell::new(0),
            last: [const { Cell::new((0, 0)) }; REMEMBERED as usize],
        });
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
