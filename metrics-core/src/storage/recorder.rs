//! A series that calls are recorded to, each thread in a share of its own.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use super::running::Running;
use super::shard::{End, MOST_BUCKETS, MOST_OUTCOMES, Shard};
use super::shared::Shared;
use super::totals::Totals;
use crate::clock::{Clock, Scale};
use crate::lock::{Lock, Once};

/// A thread's share of a series.
pub(crate) type Share = Shard<&'static Recorder>;

/// Recorders live for ever and are used again once their series is gone: so a thread may keep a reference to its share
/// without counting it, and finds it by the recorder's number.
#[derive(Debug)]
pub(crate) struct Recorder {
    id: usize,
    near: u8,
    shape: Shape,
    shares: Lock<Shares>,
    shared: Shared,
    /// What a thread without a share is given in its place. No end is quick for it.
    token: Once<Share>,
}

/// What two series must have in common to use one recorder one after the other.
#[derive(Debug)]
struct Shape {
    outcomes: usize,
    /// Upper bounds of the buckets in ticks, without the last.
    bounds: &'static [u64],
    scale: Scale,
}

impl Shape {
    /// One more than there are bounds, and one for what is not observed.
    fn buckets(&self) -> usize {
        self.bounds.len() + 2
    }
}

#[derive(Debug)]
struct Shares {
    /// Of threads that record, or may.
    live: Vec<&'static Share>,
    /// Cleared, for the next thread.
    idle: Vec<&'static Share>,
    /// What ended threads left.
    retired: Totals,
    /// What was last read of the share of those who have none. A thread that dies in the middle of it, or that a
    /// forked child does not have, spoils that share alone.
    shared: Option<Totals>,
    /// What was last read of all.
    last: Totals,
}

/// How often a share is read before its series shows what the last scrape showed. Only ends that come between make a
/// reading fail, and only of a thread that is running and does nothing but record: each reading then fails in one of
/// some cases, never in ten thousand.
const READINGS: usize = 10_000;

/// Where nothing is recorded.
pub(super) static NOWHERE: Recorder = Recorder {
    id: 0,
    near: 0,
    shape: Shape { outcomes: 0, bounds: &[], scale: Scale::NANOSECONDS },
    shares: Lock::new(Shares {
        live: Vec::new(),
        idle: Vec::new(),
        retired: Totals::EMPTY,
        shared: None,
        last: Totals::EMPTY,
    }),
    shared: Shared::new(0, &[]),
    token: Once::new(),
};

/// A recorder in use; it is free for another series when this is dropped.
#[derive(Debug)]
pub(crate) struct Lease(&'static Recorder);

static FREE: Lock<Vec<&'static Recorder>> = Lock::new(Vec::new());

impl Lease {
    /// A recorder for durations with these bucket bounds in seconds, and as many outcomes.
    pub(crate) fn new(bounds: &[f64], outcomes: usize, scale: Scale) -> Self {
        // 0 is never given: no thread has a share of it, so a call site that has no number yet finds none either.
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        debug_assert!(outcomes <= MOST_OUTCOMES && bounds.len() + 2 <= MOST_BUCKETS);
        let ticks = |bound: &f64| scale.ticks_within(Duration::from_secs_f64(*bound));
        let bounds: Vec<u64> = bounds.iter().map(ticks).collect();
        let mut free = FREE.hold();
        let fits = |shape: &Shape| (shape.outcomes, shape.bounds, shape.scale) == (outcomes, &*bounds, scale);
        if let Some(index) = free.iter().position(|recorder| fits(&recorder.shape)) {
            return Self(free.swap_remove(index));
        }
        drop(free);
        let shape = Shape { outcomes, bounds: Vec::leak(bounds), scale };
        Self(Box::leak(Box::new(Recorder::new(NEXT.fetch_add(1, Relaxed), shape))))
    }

    pub(super) fn recorder(&self) -> &'static Recorder {
        self.0
    }

    /// Begins a call.
    pub(crate) fn start(&self, clock: &Clock) -> Running {
        Running::start(self.0, clock)
    }
}

impl Deref for Lease {
    type Target = Recorder;

    fn deref(&self) -> &Recorder {
        self.0
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Guards borrow what owns the lease, so nobody records any more.
        self.0.clear();
        FREE.hold().push(self.0);
    }
}

impl Recorder {
    fn new(id: usize, shape: Shape) -> Self {
        let (outcomes, buckets) = (shape.outcomes, shape.buckets());
        let retired = Totals::new(outcomes, buckets);
        let shares =
            Shares { live: Vec::new(), idle: Vec::new(), last: retired.clone(), retired, shared: None };
        Self {
            id,
            near: u8::try_from(id).unwrap_or(0),
            shape,
            shares: Lock::new(shares),
            shared: Shared::new(outcomes, zeros(outcomes + buckets)),
            token: Once::new(),
        }
    }

    pub(super) fn token(&'static self) -> &'static Share {
        // Without shares there is nothing to allocate.
        self.token.get_or_make(|| Shard::new(0, &[], 0, (self, 0)))
    }

    /// The share of a thread that has none as yet.
    pub(super) fn admit(&'static self) -> &'static Share {
        let mut shares = self.shares.hold();
        let share = shares.idle.pop().unwrap_or_else(|| {
            let limit = self.shape.bounds.first().map_or(0, |bound| bound.saturating_add(1));
            let outcomes = self.shape.outcomes;
            Box::leak(Box::new(Shard::new(
                outcomes,
                zeros(outcomes + self.shape.buckets()),
                limit,
                (self, self.near),
            )))
        });
        shares.live.push(share);
        share
    }

    /// Takes a share back from a thread that ends.
    pub(super) fn retire(&self, share: &'static Share) {
        let mut shares = self.shares.hold();
        shares.live.retain(|live| !std::ptr::eq(*live, share));
        // The thread that wrote it is this one, so nothing comes between.
        if let Some(left) = share.read() {
            shares.retired.add(&left);
        }
        share.clear();
        shares.idle.push(share);
    }

    /// A call begins on a thread without a share.
    pub(super) fn start_shared(&self, at: u64) {
        self.shared.start(at);
    }

    /// A call ends that is not quick.
    #[inline]
    pub(super) fn end(&self, share: &Share, ending: Ending, took: u64, at: u64) {
        let Ending { outcome, observed, freshens } = ending;
        let (bucket, took) = match (observed, share.is_quick(took)) {
            (true, true) => (0, took),
            (true, false) => (self.bucket(took), took),
            (false, _) => (self.shape.buckets() - 1, 0),
        };
        let end = End { at, took, outcome: outcome.into(), bucket, freshens };
        if share.is_token() { self.shared.end(&end) } else { share.end(&end) }
    }

    fn bucket(&self, took: u64) -> usize {
        self.shape.bounds.partition_point(|&bound| bound < took)
    }

    /// Whether what is recorded to it is lost: it is given where nothing may be allocated or waited for.
    pub(super) fn is_nowhere(&self) -> bool {
        self.id == 0
    }

    pub(super) fn id(&self) -> usize {
        self.id
    }

    /// Its number where it is a near one, 0 elsewhere.
    #[inline]
    pub(super) fn near(&self) -> u8 {
        self.near
    }

    pub(crate) fn scale(&self) -> Scale {
        self.shape.scale
    }

    /// All that was recorded. It waits for no thread that records.
    pub(crate) fn read(&self) -> Totals {
        self.read_until(u64::MAX)
    }

    /// The same without stamps beyond `horizon`: a counter that leapt left them, and other threads' true ones count.
    pub(crate) fn read_until(&self, horizon: u64) -> Totals {
        let mut shares = self.shares.hold();
        if self.shared.is_used() {
            shares.shared = patiently(|| self.shared.read()).or(shares.shared.take());
        }
        if let Some(totals) = Self::merged(&shares, horizon) {
            shares.last = totals;
        }
        shares.last.clone()
    }

    #[cfg(test)]
    pub(super) fn share_count(&self) -> usize {
        let shares = self.shares.hold();
        shares.live.len() + shares.idle.len()
    }

    fn merged(shares: &Shares, horizon: u64) -> Option<Totals> {
        let mut totals = shares.retired.clone().until(horizon);
        if let Some(shared) = &shares.shared {
            totals.add(&shared.clone().until(horizon));
        }
        for share in &shares.live {
            totals.add(&patiently(|| share.read())?.until(horizon));
        }
        Some(totals)
    }

    fn clear(&self) {
        let mut shares = self.shares.hold();
        shares.live.iter().for_each(|share| share.clear());
        self.shared.clear();
        shares.shared = None;
        shares.retired = Totals::new(self.shape.outcomes, self.shape.buckets());
        shares.last = shares.retired.clone();
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending {
    /// 0 for the good one.
    pub(crate) outcome: u8,
    /// Whether its duration counts.
    pub(crate) observed: bool,
    /// Whether it makes what is measured fresh without being good.
    pub(crate) freshens: bool,
}

fn zeros(len: usize) -> &'static [AtomicU64] {
    Vec::leak((0..len).map(|_| AtomicU64::new(0)).collect())
}

fn patiently(mut read: impl FnMut() -> Option<Totals>) -> Option<Totals> {
    for _ in 0..READINGS {
        if let Some(totals) = read() {
            return Some(totals);
        }
        std::hint::spin_loop();
    }
    None
}
