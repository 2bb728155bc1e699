//! One thread's share of a series: written by that thread alone, read by anyone, and neither waits for the other.
//!
//! All that a writer does are plain loads and stores. A call that ended well within the first bucket, the usual one,
//! is two of them: a count and the sum of durations, and the count doubles as sequence number. Any other end is
//! announced in `mark` with its outcome and bucket, counted, and settled.
//!
//! A beginning adds its tick to `open`, and the end of that call, on whatever thread, takes it off there: over all
//! shares it is the sum of the ticks at which the calls under way began, which is all that is known of them.
//!
//! A reader that finds count and mark unchanged after it read the rest knows that it saw every end before the last
//! announced one completely, and that one in any degree of completion. Which degree it can tell: the lowest bit of the
//! sum changes with every end, and outcomes and buckets add up to the number of ends. So it takes the last end wholly
//! or not at all, and a writer that was stopped in the middle of it holds nobody up.
//!
//! A thread that ends gives its share back as it is. The next one to take it goes on counting where it stands, so that
//! nothing has to be moved or cleared, and no reader ever sees less.

use std::cell::Cell;

use super::single_writer::{self, Writer};
use super::sync::Ordering::{Acquire, Relaxed, Release};
use super::sync::{AtomicU64, fence};
use super::totals::Totals;

/// Not reordered: what every call touches is one cache line.
#[repr(C, align(64))]
pub(crate) struct Shard<H, L = ()> {
    started: AtomicU64,
    /// The ticks of all beginnings here, less those of the calls that ended here.
    open: AtomicU64,
    /// Ends that were good and within the first bound.
    quick: AtomicU64,
    /// Twice the ticks of all ends, and in the lowest bit the parity of their number.
    sum: AtomicU64,
    good_at: AtomicU64,
    /// One tick more than a quick end may take.
    limit: u64,
    /// A copy of the ticks that its thread has waited.
    ///
    /// Its thread alone reads and writes it; a token, which threads share, has 0 for ever. So it needs no atomic, which
    /// no subtraction can read by itself: an instruction more of each call.
    waited: Cell<u64>,
    pub(super) home: H,
    near: u8,
    outcomes: u8,
    /// Other ends so far, shifted by [`MARK_BITS`]; below that what the last one is, or [`SETTLED`].
    mark: AtomicU64,
    fresh_at: AtomicU64,
    ended_at: AtomicU64,
    /// The thread whose it is.
    writer: Writer,
    /// Of the other ends: counts by outcome, then by bucket, the last one for what is not observed.
    counts: &'static [AtomicU64],
    pub(super) link: L,
}

const BUCKET_BITS: u32 = 8;
const MARK_BITS: u32 = 12;
const SETTLED: u64 = (1 << MARK_BITS) - 1;

/// Outcome 0 is the good one, and the outcome that `SETTLED` looks like does not exist.
pub(crate) const MOST_OUTCOMES: usize = 15;
/// The one that is not observed included.
pub(crate) const MOST_BUCKETS: usize = 1 << BUCKET_BITS;

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    /// When it began, unless it is undated.
    pub(crate) began: Option<u64>,
    /// When it ended.
    pub(crate) at: u64,
    /// Ticks it took, as far as the sum is concerned.
    pub(crate) took: u64,
    pub(crate) outcome: usize,
    pub(crate) bucket: usize,
    /// Whether it makes what is measured fresh without being good.
    pub(crate) freshens: bool,
}

// SAFETY: all but `waited` is `Sync` as it is. That is used by the thread alone whose shard this is, from one to the next
// of which it goes by `give_back` and `take`, which release and acquire it; a token's is read and never written.
unsafe impl<H: Sync, L: Sync> Sync for Shard<H, L> {}

/// Neither its home, in whose list it stands, nor what its thread alone may read.
impl<H, L> std::fmt::Debug for Shard<H, L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shard")
            .field("started", &self.started)
            .field("open", &self.open)
            .field("quick", &self.quick)
            .finish_non_exhaustive()
    }
}

impl<H, L: Default> Shard<H, L> {
    /// For the thread of this mark. With a `limit` of 0 no end is quick.
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
            mark: AtomicU64::new(SETTLED),
            fresh_at: AtomicU64::new(0),
            ended_at: AtomicU64::new(0),
            writer: Writer::new(thread),
            counts,
            link: L::default(),
        }
    }
}

impl<H, L> Shard<H, L> {
    /// Takes it for the thread of this mark, unless it is another's.
    pub(super) fn take(&self, thread: u64) -> bool {
        self.writer.take(thread)
    }

    /// The mark of the thread whose it is, 0 while it is none's.
    pub(super) fn thread(&self) -> u64 {
        self.writer.thread()
    }

    /// Leaves it to the next thread.
    pub(super) fn give_back(&self) {
        self.writer.give_back();
    }

    /// A call begins. Only the shard's own thread may say so, here and below.
    #[inline]
    pub(super) fn start(&self, at: u64) {
        self.open.store(self.open.load(Relaxed).wrapping_add(at), Relaxed);
        self.start_undated();
    }

    /// A call begins in a series that does not tell how long calls have been under way.
    #[inline]
    pub(super) fn start_undated(&self) {
        // Release: who sees that it began sees when. The other way round it would seem to have begun with the counter.
        self.started.store(self.started.load(Relaxed).wrapping_add(1), Release);
    }

    /// Whether a good end after so many ticks is quick.
    #[inline]
    pub(super) fn is_quick(&self, took: u64) -> bool {
        took < self.limit
    }

    /// How many ticks its thread has waited, from any number on.
    #[inline]
    pub(super) fn waited(&self) -> u64 {
        self.waited.get()
    }

    pub(super) fn set_waited(&self, ticks: u64) {
        self.waited.set(ticks);
    }

    /// The number by which its thread finds it.
    #[inline]
    pub(super) fn near(&self) -> u8 {
        self.near
    }

    /// Whether it stands for no share: nothing may be recorded to it.
    #[inline]
    pub(super) fn is_token(&self) -> bool {
        self.outcomes == 0
    }

    /// A good end of a call that took less than the limit.
    #[inline]
    pub(super) fn end_quickly(&self, began: u64, took: u64, at: u64) {
        self.good_at.store(at, Relaxed);
        self.end_undated_quickly(took);
        self.close(began);
    }

    /// The end of a call that began by [`start_undated`](Self::start_undated).
    #[inline]
    pub(super) fn end_undated_quickly(&self, took: u64) {
        // Release: who sees this count sees what was written for all ends before this one.
        self.quick.store(self.quick.load(Relaxed).wrapping_add(1), Release);
        // Who sees the sum sees the count.
        fence(Release);
        self.add_to_sum(took);
    }

    /// Any other end.
    #[inline]
    pub(super) fn end(&self, end: &End) {
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
        // Release: who sees it settled sees it complete.
        self.mark.store(number << MARK_BITS | SETTLED, Release);
    }

    /// As much of so many ticks as the sum has room for. Half of it is left to calls that are shorter than the first
    /// bucket, which do not ask: decades of them.
    pub(super) fn summable(&self, took: u64) -> u64 {
        const HALF: u64 = 1 << 63;
        took.min(HALF.saturating_sub(self.sum.load(Relaxed)) >> 1)
    }

    #[inline]
    fn add_to_sum(&self, took: u64) {
        self.sum.store(self.sum.load(Relaxed).wrapping_add(took << 1) ^ 1, Relaxed);
    }

    /// A call that began at this tick is under way no more.
    #[inline]
    fn close(&self, began: u64) {
        // Release: who sees this sees the end's sum, and so that it has ended.
        self.open.store(self.open.load(Relaxed).wrapping_sub(began), Release);
    }

    /// Reads what was recorded into `totals`, stamps up to `horizon`. Where an end comes between it says so: then each
    /// number was true at some moment, yet not all of them at one.
    pub(super) fn read(&self, totals: &mut Totals, horizon: u64) -> bool {
        totals.reset(self.outcomes.into(), self.counts.len() - usize::from(self.outcomes));
        let mark = self.mark.load(Acquire);
        let counts = totals.outcomes.iter_mut().chain(&mut totals.buckets);
        for (read, count) in counts.zip(self.counts) {
            *read = count.load(Relaxed);
        }
        // As near to its second reading as can be: all of it is one cache line.
        let mut quick = self.quick.load(Acquire);
        // In this order: each call that is counted as under way is in `open`. What is in `open` and is not counted, for
        // a call that began or ended meanwhile, makes the calls under way seem younger than they are.
        let started = self.started.load(Acquire);
        let open = self.open.load(Acquire);
        let mut sum = self.sum.load(Relaxed);
        let stamps = [&self.good_at, &self.fresh_at, &self.ended_at].map(|at| at.load(Relaxed));
        // Acquire: had anything of a later end been read, its announcement would be seen below.
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
        totals.note_stamps(stamps, horizon);
        undisturbed
    }

    /// Forgets everything; while nobody records.
    pub(super) fn clear(&self) {
        let words = [&self.started, &self.open, &self.quick, &self.sum];
        let stamps = [&self.good_at, &self.fresh_at, &self.ended_at];
        for word in words.into_iter().chain(stamps).chain(self.counts) {
            word.store(0, Relaxed);
        }
        self.mark.store(SETTLED, Relaxed);
    }
}

/// Makes the counts those of `others` ends, with or without the last one, which is `what`.
fn settle(totals: &mut Totals, what: u64, others: u64) {
    #[expect(clippy::cast_possible_truncation, reason = "twelve bits")]
    let what = what as usize;
    let (outcome, bucket) = (what >> BUCKET_BITS, what & (MOST_BUCKETS - 1));
    for (counts, index) in [(&mut totals.outcomes, outcome), (&mut totals.buckets, bucket)] {
        let counted: u64 = counts.iter().fold(0, |sum, count| sum.wrapping_add(*count));
        // One more, one less, or as it is.
        counts[index] = counts[index].wrapping_add(others.wrapping_sub(counted));
    }
}
