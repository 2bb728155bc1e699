//! The series of one family that has open labels.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, fence};
use std::time::Duration;

use super::{Asked, Elsewhere, Entry, FamilyKey, Label, LabelText, cache};
use crate::catalogue::{self, Family, Kind};
use crate::grace;
use crate::label::OTHER;
use crate::lock;
use crate::storage::{self, CounterSlot, Sink, Slot, visit_some};

/// Removed series before those are looked for that nobody can record to, where no scrape does that.
const FEW_REMOVED: usize = 64;

/// What is known of a label's values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// All of them: none takes a place.
    Closed,
    /// How many there may be.
    Open(usize),
}

/// The series of a family.
#[derive(Debug)]
pub(crate) struct OpenFamily {
    family: &'static Family,
    series: BTreeSet<Member>,
    /// Those of them that were removed and may come back: few, so that no other has the room for it.
    removed: BTreeMap<Member, Removal>,
    places: Places,
    /// When the first of their graces ends: until then no place comes free.
    next_end: Duration,
    /// So many of them that it is time to look whom nobody can record to.
    many_removed: usize,
}

/// A series by its label values.
#[derive(Clone, Debug)]
struct Member(Arc<Entry>);

/// A series that was removed comes back with the next recording. That is seen by its value, so that a recording need not
/// ask, and none is lost: the slot stays for as long as anybody can record to it.
#[derive(Clone, Copy, Debug)]
struct Removal {
    /// When it is hidden.
    ends: Duration,
    /// The slot's, when it was removed.
    mark: u64,
    /// Whether the grace is over: it is not shown, and has no place.
    over: bool,
}

/// Who has a place.
#[derive(Debug)]
struct Places {
    labels: Vec<OpenLabel>,
    /// Series with a value of an open label that is not "other".
    taken: usize,
    most: usize,
}

#[derive(Debug)]
struct OpenLabel {
    bound: Bound,
    /// How many series each value of an open label has.
    taken: BTreeMap<Arc<str>, usize>,
    overflow: Arc<CounterSlot>,
}

impl OpenFamily {
    /// At most `most` series beside those whose open labels are empty or "other": these are never crowded out.
    pub(crate) fn new(family: &'static Family, bounds: Vec<Bound>, most: usize) -> Self {
        let label = |bound| OpenLabel { bound, taken: BTreeMap::new(), overflow: Arc::default() };
        let places = Places { labels: bounds.into_iter().map(label).collect(), taken: 0, most };
        let (series, removed) = (BTreeSet::new(), BTreeMap::new());
        Self { family, series, removed, places, next_end: Duration::MAX, many_removed: FEW_REMOVED }
    }

    /// Bounds the values of a label from here on; those that have a place keep it, and those that had none ask again.
    pub(crate) fn set_bound(&mut self, label: usize, bound: usize) {
        if let Some(label) = self.places.labels.get_mut(label) {
            label.bound = Bound::Open(bound);
            cache::forget();
        }
    }

    /// Where recordings of a label set go: its series, exported from here on, or that of "other" where there is no place.
    pub(crate) fn admit(
        &mut self,
        asked: &Asked<'_>,
        now: Duration,
        make: impl FnOnce() -> Slot,
    ) -> Arc<Entry> {
        let found_at = cache::epoch();
        let labels = self.places.texts(asked.labels);
        let mut standing = labels.clone();
        let has_own = self.have_own(&labels, now);
        let overflow = if has_own { Vec::new() } else { self.places.crowd_out(&mut standing) };
        let series = self.stand(asked.key, standing, make);
        if overflow.is_empty() && series.key == asked.key {
            return series;
        }
        let elsewhere = Elsewhere {
            family: self.family,
            series,
            overflow,
            own: lock::Once::new(),
            asked_at: AtomicU64::new(found_at.0),
        };
        Arc::new(Entry::to(elsewhere, asked.key, labels))
    }

    /// The own series of an entry that found no place, if there is one by now.
    pub(crate) fn admit_again(
        &mut self,
        entry: &Entry,
        now: Duration,
        make: impl FnOnce() -> Slot,
    ) -> Option<Arc<Entry>> {
        self.have_own(&entry.labels, now).then(|| self.stand(entry.key, entry.labels.to_vec(), make))
    }

    /// Whether label values have a series of their own, or can.
    fn have_own(&mut self, labels: &[LabelText], now: Duration) -> bool {
        let is_known = self.series.contains(labels);
        if !is_known && !self.places.have_room(labels) && now >= self.next_end {
            self.sweep(now);
        }
        self.series.contains(labels) || self.places.have_room(labels)
    }

    fn stand(&mut self, key: FamilyKey, labels: Vec<LabelText>, make: impl FnOnce() -> Slot) -> Arc<Entry> {
        if let Some(Member(entry)) = self.series.get(&*labels) {
            let removal = self.removed.remove(&*labels);
            if removal.is_some_and(|removal| removal.over) {
                self.places.take(&labels);
            }
            return Arc::clone(entry);
        }
        self.places.take(&labels);
        let entry = Arc::new(Entry::new(key, labels, make()));
        self.series.insert(Member(Arc::clone(&entry)));
        entry
    }

    /// Takes a series away, if it is one of these: a gauge at once, counts once a scraper has seen them.
    pub(crate) fn remove(&mut self, entry: &Entry, now: Duration) {
        // "other" is nobody's own, whoever names it so.
        if self.places.have_other(&entry.labels) {
            return;
        }
        // What found no place here may have one by now, through another entry.
        let is_of_this = |member: &&Member| member.has(entry) || entry.crowded_family() == Some(self.family);
        let Some(member) = self.series.get(&*entry.labels).filter(is_of_this).cloned() else { return };
        let ends = if self.family.kind == Kind::Gauge { now } else { grace::end(now) };
        let removal = self.removed.remove(&member);
        let removal = Removal::new(&member, removal, &mut self.places, |_| ends);
        if let Some(removal) = removal.settled(&member, &mut self.places, now) {
            self.removed.insert(member, removal);
        }
        self.next_end = self.next_end.min(ends);
        if self.removed.len() >= self.many_removed {
            self.sweep(now);
        }
    }

    /// Takes away the series that have this value of a label: at once, but for counts that no scraper can have seen.
    /// These have their grace from now on.
    pub(crate) fn forget(&mut self, label: usize, value: &str, now: Duration) {
        let Some(known) = self.places.labels.get(label) else { return };
        // What takes no place is common to all that have no value of their own.
        if !known.is_taken_by(value) {
            return;
        }
        let is_gauge = self.family.kind == Kind::Gauge;
        let has = |labels: &[LabelText]| labels.get(label).is_some_and(|text| text.as_str() == value);
        for member in self.series.iter().filter(|member| has(member.labels())) {
            let removal = self.removed.remove(member);
            let is_seen = |mark| is_gauge || mark == member.0.shown.load(Relaxed);
            let ends = |mark| if is_seen(mark) { now } else { grace::end(now) };
            self.removed.insert(member.clone(), Removal::new(member, removal, &mut self.places, ends));
        }
        self.sweep(now);
    }

    /// Some of the series, those after the one with the labels `after`; says where to go on, if there are more.
    pub(crate) fn collect_some(
        &mut self,
        now: Duration,
        after: Option<&[LabelText]>,
        sink: &mut dyn Sink,
    ) -> Option<Vec<LabelText>> {
        if after.is_none() {
            self.sweep(now);
        }
        // Where nobody reads any more nothing is shown.
        if !sink.includes(self.family) {
            return None;
        }
        let mut texts = Vec::with_capacity(self.family.labels.len());
        let is_gauge = self.family.kind == Kind::Gauge;
        let last = visit_some(self.series.range::<[LabelText], _>(storage::after(after)), |member| {
            let is_over = self.removed.get(*member).is_some_and(|removal| removal.over);
            // The value of a gauge "other" would be the one of whoever came last.
            let is_hidden = is_over || is_gauge && self.places.have_other(member.labels());
            if !is_hidden {
                texts.clear();
                // They live as long as the series do.
                texts.extend(member.labels().iter().map(LabelText::as_str));
                let mark = member.slot().collect(self.family, &texts, sink);
                if sink.is_exposition() {
                    member.0.shown.store(mark, Relaxed);
                }
            }
        });
        last.map(|member| member.labels().to_vec())
    }

    /// How often values found no place.
    pub(crate) fn collect_overflow(&self, namespace: &str, sink: &mut dyn Sink) {
        let metric = self.family.full_name(namespace);
        for (name, label) in self.family.labels.iter().zip(&self.places.labels) {
            if let Bound::Open(_) = label.bound {
                let labels = &[&*metric, *name];
                sink.counter(&catalogue::LABEL_OVERFLOW_TOTAL, labels, label.overflow.value());
            }
        }
    }

    /// Brings back what was recorded to since it was removed, hides what had its grace, and lets go of what nobody can
    /// record to.
    fn sweep(&mut self, now: Duration) {
        if self.removed.is_empty() {
            return;
        }
        self.next_end = Duration::MAX;
        for (member, removal) in std::mem::take(&mut self.removed) {
            let is_held = member.is_held();
            let Some(removal) = removal.settled(&member, &mut self.places, now) else { continue };
            if !removal.over {
                self.next_end = self.next_end.min(removal.ends);
            }
            if is_held || !removal.over {
                self.removed.insert(member, removal);
            } else {
                self.series.remove(&member);
            }
        }
        self.many_removed = (self.removed.len() * 2).max(FEW_REMOVED);
    }
}

impl Member {
    fn labels(&self) -> &[LabelText] {
        &self.0.labels
    }

    fn slot(&self) -> &Slot {
        &self.0.slot
    }

    /// Whether an entry leads here.
    fn has(&self, entry: &Entry) -> bool {
        let leads_to = entry.elsewhere.as_ref().map_or(entry, |elsewhere| elsewhere.leads_to());
        std::ptr::eq(Arc::as_ptr(&self.0), leads_to)
    }

    /// Whether anybody can record to it, where it stands among the removed and among all.
    fn is_held(&self) -> bool {
        let is_held = Arc::strong_count(&self.0) > 2;
        // Where nobody can, what was recorded by whoever held it last is seen from here on.
        fence(Acquire);
        is_held
    }
}

impl Borrow<[LabelText]> for Member {
    fn borrow(&self) -> &[LabelText] {
        self.labels()
    }
}

impl PartialEq for Member {
    fn eq(&self, other: &Self) -> bool {
        self.labels() == other.labels()
    }
}

impl Eq for Member {}

impl PartialOrd for Member {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Member {
    fn cmp(&self, other: &Self) -> Ordering {
        self.labels().cmp(other.labels())
    }
}

impl Removal {
    /// The series is hidden from when `ends` says of its mark, unless something is recorded first. It may have been removed
    /// before.
    fn new(
        member: &Member,
        before: Option<Self>,
        places: &mut Places,
        ends: impl FnOnce(u64) -> Duration,
    ) -> Self {
        let mark = member.slot().retract();
        // What was recorded since it was hidden brings it back, before it goes once more.
        let before = before.and_then(|before| before.unless_back(mark, member, places));
        let over = before.is_some_and(|before| before.over);
        Self { ends: ends(mark), mark, over }
    }

    /// None where it is back; hidden where it is time to.
    fn settled(self, member: &Member, places: &mut Places, now: Duration) -> Option<Self> {
        let mut removal = self.unless_back(member.slot().mark(), member, places)?;
        if !removal.over && now >= removal.ends {
            removal.over = true;
            places.release(member.labels());
            cache::forget();
        }
        Some(removal)
    }

    /// None where something was recorded since it was removed, as this mark of its slot says: that brings it back.
    fn unless_back(self, mark: u64, member: &Member, places: &mut Places) -> Option<Self> {
        if mark == self.mark {
            return Some(self);
        }
        if self.over {
            places.take(member.labels());
        }
        None
    }
}

impl Places {
    /// The labels as they were asked for, in texts that are shared where they are known.
    fn texts(&self, asked: &[Label<'_>]) -> Vec<LabelText> {
        let text = |(label, asked): (&OpenLabel, &Label<'_>)| match *asked {
            Label::Closed(text) => LabelText::Closed(text),
            Label::Open(text) => {
                let text = String::from_utf8_lossy(text);
                let known = label.taken.get_key_value(&*text).map(|(text, _)| Arc::clone(text));
                LabelText::Open(known.unwrap_or_else(|| Arc::from(text)))
            }
        };
        self.labels.iter().zip(asked).map(text).collect()
    }

    /// Whether a series that does not stand could have its own labels.
    fn have_room(&self, labels: &[LabelText]) -> bool {
        let full = self.taken >= self.most && self.are_open(labels);
        !full && self.labels.iter().zip(labels).all(|(label, text)| label.has_room(text))
    }

    /// Replaces what has no room, and says which labels that were.
    fn crowd_out(&self, labels: &mut [LabelText]) -> Vec<Arc<CounterSlot>> {
        let mut overflow = Vec::new();
        let mut replace = |label: &OpenLabel, text: &mut LabelText| {
            *text = LabelText::Open(Arc::from(OTHER));
            overflow.push(Arc::clone(&label.overflow));
        };
        for (label, text) in self.labels.iter().zip(&mut *labels) {
            if !label.has_room(text) {
                replace(label, text);
            }
        }
        if self.taken >= self.most {
            for (label, text) in self.labels.iter().zip(&mut *labels) {
                if label.is_taken_by(text.as_str()) {
                    replace(label, text);
                }
            }
        }
        overflow
    }

    /// Whether one of them is "other", by which all go that find no place.
    fn have_other(&self, labels: &[LabelText]) -> bool {
        let is_other = |(label, text): (&OpenLabel, &LabelText)| label.is_open() && text.as_str() == OTHER;
        self.labels.iter().zip(labels).any(is_other)
    }

    fn are_open(&self, labels: &[LabelText]) -> bool {
        self.labels.iter().zip(labels).any(|(label, text)| label.is_taken_by(text.as_str()))
    }

    fn take(&mut self, labels: &[LabelText]) {
        self.taken += usize::from(self.are_open(labels));
        for (label, text) in self.labels.iter_mut().zip(labels) {
            if let (LabelText::Open(text), true) = (text, label.is_taken_by(text.as_str())) {
                *label.taken.entry(Arc::clone(text)).or_insert(0) += 1;
            }
        }
    }

    fn release(&mut self, labels: &[LabelText]) {
        self.taken -= usize::from(self.are_open(labels));
        for (label, text) in self.labels.iter_mut().zip(labels) {
            if let Some(series) = label.taken.get_mut(text.as_str()) {
                *series -= 1;
                if *series == 0 {
                    label.taken.remove(text.as_str());
                }
            }
        }
    }
}

impl OpenLabel {
    /// Whether a value takes a place: none and "other" do not.
    fn is_taken_by(&self, text: &str) -> bool {
        self.is_open() && !matches!(text, "" | OTHER)
    }

    fn is_open(&self) -> bool {
        matches!(self.bound, Bound::Open(_))
    }

    fn has_room(&self, text: &LabelText) -> bool {
        match self.bound {
            Bound::Open(bound) if self.is_taken_by(text.as_str()) => {
                self.taken.len() < bound || self.taken.contains_key(text.as_str())
            }
            Bound::Open(_) | Bound::Closed => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use super::*;
    use crate::catalogue::{Families, OPERATIONAL_EVENTS_TOTAL, Origin};
    use crate::open::FamilyKey;
    use crate::storage::{Reading, SnapshotBuilder, Value};

    const LABELS: [Label<'static>; 4] =
        [Label::Closed("INFO"), Label::Closed("STARTED"), Label::Open(b"maker"), Label::Open(b"")];

    fn shown(family: &mut OpenFamily, minutes: u64) -> Option<Value> {
        let mut snapshot = SnapshotBuilder::new(Families::All);
        let _ = family.collect_some(Duration::from_mins(minutes), None, &mut snapshot);
        snapshot.finish().families.first().map(|family| family.samples[0].value.clone())
    }

    /// F16, beyond the grace.
    #[test]
    fn a_series_removed_long_ago_comes_back_with_all_that_was_ever_counted() {
        let bounds = vec![Bound::Closed, Bound::Closed, Bound::Open(1), Bound::Open(1)];
        let mut family = OpenFamily::new(&OPERATIONAL_EVENTS_TOTAL, bounds, 10);
        let key = FamilyKey::new();
        let kept = family.admit(&Asked::new(key, &LABELS), Duration::ZERO, Slot::counter);
        kept.slot().add(3);
        family.remove(&kept, Duration::ZERO);
        assert_eq!(shown(&mut family, 4), Some(Value::Counter(3)), "its grace");
        assert_eq!(shown(&mut family, 5), None);
        assert_eq!(family.places.taken, 0, "its place is free");
        kept.slot().add(1);
        assert_eq!(shown(&mut family, 6), Some(Value::Counter(4)));
        family.remove(&kept, Duration::from_mins(6));
        assert_eq!(shown(&mut family, 12), None);
        // Counted by whoever lets go of it before the next scrape.
        kept.slot().add(1);
        drop(kept);
        assert_eq!(shown(&mut family, 13), Some(Value::Counter(5)));
        let entry = family.admit(&Asked::new(key, &LABELS), Duration::from_mins(13), Slot::counter);
        family.remove(&entry, Duration::from_mins(13));
        drop(entry);
        assert_eq!(shown(&mut family, 30), None);
        assert!(family.series.is_empty(), "nobody can record to it any more");
    }

    static COUNTER: Family = family("c_total", Kind::Counter);
    static GAUGE: Family = family("g", Kind::Gauge);

    const fn family(name: &'static str, kind: Kind) -> Family {
        let (labels, origin) = (&["symbol"], Origin::Custom);
        Family { name, kind, help: "h", labels, buckets: &[], objective: None, origin }
    }

    #[derive(Default)]
    struct Told(Vec<(String, f64)>);

    /// The scraper is gone.
    struct Nobody;

    impl Sink for Nobody {
        fn includes(&self, _: &Family) -> bool {
            false
        }

        fn is_exposition(&self) -> bool {
            true
        }

        fn open(&mut self, _: &'static Family) {}

        fn sample(&mut self, _: &'static Family, _: &[&str], _: Reading<'_>) {}
    }

    impl Sink for Told {
        fn includes(&self, _: &Family) -> bool {
            true
        }

        fn is_exposition(&self) -> bool {
            true
        }

        fn open(&mut self, _: &'static Family) {}

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

    fn told(family: &mut OpenFamily, minutes: u64) -> Vec<(String, f64)> {
        let mut told = Told::default();
        let _ = family.collect_some(M(minutes), None, &mut told);
        told.0
    }

    fn admit(family: &mut OpenFamily, key: FamilyKey, text: &str, minutes: u64) -> Arc<Entry> {
        family.admit(&Asked::new(key, &[Label::Open(text.as_bytes())]), M(minutes), Slot::counter)
    }

    fn counters(most: usize) -> (OpenFamily, FamilyKey) {
        (OpenFamily::new(&COUNTER, vec![Bound::Open(most)], usize::MAX), FamilyKey::new())
    }

    #[test]
    fn counts_between_two_removals_are_seen() {
        let (mut family, key) = counters(3);
        let kept = admit(&mut family, key, "x", 0);
        kept.slot().add(1);
        family.remove(&kept, M(0));
        assert_eq!(told(&mut family, 1), [("x".to_owned(), 1.0)]);
        assert_eq!(told(&mut family, 6), [], "its grace is over");
        kept.slot().add(3);
        family.remove(&kept, M(7));
        assert_eq!(told(&mut family, 8), [("x".to_owned(), 4.0)]);
        assert_eq!(told(&mut family, 12), [], "five minutes after it was removed again");
    }

    /// F16: the series is removed, has its grace, is let go of and made again while threads record to it through what they
    /// have kept for a while. A scraper that takes a new series for a new beginning has all counts.
    #[test]
    fn no_count_is_lost_while_its_series_is_removed_expires_and_comes_back() {
        let is_long = std::env::var_os("BOT_METRICS_LONG_TESTS").is_some();
        let (threads, counts) = if is_long { (16, 500_000) } else { (4, 20_000) };
        let (family, key) = counters(3);
        let (family, done) = (std::sync::Mutex::new(family), std::sync::atomic::AtomicU64::new(0));
        let hold = || family.lock().expect("nobody panics");
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
            // A grace has two scrapes, of which the second finds it over.
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
                        (0..50).for_each(|_| entry.slot().add(1));
                        if round % 4 == 0 {
                            // It is removed, and its grace over, while it is held.
                            std::thread::sleep(Duration::from_micros(50));
                        }
                        (0..50).for_each(|_| entry.slot().add(1));
                        drop(entry);
                        // Now and then nobody holds it.
                        std::thread::sleep(Duration::from_micros(50 * (1 + (round + thread) % 8)));
                    }
                    done.fetch_add(1, Relaxed);
                });
            }
            while done.load(Relaxed) < threads {
                scrape();
            }
            // Until nothing is left to tell.
            (0..5).for_each(|_| scrape());
        });
        println!("{} counts, let go of {let_go} times", threads * counts);
        assert!(let_go > 0);
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let all = (threads * counts) as f64;
        assert_eq!(seen, all);
    }

    #[test]
    fn other_is_nobodys_to_remove_even_by_its_name() {
        let (mut family, key) = counters(1);
        admit(&mut family, key, "a", 0).slot().add(1);
        admit(&mut family, key, "b", 0).slot().add(10);
        let named = admit(&mut family, key, "other", 0);
        family.remove(&named, M(0));
        drop(named);
        let _ = told(&mut family, 6);
        admit(&mut family, key, "c", 6).slot().add(1);
        let now = told(&mut family, 6);
        assert!(now.contains(&("other".to_owned(), 11.0)), "{now:?}");
    }

    #[test]
    fn forgetting_no_value_or_other_leaves_alone_what_has_no_value_of_its_own() {
        for text in ["", "other"] {
            let (mut family, key) = counters(3);
            admit(&mut family, key, text, 0).slot().add(1);
            assert_eq!(told(&mut family, 0).len(), 1);
            family.forget(0, text, M(0));
            assert_eq!(told(&mut family, 0), [(text.to_owned(), 1.0)]);
        }
    }

    #[test]
    fn what_is_forgotten_goes_at_once_where_it_was_seen_and_has_its_grace_where_not() {
        let (mut family, key) = counters(3);
        let kept = admit(&mut family, key, "x", 0);
        kept.slot().add(1);
        assert_eq!(told(&mut family, 0), [("x".to_owned(), 1.0)]);
        kept.slot().add(1);
        family.forget(0, "x", M(1));
        assert_eq!(told(&mut family, 1), [("x".to_owned(), 2.0)]);
        assert_eq!(told(&mut family, 5), [("x".to_owned(), 2.0)]);
        assert_eq!(told(&mut family, 6), []);
        kept.slot().add(1);
        assert_eq!(told(&mut family, 7), [("x".to_owned(), 3.0)]);
        family.forget(0, "x", M(8));
        assert_eq!(told(&mut family, 8), []);
    }

    #[test]
    fn what_a_scrape_had_for_nobody_was_not_seen() {
        let (mut family, key) = counters(3);
        admit(&mut family, key, "x", 0).slot().add(1);
        let _ = family.collect_some(M(0), None, &mut Nobody);
        family.forget(0, "x", M(1));
        assert_eq!(told(&mut family, 1), [("x".to_owned(), 1.0)]);
    }

    #[test]
    fn what_is_forgotten_has_its_grace_where_only_a_snapshot_told_it() {
        let (mut family, key) = counters(3);
        admit(&mut family, key, "x", 0).slot().add(1);
        assert_eq!(shown(&mut family, 0), Some(Value::Counter(1)));
        family.forget(0, "x", M(1));
        assert_eq!(told(&mut family, 1), [("x".to_owned(), 1.0)]);
        assert_eq!(told(&mut family, 6), []);
    }

    #[test]
    fn a_count_that_comes_while_its_series_is_forgotten_is_seen() {
        let rounds = if std::env::var_os("BOT_METRICS_LONG_TESTS").is_some() { 20_000 } else { 50 };
        for _ in 0..rounds {
            let (mut family, key) = counters(3);
            let kept = admit(&mut family, key, "x", 0);
            let mut counted = 0.0;
            std::thread::scope(|scope| {
                let counting = scope.spawn(|| (0..500).for_each(|_| kept.slot().add(1)));
                while !counting.is_finished() {
                    family.forget(0, "x", M(0));
                    counted = told(&mut family, 0).first().map_or(counted, |(_, count)| *count);
                }
            });
            // What comes last is still to be seen, unless it was.
            counted = told(&mut family, 1).first().map_or(counted, |(_, count)| *count);
            assert_eq!(counted, 500.0);
        }
    }

    #[test]
    fn a_gauge_that_is_set_while_it_is_removed_comes_back() {
        let mut family = OpenFamily::new(&GAUGE, vec![Bound::Open(3)], usize::MAX);
        let asked = [Label::Open(b"x")];
        let kept = family.admit(&Asked::new(FamilyKey::new(), &asked), M(0), || Slot::gauge(Arc::default()));
        let rounds = if std::env::var_os("BOT_METRICS_LONG_TESTS").is_some() { 1_000_000 } else { 20_000 };
        for _ in 0..rounds {
            let done = AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    while !done.load(Relaxed) {
                        kept.slot().set(1.0);
                    }
                });
                for _ in 0..100 {
                    family.remove(&kept, M(0));
                }
                done.store(true, Relaxed);
            });
            kept.slot().set(3.0);
            assert_eq!(told(&mut family, 1), [("x".to_owned(), 3.0)]);
        }
    }

    #[test]
    fn a_gauge_has_no_series_other() {
        let mut family = OpenFamily::new(&GAUGE, vec![Bound::Open(1)], usize::MAX);
        let key = FamilyKey::new();
        for (text, value) in [("a", 1.0), ("b", 2.0), ("other", 3.0), ("", 4.0)] {
            let asked = [Label::Open(text.as_bytes())];
            let entry = family.admit(&Asked::new(key, &asked), M(0), || Slot::gauge(Arc::default()));
            entry.slot().set(value);
        }
        assert_eq!(told(&mut family, 0), [(String::new(), 4.0), ("a".to_owned(), 1.0)]);
        assert_eq!(family.places.labels[0].overflow.value(), 1);
    }

    #[test]
    fn places_are_looked_for_only_once_one_can_be_free() {
        let (mut family, key) = counters(1);
        let held = admit(&mut family, key, "a", 0);
        family.remove(&held, M(1));
        assert_eq!(family.next_end, M(6));
        assert!(admit(&mut family, key, "b", 5).is_others());
        assert!(!admit(&mut family, key, "c", 6).is_others());
        assert_eq!(family.next_end, Duration::MAX);
    }

    #[test]
    fn what_comes_and_goes_between_two_scrapes_is_let_go_of() {
        let mut family = OpenFamily::new(&GAUGE, vec![Bound::Open(3)], usize::MAX);
        let key = FamilyKey::new();
        for number in 0..10_000 {
            let text = number.to_string();
            let asked = [Label::Open(text.as_bytes())];
            let entry = family.admit(&Asked::new(key, &asked), M(0), || Slot::gauge(Arc::default()));
            entry.slot().set(1.0);
            family.remove(&entry, M(0));
        }
        assert!(family.series.len() <= 2 * FEW_REMOVED, "{}", family.series.len());
        assert_eq!(family.removed.len(), family.series.len());
    }
}
