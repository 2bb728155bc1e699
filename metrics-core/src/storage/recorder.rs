//! A series of calls, in which each thread records into its own shard.
//!
//! Nothing here is locked: a scrape waits neither for a thread that records nor for one that creates its shard.

use std::mem::{replace, take};
use std::ops::Deref;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::chain::List;
use super::observed::read_consistent;
use super::shard::{EndedCall, MOST_BUCKETS, MOST_OUTCOMES, Shard};
use super::spare::{borrow, lose, reserved};
use super::totals::Totals;
use crate::clock::Scale;
use crate::exemplars::Exemplars;
use crate::lock::{self, Lock, Once, ThreadMark};

/// A thread's shard of a series.
pub(crate) type CallShard = Shard<&'static CallSeries>;

/// Call series live for ever and are reused after their series is gone, so that a thread may keep a reference to its
/// shard without a reference count, and finds it by the call series' number.
#[derive(Debug)]
pub struct CallSeries {
    id: u32,
    shape: SeriesShape,
    pub(super) shards: List<CallShard>,
    pub(super) fallback: OnceLock<&'static CallShard>,
    pub(crate) exemplars: Exemplars,
}

/// The properties that two series must share to use one call series in turn.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SeriesShape {
    outcomes: usize,
    /// Upper bounds of the buckets in ticks, without the last.
    bounds: Vec<u64>,
    scale: Scale,
}

impl SeriesShape {
    /// The number of bounds, plus one for the last bucket and one for ends that are not observed.
    fn buckets(&self) -> usize {
        self.bounds.len() + 2
    }

    pub(super) fn new(bounds: &[f64], outcomes: usize, scale: Scale) -> Self {
        let ticks = |bound: &f64| scale.ticks_within(Duration::from_secs_f64(*bound));
        Self { outcomes, bounds: bounds.iter().map(ticks).collect(), scale }
    }
}

/// The call series of calls that are not recorded.
pub(super) static NOWHERE: CallSeries =
    CallSeries::new(0, SeriesShape { outcomes: 0, bounds: Vec::new(), scale: Scale::NANOSECONDS });

/// A call series in use, which another series can use after this is dropped.
#[derive(Debug)]
pub struct CallSeriesLease(pub(super) &'static CallSeries);

static FREE: Lock<Vec<&'static CallSeries>> = Lock::new(Vec::new());

impl CallSeriesLease {
    /// Leases a call series for durations with these bucket bounds in seconds, and this many outcomes.
    pub(crate) fn new(bounds: &[f64], outcomes: usize, scale: Scale) -> Self {
        // 0 is never assigned: no thread has a shard for it, so that a call site without a number finds none either.
        static NEXT: AtomicU32 = AtomicU32::new(1);
        debug_assert!(outcomes <= MOST_OUTCOMES && bounds.len() + 2 <= MOST_BUCKETS);
        let shape = SeriesShape::new(bounds, outcomes, scale);
        let mut free = FREE.lock();
        if let Some(index) = free.iter().position(|series| series.shape == shape) {
            return Self(free.swap_remove(index));
        }
        drop(free);
        Self(Box::leak(Box::new(CallSeries::new(NEXT.fetch_add(1, Relaxed), shape))))
    }

    /// The lease of a handle that an allocator requests under a lock; its recordings are lost.
    pub(crate) fn nowhere() -> Self {
        Self(&NOWHERE)
    }
}

impl Deref for CallSeriesLease {
    type Target = CallSeries;

    fn deref(&self) -> &CallSeries {
        self.0
    }
}

impl Drop for CallSeriesLease {
    fn drop(&mut self) {
        if self.0.is_nowhere() {
            return;
        }
        // Guards borrow the owner of the lease, so no thread records any more.
        self.0.clear();
        FREE.lock().push(self.0);
    }
}

/// A buffer into which series are read in turn: only the first of each shape allocates.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    all: Totals,
    one: Totals,
}

impl CallSeries {
    pub(super) const fn new(id: u32, shape: SeriesShape) -> Self {
        Self { id, shape, shards: List::new(), fallback: OnceLock::new(), exemplars: Exemplars::new() }
    }

    /// The fallback for threads without a shard; that of [`NOWHERE`] if there is no memory for it.
    pub(super) fn fallback(&'static self) -> &'static CallShard {
        static NO_FALLBACK: Once<CallShard> = Once::new();
        if self.is_nowhere() {
            // It allocates nothing.
            return NO_FALLBACK.get_or_init(|| self.new_fallback(&[]));
        }
        if let Some(fallback) = self.fallback.get() {
            return fallback;
        }
        let may_allocate = !lock::is_inside();
        // An allocator that records allocations made here uses the reserve, and a fork never copies a partial state.
        let _inside = lock::enter();
        let fallback = if may_allocate {
            Some(&*Box::leak(Box::new(self.new_fallback(self.new_counts()))))
        } else {
            reserved(self.shape.outcomes + self.shape.buckets(), |counts| self.new_fallback(counts))
        };
        // If several threads create one concurrently, one of them is kept.
        fallback.map_or_else(|| NOWHERE.fallback(), |fallback| self.fallback.get_or_init(|| fallback))
    }

    fn new_fallback(&'static self, counts: &'static [AtomicU64]) -> CallShard {
        Shard::new(self.shape.outcomes, counts, 0, 0, (self, 0))
    }

    fn new_counts(&self) -> &'static [AtomicU64] {
        Vec::leak((0..self.shape.outcomes + self.shape.buckets()).map(|_| 0.into()).collect())
    }

    /// Passes the borrowed fallback to `record`; returns whether there is memory for it.
    fn record_by_fallback(&'static self, record: impl FnOnce(&CallShard)) -> bool {
        let fallback = self.fallback();
        let exists = !fallback.home.is_nowhere();
        if exists {
            borrow(&fallback.writer, || record(fallback));
        }
        exists
    }

    /// The shard of a thread that has none yet.
    pub(super) fn acquire_shard(&'static self) -> &'static CallShard {
        let thread = ThreadMark::of_this().0;
        if let Some(shard) = self.shards.iter().find(|shard| shard.writer.take(thread)) {
            return shard;
        }
        let (outcomes, counts) = (self.shape.outcomes, self.new_counts());
        // One tick more than a quick end may take.
        let limit = self.shape.bounds.first().map_or(1, |bound| bound.saturating_add(1));
        self.shards.append(Shard::new(outcomes, counts, limit, thread, (self, self.near())))
    }

    /// Records that a call begins at this tick, unless it is undated.
    pub(super) fn start(&'static self, shard: &CallShard, at: Option<u64>) {
        let start = |shard: &CallShard| match at {
            Some(at) => shard.start(at),
            None => shard.start_undated(),
        };
        if !shard.is_fallback {
            start(shard);
        } else if !self.record_by_fallback(start) {
            lose();
        }
    }

    /// Records the end of a call that is not quick. It began at this tick, unless it is undated.
    #[inline]
    pub(super) fn end(
        &'static self,
        shard: &CallShard,
        ending: Ending,
        began: Option<u64>,
        took: u64,
        at: u64,
    ) {
        if shard.is_fallback {
            self.end_by_fallback(ending, began, took, at);
        } else {
            shard.end(&self.ended(shard, ending, began, took, at));
        }
    }

    // Not one closure for both: it would not be inlined, which costs each failing call 24 instructions.

    #[cold]
    #[inline(never)]
    fn end_by_fallback(&'static self, ending: Ending, began: Option<u64>, took: u64, at: u64) {
        self.record_by_fallback(|fallback| fallback.end(&self.ended(fallback, ending, began, took, at)));
    }

    #[inline]
    fn ended(&self, shard: &CallShard, ending: Ending, began: Option<u64>, took: u64, at: u64) -> EndedCall {
        let Ending { outcome, observed, freshens } = ending;
        let (bucket, took) = match (observed, shard.is_quick(took)) {
            (true, true) => (0, took),
            (true, false) => (self.bucket(took), shard.summable(took)),
            (false, _) => (self.shape.buckets() - 1, 0),
        };
        EndedCall { began, at, took, outcome: outcome.into(), bucket, freshens }
    }

    /// Takes an exemplar for a call that was observed, if one is needed.
    #[inline]
    pub(super) fn offer_exemplar(&self, took: u64) {
        self.exemplars.offer(|| (self.bucket(took), self.scale().duration(took.into()).as_secs_f64()));
    }

    fn bucket(&self, took: u64) -> usize {
        self.shape.bounds.partition_point(|&bound| bound < took)
    }

    /// Whether its recordings are lost: used where the thread may neither allocate nor wait.
    pub(super) fn is_nowhere(&self) -> bool {
        self.id == 0
    }

    pub(super) fn id(&self) -> usize {
        self.id as usize
    }

    /// Its number if it is below [`NEAR`](super::thread::NEAR), otherwise 0.
    pub(super) fn near(&self) -> u8 {
        u8::try_from(self.id).unwrap_or(0)
    }

    pub(crate) fn scale(&self) -> Scale {
        self.shape.scale
    }

    /// Everything that was recorded. Timestamps above `horizon` come from a counter that jumped and are ignored in
    /// favour of the other threads' timestamps. Waits for no thread.
    pub(crate) fn read<'a>(&self, scratch: &'a mut Scratch, horizon: u64) -> &'a Totals {
        scratch.all.reset(self.shape.outcomes, self.shape.buckets());
        self.read_too(scratch, horizon)
    }

    /// Like [`read`](Self::read), but adds to the contents of `scratch`, which come from a call series of the same
    /// shape.
    pub(crate) fn read_too<'a>(&self, scratch: &'a mut Scratch, horizon: u64) -> &'a Totals {
        let Scratch { all, one } = scratch;
        let (mut gone, mut gone_open) = (0_u64, 0_u64);
        for shard in self.shards() {
            one.unsure = !read_consistent(|| shard.read(one, horizon));
            if !ThreadMark(shard.writer.thread()).is_here() {
                // After a fork, calls in progress on the parent's other threads end in the parent only.
                let ended = one.ended();
                gone = gone.wrapping_add(replace(&mut one.started, ended).wrapping_sub(ended));
                gone_open = gone_open.wrapping_add(take(&mut one.open));
            }
            all.add(one);
        }
        if gone.cast_signed() <= 0 {
            // A call that ended there and had begun on another thread is not in progress.
            all.started = all.started.wrapping_add(gone);
            all.open = all.open.wrapping_add(gone_open);
        }
        all
    }

    /// The shards of all threads, and the fallback.
    fn shards(&self) -> impl Iterator<Item = &'static CallShard> {
        self.shards.iter().chain(self.fallback.get().copied())
    }

    fn clear(&self) {
        self.exemplars.clear();
        self.shards().for_each(Shard::clear);
    }
}

/// The end of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending {
    /// 0 for success.
    pub(crate) outcome: u8,
    /// Whether its duration is observed.
    pub(crate) observed: bool,
    /// Whether it counts as a sign of life without being a success.
    pub(crate) freshens: bool,
}
