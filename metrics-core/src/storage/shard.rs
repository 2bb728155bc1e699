//! One thread's shard of a series: written only by that thread, read by any, and neither waits for the other.
//!
//! A writer uses plain loads and stores only. A call that succeeds within the first bucket, the usual case, is two of
//! them: a count and the sum of durations, and the count doubles as sequence number. Any other end is announced in
//! `mark` with its outcome and bucket, counted, and settled.
//!
//! A beginning adds its tick to `open`, and the end of that call, on any thread, subtracts it in its own shard: over
//! all shares `open` is the sum of the ticks at which the calls in progress began, which is all that is known about
//! them.
//!
//! If a reader finds count and mark unchanged after it read the rest, it saw every end before the last announced one
//! completely, and the last one at some stage of completion. It can determine the stage: the lowest bit of the sum
//! changes with every end, and outcomes and buckets add up to the number of ends. The reader therefore includes the
//! last end completely or not at all, and a writer that was stopped while recording delays no reader.
//!
//! A thread that ends releases its shard unchanged. Its next owner continues from these values, so that nothing has
//! to be moved or cleared, and no reader ever sees a sum fall.

use std::cell::Cell;

use super::single_writer::{self, Writer};
use super::sync::Ordering::{Acquire, Relaxed, Release};
use super::sync::{AtomicU64, fence};
use super::totals::Totals;

/// Not reordered: the words that every call uses are in one cache line.
#[repr(C, align(64))]
pub(crate) struct Shard<H> {
    started: AtomicU64,
    /// The sum of the ticks of all beginnings here, minus those of the calls that ended here.
    open: AtomicU64,
    /// The number of successes within the first bound.
    quick: AtomicU64,
    /// Twice the ticks of all ends, with the parity of their number in the lowest bit.
    sum: AtomicU64,
    good_at: AtomicU64,
    /// One tick more than a quick end may take.
    limit: u64,
    /// A copy of the total waiting time of its thread, in ticks.
    ///
    /// Only its thread reads and writes it; the fallback, which threads share, always has 0. It is not atomic,
    /// because a subtraction cannot have an atomic as its memory operand, which would cost each call an instruction
    /// more.
    pub(super) waited: Cell<u64>,
    pub(super) home: H,
    /// The number by which its thread finds it.
    pub(super) near: u8,
    outcomes: u8,
    /// Whether it is the fallback, which must be borrowed to record to it. Not read from `limit`: the compiler would load that in advance for both, in one more instruction.
    pub(super) is_fallback: bool,
    /// The number of other ends, shifted by [`MARK_BITS`]; in the lower bits the kind of the last one, or
    /// [`SETTLED`].
    mark: AtomicU64,
    fresh_at: AtomicU64,
    ended_at: AtomicU64,
    /// The thread that owns it. Threads without a shard borrow the fallback for each recording.
    pub(super) writer: Writer,
    /// Counts of the other ends by outcome, then by bucket, the last one for ends that are not observed.
    counts: &'static [AtomicU64],
}

const BUCKET_BITS: u32 = 8;
const MARK_BITS: u32 = 12;
const SETTLED: u64 = (1 << MARK_BITS) - 1;

/// Outcome 0 is success, and the outcome with the bits of `SETTLED` does not exist.
pub(crate) const MOST_OUTCOMES: usize = 15;
/// Includes the bucket of ends that are not observed.
pub(crate) const MOST_BUCKETS: usize = 1 << BUCKET_BITS;

/// The end of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EndedCall {
    /// The tick at which it began, unless it is undated.
    pub(crate) began: Option<u64>,
    /// The tick at which it ended.
    pub(crate) at: u64,
    /// Ticks it took, limited to what the sum can hold.
    pub(crate) took: u64,
    pub(crate) outcome: usize,
    pub(crate) bucket: usize,
    /// Whether it counts as a sign of life without being a success.
    pub(crate) freshens: bool,
}

// SAFETY: all fields but `waited` are `Sync`. `waited` is used only by the thread that owns the shard, and passes
// from one owner to the next by `give_back` and `take`, which release and acquire it; the fallback's is read and
// never written.
unsafe impl<H: Sync> Sync for Shard<H> {}

/// Leaves out `home`, whose list contains it, and the fields that only its thread may read.
impl<H> std::fmt::Debug for Shard<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shard").field("started", &self.started).finish_non_exhaustive()
    }
}

impl<H> Shard<H> {
    /// A shard owned by this thread, or the fallback if `limit` is 0: no end is quick for it.
    pub(super) fn new(
        outcomes: usize,
        counts: &'static [AtomicU64],
        limit: u64,
        thread: u64,
        (home, near): (H, u8),
    ) -> Self {
        debug_assert!(outcomes <= MOST_OUTCOMES && counts.len() - outcomes <= MOST_BUCKETS);
        Self {
            started: AtomicU64::new(0),
            open: AtomicU64::new(0),
            quick: AtomicU64::new(0),
            sum: AtomicU64::new(0),
            good_at: AtomicU64::new(0),
            limit,
            waited: Cell::new(0),
            home,
            near,
            outcomes: u8::try_from(outcomes).unwrap_or(0),
            is_fallback: limit == 0,
            mark: AtomicU64::new(SETTLED),
            fresh_at: AtomicU64::new(0),
            ended_at: AtomicU64::new(0),
            writer: Writer::new(thread),
            counts,
        }
    }

    /// Records the beginning of a call. Only the owning thread may call this and the following functions.
    #[inline]
    pub(super) fn start(&self, at: u64) {
        self.open.store(self.open.load(Relaxed).wrapping_add(at), Relaxed);
        self.start_undated();
    }

    /// Records the beginning of a call in a series that does not export for how long calls have been in progress.
    #[inline]
    pub(super) fn start_undated(&self) {
        // Release: a reader that sees that it began sees when. Otherwise it would seem to have begun with the counter.
        self.started.store(self.started.load(Relaxed).wrapping_add(1), Release);
    }

    /// Whether a success after this many ticks is quick.
    #[inline]
    pub(super) fn is_quick(&self, took: u64) -> bool {
        took < self.limit
    }

    /// Records a success that took less than the limit.
    #[inline]
    pub(super) fn end_quickly(&self, began: u64, took: u64, at: u64) {
        self.good_at.store(at, Relaxed);
        self.end_undated_quickly(took);
        self.close(began);
    }

    /// Records the end of a call that began by [`start_undated`](Self::start_undated).
    #[inline]
    pub(super) fn end_undated_quickly(&self, took: u64) {
        // Release: a reader that sees this count sees everything written for earlier ends.
        self.quick.store(self.quick.load(Relaxed).wrapping_add(1), Release);
        // A reader that sees the sum sees the count.
        fence(Release);
        self.add_to_sum(took);
    }

    /// Records any other end.
    #[inline]
    pub(super) fn end(&self, end: &EndedCall) {
        let stamp = match (end.outcome, end.freshens) {
            (0, _) => &self.good_at,
            (_, true) => &self.fresh_at,
            (_, false) => &self.ended_at,
        };
        stamp.store(end.at, Relaxed);
        let number = (self.mark.load(Relaxed) >> MARK_BITS) + 1;
        let what = (end.outcome << BUCKET_BITS | end.bucket) as u64;
        // Release and fence as above.
        self.mark.store(number << MARK_BITS | what, Release);
        fence(Release);
        single_writer::add(&self.counts[end.outcome], 1);
        single_writer::add(&self.counts[usize::from(self.outcomes) + end.bucket], 1);
        self.add_to_sum(end.took);
        if let Some(began) = end.began {
            self.close(began);
        }
        // Release: a reader that sees it settled sees it complete.
        self.mark.store(number << MARK_BITS | SETTLED, Release);
    }

    /// The part of this many ticks for which the sum has room. Half of its range is reserved for calls shorter than
    /// the first bucket, which do not check: decades of them.
    pub(super) fn summable(&self, took: u64) -> u64 {
        const HALF: u64 = 1 << 63;
        took.min(HALF.saturating_sub(self.sum.load(Relaxed)) >> 1)
    }

    #[inline]
    fn add_to_sum(&self, took: u64) {
        self.sum.store(self.sum.load(Relaxed).wrapping_add(took << 1) ^ 1, Relaxed);
    }

    /// Records that a call that began at this tick is no longer in progress.
    #[inline]
    fn close(&self, began: u64) {
        // Release: a reader that sees this sees the end's sum, and thus that the call has ended.
        self.open.store(self.open.load(Relaxed).wrapping_sub(began), Release);
    }

    /// Reads everything that was recorded into `totals`, timestamps up to `horizon`. Returns whether the reading was
    /// consistent: if not, an end interfered, and each number was correct at some moment but not all at the same one.
    pub(super) fn read(&self, totals: &mut Totals, horizon: u64) -> bool {
        totals.reset(self.outcomes.into(), self.counts.len() - usize::from(self.outcomes));
        let mark = self.mark.load(Acquire);
        let counts = totals.outcomes.iter_mut().chain(&mut totals.buckets);
        for (read, count) in counts.zip(self.counts) {
            *read = count.load(Relaxed);
        }
        // As close to its second reading as possible: all of it is in one cache line.
        let mut quick = self.quick.load(Acquire);
        // In this order, each call that is counted as in progress is in `open`. A call that is in `open` but not
        // counted, because it began or ended meanwhile, makes the calls in progress seem younger than they are.
        let started = self.started.load(Acquire);
        let open = self.open.load(Acquire);
        let mut sum = self.sum.load(Relaxed);
        let stamps = [&self.good_at, &self.fresh_at, &self.ended_at].map(|at| at.load(Relaxed));
        // Acquire: if anything of a later end had been read, its announcement would be seen below.
        fence(Acquire);
        let undisturbed = quick == self.quick.load(Relaxed) && mark == self.mark.load(Relaxed);
        if undisturbed {
            let mut others = mark >> MARK_BITS;
            let complete = sum & 1 == quick.wrapping_add(others) & 1;
            match (mark & SETTLED, complete) {
                (SETTLED, true) => {}
                (SETTLED, false) => quick = quick.wrapping_sub(1),
                (what, complete) => {
                    others -= u64::from(!complete);
                    settle(totals, what, others);
                }
            }
        }
        sum >>= 1;
        totals.started = started;
        totals.open = open;
        totals.sum = sum.into();
        totals.outcomes[0] += quick;
        totals.buckets[0] += quick;
        // Timestamps above `horizon` come from a counter that jumped, and are ignored in favour of the correct ones.
        let [good, fresh, ended] = stamps.map(|at| if at > horizon { 0 } else { at });
        totals.good_at = good;
        totals.fresh_at = good.max(fresh);
        totals.ended_at = ended.max(totals.fresh_at);
        undisturbed
    }

    /// Resets everything; no thread may be recording.
    pub(super) fn clear(&self) {
        let words = [&self.started, &self.open, &self.quick, &self.sum];
        let stamps = [&self.good_at, &self.fresh_at, &self.ended_at];
        for word in words.into_iter().chain(stamps).chain(self.counts) {
            word.store(0, Relaxed);
        }
        self.mark.store(SETTLED, Relaxed);
    }
}

/// Completes the counts to those of `others` ends, with or without the last one, which is `what`.
fn settle(totals: &mut Totals, what: u64, others: u64) {
    #[expect(clippy::cast_possible_truncation, reason = "twelve bits")]
    let what = what as usize;
    let (outcome, bucket) = (what >> BUCKET_BITS, what & (MOST_BUCKETS - 1));
    for (counts, index) in [(&mut totals.outcomes, outcome), (&mut totals.buckets, bucket)] {
        let counted: u64 = counts.iter().fold(0, |sum, count| sum.wrapping_add(*count));
        // One more, one less, or unchanged.
        counts[index] = counts[index].wrapping_add(others.wrapping_sub(counted));
    }
}
