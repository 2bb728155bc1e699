//! The Prometheus text format, version 0.0.4.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use super::naming::Naming;
use crate::catalogue::{FAMILIES, Families, Family, Origin};
use crate::storage::{Reading, Receipt, Sink};

/// The content type of the text format. Prometheus 3 rejects a scrape whose type it does not know, so this is exact.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Encodes a scrape as it is read, with the names and default labels of its instance.
///
/// Nothing is allocated per series: the common part of a series' lines is encoded once, and only the number is new in
/// each line.
pub(crate) struct TextSink<'a> {
    families: Families,
    namespace: &'a str,
    default_labels: String,
    /// The text of all families opened so far.
    text: String,
    /// The family that is open.
    open: usize,
    /// The text of families that are not open yet, by their position in the catalogue.
    waiting: Vec<PendingFamily>,
    /// The family of the last series, and its position.
    last: Option<(&'static Family, usize)>,
    scratch: LineScratch,
    receipt: Receipt,
    outlet: Option<Output<'a>>,
}

/// The writer that receives the text in pieces.
struct Output<'a> {
    out: &'a mut dyn Write,
    /// The result of writing so far.
    result: io::Result<()>,
    /// The total time of writing.
    wrote_for: Duration,
}

/// The length of text that is buffered before it is written; most expositions are shorter.
const PIECE: usize = 64 * 1024;

#[derive(Default)]
struct PendingFamily {
    spelling: Option<Spelling>,
    text: String,
}

/// The common part of the lines of one family.
struct Spelling {
    family: &'static Family,
    name: String,
    /// For each bucket `,le="0.5"} `, one after the other.
    bounds: String,
    /// The end of each of them.
    bound_ends: Vec<usize>,
}

/// The common part of the lines of one series.
#[derive(Default)]
struct LineScratch {
    labels: String,
    /// A line of a bucket up to its bound.
    bucket: String,
}

/// The position after all families of the catalogue, for the bot's own families in their order.
const CUSTOM: usize = FAMILIES.len();

impl<'a> TextSink<'a> {
    /// Encodes after the existing `text`.
    pub(crate) fn new(naming: &'a Naming, text: String) -> Self {
        let mut default_labels = String::new();
        for (name, value) in &naming.default_labels {
            write_label(&mut default_labels, name, value);
        }
        Self {
            families: naming.families,
            namespace: &naming.namespace,
            default_labels,
            text,
            open: 0,
            waiting: (0..=CUSTOM).map(|_| PendingFamily::default()).collect(),
            last: None,
            scratch: LineScratch::default(),
            receipt: Receipt::default(),
            outlet: None,
        }
    }

    /// Writes the text to `out` in pieces, so that it is never in memory as a whole. If writing fails, the rest is
    /// not encoded.
    pub(crate) fn to(naming: &'a Naming, out: &'a mut dyn Write) -> Self {
        let outlet = Output { out, result: Ok(()), wrote_for: Duration::ZERO };
        Self { outlet: Some(outlet), ..Self::new(naming, String::new()) }
    }

    /// Appends `text`.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.rest();
    }

    /// Ends the families; later text follows them.
    pub(crate) fn close(&mut self) {
        self.advance(CUSTOM);
    }

    /// The text, or the part of it that was not written, and the receipt of all of it.
    pub(crate) fn finish(mut self) -> io::Result<(String, Receipt)> {
        self.close();
        if self.outlet.is_some() {
            self.pass_on();
        }
        self.outlet.map_or(Ok(()), |outlet| outlet.result)?;
        Ok((self.text, self.receipt))
    }

    fn pass_on(&mut self) {
        if let Some(Output { out, result: result @ Ok(()), wrote_for }) = &mut self.outlet {
            let begun = Instant::now();
            *result = out.write_all(self.text.as_bytes());
            *wrote_for += begun.elapsed();
            self.text.clear();
        }
    }

    /// The total time of writing so far, which depends on the reader.
    pub(crate) fn wrote_for(&self) -> Duration {
        self.outlet.as_ref().map_or(Duration::ZERO, |outlet| outlet.wrote_for)
    }

    /// Opens all families up to the one at `position`.
    fn advance(&mut self, position: usize) {
        for waiting in &mut self.waiting[self.open..position.max(self.open)] {
            self.text.push_str(&waiting.text);
        }
        self.open = self.open.max(position);
        if position == CUSTOM {
            // The lines of the next family have another common part.
            self.waiting[CUSTOM].spelling = None;
            self.last = None;
        } else {
            let waiting = std::mem::take(&mut self.waiting[position].text);
            self.text.push_str(&waiting);
        }
    }

    fn position(&mut self, family: &'static Family) -> usize {
        if let Some((last, position)) = self.last
            && std::ptr::eq(last, family)
        {
            return position;
        }
        let position = FAMILIES.iter().position(|known| std::ptr::eq(*known, family));
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

impl Sink for TextSink<'_> {
    fn includes(&self, family: &Family) -> bool {
        let written = self.outlet.as_ref().is_none_or(|outlet| outlet.result.is_ok());
        written && self.families.include(family)
    }

    fn receipt(&mut self) -> Option<&mut Receipt> {
        Some(&mut self.receipt)
    }

    fn rest(&mut self) {
        if self.outlet.is_some() && self.text.len() >= PIECE {
            self.pass_on();
        }
    }

    fn open(&mut self, family: &'static Family) {
        let position = self.position(family);
        self.advance(position);
    }

    fn sample(&mut self, family: &'static Family, labels: &[&str], value: Reading<'_>) {
        debug_assert_eq!(family.labels.len(), labels.len(), "{}", family.name);
        if !self.includes(family) {
            return;
        }
        let position = self.position(family);
        debug_assert!(position >= self.open, "{} comes after its position", family.name);
        let Self { namespace, default_labels, text, open, waiting, scratch, .. } = self;
        let PendingFamily { spelling, text: waiting } = &mut waiting[position];
        // A family that comes too late is appended, as the best possible place.
        let text = if position <= *open { text } else { waiting };
        let spelling = spelling.get_or_insert_with(|| {
            let spelling = Spelling::new(family, namespace);
            spelling.head(text);
            spelling
        });
        scratch.labels.clear();
        for (name, value) in family.labels.iter().zip(labels) {
            write_label(&mut scratch.labels, name, value);
        }
        scratch.labels.push_str(default_labels);
        // The comma after the last label is legal, but other clients do not write it.
        scratch.labels.pop();
        spelling.series(text, scratch, value);
    }
}

impl Spelling {
    fn new(family: &'static Family, namespace: &str) -> Self {
        let (mut bounds, mut bound_ends) = (String::new(), Vec::new());
        for bound in family.buckets.iter().copied().chain([f64::INFINITY]) {
            bounds.push_str(",le=\"");
            write_number(&mut bounds, bound);
            bounds.push_str("\"} ");
            bound_ends.push(bounds.len());
        }
        Self { family, name: family.full_name(namespace), bounds, bound_ends }
    }

    fn head(&self, text: &mut String) {
        write_help(text, &self.name, self.family.help);
        for part in ["# TYPE ", &self.name, " ", self.family.kind.as_str(), "\n"] {
            text.push_str(part);
        }
    }

    fn series(&self, text: &mut String, scratch: &mut LineScratch, value: Reading<'_>) {
        match value {
            Reading::Counter(value) => {
                self.start(text, "", &scratch.labels);
                write_integer(text, value);
                text.push('\n');
            }
            Reading::Gauge(value) | Reading::FloatCounter(value) => {
                self.start(text, "", &scratch.labels);
                write_number(text, value);
                text.push('\n');
            }
            Reading::Histogram { buckets, sum } => self.histogram(text, scratch, buckets, sum),
        }
    }

    fn histogram(&self, text: &mut String, scratch: &mut LineScratch, buckets: &[u64], sum: f64) {
        let LineScratch { labels, bucket } = scratch;
        bucket.clear();
        for part in [&self.name, "_bucket{", labels] {
            bucket.push_str(part);
        }
        // Without labels there is nothing to separate from a bound by a comma.
        let comma = usize::from(labels.is_empty());
        let (mut count, mut start) = (0, 0);
        for (&end, more) in self.bound_ends.iter().zip(buckets) {
            count = more.saturating_add(count);
            text.push_str(bucket);
            text.push_str(&self.bounds[start + comma..end]);
            write_integer(text, count);
            text.push('\n');
            start = end;
        }
        self.start(text, "_sum", labels);
        write_number(text, sum);
        text.push('\n');
        self.start(text, "_count", labels);
        write_integer(text, count);
        text.push('\n');
    }

    /// Writes a line up to its number. The braces are written even without labels.
    fn start(&self, text: &mut String, suffix: &str, labels: &str) {
        for part in [&self.name, suffix, "{", labels, "} "] {
            text.push_str(part);
        }
    }
}

/// Writes the HELP line.
pub(crate) fn write_help(text: &mut String, name: &str, help: &str) {
    let help = help.replace('\\', "\\\\").replace('\n', "\\n");
    for part in ["# HELP ", name, " ", &help, "\n"] {
        text.push_str(part);
    }
}

/// Writes a label and a comma.
pub(crate) fn write_label(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str("=\"");
    let mut rest = value;
    while let Some(index) = rest.find(['\\', '"', '\n']) {
        text.push_str(&rest[..index]);
        text.push_str(match rest.as_bytes()[index] {
            b'\\' => "\\\\",
            b'"' => "\\\"",
            _ => "\\n",
        });
        rest = &rest[index + 1..];
    }
    text.push_str(rest);
    text.push_str("\",");
}

/// Writes a number as Prometheus parses it: infinities have a sign. Whole numbers have no point, as in other clients.
pub(crate) fn write_number(text: &mut String, value: f64) {
    /// Above this not every integer is a float.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value == f64::INFINITY {
        text.push_str("+Inf");
    } else if value == f64::NEG_INFINITY {
        text.push_str("-Inf");
    } else if value.is_nan() {
        text.push_str("NaN");
    } else if value.fract() == 0.0 && value.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
        text.push_str(itoa::Buffer::new().format(value as i64));
    } else {
        text.push_str(ryu::Buffer::new().format_finite(value));
    }
}

pub(crate) fn write_integer(text: &mut String, value: u64) {
    text.push_str(itoa::Buffer::new().format(value));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use crate::{Mode, Settings};
    use std::fmt::Write as _;

    fn encoded(fill: impl FnOnce(&mut dyn Sink)) -> String {
        let naming = Settings::new(Mode::Paper).app("a\"b\\c\nd").naming();
        let mut sink = TextSink::new(&naming, String::new());
        fill(&mut sink);
        sink.finish().expect("nothing is written").0
    }

    const DEFAULT: &str = r#"app="a\"b\\c\nd",env="development",mode="paper""#;

    #[test]
    fn a_histogram_has_cumulative_buckets_sum_and_count() {
        let text = encoded(|sink| {
            let buckets = &[1, 0, 2, 0, 0, 0, 0, 3];
            sink.histogram(&catalogue::SUBSYSTEM_DURATION_SECONDS, &["trading"], buckets, 40.125);
        });
        let name = "bytelyst_bot_subsystem_duration_seconds";
        let mut expected = format!(
            "# HELP {name} Execution time of one cycle of a core loop, without the sleep between cycles.\n\
             # TYPE {name} histogram\n"
        );
        for (bound, count) in
            [("0.1", 1), ("0.25", 1), ("0.5", 3), ("1", 3), ("2", 3), ("5", 3), ("10", 3), ("+Inf", 6)]
        {
            let _ =
                writeln!(expected, "{name}_bucket{{subsystem=\"trading\",{DEFAULT},le=\"{bound}\"}} {count}");
        }
        let _ = writeln!(expected, "{name}_sum{{subsystem=\"trading\",{DEFAULT}}} 40.125");
        let _ = writeln!(expected, "{name}_count{{subsystem=\"trading\",{DEFAULT}}} 6");
        assert_eq!(text, expected);
    }

    #[test]
    fn a_histogram_without_any_label_has_its_bounds_alone() {
        static LONELY: Family = Family {
            name: "lonely",
            origin: Origin::Custom,
            labels: &[],
            buckets: &[0.5],
            ..catalogue::SUBSYSTEM_DURATION_SECONDS
        };
        let naming = Settings::new(Mode::Paper).default_labels_in_target_info().naming();
        let mut sink = TextSink::new(&naming, String::new());
        sink.open(&LONELY);
        (&mut sink as &mut dyn Sink).histogram(&LONELY, &[], &[1, 2], 3.0);
        let text = sink.finish().expect("nothing is written").0;
        let name = "bytelyst_bot_lonely";
        let samples = format!(
            "{name}_bucket{{le=\"0.5\"}} 1\n{name}_bucket{{le=\"+Inf\"}} 3\n{name}_sum{{}} 3\n{name}_count{{}} 3\n"
        );
        assert!(text.ends_with(&samples), "{text}");
    }

    #[test]
    fn a_help_text_is_escaped_and_stays_one_line() {
        static WINDING: Family = Family {
            name: "winding",
            origin: Origin::Custom,
            help: "a\\b\nc \"d\"",
            ..catalogue::PROFILE_UTILIZATION_PERCENT
        };
        let text = encoded(|sink| {
            sink.open(&WINDING);
            sink.gauge(&WINDING, &["x"], 1.0);
        });
        let expected = "# HELP bytelyst_bot_winding a\\\\b\\nc \"d\"\n# TYPE bytelyst_bot_winding gauge\n";
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    fn label_values_are_escaped_and_infinities_signed() {
        let text = encoded(|sink| {
            sink.gauge(&catalogue::PROFILE_UTILIZATION_PERCENT, &["ä\"\\\nz"], f64::INFINITY);
        });
        let expected = format!(
            "bytelyst_bot_profile_utilization_percent{{profile_id=\"ä\\\"\\\\\\nz\",{DEFAULT}}} +Inf\n"
        );
        assert!(text.ends_with(&expected), "{text}");
    }

    #[test]
    fn numbers_read_as_they_were_and_whole_ones_have_no_point() {
        for (value, expected) in [
            (0.0, "0"),
            (-1.0, "-1"),
            (40.125, "40.125"),
            (1e15, "1000000000000000"),
            (0.1 + 0.2, "0.30000000000000004"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            let mut text = String::new();
            write_number(&mut text, value);
            assert_eq!(text, expected);
        }
        for value in [1e300, 5e-324, 1e16, -1.5e-7, f64::MAX] {
            let mut text = String::new();
            write_number(&mut text, value);
            assert_eq!(text.parse(), Ok(value), "{text}");
        }
    }

    #[test]
    fn counters_are_exact_beyond_2_to_the_53() {
        let text = encoded(|sink| {
            sink.counter(&catalogue::RECONCILIATION_MISMATCHES_TOTAL, &[], (1 << 53) + 1);
        });
        assert!(text.ends_with(" 9007199254740993\n"), "{text}");
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
        let text = encoded(|sink| {
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
