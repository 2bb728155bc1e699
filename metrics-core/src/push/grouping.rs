//! The labels of a group, and the path that names it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::PushError;
use crate::catalogue::{DEFAULT_LABELS, FAMILIES, is_name};
use crate::families::custom::custom_families;

/// The characters that a path may contain directly (RFC 3986, section 2.3). Other values are written in base64, which
/// the gateway supports for this purpose: percent-encoded slashes do not survive every proxy.
const UNRESERVED: &str = "-._~";

/// The label `job`, and others in the order in which they were added.
#[derive(Clone, Debug)]
pub(super) struct Grouping(Vec<(String, String)>);

impl Grouping {
    pub(super) fn of_job(job: &str) -> Result<Self, PushError> {
        if job.is_empty() {
            return Err(PushError::label("job", "its value is empty; name the job, for example backtest"));
        }
        Ok(Self(vec![("job".to_owned(), job.to_owned())]))
    }

    pub(super) fn add(&mut self, label: &str, value: &str) -> Result<(), PushError> {
        if !is_name(label, false) {
            return Err(PushError::label(
                label,
                "a label's name has letters, digits and underscores, and no digit in front",
            ));
        }
        if label.starts_with("__") {
            return Err(PushError::label(label, "names that begin with two underscores are Prometheus' own"));
        }
        if self.0.iter().any(|(standing, _)| standing == label) {
            return Err(PushError::label(label, "it is in the grouping already"));
        }
        if is_ours(label) {
            return Err(PushError::label(
                label,
                "the pushed series have this label, and the gateway would overwrite it",
            ));
        }
        self.0.push((label.to_owned(), value.to_owned()));
        Ok(())
    }

    pub(super) fn path(&self) -> String {
        let mut path = "/metrics".to_owned();
        for (label, value) in &self.0 {
            // Writing to a String cannot fail.
            let _ = if is_plain(value) {
                write!(path, "/{label}/{value}")
            } else if value.is_empty() {
                // Many proxies merge two slashes in a row; the gateway reads a lone padding as an empty value.
                write!(path, "/{label}@base64/=")
            } else {
                write!(path, "/{label}@base64/{}", URL_SAFE_NO_PAD.encode(value))
            };
        }
        path
    }
}

/// Values of dots only are directories.
fn is_plain(value: &str) -> bool {
    value.chars().all(|character| character.is_ascii_alphanumeric() || UNRESERVED.contains(character))
        && !value.chars().all(|character| character == '.')
}

fn is_ours(label: &str) -> bool {
    let families = FAMILIES.iter().copied().chain(custom_families().into_iter().map(|custom| &custom.family));
    label == "le"
        || DEFAULT_LABELS.contains(&label)
        || families.into_iter().any(|family| family.labels.contains(&label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(labels: &[(&str, &str)]) -> String {
        let mut grouping = Grouping::of_job("backtest").expect("legal");
        for (label, value) in labels {
            grouping.add(label, value).expect("legal");
        }
        grouping.path()
    }

    #[test]
    fn every_value_has_a_path_of_its_own() {
        for (value, segment) in [
            ("grid", "strategy/grid"),
            ("a-b_c.d~1", "strategy/a-b_c.d~1"),
            ("", "strategy@base64/="),
            (".", "strategy@base64/Lg"),
            ("..", "strategy@base64/Li4"),
            ("a/b", "strategy@base64/YS9i"),
            ("50 %", "strategy@base64/NTAgJQ"),
            ("ä?", "strategy@base64/w6Q_"),
            ("==", "strategy@base64/PT0"),
        ] {
            assert_eq!(path(&[("strategy", value)]), format!("/metrics/job/backtest/{segment}"), "{value:?}");
        }
        assert_eq!(path(&[("b", "2"), ("a", "1")]), "/metrics/job/backtest/b/2/a/1", "in the order given");
        assert_eq!(Grouping::of_job("a/b").expect("legal").path(), "/metrics/job@base64/YS9i");
    }

    #[test]
    fn labels_that_cannot_group_are_refused_with_the_reason() {
        let mut grouping = Grouping::of_job("backtest").expect("legal");
        grouping.add("instance", "one").expect("legal");
        for (label, reason) in [
            ("", "letters, digits and underscores"),
            ("1st", "no digit in front"),
            ("a-b", "letters, digits and underscores"),
            ("__name__", "Prometheus' own"),
            ("job", "already"),
            ("instance", "already"),
            ("le", "overwrite"),
            ("mode", "overwrite"),
            ("subsystem", "overwrite"),
            ("profile_id", "overwrite"),
        ] {
            let error = grouping.add(label, "x").expect_err(label).to_string();
            assert!(error.contains(reason) && error.contains(&format!("{label:?}")), "{error}");
        }
        assert!(Grouping::of_job("").expect_err("empty").to_string().contains("\"job\""));
    }
}
