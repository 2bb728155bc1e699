//! Series that are removed, return, or never had capacity.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

use super::*;
use crate::catalogue::{Families, OPERATIONAL_EVENTS_TOTAL, Origin};
use crate::lock;
use crate::series::{EntryHandle, FamilyKey, QueriedLabel};
use crate::storage::{Reading, Receipt, SnapshotBuilder, Value};

const LABELS: [QueriedLabel<'static>; 4] = [
    QueriedLabel::Closed("INFO"),
    QueriedLabel::Closed("STARTED"),
    QueriedLabel::Open(b"maker"),
    QueriedLabel::Open(b""),
];

fn shown(family: &mut BoundedSeries, minutes: u64) -> Option<Value> {
    let mut snapshot = SnapshotBuilder::new(Families::All);
    let _ = family.collect_some(Duration::from_mins(minutes), None, &mut snapshot);
    snapshot.finish().families.first().map(|family| family.samples[0].value.clone())
}

/// F16, after the grace period.
#[test]
fn a_series_removed_long_ago_returns_with_its_complete_counts() {
    let bounds = vec![Bound::Closed, Bound::Closed, Bound::Open(1), Bound::Open(1)];
    let mut family = BoundedSeries::new(&OPERATIONAL_EVENTS_TOTAL, false, bounds, 10);
    let key = FamilyKey::new();
    let kept = family.get_or_create(&LabelSetQuery::new(key, &LABELS), Duration::ZERO);
    kept.record(|slot| slot.add(3));
    family.remove(&kept, Duration::ZERO);
    assert_eq!(shown(&mut family, 4), Some(Value::Counter(3)), "its grace");
    assert_eq!(shown(&mut family, 5), None);
    assert_eq!(family.limits.used(), 0, "its capacity is free");
    kept.record(|slot| slot.add(1));
    assert_eq!(shown(&mut family, 6), Some(Value::Counter(4)));
    family.remove(&kept, Duration::from_mins(6));
    assert_eq!(shown(&mut family, 12), None);
    // Its last handle counts, and is dropped before the next scrape.
    kept.record(|slot| slot.add(1));
    drop(kept);
    assert_eq!(shown(&mut family, 13), Some(Value::Counter(5)));
    let entry = family.get_or_create(&LabelSetQuery::new(key, &LABELS), Duration::from_mins(13));
    family.remove(&entry, Duration::from_mins(13));
    drop(entry);
    assert_eq!(shown(&mut family, 30), None);
    assert!(family.series.is_empty(), "no handle is left to record to it");
}

static COUNTER: Family = family("c_total", Kind::Counter);
static GAUGE: Family = family("g", Kind::Gauge);

const fn family(name: &'static str, kind: Kind) -> Family {
    let (labels, origin) = (&["symbol"], Origin::Custom);
    Family { name, kind, help: "h", labels, buckets: &[], objective: None, origin }
}

#[derive(Default)]
struct Told(Vec<(String, f64)>, Receipt);

/// A sink without a reader.
struct NoReader;

impl Sink for NoReader {
    fn includes(&self, _: &Family) -> bool {
        false
    }

    fn sample(&mut self, _: &'static Family, _: &[&str], _: Reading<'_>) {}
}

impl Sink for Told {
    fn includes(&self, _: &Family) -> bool {
        true
    }

    fn receipt(&mut self) -> Option<&mut Receipt> {
        Some(&mut self.1)
    }

    fn sample(&mut self, _: &'static Family, labels: &[&str], value: Reading<'_>) {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let value = match value {
            Reading::Counter(n) => n as f64,
            Reading::Gauge(g) => g,
            _ => f64::NAN,
        };
        self.0.push((labels.join(" "), value));
    }
}

const M: fn(u64) -> Duration = Duration::from_mins;

fn told(family: &mut BoundedSeries, minutes: u64) -> Vec<(String, f64)> {
    let mut told = Told::default();
    let _ = family.collect_some(M(minutes), None, &mut told);
    told.1.confirm();
    told.0
}

fn admit(family: &mut BoundedSeries, key: FamilyKey, text: &str, minutes: u64) -> Arc<Entry> {
    family.get_or_create(&LabelSetQuery::new(key, &[QueriedLabel::Open(text.as_bytes())]), M(minutes))
}

fn counters(most: usize) -> (BoundedSeries, FamilyKey) {
    (BoundedSeries::new(&COUNTER, false, vec![Bound::Open(most)], usize::MAX), FamilyKey::new())
}

#[test]
fn counts_between_two_removals_are_exported() {
    let (mut family, key) = counters(3);
    let kept = admit(&mut family, key, "x", 0);
    kept.record(|slot| slot.add(1));
    family.remove(&kept, M(0));
    assert_eq!(told(&mut family, 1), [("x".to_owned(), 1.0)]);
    assert_eq!(told(&mut family, 6), [], "its grace period is over");
    kept.record(|slot| slot.add(3));
    family.remove(&kept, M(7));
    assert_eq!(told(&mut family, 8), [("x".to_owned(), 4.0)]);
    assert_eq!(told(&mut family, 12), [], "five minutes after it was removed again");
}

#[test]
fn a_series_of_a_full_family_is_found_again_and_only_new_ones_go_to_other() {
    let (mut family, key) =
        (BoundedSeries::new(&COUNTER, false, vec![Bound::Open(usize::MAX)], 2), FamilyKey::new());
    for _ in 0..2 {
        for symbol in ["x", "y", "z"] {
            admit(&mut family, key, symbol, 0).record(|slot| slot.add(1));
        }
    }
    let expected = [("other", 2.0), ("x", 2.0), ("y", 2.0)].map(|(symbol, count)| (symbol.to_owned(), count));
    assert_eq!(told(&mut family, 1), expected);
}

/// F16: the series is removed, expires, is dropped and created again while threads record to it through handles that
/// they keep for a while. A scraper that treats a new series as a new beginning receives all counts.
#[test]
fn no_count_is_lost_while_its_series_is_removed_expires_and_returns() {
    let is_long = std::env::var_os("BOT_METRICS_LONG_TESTS").is_some();
    let (threads, counts) = if is_long { (16, 500_000) } else { (4, 20_000) };
    let (family, key) = counters(3);
    let (family, done) = (std::sync::Mutex::new(family), std::sync::atomic::AtomicU64::new(0));
    let hold = || family.lock().expect("no panic");
    let (mut seen, mut before, mut minutes, mut let_go) = (0.0, 0.0, 0, 0);
    let mut scrape = || {
        let mut family = hold();
        minutes += 3;
        for (_, value) in told(&mut family, minutes) {
            assert!(value >= before, "{value} after {before}");
            seen += value - before;
            before = value;
        }
        if family.series.is_empty() && before > 0.0 {
            (before, let_go) = (0.0, let_go + 1);
        }
        // A grace period covers two scrapes, of which the second finds it over.
        if minutes % 9 == 0 {
            let removed = admit(&mut family, key, "x", minutes);
            family.remove(&removed, M(minutes));
        }
    };
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (hold, done) = (&hold, &done);
            scope.spawn(move || {
                for round in 0..counts / 100 {
                    let entry = admit(&mut hold(), key, "x", 0);
                    (0..50).for_each(|_| entry.record(|slot| slot.add(1)));
                    if round % 4 == 0 {
                        // It is removed, and its grace period over, while the handle is held.
                        std::thread::sleep(Duration::from_micros(50));
                    }
                    (0..50).for_each(|_| entry.record(|slot| slot.add(1)));
                    drop(entry);
                    // Now and then no handle is left.
                    std::thread::sleep(Duration::from_micros(50 * (1 + (round + thread) % 8)));
                }
                done.fetch_add(1, Relaxed);
            });
        }
        while done.load(Relaxed) < threads {
            scrape();
        }
        // Until nothing is left to export.
        (0..5).for_each(|_| scrape());
    });
    println!("{} counts, let go of {let_go} times", threads * counts);
    assert!(let_go > 0);
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let all = (threads * counts) as f64;
    assert_eq!(seen, all);
}

#[test]
fn other_cannot_be_removed_even_by_its_name() {
    let (mut family, key) = counters(1);
    admit(&mut family, key, "a", 0).record(|slot| slot.add(1));
    admit(&mut family, key, "b", 0).record(|slot| slot.add(10));
    let named = admit(&mut family, key, "other", 0);
    family.remove(&named, M(0));
    drop(named);
    let _ = told(&mut family, 6);
    admit(&mut family, key, "c", 6).record(|slot| slot.add(1));
    let now = told(&mut family, 6);
    assert!(now.contains(&("other".to_owned(), 11.0)), "{now:?}");
}

#[test]
fn forgetting_an_empty_value_or_other_removes_nothing() {
    for text in ["", "other"] {
        let (mut family, key) = counters(3);
        admit(&mut family, key, text, 0).record(|slot| slot.add(1));
        assert_eq!(told(&mut family, 0).len(), 1);
        family.forget(0, text, M(0));
        assert_eq!(told(&mut family, 0), [(text.to_owned(), 1.0)]);
    }
}

#[test]
fn a_forgotten_series_goes_at_once_if_received_and_after_its_grace_otherwise() {
    let (mut family, key) = counters(3);
    let kept = admit(&mut family, key, "x", 0);
    kept.record(|slot| slot.add(1));
    assert_eq!(told(&mut family, 0), [("x".to_owned(), 1.0)]);
    kept.record(|slot| slot.add(1));
    family.forget(0, "x", M(1));
    assert_eq!(told(&mut family, 1), [("x".to_owned(), 2.0)]);
    assert_eq!(told(&mut family, 5), [("x".to_owned(), 2.0)]);
    assert_eq!(told(&mut family, 6), []);
    kept.record(|slot| slot.add(1));
    assert_eq!(told(&mut family, 7), [("x".to_owned(), 3.0)]);
    family.forget(0, "x", M(8));
    assert_eq!(told(&mut family, 8), []);
}

#[test]
fn a_scrape_without_a_reader_marks_nothing_as_received() {
    let (mut family, key) = counters(3);
    admit(&mut family, key, "x", 0).record(|slot| slot.add(1));
    let _ = family.collect_some(M(0), None, &mut NoReader);
    family.forget(0, "x", M(1));
    assert_eq!(told(&mut family, 1), [("x".to_owned(), 1.0)]);
}

#[test]
fn an_exposition_that_no_reader_received_marks_nothing_as_received() {
    let (mut family, key) = counters(3);
    let kept = admit(&mut family, key, "x", 0);
    kept.record(|slot| slot.add(1));
    let mut late = Told::default();
    let _ = family.collect_some(M(0), None, &mut late);
    family.forget(0, "x", M(1));
    assert_eq!(told(&mut family, 1), [("x".to_owned(), 1.0)]);
    // A later receipt of an earlier exposition contains less.
    kept.record(|slot| slot.add(1));
    assert_eq!(told(&mut family, 1), [("x".to_owned(), 2.0)]);
    late.1.confirm();
    family.forget(0, "x", M(1));
    assert_eq!(told(&mut family, 1), [], "all of it was received");
}

#[test]
fn a_forgotten_series_has_its_grace_if_only_a_snapshot_contained_it() {
    let (mut family, key) = counters(3);
    admit(&mut family, key, "x", 0).record(|slot| slot.add(1));
    assert_eq!(shown(&mut family, 0), Some(Value::Counter(1)));
    family.forget(0, "x", M(1));
    assert_eq!(told(&mut family, 1), [("x".to_owned(), 1.0)]);
    assert_eq!(told(&mut family, 6), []);
}

#[test]
fn a_count_recorded_while_its_series_is_forgotten_is_exported() {
    let rounds = if std::env::var_os("BOT_METRICS_LONG_TESTS").is_some() { 20_000 } else { 50 };
    for _ in 0..rounds {
        let (mut family, key) = counters(3);
        let kept = admit(&mut family, key, "x", 0);
        let mut counted = 0.0;
        std::thread::scope(|scope| {
            let counting = scope.spawn(|| (0..500).for_each(|_| kept.record(|slot| slot.add(1))));
            while !counting.is_finished() {
                family.forget(0, "x", M(0));
                counted = told(&mut family, 0).first().map_or(counted, |(_, count)| *count);
            }
        });
        // The last count has yet to be received, unless it was already.
        counted = told(&mut family, 1).first().map_or(counted, |(_, count)| *count);
        assert_eq!(counted, 500.0);
    }
}

#[test]
fn a_gauge_that_is_set_while_it_is_removed_returns() {
    let mut family = BoundedSeries::new(&GAUGE, false, vec![Bound::Open(3)], usize::MAX);
    let asked = [QueriedLabel::Open(b"x")];
    let kept = family.get_or_create(&LabelSetQuery::new(FamilyKey::new(), &asked), M(0));
    let rounds = if std::env::var_os("BOT_METRICS_LONG_TESTS").is_some() { 1_000_000 } else { 20_000 };
    for _ in 0..rounds {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    kept.record(|slot| slot.set(1.0));
                }
            });
            for _ in 0..100 {
                family.remove(&kept, M(0));
            }
            done.store(true, Relaxed);
        });
        kept.record(|slot| slot.set(3.0));
        assert_eq!(told(&mut family, 1), [("x".to_owned(), 3.0)]);
    }
}

#[test]
fn a_gauge_has_no_series_other() {
    let mut family = BoundedSeries::new(&GAUGE, false, vec![Bound::Open(1)], usize::MAX);
    let key = FamilyKey::new();
    for (text, value) in [("a", 1.0), ("b", 2.0), ("other", 3.0), ("", 4.0)] {
        let asked = [QueriedLabel::Open(text.as_bytes())];
        let entry = family.get_or_create(&LabelSetQuery::new(key, &asked), M(0));
        entry.record(|slot| slot.set(value));
    }
    assert_eq!(told(&mut family, 0), [(String::new(), 4.0), ("a".to_owned(), 1.0)]);
    assert_eq!(family.limits.labels[0].overflow.value(), 1);
}

#[test]
fn a_sweep_is_made_only_when_capacity_can_be_free() {
    let (mut family, key) = counters(1);
    let held = admit(&mut family, key, "a", 0);
    family.remove(&held, M(1));
    assert_eq!(family.next_end, M(6));
    assert!(admit(&mut family, key, "b", 5).is_others());
    assert!(!admit(&mut family, key, "c", 6).is_others());
    assert_eq!(family.next_end, Duration::MAX);
}

#[test]
fn series_added_and_removed_between_two_scrapes_are_dropped() {
    let mut family = BoundedSeries::new(&GAUGE, false, vec![Bound::Open(3)], usize::MAX);
    let key = FamilyKey::new();
    for number in 0..10_000 {
        let text = number.to_string();
        let asked = [QueriedLabel::Open(text.as_bytes())];
        let entry = family.get_or_create(&LabelSetQuery::new(key, &asked), M(0));
        entry.record(|slot| slot.set(1.0));
        family.remove(&entry, M(0));
    }
    assert!(family.series.len() <= 2 * FEW_REMOVED, "{}", family.series.len());
    assert_eq!(family.removed.len(), family.series.len());
}

/// The recording was in progress when its series was hidden, or an allocator made it under a lock.
#[test]
fn a_count_after_its_series_is_hidden_goes_to_other_without_capacity() {
    let (mut family, key) = counters(1);
    let kept = admit(&mut family, key, "a", 0);
    kept.record(|slot| slot.add(3));
    family.remove(&kept, M(0));
    let _ = told(&mut family, 5);
    let b = admit(&mut family, key, "b", 6);
    b.record(|slot| slot.add(1));
    kept.record(|slot| slot.add(10));
    assert_eq!(told(&mut family, 6), [("b".to_owned(), 1.0), ("other".to_owned(), 10.0)]);
    kept.record(|slot| slot.add(100));
    assert_eq!(told(&mut family, 7), [("b".to_owned(), 1.0), ("other".to_owned(), 110.0)]);
    assert_eq!(family.limits.labels[0].overflow.value(), 2);
    // A new series has the later recordings, and none of those in "other".
    family.remove(&b, M(7));
    let _ = told(&mut family, 12);
    let again = family.look_up_again(&kept, M(12)).expect("it is of this family");
    again.record(|slot| slot.add(1_000));
    kept.record(|slot| slot.add(10_000));
    drop(kept);
    assert_eq!(told(&mut family, 12), [("a".to_owned(), 11_000.0), ("other".to_owned(), 110.0)]);
    assert!(family.retired.len() <= 1);
    let _ = told(&mut family, 13);
    assert!(family.retired.is_empty(), "no handle is left to record to it");
}

#[test]
fn observations_after_their_series_is_hidden_go_to_other_without_capacity() {
    static HISTOGRAM: Family = Family { buckets: &[1.0, 10.0], ..family("h", Kind::Histogram) };
    let mut family = BoundedSeries::new(&HISTOGRAM, false, vec![Bound::Open(1)], usize::MAX);
    let key = FamilyKey::new();
    let admit = |family: &mut BoundedSeries, text: &str, minutes| {
        family.get_or_create(&LabelSetQuery::new(key, &[QueriedLabel::Open(text.as_bytes())]), M(minutes))
    };
    let kept = admit(&mut family, "a", 0);
    kept.record(|slot| slot.observe(0.25));
    family.remove(&kept, M(0));
    let shown = |family: &mut BoundedSeries, minutes| {
        let mut snapshot = SnapshotBuilder::new(Families::All);
        let _ = family.collect_some(M(minutes), None, &mut snapshot);
        let samples = snapshot.finish().families.pop().map(|family| family.samples).unwrap_or_default();
        let shown = samples.into_iter().map(|sample| match sample.value {
            Value::Histogram(value) => {
                (sample.labels[0].to_string(), value.cumulative().collect::<Vec<_>>(), value.sum())
            }
            _ => panic!("a histogram"),
        });
        shown.collect::<Vec<_>>()
    };
    assert_eq!(shown(&mut family, 5), []);
    admit(&mut family, "b", 6).record(|slot| slot.observe(0.5));
    // Under a lock, like a recording allocator.
    let _inside = lock::enter();
    kept.record(|slot| [0.5, 8.0, 64.0].into_iter().for_each(|value| slot.observe(value)));
    let b = ("b".to_owned(), vec![1, 1, 1], 0.5);
    assert_eq!(shown(&mut family, 6), [b.clone(), ("other".to_owned(), vec![1, 2, 3], 72.5)]);
    kept.record(|slot| slot.observe(2.0));
    assert_eq!(shown(&mut family, 6), [b, ("other".to_owned(), vec![1, 3, 4], 74.5)]);
}

#[test]
fn a_gauge_that_is_set_after_it_was_hidden_has_no_series_without_capacity() {
    let mut family = BoundedSeries::new(&GAUGE, false, vec![Bound::Open(1)], usize::MAX);
    let key = FamilyKey::new();
    let admit = |family: &mut BoundedSeries, text: &str| {
        let query = [QueriedLabel::Open(text.as_bytes())];
        family.get_or_create(&LabelSetQuery::new(key, &query), M(0))
    };
    let kept = admit(&mut family, "a");
    kept.record(|slot| slot.set(1.0));
    family.remove(&kept, M(0));
    let b = admit(&mut family, "b");
    b.record(|slot| slot.set(2.0));
    kept.record(|slot| slot.set(3.0));
    assert_eq!(told(&mut family, 0), [("b".to_owned(), 2.0)]);
    assert_eq!(family.limits.labels[0].overflow.value(), 1);
    family.remove(&b, M(0));
    assert_eq!(told(&mut family, 0), [], "the value is of a time when it had no series");
    kept.record(|slot| slot.set(4.0));
    assert_eq!(told(&mut family, 0), [("a".to_owned(), 4.0)]);
}

/// F13 and F16: threads count through kept handles and remove the series concurrently, with twice as many label values as
/// allowed.
#[test]
fn series_never_exceed_the_limit_and_no_count_is_lost_while_threads_remove_and_revive_them() {
    const LIMIT: usize = 3;
    const THREADS: usize = 4;
    let is_long = std::env::var_os("BOT_METRICS_LONG_TESTS").is_some();
    let rounds = if is_long { 1_000_000 } else { 20_000 };
    let (family, key) = counters(LIMIT);
    let (family, minutes, done) = (lock::Lock::new(family), AtomicU64::new(0), AtomicUsize::new(0));
    let now = || M(minutes.load(Relaxed));
    let look_up = |entry: &Entry| family.lock().look_up_again(entry, now());
    let count = |thread| {
        let kept: Vec<EntryHandle> = (0..2 * LIMIT)
            .map(|n| admit(&mut family.lock(), key, &n.to_string(), minutes.load(Relaxed)).into())
            .collect();
        for round in 0..rounds {
            let held: &EntryHandle = &kept[(round + thread) % kept.len()];
            held.record(|slot| slot.add(1), look_up);
            if round % 50 == thread {
                let mut family = family.lock();
                family.remove(held.entry(), now());
            }
        }
        done.fetch_add(1, Relaxed);
        kept
    };
    // The value of each series when it was last exported.
    let mut shown = BTreeMap::new();
    let mut most = 0;
    let mut scrape = || {
        minutes.fetch_add(1, Relaxed);
        let mut family = family.lock();
        let told = told(&mut family, minutes.load(Relaxed));
        let own = told.iter().filter(|(label, _)| label != "other").count();
        assert!(own <= LIMIT, "{told:?}");
        most = most.max(own);
        for OrderedEntry(entry) in family.series.iter().filter(|member| member.0.is_live()) {
            let count = entry.slot().expect("its own").mark();
            shown.insert(Arc::as_ptr(entry), (Arc::clone(entry), count));
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn({
                    let count = &count;
                    move || count(thread)
                })
            })
            .collect();
        while done.load(Relaxed) < THREADS {
            scrape();
        }
        for thread in threads {
            drop(thread.join().expect("it does not panic"));
        }
    });
    (0..3).for_each(|_| scrape());
    assert_eq!(most, LIMIT);
    let counted: u64 = shown.values().map(|(_, count)| count).sum();
    assert_eq!(counted, (THREADS * rounds) as u64);
}
