//! The Prometheus text format, version 0.0.4.

use std::fmt::Write as _;

use crate::catalogue::Family;
use crate::settings::Settings;
use crate::storage::{FamilySnapshot, HistogramValue, Snapshot, Value};

/// The type of the text format as HTTP has it. Prometheus 3 refuses a scrape whose type it does not know, so this is
/// exact.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `snapshot` with the names and default labels of `settings`.
pub(crate) fn encode(snapshot: &Snapshot, settings: &Settings) -> String {
    let mut default_labels = String::new();
    for (name, value) in settings.default_labels() {
        write_label(&mut default_labels, name, value);
    }
    let mut out = String::with_capacity(32 * 1024);
    for family in &snapshot.families {
        Text::new(&mut out, family.family, settings, &default_labels).family(family);
    }
    out
}

/// A family being written. What its lines share is spelled once: of a line, only the number is new.
struct Text<'a> {
    out: &'a mut String,
    family: &'a Family,
    name: String,
    /// With the comma that joins it to the labels before it, the brace and the space behind it.
    bounds: Vec<String>,
    default_labels: &'a str,
    /// The labels of the series that is being written.
    labels: String,
    /// Its lines of buckets up to the bound.
    bucket: String,
}

impl<'a> Text<'a> {
    fn new(out: &'a mut String, family: &'a Family, settings: &Settings, default_labels: &'a str) -> Self {
        let name = family.full_name(&settings.namespace);
        let bounds = family.buckets.iter().copied().chain([f64::INFINITY]);
        let bounds = bounds.map(|bound| {
            let mut text = String::from(",le=\"");
            write_number(&mut text, bound);
            text.push_str("\"} ");
            text
        });
        Self {
            out,
            family,
            name,
            bounds: bounds.collect(),
            default_labels,
            labels: String::new(),
            bucket: String::new(),
        }
    }

    fn family(&mut self, snapshot: &FamilySnapshot) {
        let (name, family) = (&self.name, self.family);
        let help = family.help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(self.out, "# HELP {name} {help}");
        let _ = writeln!(self.out, "# TYPE {name} {}", family.kind.as_str());
        for sample in &snapshot.samples {
            self.labels.clear();
            for (name, value) in family.labels.iter().zip(&sample.labels) {
                write_label(&mut self.labels, name, value);
            }
            self.labels.push_str(self.default_labels);
            // The comma behind the last label is legal, yet not what other clients write.
            self.labels.pop();
            self.value(&sample.value);
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Counter(value) => {
                self.start("");
                write_integer_line(self.out, *value);
            }
            Value::Gauge(value) => {
                self.start("");
                write_number(self.out, *value);
                self.out.push('\n');
            }
            Value::Histogram(histogram) => self.histogram(histogram),
        }
    }

    fn histogram(&mut self, histogram: &HistogramValue) {
        self.bucket.clear();
        for text in [&self.name, "_bucket{", &self.labels] {
            self.bucket.push_str(text);
        }
        for (bound, count) in self.bounds.iter().zip(histogram.cumulative()) {
            self.out.push_str(&self.bucket);
            self.out.push_str(bound);
            write_integer_line(self.out, count);
        }
        self.start("_sum");
        write_number(self.out, histogram.sum());
        self.out.push('\n');
        self.start("_count");
        write_integer_line(self.out, histogram.count());
    }

    /// A line up to its number.
    fn start(&mut self, suffix: &str) {
        for text in [&self.name, suffix, "{", &self.labels, "} "] {
            self.out.push_str(text);
        }
    }
}

fn write_label(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push_str("=\"");
    if value.contains(['\\', '"', '\n']) {
        out.push_str(&value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"));
    } else {
        out.push_str(value);
    }
    out.push_str("\",");
}

/// As Prometheus reads numbers: infinities have a sign.
fn write_number(out: &mut String, value: f64) {
    if value == f64::INFINITY {
        out.push_str("+Inf");
    } else if value == f64::NEG_INFINITY {
        out.push_str("-Inf");
    } else {
        let _ = write!(out, "{value}");
    }
}

/// An integer and the line's end. Formatting by the standard library asks for width, sign and padding first and takes
/// several times as long, and most of what a scrape writes is integers.
fn write_integer_line(out: &mut String, mut value: u64) {
    const LONGEST: usize = 20;
    let mut text = [b'\n'; LONGEST + 1];
    let mut start = LONGEST;
    loop {
        start -= 1;
        let digit = (value % 10) as u8;
        text[start] = b'0' + digit;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    // Digits are UTF-8, so that nothing is ever left out here.
    out.push_str(std::str::from_utf8(&text[start..]).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mode;
    use crate::catalogue::{self, Families};
    use crate::storage::{Sink, SnapshotBuilder};

    fn encoded(fill: impl FnOnce(&mut dyn Sink)) -> String {
        let mut builder = SnapshotBuilder::new(Families::All);
        fill(&mut builder);
        encode(&builder.finish(), &Settings::new(Mode::Paper).app("a\"b\\c\nd"))
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
    fn label_values_are_escaped_and_infinities_signed() {
        let text = encoded(|sink| {
            sink.gauge(&catalogue::PROFILE_UTILIZATION_PERCENT, &["a\"\\\n"], f64::INFINITY);
        });
        let expected = format!(
            "bytelyst_bot_profile_utilization_percent{{profile_id=\"a\\\"\\\\\\n\",{DEFAULT}}} +Inf\n"
        );
        assert!(text.ends_with(&expected), "{text}");
    }

    #[test]
    fn integers_are_written_as_the_standard_library_writes_them() {
        for value in [0, 7, 10, 99, 100, 12_345_678_901, u64::MAX - 1, u64::MAX] {
            let mut out = String::new();
            write_integer_line(&mut out, value);
            assert_eq!(out, format!("{value}\n"));
        }
    }

    #[test]
    fn counters_are_exact_beyond_2_to_the_53() {
        let text = encoded(|sink| {
            sink.counter(&catalogue::RECONCILIATION_MISMATCHES_TOTAL, &[], (1 << 53) + 1);
        });
        assert!(text.ends_with(" 9007199254740993\n"), "{text}");
    }
}
