//! Histograms of values, in words owned by each thread.

use once_cell::race::OnceBox;

use super::observed::{self, Sum, observe, read_consistent};
use super::page::WordRange;
use super::single_writer::Writer;
use super::spare::{borrow, lose};
use super::sync::AtomicU64;
use super::sync::Ordering::Relaxed;
use crate::exemplars::Exemplars;
use crate::lock;

/// Words that a thread owns for one observation. In a box, since most histograms have none.
type BorrowedWords = (Writer, Box<[AtomicU64]>);

/// A histogram of floats. Observing consists of plain loads and stores.
#[derive(Debug)]
pub(crate) struct HistogramWords {
    bounds: &'static [f64],
    run: WordRange,
    /// The words that threads without words of their own borrow, created by the first of them.
    shared: OnceBox<BorrowedWords>,
    /// The bits of the largest sum returned so far. Because of rounding, the sum of the parts may come out slightly
    /// smaller the next time, which would look like a restart.
    shown: AtomicU64,
    pub(super) exemplars: Exemplars,
}

/// The number of units in the last place that rounding may take from a sum between two readings: a few for each of
/// its parts.
const MOST_ROUNDED: u64 = 1 << 12;

/// The maximum number of bounds of a histogram: each is a series per label set, so that more cost more than they are
/// worth.
pub(crate) const MOST_BOUNDS: usize = 200;

/// Enough for most histograms; a larger array takes longer to clear than to fill.
const FEW_BUCKETS: usize = 16;

impl HistogramWords {
    /// A histogram with these upper bounds, ascending and at most [`MOST_BOUNDS`].
    pub(crate) fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            run: WordRange::new(observed::words(bounds.len() + 1)),
            shared: OnceBox::new(),
            shown: AtomicU64::new(0.0f64.to_bits()),
            exemplars: Exemplars::new(),
        }
    }

    /// Observes a value, which must be finite and not negative.
    #[inline]
    pub(crate) fn observe(&self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        match self.run.words() {
            Some(mine) => observe(mine, bucket, value),
            None => self.observe_slowly(bucket, value),
        }
        self.exemplars.offer(|| (bucket, value));
    }

    #[cold]
    #[inline(never)]
    fn observe_slowly(&self, bucket: usize, value: f64) {
        match self.run.join() {
            Some(mine) => observe(mine, bucket, value),
            None => match self.shared.get().or_else(|| lock::outside(|| self.shared())) {
                Some((writer, words)) => borrow(writer, || observe(words, bucket, value)),
                None => lose(),
            },
        }
    }

    /// Adds the observations of another histogram with the same bounds: the count of each bucket, and their sum. Called
    /// inside a lock.
    pub(crate) fn add(&self, buckets: &[u64], sum: f64) {
        let (writer, words) = self.shared();
        borrow(writer, || observed::add(words, buckets, sum));
    }

    fn shared(&self) -> &BorrowedWords {
        self.shared.get_or_init(|| {
            let words = observed::words(self.bounds.len() + 1);
            Box::new((Writer::new(0), (0..words).map(|_| AtomicU64::new(0)).collect()))
        })
    }

    /// Passes all observations to `to`: the count of each bucket, the last one for values above all bounds, and the
    /// sum. Does not wait for threads that observe.
    pub(crate) fn show<R>(&self, to: impl FnOnce(&[u64], f64) -> R) -> R {
        if self.bounds.len() < FEW_BUCKETS {
            self.show_of::<FEW_BUCKETS, R>(to)
        } else {
            self.show_of::<{ MOST_BOUNDS + 1 }, R>(to)
        }
    }

    fn show_of<const ROOM: usize, R>(&self, to: impl FnOnce(&[u64], f64) -> R) -> R {
        let (mut all, mut one) = ([0_u64; ROOM], [0; ROOM]);
        let (all, one) = (&mut all[..=self.bounds.len()], &mut one[..=self.bounds.len()]);
        let mut sum = Sum::default();
        let shared = self.shared.get().map(|shared| &*shared.1);
        for words in self.run.copies().chain(shared) {
            let mut part = Sum::default();
            read_consistent(|| {
                let undisturbed;
                (part, undisturbed) = observed::read(words, one);
                undisturbed
            });
            sum = sum.plus(part);
            for (count, more) in all.iter_mut().zip(&*one) {
                *count = count.wrapping_add(*more);
            }
        }
        // The bits of non-negative floats are ordered like their values.
        let sum = sum.value().to_bits();
        let shown = self.shown.fetch_max(sum, Relaxed).max(sum);
        // A larger difference comes from another scrape, which saw observations that are not in these buckets.
        let shown = if shown - sum <= MOST_ROUNDED { shown } else { sum };
        to(all, f64::from_bits(shown))
    }
}

#[cfg(test)]
mod tests {
    use super::super::spare::lost;
    use super::super::tests::crowd::Crowd;
    use super::*;
    use std::cell::RefCell;
    use std::sync::Arc;

    const BOUNDS: &[f64] = &[1.0, 10.0];

    /// The observed values, one per bucket, so that the sum identifies the counts.
    const VALUES: [f64; 3] = [0.5, 8.0, 4096.0];

    fn observe_all(histogram: &HistogramWords, values: &[f64]) {
        for value in values {
            histogram.observe(*value);
        }
    }

    type Shown = (Vec<u64>, f64);

    fn shown(histogram: &HistogramWords) -> Shown {
        histogram.show(|buckets, sum| (buckets.to_vec(), sum))
    }

    fn check(now: &Shown, before: &Shown) {
        let [low, middle, high] = now.0[..] else { panic!("three buckets: {now:?}") };
        let count = |n: u64| f64::from(u32::try_from(n).expect("few"));
        let sum = count(low) * VALUES[0] + count(middle) * VALUES[1] + count(high) * VALUES[2];
        assert_eq!(now.1, sum, "the sum is the buckets': {now:?}");
        assert!(
            now.0.iter().zip(&before.0).all(|(now, before)| now >= before),
            "it fell: {now:?}, {before:?}"
        );
    }

    #[test]
    fn no_observation_is_lost_doubled_or_torn_while_threads_come_and_go() {
        let crowd = Crowd::of_this_run(
            Crowd { threads: 64, lives: 200, rounds: 5_000, readings: 0 },
            Crowd { threads: 8, lives: 10, rounds: 300, readings: 0 },
        );
        let histogram = HistogramWords::new(BOUNDS);
        let mut before = shown(&histogram);
        let read = || {
            let now = shown(&histogram);
            check(&now, &before);
            before = now;
        };
        crowd.runs(|_| observe_all(&histogram, &VALUES), read);
        assert_eq!(shown(&histogram).0, [crowd.all(); 3]);
        check(&shown(&histogram), &shown(&HistogramWords::new(BOUNDS)));
    }

    #[test]
    fn a_sum_does_not_fall_by_rounding() {
        let histogram = HistogramWords::new(BOUNDS);
        histogram.observe(0.1);
        let a_hair_more = f64::from_bits(0.1f64.to_bits() + 1);
        histogram.shown.store(a_hair_more.to_bits(), Relaxed);
        assert_eq!(shown(&histogram).1, a_hair_more);
    }

    /// The other scrape has already seen an observation that is not in the buckets of this one.
    #[test]
    fn two_concurrent_scrapes_each_return_the_sum_of_their_own_buckets() {
        let histogram = HistogramWords::new(BOUNDS);
        histogram.observe(0.5);
        histogram.shown.store(8.5_f64.to_bits(), Relaxed);
        assert_eq!(shown(&histogram), (vec![1, 0, 0], 0.5));
    }

    #[test]
    fn a_sum_is_exact_where_floats_alone_are_not() {
        let histogram = HistogramWords::new(BOUNDS);
        histogram.observe(1e16);
        (0..1_000).for_each(|_| histogram.observe(1.0));
        assert_eq!(shown(&histogram).1, 1e16 + 1_000.0);
        let naive = (0..1_000).fold(1e16, |sum, _| sum + 1.0);
        assert_eq!(naive, 1e16, "the naive sum of floats");
    }

    #[test]
    fn the_largest_values_leave_a_finite_sum() {
        let histogram = HistogramWords::new(BOUNDS);
        for _ in 0..3 {
            histogram.observe(f64::MAX);
        }
        histogram.observe(1.0);
        assert_eq!(shown(&histogram), (vec![1, 0, 3], f64::MAX));
    }

    #[test]
    fn a_value_on_a_bound_belongs_to_the_bucket_below_it() {
        let histogram = HistogramWords::new(BOUNDS);
        observe_all(&histogram, &[0.0, 1.0, 1.5, 10.0, 10.5]);
        assert_eq!(shown(&histogram).0, [2, 2, 1]);
    }

    /// In a thread that is ending, and in an allocator that records allocations under one of the library's locks.
    #[test]
    fn a_thread_without_words_of_its_own_can_observe() {
        struct Last(Arc<HistogramWords>);
        impl Drop for Last {
            fn drop(&mut self) {
                observe_all(&self.0, &VALUES);
            }
        }
        thread_local! {
            // Dropped after the pages, which are initialised later.
            static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
        }
        let histogram = Arc::new(HistogramWords::new(BOUNDS));
        let ending = Arc::clone(&histogram);
        let live = move || {
            LAST.set(Some(Last(Arc::clone(&ending))));
            observe_all(&ending, &VALUES);
        };
        std::thread::spawn(live).join().expect("it ends well");
        assert_eq!(shown(&histogram), (vec![2, 2, 2], 8_209.0));
        let observe = || {
            let _inside = lock::enter();
            observe_all(&histogram, &VALUES);
        };
        std::thread::scope(|scope| drop(scope.spawn(observe)));
        assert_eq!(shown(&histogram).0, [3, 3, 3]);
    }

    #[test]
    fn an_observation_that_may_not_allocate_and_has_no_words_is_counted_as_lost() {
        let (histogram, before) = (HistogramWords::new(BOUNDS), lost());
        let observe = || {
            let _inside = lock::enter();
            observe_all(&histogram, &VALUES);
        };
        std::thread::scope(|scope| drop(scope.spawn(observe)));
        assert_eq!(shown(&histogram).0, [0, 0, 0]);
        assert!(lost() >= before + 3);
    }

    #[test]
    fn a_histogram_that_is_dropped_leaves_nothing_to_the_next() {
        for _ in 0..400 {
            let histogram = HistogramWords::new(BOUNDS);
            assert_eq!(shown(&histogram), (vec![0; 3], 0.0));
            std::thread::scope(|scope| drop(scope.spawn(|| histogram.observe(2.0))));
            histogram.observe(3.0);
            assert_eq!(shown(&histogram).1, 5.0);
        }
    }
}
