//! What the bot says about itself while it runs and when it ends.

use crate::bot::Bot;
use crate::console::say;
use crate::desk::Desk;
use crate::journal::Tally;

impl Bot {
    /// One line every few seconds.
    pub(crate) fn tell_progress(&self) {
        let desks = self.roster.active();
        let lines: Vec<_> = desks.iter().map(|desk| self.progress_of(desk)).collect();
        let weight = self
            .throttle
            .used_ratio()
            .map_or_else(String::new, |used| format!(" | weight {:.0}%", used * 100.0));
        self.journal.say(format_args!("{}{weight}", lines.join(" | ")));
    }

    fn progress_of(&self, desk: &Desk) -> String {
        let Tally { placed, filled, cancelled, .. } = self.journal.tally(Some(desk.profile.id));
        let open = desk.orders().open_count();
        let used = desk.view().map_or(0.0, |view| view.capital.utilization_percent());
        let profit = desk.profit().unwrap_or_default();
        format!(
            "{}: {placed} placed, {filled} filled, {cancelled} cancelled, {open} open, {used:.1}% used, pnl {profit:+.2}",
            desk.profile.id
        )
    }

    /// The summary at the end.
    pub(crate) fn tell_summary(&self) {
        let Tally { errors, .. } = self.journal.tally(None);
        say(format_args!("summary: {errors} errors that concern no profile"));
        for desk in self.roster.all() {
            let Tally { placed, filled, executions, cancelled, rejected, errors } =
                self.journal.tally(Some(desk.profile.id));
            let open = desk.orders().open_count();
            let profit = desk.profit().unwrap_or_default();
            say(format_args!(
                "  {:<12} {placed} placed, {filled} filled ({executions} executions), {cancelled} cancelled, \
                 {rejected} rejected, {errors} errors, {open} left open, pnl {profit:+.2} USDT",
                desk.profile.id
            ));
        }
    }
}
