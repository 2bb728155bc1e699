//! The lines that the bot prints while it runs and at the end.

use bot_metrics_examples::demo::say;
use bot_metrics_examples::market::Symbol;

use crate::bot::Bot;
use crate::desk::Desk;
use crate::journal::Tally;

impl Bot {
    /// Prints one line every few seconds.
    pub(crate) fn tell_progress(&self) {
        let desks = self.roster.active();
        let lines: Vec<_> = desks.iter().map(|desk| self.progress_of(desk)).collect();
        let weight = self
            .throttle
            .used_ratio()
            .map_or_else(String::new, |used| format!(" | weight {:.0}%", used * 100.0));
        self.journal.say(format_args!("{}{weight}", lines.join(" | ")));
    }

    /// Prints the profiles and markets at the start.
    pub(crate) fn tell_start(&self) {
        let profiles: Vec<_> = self.roster.all().iter().map(|desk| desk.profile.id).collect();
        let markets = Symbol::ALL.map(Symbol::as_str).join(", ");
        self.journal.say(format_args!("{} trade {markets}; Ctrl-C ends the bot", profiles.join(" and ")));
    }

    fn progress_of(&self, desk: &Desk) -> String {
        let Tally { placed, filled, cancelled, .. } = self.journal.tally(Some(desk.profile.id));
        let open = desk.orders().open_count();
        let used = desk.view().map_or_else(
            || "account not seen yet".to_owned(),
            |view| format!("{:.1}% used", view.capital.utilization_percent()),
        );
        let profit = desk.profit().unwrap_or_default();
        format!(
            "{}: {placed} placed, {filled} filled, {cancelled} cancelled, {open} open, {used}, pnl {profit:+.2}",
            desk.profile.id
        )
    }

    /// Prints the summary at the end.
    pub(crate) fn tell_summary(&self) {
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
