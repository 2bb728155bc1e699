//! Budgets of bad calls, with alerts over several windows: a fast burn soon, a slow one in time.

use super::scenario::counts;
use super::{Rule, Scenario, Urgency};
use crate::operations::context::RuleContext;
use crate::operations::promql::SeriesSelector;
use crate::operations::scale::{DAY, HOUR, MINUTE};

/// A part of the calls that may be bad.
pub(super) struct Budget<'a> {
    /// The recorded ratio over a window, given by its name.
    pub(super) ratio: Box<dyn Fn(&str) -> SeriesSelector + 'a>,
    /// The number of bad calls within a window, as an expression.
    pub(super) bad: Box<dyn Fn(&str) -> String + 'a>,
    /// The part that may be bad, above 0 and below 1.
    pub(super) allowed: f64,
    /// Further labels of the alert.
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

const WINDOWS: [BurnWindow; 3] = [
    BurnWindow {
        name: "fast",
        long: ("1h", HOUR),
        short: "5m",
        burn: 14.4,
        possible: 20.0,
        sparse: (MINUTE, 0.125),
        hold: 2 * MINUTE,
        urgency: Urgency::Page,
    },
    BurnWindow {
        name: "medium",
        long: ("6h", 6 * HOUR),
        short: "30m",
        burn: 6.0,
        possible: 10.0,
        sparse: (10 * MINUTE, 0.1875),
        hold: 15 * MINUTE,
        urgency: Urgency::Page,
    },
    BurnWindow {
        name: "slow",
        long: ("3d", 3 * DAY),
        short: "6h",
        burn: 1.0,
        possible: 1.2,
        sparse: (HOUR, 0.093_75),
        hold: HOUR,
        urgency: Urgency::Warn,
    },
];

/// The number of bad calls in the long window below which nothing is said: of a bot that makes a call in a minute, one
/// bad call would use the budget of an hour.
const FEW: u64 = 5;

impl BurnWindow {
    /// Whether so many calls can be bad. A fast burn of a budget of 10 % would need 144 % bad calls.
    fn is_possible(&self, allowed: f64) -> bool {
        self.possible * allowed <= 1.0
    }
}

/// The rules of a budget.
pub(super) fn burn(context: &RuleContext<'_>, budget: &Budget<'_>) -> Vec<Rule> {
    let windows = WINDOWS.iter().filter(|window| window.is_possible(budget.allowed));
    let rule = |window: &BurnWindow| {
        let threshold = rounded(window.burn * budget.allowed);
        let (long, short) = ((budget.ratio)(window.long.0), (budget.ratio)(window.short));
        // Also in three days: for a new bot they are minutes.
        let enough = format!("\nand {} >= {FEW}", (budget.bad)(&context.window(window.long.1)));
        let mut labels = budget.labels.clone();
        labels.push(("window", window.name.to_owned()));
        Rule {
            expr: format!("{long} > {threshold}\nand {short} > {threshold}{enough}"),
            hold: window.hold,
            urgency: window.urgency,
            labels,
        }
    };
    windows.map(rule).collect()
}

/// 1 - 0.99 is 0.01, not 0.010000000000000009.
fn rounded(part: f64) -> f64 {
    (part * 1e9).round() / 1e9
}

/// The number of calls in a minute in the scenarios.
const CALLS: f64 = 1_000.0;

/// Adds the series of all, good and bad calls.
type AddSeries<'a> = dyn Fn(Scenario, &str, &str, &str) -> Scenario + 'a;

impl Budget<'_> {
    /// The scenarios, from a function that adds the series of all, good and bad calls.
    pub(super) fn scenarios(
        &self,
        context: &RuleContext<'_>,
        labels: &str,
        series: impl Fn(Scenario, &str, &str, &str) -> Scenario,
    ) -> Vec<Scenario> {
        let calls = |title: &str, calls: f64, phases: &[(u32, f64)]| {
            let phases: Vec<_> = phases.iter().map(|(steps, burn)| (*steps, calls, *burn)).collect();
            let [all, good, bad] = self.counted(&phases);
            series(Scenario::new(context, title), &all, &good, &bad)
        };
        let mut scenarios = vec![
            self.expect(
                calls("the budget is used as fast as allowed", CALLS, &[(130, 0.9)]),
                labels,
                130,
                &[],
            ),
            self.expect(
                calls("the budget is used a little faster", CALLS, &[(130, 1.2)]),
                labels,
                130,
                &["slow"],
            ),
        ];
        if WINDOWS[1].is_possible(self.allowed) {
            let medium = calls("the budget is used ten times faster", CALLS, &[(60, 0.0), (120, 10.0)]);
            let medium = self.expect(medium, labels, 160, &["slow"]);
            scenarios.push(self.expect(medium, labels, 175, &["medium", "slow"]));
        }
        if WINDOWS[0].is_possible(self.allowed) {
            let fast = calls(
                "twenty times faster for 50 minutes, then ten and four times",
                CALLS,
                &[(70, 0.0), (50, 20.0), (10, 10.0), (50, 4.0)],
            );
            let fast = self.expect(fast, labels, 110, &[]);
            let fast = self.expect(fast, labels, 120, &["fast", "medium"]);
            let fast = self.expect(fast, labels, 130, &["medium"]);
            scenarios.push(self.expect(fast, labels, 175, &["slow"]));
            let short = calls("twenty times faster for ten minutes", CALLS, &[(10, 20.0), (230, 0.0)]);
            let short = self.expect(short, labels, 100, &["slow"]);
            scenarios.push(self.expect(short, labels, 230, &[]));
            // One call in four minutes, a quarter that sums up exactly: 4 after 4.000000000000001 would be a restart.
            let few =
                |title, minutes| calls(title, 0.25, &[(60, 0.0), (minutes, 1.0 / self.allowed), (90, 0.0)]);
            let four = few("four bad calls in a row of a bot that makes few", 16);
            let four = self.expect(four, labels, 75, &[]);
            let four = self.expect(four, labels, 95, &[]);
            scenarios.push(self.expect(four, labels, 150, &[]));
            let seven = few("seven bad calls in a row of a bot that makes few", 28);
            let seven = self.expect(seven, labels, 90, &["fast"]);
            let seven = self.expect(seven, labels, 105, &["medium"]);
            scenarios.push(self.expect(seven, labels, 145, &["slow"]));
        }
        scenarios.extend(self.changing(context, labels, &series));
        scenarios.extend(self.sparse(context, labels, &series));
        scenarios
    }

    /// The long and the short ratio are above and below the budget, and conversely.
    fn changing(&self, context: &RuleContext<'_>, labels: &str, series: &AddSeries<'_>) -> Option<Scenario> {
        let phases = [(24, CALLS, 0.0), (16, CALLS, 3.0), (12, CALLS, 0.7)];
        let [all, good, bad] = self.counted(&phases);
        let title = "three times faster for 16 hours, after 24 good ones and before 12 slower ones";
        let bot = series(Scenario::new(context, title).every(HOUR), &all, &good, &bad).long();
        let silent = self.expect(bot, labels, 31 * 60, &[]);
        (3.0 * self.allowed <= 1.0).then(|| self.expect(silent, labels, 50 * 60, &[]))
    }

    /// Good calls for the length of a window, then bad ones: more than five within it, or less.
    fn sparse(&self, context: &RuleContext<'_>, labels: &str, series: &AddSeries<'_>) -> Vec<Scenario> {
        let mut scenarios = Vec::new();
        for (window, minutes, beside) in [
            (&WINDOWS[0], [50, 35, 115], &["medium"][..]),
            (&WINDOWS[1], [300, 200, 700], &["slow"]),
            (&WINDOWS[2], [60 * 60, 38 * 60, 140 * 60], &[]),
        ] {
            if !window.is_possible(self.allowed) {
                continue;
            }
            let (step, bad_calls) = window.sparse;
            let [enough, before, few] = minutes.map(|minute| window.long.1 / MINUTE + minute);
            let sparse = |title: &str, good_calls: f64, bad_calls: f64| {
                let steps = u32::try_from(window.long.1 / step).unwrap_or(u32::MAX);
                let [all, good, bad] =
                    self.counted(&[(steps, good_calls, 0.0), (150, bad_calls, 1.0 / self.allowed)]);
                let title = format!("{title} within {}", window.long.0);
                let bot = series(Scenario::new(context, title).every(step), &all, &good, &bad);
                if step > MINUTE { bot.long() } else { bot }
            };
            let more = sparse("more than five bad calls", bad_calls, bad_calls);
            scenarios.push(self.expect(more, labels, enough, &[window.name]));
            let less = sparse("three bad calls", 2.0 * bad_calls, bad_calls / 2.0);
            let less = self.expect(less, labels, before, &[]);
            scenarios.push(self.expect(less, labels, few, beside));
        }
        scenarios
    }

    /// The numbers of all, good and bad calls in phases, each of a number of steps, with the calls in each and a burn.
    fn counted(&self, phases: &[(u32, f64, f64)]) -> [String; 3] {
        let counted = |part_of: &dyn Fn(f64) -> f64| {
            let growth = |calls: f64, burn: f64| rounded(calls * part_of((burn * self.allowed).min(1.0)));
            let phases = phases.iter().map(|(steps, calls, burn)| (*steps, growth(*calls, *burn)));
            counts(&phases.collect::<Vec<_>>())
        };
        [counted(&|_| 1.0), counted(&|bad| 1.0 - bad), counted(&|bad| bad)]
    }

    /// Expects the alerts of these windows.
    fn expect(&self, scenario: Scenario, labels: &str, minute: u64, windows: &[&str]) -> Scenario {
        let of_budget: Vec<_> =
            self.labels.iter().map(|(name, value)| format!(",{name}=\"{value}\"")).collect();
        let of_budget = of_budget.concat();
        let mut scenario = scenario.silent([minute]);
        for window in WINDOWS.iter().filter(|window| windows.contains(&window.name)) {
            let severity = if window.urgency == Urgency::Warn { ",severity=\"warning\"" } else { "" };
            let comma = if labels.is_empty() { "" } else { "," };
            let name = window.name;
            scenario = scenario.and(&format!("{labels}{comma}window=\"{name}\"{of_budget}{severity}"));
        }
        scenario
    }
}
