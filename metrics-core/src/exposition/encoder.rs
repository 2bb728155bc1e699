//! The order of an exposition, and the pieces in which it is written.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Write};
use std::ptr;
use std::time::{Duration, Instant};

use super::filter::Filter;
use super::foreign_family::ForeignFamily;
use super::naming::Naming;
use super::spelling::{Beside, FamilySpelling, PageBuffer, Spelling};
use crate::catalogue::{FAMILIES, Family, Origin};
use crate::clock::Created;
use crate::exemplars::{BucketExemplar, Exemplars};
use crate::storage::{Reading, Receipt, Sink};

/// Encodes a scrape as it is read, in one format, with the names and default labels of its instance.
///
/// Nothing is allocated per series: the common part of a family's series is encoded once.
pub(crate) struct Encoder<'a, P> {
    naming: &'a Naming,
    pub(crate) spelling: &'a dyn Spelling<P>,
    pub(crate) filter: &'a Filter,
    /// The encoding of all families opened so far, as far as it is not written.
    page: P,
    /// The family that is open.
    open: usize,
    /// The families by their position in the catalogue, with the encoding of those that are not open yet.
    families: Vec<PendingFamily<P>>,
    /// Whether the filter selects a family, for each that it was asked about: a long list of names is compared with the
    /// name of a family once, not for each series.
    selected: RefCell<HashMap<*const Family, bool>>,
    /// The family of the last series, and its position.
    last: Option<(&'static Family, usize)>,
    times: Option<Times>,
    /// Those of the next series, in the order of its buckets.
    exemplars: Vec<BucketExemplar>,
    receipt: Receipt,
    output: Option<Output<'a>>,
}

/// The created times of series.
struct Times {
    /// The wall-clock time at which the machine was started.
    started: Duration,
    instance: Created,
    /// That of the next series, if it is not the instance's.
    next: Option<Created>,
}

/// The writer that receives the page in pieces.
struct Output<'a> {
    out: &'a mut dyn Write,
    /// The result of writing so far.
    result: io::Result<()>,
    /// The total time of writing.
    wrote_for: Duration,
}

/// The number of bytes that are buffered before they are written; most expositions are shorter.
const PIECE: usize = 64 * 1024;

#[derive(Default)]
struct PendingFamily<P> {
    spelling: Option<Box<dyn FamilySpelling<P>>>,
    encoded: P,
}

/// The position after all families of the catalogue, for the bot's own families in their order.
const CUSTOM: usize = FAMILIES.len();

impl<'a, P: PageBuffer> Encoder<'a, P> {
    /// Encodes the families that `filter` selects, after what `page` contains.
    pub(crate) fn new(
        naming: &'a Naming,
        spelling: &'a dyn Spelling<P>,
        filter: &'a Filter,
        page: P,
    ) -> Self {
        Self {
            naming,
            spelling,
            filter,
            page,
            open: 0,
            families: (0..=CUSTOM).map(|_| PendingFamily::default()).collect(),
            selected: RefCell::default(),
            last: None,
            times: None,
            exemplars: Vec::new(),
            receipt: Receipt::default(),
            output: None,
        }
    }

    /// Writes the page to `out` in pieces, so that it is never in memory as a whole. If writing fails, the rest is
    /// not encoded.
    pub(crate) fn write_to(self, out: &'a mut dyn Write) -> Self {
        let output = Output { out, result: Ok(()), wrote_for: Duration::ZERO };
        Self { output: Some(output), ..self }
    }

    /// Encodes the created times too, in the formats that have them. `started` is the wall-clock time at which the
    /// machine was started.
    pub(crate) fn with_created(self, instance: Created, started: Duration) -> Self {
        Self { times: Some(Times { started, instance, next: None }), ..self }
    }

    /// Adds a line for people, if the format allows it.
    pub(crate) fn comment(&mut self, text: &str) {
        self.spelling.comment(&mut self.page, text);
    }

    /// Adds a foreign family, after all others.
    pub(crate) fn foreign(&mut self, family: &ForeignFamily) {
        self.close();
        let mut spelling = self.spelling.foreign(&mut self.page, family);
        for metric in &family.series {
            spelling.foreign(&mut self.page, metric);
            self.rest();
        }
        spelling.end(&mut self.page);
        self.rest();
    }

    /// The page, or the part of it that was not written, and the receipt of all of it.
    pub(crate) fn finish(mut self) -> io::Result<(P, Receipt)> {
        self.close();
        // None is left but those that came too late.
        self.families.iter_mut().for_each(|family| family.end(&mut self.page));
        self.spelling.end(&mut self.page);
        if self.output.is_some() {
            self.pass_on();
        }
        self.output.map_or(Ok(()), |output| output.result)?;
        Ok((self.page, self.receipt))
    }

    /// The total time of writing so far, which depends on the reader.
    pub(crate) fn wrote_for(&self) -> Duration {
        self.output.as_ref().map_or(Duration::ZERO, |output| output.wrote_for)
    }

    fn pass_on(&mut self) {
        if let Some(Output { out, result: result @ Ok(()), wrote_for }) = &mut self.output {
            let begun = Instant::now();
            *result = out.write_all(self.page.as_ref());
            *wrote_for += begun.elapsed();
            self.page.clear();
        }
    }

    /// Ends the families of the instance.
    fn close(&mut self) {
        self.advance(CUSTOM);
    }

    /// Opens all families up to the one at `position`, whose series are not complete.
    fn advance(&mut self, position: usize) {
        let position = position.max(self.open);
        for family in &mut self.families[self.open..position] {
            family.end(&mut self.page);
        }
        self.open = position;
        let family = &mut self.families[position];
        if position == CUSTOM {
            // The next one is another family.
            family.end(&mut self.page);
            self.last = None;
        } else {
            self.page.append(&mut std::mem::take(&mut family.encoded));
        }
    }

    fn selects(&self, family: &Family) -> bool {
        self.filter.selects_all()
            || *self
                .selected
                .borrow_mut()
                .entry(ptr::from_ref(family))
                .or_insert_with(|| self.filter.selects(self.naming, family))
    }

    fn position(&mut self, family: &'static Family) -> usize {
        if let Some((last, position)) = self.last
            && ptr::eq(last, family)
        {
            return position;
        }
        let position = FAMILIES.iter().position(|known| ptr::eq(*known, family));
        debug_assert!(
            position.is_some() || family.origin == Origin::Custom,
            "{} is missing in `catalogue::FAMILIES`",
            family.name
        );
        let position = position.unwrap_or(CUSTOM);
        self.last = Some((family, position));
        position
    }
}

impl Times {
    /// The created time of the next series. The standard families count from the start of the process.
    fn of(&mut self, family: &Family) -> Option<Duration> {
        let created = self.next.take().unwrap_or(self.instance);
        (family.origin != Origin::Standard).then(|| created.wall(self.started))
    }
}

impl<P: PageBuffer> PendingFamily<P> {
    /// Ends it, as the open family or as one that is not open yet.
    fn end(&mut self, page: &mut P) {
        page.append(&mut std::mem::take(&mut self.encoded));
        if let Some(mut spelling) = self.spelling.take() {
            spelling.end(page);
        }
    }
}

impl<P: PageBuffer> Sink for Encoder<'_, P> {
    fn includes(&self, family: &Family) -> bool {
        let written = self.output.as_ref().is_none_or(|output| output.result.is_ok());
        written && self.naming.families.include(family) && self.selects(family)
    }

    fn receipt(&mut self) -> Option<&mut Receipt> {
        Some(&mut self.receipt)
    }

    fn rest(&mut self) {
        if self.output.is_some() && self.page.as_ref().len() >= PIECE {
            self.pass_on();
        }
    }

    fn open(&mut self, family: &'static Family) {
        let position = self.position(family);
        self.advance(position);
    }

    fn since(&mut self, created: Created) {
        if let Some(times) = &mut self.times {
            times.next = Some(created);
        }
    }

    fn exemplars(&mut self, family: &Family, exemplars: &Exemplars) {
        if self.spelling.has_exemplars() && self.includes(family) {
            self.exemplars.extend(exemplars.export());
            // Of merged series, each may have one for a bucket.
            self.exemplars.sort_by_key(|exemplar| exemplar.bucket);
            self.exemplars.dedup_by_key(|exemplar| exemplar.bucket);
        }
    }

    fn sample(&mut self, family: &'static Family, labels: &[&str], value: Reading<'_>) {
        debug_assert_eq!(family.labels.len(), labels.len(), "{}", family.name);
        let created = self.times.as_mut().and_then(|times| times.of(family));
        if !self.includes(family) {
            return;
        }
        let position = self.position(family);
        debug_assert!(position >= self.open, "{} comes after its position", family.name);
        let Self { naming, spelling, page, open, families, exemplars, .. } = self;
        let PendingFamily { spelling: family_spelling, encoded } = &mut families[position];
        // A family that comes too late is appended, as the best possible place.
        let out = if position <= *open { page } else { encoded };
        family_spelling.get_or_insert_with(|| spelling.own(out, naming, family)).series(
            out,
            labels,
            Beside { created, exemplars },
            value,
        );
        exemplars.clear();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::catalogue;
    use crate::exposition::text::Text;
    use crate::{Mode, Settings};

    pub(in crate::exposition) fn naming() -> Naming {
        Settings::new(Mode::Paper).app("a\"b\\c\nd").naming()
    }

    /// The series that `fill` passes on, as a page.
    pub(in crate::exposition) fn encoded_with<P: PageBuffer>(
        naming: &Naming,
        spelling: &dyn Spelling<P>,
        fill: impl FnOnce(&mut dyn Sink),
    ) -> P {
        let all = Filter::default();
        let mut encoder = Encoder::new(naming, spelling, &all, P::default());
        fill(&mut encoder);
        encoder.finish().expect("nothing is written").0
    }

    #[test]
    fn families_are_grouped_in_the_catalogues_order_for_any_order_of_samples() {
        const fn own(name: &'static str) -> Family {
            Family {
                name,
                kind: catalogue::Kind::Gauge,
                help: "One of the bot's own.",
                labels: &["x"],
                buckets: &[],
                objective: None,
                origin: catalogue::Origin::Custom,
            }
        }
        static OWN: [Family; 2] = [own("a"), own("b")];
        let text = encoded_with(&naming(), &Text, |sink| {
            for subsystem in ["monitor", "trading"] {
                sink.counter(&catalogue::SUBSYSTEM_RUNS_TOTAL, &[subsystem, "ok"], 1);
                sink.gauge(&catalogue::SUBSYSTEM_ALIVE, &[subsystem], 1.0);
            }
            sink.open(&catalogue::EXCHANGE_API_LATENCY_SECONDS);
            sink.gauge(&catalogue::EXCHANGE_API_IN_FLIGHT, &["x", "y"], 0.0);
            sink.histogram(&catalogue::EXCHANGE_API_LATENCY_SECONDS, &["x", "y"], &[0; 19], 0.0);
            sink.counter(&catalogue::RECONCILIATION_MISMATCHES_TOTAL, &[], 0);
            for family in &OWN {
                sink.open(family);
                sink.gauge(family, &["x"], 1.0);
                sink.gauge(family, &["y"], 1.0);
            }
        });
        let heads: Vec<_> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE bytelyst_bot_")).collect();
        assert_eq!(
            heads,
            [
                "subsystem_alive gauge",
                "subsystem_runs_total counter",
                "exchange_api_latency_seconds histogram",
                "exchange_api_in_flight gauge",
                "reconciliation_mismatches_total counter",
                "a gauge",
                "b gauge"
            ]
        );
        let mut family = String::new();
        for line in text.lines() {
            match line.strip_prefix("# TYPE ").and_then(|rest| rest.split(' ').next()) {
                Some(name) => name.clone_into(&mut family),
                None => assert!(line.starts_with('#') || line.starts_with(&family), "{line} in {family}"),
            }
        }
        assert_eq!(text.lines().filter(|line| !line.starts_with('#')).count(), 4 + 21 + 1 + 1 + 4);
    }
}
