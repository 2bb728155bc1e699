//! The OpenMetrics text format, version 1.0.0.

use super::family_type::{FamilyType, counter_stem, openmetrics_family, written_names};
use super::lines::{Dialect, write, write_canonical, write_escaped};
use super::spelling::FamilyNames;
use crate::catalogue::unit;

#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenMetrics {
    /// Whether series have a further sample with the time at which their counts began.
    pub(super) with_created: bool,
}

impl FamilyNames for OpenMetrics {
    fn names(&self, name: &str, family_type: FamilyType) -> Vec<String> {
        written_names(name, family_type)
    }
}

impl Dialect for OpenMetrics {
    const HAS_EXEMPLARS: bool = true;

    const LAST_LINE: &'static str = "# EOF\n";

    fn head(self, out: &mut String, name: &str, family_type: FamilyType, help: &str) -> String {
        let is_counter = family_type == FamilyType::Counter;
        let (family, family_type) = openmetrics_family(name, family_type);
        if !help.is_empty() {
            write(out, ["# HELP ", family, " "]);
            write_escaped(out, help, ['\\', '\n', '"']);
            write(out, ["\n"]);
        }
        write(out, ["# TYPE ", family, " ", family_type.openmetrics_word(), "\n"]);
        if let Some(unit) = unit(family) {
            write(out, ["# UNIT ", family, " ", unit, "\n"]);
        }
        if is_counter { format!("{family}_total") } else { name.to_owned() }
    }

    fn bound(self, out: &mut String, bound: f64) {
        write_canonical(out, bound);
    }

    /// In seconds.
    fn time(self, out: &mut String, unix_ms: i64) {
        let (seconds, ms) = (unix_ms.div_euclid(1_000), unix_ms.rem_euclid(1_000));
        write(out, [" ", &format!("{seconds}.{ms:03}")]);
    }

    fn created_name(self, name: &str, family_type: FamilyType) -> Option<String> {
        let family = match family_type {
            FamilyType::Counter => counter_stem(name),
            FamilyType::Histogram => name,
            _ => return None,
        };
        self.with_created.then(|| format!("{family}_created"))
    }

    /// The format forbids it where it could fall.
    fn has_sum(self, sum: f64, lowest_bound: Option<f64>) -> bool {
        sum >= 0.0 && lowest_bound.is_none_or(|bound| bound >= 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{self, Family, Origin};
    use crate::exposition::encoder::tests::{encoded_with, naming};
    use crate::storage::Sink;

    fn encoded(fill: impl FnOnce(&mut dyn Sink)) -> String {
        encoded_with(&naming(), &OpenMetrics { with_created: false }, fill)
    }

    const DEFAULT: &str = r#"app="a\"b\\c\nd",env="development",mode="paper""#;

    #[test]
    fn a_counter_has_its_suffix_only_on_samples_and_is_exact_beyond_2_to_the_53() {
        let page = encoded(|sink| {
            sink.counter(&catalogue::RECONCILIATION_MISMATCHES_TOTAL, &[], (1 << 53) + 1);
        });
        let name = "bytelyst_bot_reconciliation_mismatches";
        let expected = format!(
            "# HELP {name} Newly detected mismatches between local state and exchange state.\n# TYPE {name} counter\n\
             {name}_total{{{DEFAULT}}} 9007199254740993\n# EOF\n"
        );
        assert_eq!(page, expected);
    }

    #[test]
    fn the_default_labels_are_an_info_of_the_target() {
        let page = encoded(|sink| sink.gauge(&catalogue::TARGET_INFO, &["desk", "production", "live"], 1.0));
        assert!(page.starts_with("# HELP target Always 1; "), "{page}");
        let rest = format!(
            "\n# TYPE target info\ntarget_info{{app=\"desk\",env=\"production\",mode=\"live\",{DEFAULT}}} 1\n# EOF\n"
        );
        assert!(page.ends_with(&rest), "{page}");
    }

    #[test]
    fn bounds_are_floats_and_seconds_are_a_unit() {
        let page = encoded(|sink| {
            let buckets = &[1, 0, 2, 0, 0, 0, 0, 3];
            sink.histogram(&catalogue::SUBSYSTEM_DURATION_SECONDS, &["trading"], buckets, 40.0);
            sink.gauge(&catalogue::SUBSYSTEM_LAST_RUN_TIMESTAMP, &["trading"], 1.0);
        });
        assert!(page.contains("\n# UNIT bytelyst_bot_subsystem_duration_seconds seconds\n"), "{page}");
        assert_eq!(page.matches("# UNIT ").count(), 1, "a timestamp's name does not end in its unit: {page}");
        let bounds: Vec<_> = page.split("le=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(bounds, ["0.1", "0.25", "0.5", "1.0", "2.0", "5.0", "10.0", "+Inf"]);
    }

    #[test]
    fn bounds_are_spelled_as_in_other_clients() {
        for (bound, expected) in [
            (0.0, "0.0"),
            (1e-5, "1e-05"),
            (0.000_25, "0.00025"),
            (0.0001, "0.0001"),
            (100_000.0, "100000.0"),
            (999_999.5, "999999.5"),
            (1e6, "1e+06"),
            (1_234_567.0, "1.234567e+06"),
            (1e21, "1e+21"),
            (1e100, "1e+100"),
            (-2.0, "-2.0"),
            (f64::INFINITY, "+Inf"),
        ] {
            let mut out = String::new();
            write_canonical(&mut out, bound);
            assert_eq!(out, expected, "{bound}");
        }
    }

    #[test]
    fn quotes_in_a_help_text_are_escaped() {
        static WINDING: Family = Family {
            name: "winding",
            origin: Origin::Custom,
            help: "a\\b\nc \"d\"",
            ..catalogue::PROFILE_UTILIZATION_PERCENT
        };
        let page = encoded(|sink| {
            sink.open(&WINDING);
            sink.gauge(&WINDING, &["ä\"\\\nz"], 1.0);
        });
        assert!(page.starts_with("# HELP bytelyst_bot_winding a\\\\b\\nc \\\"d\\\"\n"), "{page}");
        assert!(page.contains("{profile_id=\"ä\\\"\\\\\\nz\","), "{page}");
    }

    #[test]
    fn a_page_without_series_has_its_end_alone() {
        assert_eq!(encoded(|_| {}), "# EOF\n");
    }
}
