//! Budgets of bad calls, with alerts over several windows: a fast burn soon, a slow one in time.

use super::scenario::{counts, with_label};
use super::{Rule, Scenario, Urgency};
use crate::operations::context::RuleContext;
use crate::operations::promql::{SeriesSelector, bound_in_text};
use crate::operations::recording::SlowRatio;
use crate::operations::scale::{DAY, HOUR, MINUTE};

/// A part of the calls that may be bad.
pub(super) struct Budget<'a> {
    /// The recorded ratio over a window, given by its name.
    pub(super) ratio: Box<dyn Fn(&str) -> SeriesSelector + 'a>,
    /// The number of bad calls within a window, as an expression.
    pub(super) bad: Box<dyn Fn(&str) -> String + 'a>,
    /// The part that may be bad, above 0 and below 1.
    pub(super) allowed: f64,
    /// Further labels of the rules.
    pub(super) labels: Vec<(&'static str, String)>,
}

/// A pair of windows.
struct BurnWindow {
    name: &'static str,
    /// The names of the windows, and the length of the long one in seconds.
    long: (&'static str, u64),
    short: &'static str,
    /// How many times faster than allowed the budget is used.
    burn: f64,
    /// The burn of the scenarios, which must be possible for the rule to exist.
    possible: f64,
    /// Bad calls in these seconds, exact as a binary fraction, that amount to more than [`FEW`] in the long window and to
    /// less in half of it.
    sparse: (u64, f64),
    hold: u64,
    urgency: Urgency,
}

const FAST: BurnWindow = BurnWindow {
    name: "fast",
    long: ("1h", HOUR),
    short: "5m",
    burn: 14.4,
    possible: 20.0,
    sparse: (MINUTE, 0.125),
    hold: 2 * MINUTE,
    urgency: Urgency::Page,
};

const MEDIUM: BurnWindow = BurnWindow {
    name: "medium",
    long: ("6h", 6 * HOUR),
    short: "30m",
    burn: 6.0,
    possible: 10.0,
    sparse: (10 * MINUTE, 0.1875),
    hold: 15 * MINUTE,
    urgency: Urgency::Page,
};

const SLOW: BurnWindow = BurnWindow {
    name: "slow",
    long: ("3d", 3 * DAY),
    short: "6h",
    burn: 1.0,
    possible: 1.2,
    sparse: (HOUR, 0.093_75),
    hold: HOUR,
    urgency: Urgency::Warn,
};

const WINDOWS: [BurnWindow; 3] = [FAST, MEDIUM, SLOW];

/// The number of bad calls in the long window below which nothing is said: of a bot that makes a call in a minute, one
/// bad call would use the budget of an hour.
const FEW: u64 = 5;

impl BurnWindow {
    /// Whether so many calls can be bad. A fast burn of a budget of 10 % would need 144 % bad calls.
    fn is_possible(&self, allowed: f64) -> bool {
        self.possible * allowed <= 1.0
    }
}

impl<'a> Budget<'a> {
    /// The observations of a histogram that may be above the threshold of its objective.
    pub(super) fn of_slow(context: &'a RuleContext<'_>, slow: &'a SlowRatio<'_>) -> Self {
        let bad = move |window: &str| {
            let [all, within] = slow.sums(context, "increase", window);
            format!("{all}\n    - {within}")
        };
        Self {
            ratio: Box::new(move |window| context.of_job(slow.name(window))),
            bad: Box::new(bad),
            allowed: 1.0 - slow.objective.ratio.get(),
            labels: Vec::new(),
        }
    }

    /// The rules of the windows in which the budget can be burnt.
    pub(super) fn rules(&self, context: &RuleContext<'_>) -> Vec<Rule> {
        let rule = |window: &BurnWindow| {
            let threshold = rounded(window.burn * self.allowed);
            let (long, short) = ((self.ratio)(window.long.0), (self.ratio)(window.short));
            // Also in three days: for a new bot they are minutes.
            let enough = format!("\nand {} >= {FEW}", (self.bad)(&context.window(window.long.1)));
            let expr = format!("{long} > {threshold}\nand {short} > {threshold}{enough}");
            let rule = Rule::new(window.urgency, window.hold, expr);
            Rule { labels: self.labels.clone(), ..rule }.with("window", window.name)
        };
        WINDOWS.iter().filter(|window| window.is_possible(self.allowed)).map(rule).collect()
    }
}

/// 1 - 0.99 is 0.01, not 0.010000000000000009.
fn rounded(part: f64) -> f64 {
    (part * 1e9).round() / 1e9
}

/// Adds the series of a histogram of all observations, of which the good ones are within a threshold.
pub(super) fn slow_series<'a>(
    name: &'a str,
    labels: &'a str,
    threshold: f64,
) -> impl Fn(Scenario, [&str; 3]) -> Scenario + 'a {
    let bound = bound_in_text(threshold);
    move |bot, [all, good, _]| {
        let bot = bot.series(&format!("{name}_count"), labels, all);
        bot.buckets(name, labels, &[("+Inf", all), (&bound, good)])
    }
}

/// The number of calls in a minute in the scenarios.
const CALLS: f64 = 1_000.0;

/// A number of steps, the calls in each, and how many times faster than allowed they use the budget.
type Phase = (u32, f64, f64);

/// The windows whose alerts fire after a number of minutes.
type Expected<'a> = (u64, &'a [&'a str]);

/// The scenarios of a budget.
pub(super) struct BurnScenarios<'a, S> {
    pub(super) context: &'a RuleContext<'a>,
    pub(super) budget: &'a Budget<'a>,
    /// The labels of the alerts.
    pub(super) labels: &'a str,
    /// Adds the series of all, good and bad calls.
    pub(super) series: S,
}

impl<S: Fn(Scenario, [&str; 3]) -> Scenario> BurnScenarios<'_, S> {
    pub(super) fn all(&self) -> Vec<Scenario> {
        let bot = |title: &str, phases: &[Phase], expected: &[Expected<'_>]| {
            self.expect(self.calls(title, MINUTE, phases), expected)
        };
        let mut scenarios = vec![
            bot("the budget is used as fast as allowed", &[(130, CALLS, 0.9)], &[(130, &[])]),
            bot("the budget is used a little faster", &[(130, CALLS, 1.2)], &[(130, &["slow"])]),
        ];
        if self.is_possible(&MEDIUM) {
            scenarios.push(bot(
                "the budget is used ten times faster",
                &[(60, CALLS, 0.0), (120, CALLS, 10.0)],
                &[(160, &["slow"]), (175, &["medium", "slow"])],
            ));
        }
        if self.is_possible(&FAST) {
            // One call in four minutes, a quarter that sums up exactly: 4 after 4.000000000000001 would be a restart.
            let few = |bad| [(60, 0.25, 0.0), (bad, 0.25, 1.0 / self.budget.allowed), (90, 0.25, 0.0)];
            scenarios.extend([
                bot(
                    "twenty times faster for 50 minutes, then ten and four times",
                    &[(70, CALLS, 0.0), (50, CALLS, 20.0), (10, CALLS, 10.0), (50, CALLS, 4.0)],
                    &[(110, &[]), (120, &["fast", "medium"]), (130, &["medium"]), (175, &["slow"])],
                ),
                bot(
                    "twenty times faster for ten minutes",
                    &[(10, CALLS, 20.0), (230, CALLS, 0.0)],
                    &[(100, &["slow"]), (230, &[])],
                ),
                bot(
                    "four bad calls in a row of a bot that makes few",
                    &few(16),
                    &[(75, &[]), (95, &[]), (150, &[])],
                ),
                bot(
                    "seven bad calls in a row of a bot that makes few",
                    &few(28),
                    &[(90, &["fast"]), (105, &["medium"]), (145, &["slow"])],
                ),
            ]);
        }
        scenarios.extend(self.changing());
        scenarios.extend(self.sparse(&FAST, [50, 35, 115], &["medium"]));
        scenarios.extend(self.sparse(&MEDIUM, [300, 200, 700], &["slow"]));
        scenarios.extend(self.sparse(&SLOW, [60 * 60, 38 * 60, 140 * 60], &[]));
        scenarios
    }

    fn is_possible(&self, window: &BurnWindow) -> bool {
        window.is_possible(self.budget.allowed)
    }

    /// The long and the short ratio are above and below the budget, and conversely.
    fn changing(&self) -> Option<Scenario> {
        let title = "three times faster for 16 hours, after 24 good ones and before 12 slower ones";
        let bot = self.calls(title, HOUR, &[(24, CALLS, 0.0), (16, CALLS, 3.0), (12, CALLS, 0.7)]).long();
        (3.0 * self.budget.allowed <= 1.0).then(|| self.expect(bot, &[(31 * 60, &[]), (50 * 60, &[])]))
    }

    /// Good calls for the length of a window, then bad ones: more than five within it, or less. The minutes are counted from
    /// then: when the alert has to fire; and for fewer bad calls, when nothing and when only `beside` has to fire.
    fn sparse(&self, window: &BurnWindow, minutes: [u64; 3], beside: &[&str]) -> Vec<Scenario> {
        if !self.is_possible(window) {
            return Vec::new();
        }
        let (step, bad_calls) = window.sparse;
        let [enough, before, few] = minutes.map(|minute| window.long.1 / MINUTE + minute);
        let sparse = |title: &str, good_calls: f64, bad_calls: f64| {
            let steps = u32::try_from(window.long.1 / step).unwrap_or(u32::MAX);
            let phases = [(steps, good_calls, 0.0), (150, bad_calls, 1.0 / self.budget.allowed)];
            let bot = self.calls(&format!("{title} within {}", window.long.0), step, &phases);
            if step > MINUTE { bot.long() } else { bot }
        };
        let more = sparse("more than five bad calls", bad_calls, bad_calls);
        let less = sparse("three bad calls", 2.0 * bad_calls, bad_calls / 2.0);
        vec![
            self.expect(more, &[(enough, &[window.name])]),
            self.expect(less, &[(before, &[]), (few, beside)]),
        ]
    }

    /// A bot that makes the calls of these phases, whose steps have this length in seconds.
    fn calls(&self, title: &str, step: u64, phases: &[Phase]) -> Scenario {
        let counted = |part_of: fn(f64) -> f64| {
            let growth = |(steps, calls, burn): &Phase| {
                (*steps, rounded(calls * part_of((burn * self.budget.allowed).min(1.0))))
            };
            counts(&phases.iter().map(growth).collect::<Vec<_>>())
        };
        let [all, good, bad] = [counted(|_| 1.0), counted(|bad| 1.0 - bad), counted(|bad| bad)];
        (self.series)(Scenario::new(self.context, title).every(step), [&all, &good, &bad])
    }

    fn expect(&self, bot: Scenario, expected: &[Expected<'_>]) -> Scenario {
        let alert = |window: &BurnWindow| {
            with_label(&with_label(self.labels, "window", window.name), "severity", window.urgency.severity())
        };
        expected.iter().fold(bot, |bot, (minute, windows)| {
            let firing = WINDOWS.iter().filter(|window| windows.contains(&window.name));
            bot.fires_all(*minute, &firing.map(alert).collect::<Vec<_>>())
        })
    }
}
