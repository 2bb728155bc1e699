//! The lines that the bot prints while it runs and at the end.

use std::collections::BTreeMap;

use bot_metrics::status::SubsystemState;
use bot_metrics_examples::demo::{Tone, say};
use bot_metrics_examples::market::Symbol;

use crate::bot::Bot;
use crate::figures::{Figures, LoopFigures, ProfileFigures};
use crate::journal::Tally;
use crate::output::{self, Output};

/// The used part of the request weight above which it is worth a line.
const MUCH_WEIGHT: f64 = 0.5;

/// The state of each loop when its problem was printed last, if it has one.
#[derive(Debug, Default)]
pub(crate) struct KnownStates(BTreeMap<String, Option<SubsystemState>>);

impl Bot {
    /// Prints the figures unless the table shows them, and which loops have stopped to work since the last time.
    pub(crate) fn tell_progress(&self, figures: &Figures, known: &mut KnownStates, has_table: bool) {
        for figures in &figures.loops {
            self.tell_stalled(figures, known);
        }
        match self.output {
            Output::Json => output::say_status(figures),
            Output::Screen | Output::Lines if has_table => {}
            Output::Screen | Output::Lines => {
                for profile in &figures.profiles {
                    self.journal.say(progress(profile));
                }
                if let Some(used) = figures.weight_used_ratio.filter(|used| *used > MUCH_WEIGHT) {
                    let used = format_args!("{:.0} % of the request weight per minute is used", used * 100.0);
                    self.journal.say_in(Tone::Warning, used);
                }
            }
        }
    }

    fn tell_stalled(&self, figures: &LoopFigures, known: &mut KnownStates) {
        let LoopFigures { name, state, problem, .. } = figures;
        let bad = problem.is_some().then_some(*state);
        let before = known.0.insert(name.clone(), bad).flatten();
        let metric = format!("subsystem_alive{{subsystem=\"{name}\"}}");
        match problem {
            Some(problem) if before != bad => {
                self.journal.say_in(Tone::Bad, format_args!("{problem}; see {metric}"));
            }
            None if before.is_some() => {
                self.journal.say_in(Tone::Good, format_args!("{name} runs again: see {metric}"));
            }
            _ => {}
        }
    }

    /// Prints the profiles and markets at the start.
    pub(crate) fn tell_start(&self) {
        let profiles: Vec<_> = self.roster.all().iter().map(|desk| desk.profile.id).collect();
        let markets = Symbol::ALL.map(Symbol::as_str).join(", ");
        self.journal.say(format_args!("{} trade {markets}", profiles.join(" and ")));
        self.journal.say("Ctrl-C ends the bot");
    }

    /// Prints the summary at the end.
    pub(crate) fn tell_summary(&self) {
        if self.output == Output::Json {
            output::say_summary(&self.sampler().figures());
            return;
        }
        say("summary");
        for desk in self.roster.all() {
            let Tally { placed, filled, executions, cancelled, rejected, errors } =
                self.journal.tally(Some(desk.profile.id));
            let open = desk.orders().open_count();
            let profit = desk.profit().unwrap_or_default();
            say(format_args!(
                "  {:<12} {placed} placed, {filled} filled ({executions} executions), {cancelled} cancelled, \
                 {rejected} rejected, {open} left open, {errors} failed calls, pnl {profit:+.2} USDT",
                desk.profile.id
            ));
        }
        let Tally { errors, .. } = self.journal.tally(None);
        say(format_args!("  {:<12} {errors} failed calls", "for both"));
    }
}

/// A profile's line, which fits a terminal of 80 columns for the first hour at the usual speed.
fn progress(figures: &ProfileFigures) -> String {
    let ProfileFigures { name, placed, fills, open, capital_used_percent, profit_usdt, .. } = figures;
    let open = open.unwrap_or_default();
    let used = capital_used_percent.map_or_else(|| "unknown".to_owned(), |used| format!("{used:.0}%"));
    let profit = profit_usdt.unwrap_or_default();
    format!("{name}: {placed} placed, {fills} fills, {open} open, pnl {profit:+.2}, capital {used}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_progress_line_of_an_hour_fits_80_columns() {
        let figures = ProfileFigures {
            name: "maker-tight".to_owned(),
            placed: 9_876,
            fills: 9_876,
            open: Some(6.0),
            capital_used_percent: Some(49.6),
            profit_usdt: Some(-12.34),
            ..ProfileFigures::default()
        };
        let line = format!("[ 3600.0s] {}", progress(&figures));
        assert_eq!(line, "[ 3600.0s] maker-tight: 9876 placed, 9876 fills, 6 open, pnl -12.34, capital 50%");
        assert!(line.len() <= 80, "{}", line.len());
    }
}
