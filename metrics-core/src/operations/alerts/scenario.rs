//! Time series, and the alerts that an operator expects from them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::operations::context::RuleContext;
use crate::operations::promql::equal;

/// The label of the trading loop, which also matches it.
pub(in crate::operations) const TRADING: &str = "subsystem=\"trading\"";

/// The labels of an operation at an exchange.
pub(in crate::operations) const TICKER: &str = "exchange=\"paper\",operation=\"get_ticker\"";

/// The instance of the bot in every scenario.
const INSTANCE: &str = "bot:5000";

/// The values of a counter from 0 on, in promtool's notation: phases of minutes, and the growth in each minute.
pub(in crate::operations) fn counts(phases: &[(u32, f64)]) -> String {
    let mut value = 0.0;
    let mut text = "0".to_owned();
    for (minutes, growth) in phases {
        let first = value + growth;
        // Writing to a String cannot fail.
        let _ = write!(text, " {first}+{growth}x{}", minutes.saturating_sub(1));
        value += growth * f64::from(*minutes);
    }
    text
}

/// Labels and a further one, as `a="b",c="d"`.
pub(in crate::operations) fn with_label(labels: &str, name: &str, value: &str) -> String {
    let comma = if labels.is_empty() { "" } else { "," };
    format!("{labels}{comma}{}", equal(name, value))
}

/// The names and values of labels that are written as `a="b",c="d"`.
fn pairs(labels: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = labels;
    while let Some((name, quoted)) = rest.split_once('=') {
        let mut values = serde_json::Deserializer::from_str(quoted).into_iter::<String>();
        // Labels are written by this crate, in strings that are JSON's too.
        let Some(Ok(value)) = values.next() else { break };
        pairs.push((name.trim_start_matches(',').to_owned(), value));
        rest = &quoted[values.byte_offset()..];
    }
    pairs
}

/// Series and the alerts that fire at some moments.
#[derive(Clone, Debug)]
pub(in crate::operations) struct Scenario {
    pub(in crate::operations) title: String,
    /// Seconds between two values of a series.
    pub(in crate::operations) step: u64,
    /// Selectors with values in promtool's notation.
    pub(in crate::operations) series: Vec<(String, String)>,
    pub(in crate::operations) moments: Vec<Moment>,
    /// Whether promtool takes long for it.
    pub(in crate::operations) is_long: bool,
    namespace: String,
    labels: BTreeMap<String, String>,
}

/// The firing alerts at one moment.
#[derive(Clone, Debug)]
pub(in crate::operations) struct Moment {
    /// Seconds from the beginning.
    pub(in crate::operations) at: u64,
    /// The labels of each firing alert.
    pub(in crate::operations) firing: Vec<BTreeMap<String, String>>,
}

impl Scenario {
    /// A live bot in production, scraped once a minute.
    pub(in crate::operations) fn new(context: &RuleContext<'_>, title: impl Into<String>) -> Self {
        let labels = [
            ("app", context.linked.default_labels.get("app").map_or("bot", String::as_str)),
            ("env", "production"),
            ("instance", INSTANCE),
            ("job", context.job),
            ("mode", "live"),
        ];
        Self {
            title: title.into(),
            step: 60,
            series: Vec::new(),
            moments: Vec::new(),
            is_long: false,
            namespace: context.linked.namespace.clone(),
            labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        }
    }

    /// Changes a label of every later series and expected alert; an empty value removes it.
    pub(in crate::operations) fn with(mut self, label: &str, value: &str) -> Self {
        if value.is_empty() {
            self.labels.remove(label);
        } else {
            self.labels.insert(label.to_owned(), value.to_owned());
        }
        self
    }

    /// Leaves the labels of the target alone to every later series and expected alert.
    pub(in crate::operations) fn of_target(self) -> Self {
        self.with("app", "").with("env", "").with("mode", "")
    }

    /// Sets the seconds between two values.
    pub(in crate::operations) fn every(mut self, seconds: u64) -> Self {
        self.step = seconds;
        self
    }

    /// Stretches the time between values and until each moment, so that what took `from` seconds takes `to`.
    pub(super) fn stretched(mut self, from: u64, to: u64) -> Self {
        let stretched = |seconds: &mut u64| *seconds = *seconds * to / from;
        stretched(&mut self.step);
        self.moments.iter_mut().for_each(|moment| stretched(&mut moment.at));
        self
    }

    /// Leaves the scenario out of the file that `rule-tests` writes without `--long`: it lasts long, and is similar to
    /// another one.
    pub(in crate::operations) fn long(mut self) -> Self {
        self.is_long = true;
        self
    }

    /// Adds a bot of another job with the same series, which is none of the rules' business.
    pub(in crate::operations) fn beside_another_job(mut self, job: &str) -> Self {
        let [own, other] = [job, "neighbour"].map(|job| equal("job", job));
        let of_job = self.series.iter().filter(|(series, _)| series.contains(&own));
        let others = of_job.map(|(series, values)| (series.replace(&own, &other), values.clone()));
        let others: Vec<_> = others.collect();
        self.series.extend(others);
        self
    }

    /// Whether an alert fires at some moment.
    pub(in crate::operations) fn has_alerts(&self) -> bool {
        self.moments.iter().any(|moment| !moment.firing.is_empty())
    }

    /// Adds a series of the bot, with the namespace, the default labels and these labels: `a="b",c="d"`.
    pub(in crate::operations) fn series(self, name: &str, labels: &str, values: &str) -> Self {
        let name = format!("{}_{name}", self.namespace);
        self.standard(&name, labels, values)
    }

    /// Adds the series of a histogram's buckets with these bounds and values.
    pub(in crate::operations) fn buckets(self, name: &str, labels: &str, buckets: &[(&str, &str)]) -> Self {
        let name = format!("{name}_bucket");
        buckets.iter().fold(self, |scenario, (bound, values)| {
            scenario.series(&name, &with_label(labels, "le", bound), values)
        })
    }

    /// Adds a series of the bot without the namespace.
    pub(in crate::operations) fn standard(mut self, name: &str, labels: &str, values: &str) -> Self {
        self.series.push((format!("{name}{}", self.selector(labels)), values.to_owned()));
        self
    }

    /// The default labels and these, in braces.
    pub(in crate::operations) fn selector(&self, labels: &str) -> String {
        let comma = if labels.is_empty() { "" } else { "," };
        let defaults: Vec<_> = self.labels.iter().map(|(name, value)| equal(name, value)).collect();
        format!("{{{labels}{comma}{}}}", defaults.join(","))
    }

    /// Adds a series that Prometheus itself writes, without the default labels.
    pub(super) fn of_prometheus(mut self, name: &str, values: &str) -> Self {
        let of_target = ["instance", "job"].into_iter();
        let of_target = of_target.filter_map(|label| Some(equal(label, self.labels.get(label)?)));
        let of_target: Vec<_> = of_target.collect();
        self.series.push((format!("{name}{{{}}}", of_target.join(",")), values.to_owned()));
        self
    }

    /// Expects that no alert fires after these minutes.
    pub(super) fn silent<const N: usize>(self, minutes: [u64; N]) -> Self {
        minutes.into_iter().fold(self, |scenario, minute| scenario.fires_all(minute, &[]))
    }

    /// Expects that one alert fires after these minutes, with the default labels and these: `a="b",c="d"`.
    pub(super) fn fires<const N: usize>(self, minutes: [u64; N], labels: &str) -> Self {
        let labels = [labels.to_owned()];
        minutes.into_iter().fold(self, |scenario, minute| scenario.fires_all(minute, &labels))
    }

    /// Expects an alert with each of these labels after a number of minutes.
    pub(super) fn fires_all(mut self, minute: u64, alerts: &[String]) -> Self {
        let firing = alerts.iter().map(|labels| self.expected(labels)).collect();
        self.moments.push(Moment { at: minute * 60, firing });
        self
    }

    fn expected(&self, labels: &str) -> BTreeMap<String, String> {
        let mut expected = self.labels.clone();
        expected.extend(pairs(labels));
        expected.retain(|_, value| !value.is_empty());
        expected
    }

    /// Expects this severity of all alerts for which no other is expected.
    pub(super) fn of_severity(mut self, severity: &str) -> Self {
        for alert in self.moments.iter_mut().flat_map(|moment| &mut moment.firing) {
            alert.entry("severity".to_owned()).or_insert_with(|| severity.to_owned());
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_contain_what_separates_labels() {
        let found = pairs(r#"a="b,c=\"d\"",e="",f="\\""#);
        let expected = [("a", "b,c=\"d\""), ("e", ""), ("f", "\\")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(pairs(""), []);
    }
}
