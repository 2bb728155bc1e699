//! The Prometheus text format, version 0.0.4.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::catalogue::Family;
use crate::settings::Settings;
use crate::storage::{FamilySnapshot, HistogramValue, Sample, Snapshot, Value};

/// `snapshot` with the names and default labels of `settings`.
pub(crate) fn encode(snapshot: &Snapshot, settings: &Settings) -> String {
    let mut text = Text { out: String::with_capacity(32 * 1024), settings, default_labels: String::new() };
    for (name, value) in settings.default_labels() {
        write_label(&mut text.default_labels, name, value);
    }
    for family in &snapshot.families {
        text.family(family);
    }
    text.out
}

struct Text<'a> {
    out: String,
    settings: &'a Settings,
    /// Spelled once; they end every series.
    default_labels: String,
}

impl Text<'_> {
    fn family(&mut self, snapshot: &FamilySnapshot) {
        let (namespace, family) = (&self.settings.namespace, snapshot.family);
        let help = family.help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing to a String cannot fail, here and below.
        let name = family.full_name(namespace);
        let _ = writeln!(self.out, "# HELP {name} {help}");
        let _ = writeln!(self.out, "# TYPE {name} {}", family.kind.as_str());
        for sample in &snapshot.samples {
            self.sample(family, sample);
        }
    }

    fn sample(&mut self, family: &Family, sample: &Sample) {
        match &sample.value {
            Value::Counter(value) => self.line(family, sample, "", None, &value.to_string()),
            Value::Gauge(value) => self.line(family, sample, "", None, &number(*value)),
            Value::Histogram(histogram) => self.histogram(family, sample, histogram),
        }
    }

    fn histogram(&mut self, family: &Family, sample: &Sample, histogram: &HistogramValue) {
        let bounds = family.buckets.iter().copied().chain([f64::INFINITY]);
        for (bound, count) in bounds.zip(histogram.cumulative()) {
            self.line(family, sample, "_bucket", Some(bound), &count.to_string());
        }
        self.line(family, sample, "_sum", None, &number(histogram.sum()));
        self.line(family, sample, "_count", None, &histogram.count().to_string());
    }

    fn line(&mut self, family: &Family, sample: &Sample, suffix: &str, bound: Option<f64>, value: &str) {
        let _ = write!(self.out, "{}_{}{suffix}{{", self.settings.namespace, family.name);
        for (name, value) in family.labels.iter().zip(&sample.labels) {
            write_label(&mut self.out, name, value);
        }
        self.out.push_str(&self.default_labels);
        if let Some(bound) = bound {
            write_label(&mut self.out, "le", &number(bound));
        }
        // The comma behind the last label is legal, yet not what other clients write.
        self.out.pop();
        let _ = writeln!(self.out, "}} {value}");
    }
}

fn write_label(out: &mut String, name: &str, value: &str) {
    let _ = write!(out, "{name}=\"{}\",", escaped(value));
}

fn escaped(value: &str) -> Cow<'_, str> {
    if value.contains(['\\', '"', '\n']) {
        Cow::Owned(value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
    } else {
        Cow::Borrowed(value)
    }
}

/// As Prometheus reads numbers: infinities have a sign.
fn number(value: f64) -> Cow<'static, str> {
    if value == f64::INFINITY {
        Cow::Borrowed("+Inf")
    } else if value == f64::NEG_INFINITY {
        Cow::Borrowed("-Inf")
    } else {
        Cow::Owned(value.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mode;
    use crate::catalogue::{self, Families};
    use crate::storage::SnapshotBuilder;
    use std::time::Duration;

    fn encoded(fill: impl FnOnce(&mut SnapshotBuilder)) -> String {
        let mut builder = SnapshotBuilder::new(Families::All);
        fill(&mut builder);
        encode(&builder.finish(), &Settings::new(Mode::Paper).app("a\"b\\c\nd"))
    }

    const DEFAULT: &str = r#"app="a\"b\\c\nd",env="development",mode="paper""#;

    #[test]
    fn a_histogram_has_cumulative_buckets_sum_and_count() {
        let text = encoded(|builder| {
            let value = HistogramValue::new(vec![1, 0, 2, 0, 0, 0, 0, 3], Duration::from_millis(40_125));
            builder.histogram(&catalogue::SUBSYSTEM_DURATION_SECONDS, vec!["trading".into()], value);
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
        let text = encoded(|builder| {
            builder.gauge(&catalogue::PROFILE_UTILIZATION_PERCENT, vec!["a\"\\\n".into()], f64::INFINITY);
        });
        let expected = format!(
            "bytelyst_bot_profile_utilization_percent{{profile_id=\"a\\\"\\\\\\n\",{DEFAULT}}} +Inf\n"
        );
        assert!(text.ends_with(&expected), "{text}");
    }

    #[test]
    fn counters_are_exact_beyond_2_to_the_53() {
        let text = encoded(|builder| {
            builder.counter(&catalogue::RECONCILIATION_MISMATCHES_TOTAL, vec![], (1 << 53) + 1);
        });
        assert!(text.ends_with(" 9007199254740993\n"), "{text}");
    }
}
