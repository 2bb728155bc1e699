//! The Prometheus text format, version 0.0.4.

use super::family_type::FamilyType;
use super::lines::{Dialect, write, write_escaped, write_number};
use super::spelling::FamilyNames;

/// The content type of the text format. Prometheus 3 rejects a scrape whose type it does not know, so this is exact.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Clone, Copy, Debug)]
pub(crate) struct Text;

impl FamilyNames for Text {}

impl Dialect for Text {
    const HAS_COMMENTS: bool = true;

    fn head(self, out: &mut String, name: &str, family_type: FamilyType, help: &str) -> String {
        if !help.is_empty() {
            write(out, ["# HELP ", name, " "]);
            write_escaped(out, help, ['\\', '\n']);
            write(out, ["\n"]);
        }
        write(out, ["# TYPE ", name, " ", family_type.as_str(), "\n"]);
        name.to_owned()
    }

    fn bound(self, out: &mut String, bound: f64) {
        write_number(out, bound);
    }

    fn time(self, out: &mut String, unix_ms: i64) {
        write(out, [" ", itoa::Buffer::new().format(unix_ms)]);
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::catalogue::{self, Family, Origin};
    use crate::exposition::encoder::tests::{encoded_with, naming};
    use crate::storage::Sink;
    use crate::{Mode, Settings};

    fn encoded(fill: impl FnOnce(&mut dyn Sink)) -> String {
        encoded_with(&naming(), &Text, fill)
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
        let text = encoded_with(&naming, &Text, |sink| {
            sink.open(&LONELY);
            sink.histogram(&LONELY, &[], &[1, 2], 3.0);
        });
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
    fn counters_are_exact_beyond_2_to_the_53() {
        let text = encoded(|sink| {
            sink.counter(&catalogue::RECONCILIATION_MISMATCHES_TOTAL, &[], (1 << 53) + 1);
        });
        assert!(text.ends_with(" 9007199254740993\n"), "{text}");
    }
}
