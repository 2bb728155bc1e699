//! Attacks on the server: a scraper is served whatever other clients do.
//!
//! Each trial starts a bot and its attackers as separate processes, scrapes beside them, and prints a row of figures.
//! `BOT_METRICS_LONG_TESTS=1` runs ten tries of 120 scrapes each, and checks latency, memory and processor time too;
//! it needs an otherwise idle machine. By default there is one try of 48 scrapes, and only refused scrapes fail.

mod attack;
mod bot;
mod scrapes;

use std::env;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::attack::{ATTACKS, Attack};
use crate::bot::Bot;
use crate::scrapes::Figures;

fn main() {
    if let Some(page) = env::var_os(bot::ROLE) {
        return bot::serve(&page.into_string().expect("numbers"));
    }
    if let Some(attack) = env::var_os(attack::ROLE) {
        return attack::run(&attack.into_string().expect("a name and an address"));
    }
    let mut arguments = Arguments::from_args();
    // Each needs the machine for itself.
    arguments.test_threads = Some(1);
    let trial = |attack: &'static Attack| Trial::test(attack.name, || resist(attack));
    let trials = ATTACKS.iter().map(trial).collect();
    libtest_mimic::run(&arguments, trials).exit();
}

fn is_long() -> bool {
    env::var_os("BOT_METRICS_LONG_TESTS").is_some()
}

fn resist(attack: &Attack) -> Result<(), Failed> {
    let (tries, scrapes) = if is_long() { (10, 120) } else { (1, 48) };
    let mut faults = Vec::new();
    for number in 1..=tries {
        let mut bot = Bot::start(attack);
        if attack.needs_password {
            scrapes::log_in(bot.address)?;
        }
        let before = bot.resources();
        let attackers = attack.start(bot.address);
        let figures = scrapes::take(bot.address, scrapes);
        let row = Row { attack, number, figures, bot: bot.resources().since(&before) };
        drop(attackers);
        println!("{}", row.text());
        faults.extend(row.faults());
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

/// The result of a try.
struct Row<'a> {
    attack: &'a Attack,
    number: usize,
    figures: Figures,
    bot: bot::Used,
}

impl Row<'_> {
    /// The part of the latency of 99 of 100 scrapes that is not the collector's.
    fn added(&self) -> Duration {
        let collector = self.attack.collector_runs * self.attack.collector;
        self.figures.quantile(0.99).saturating_sub(collector)
    }

    fn text(&self) -> String {
        let (figures, bot) = (&self.figures, &self.bot);
        format!(
            "{:<24} try {:>2}: {:>3} scrapes, {} refused, p50 {:>6.1?}, p99 {:>6.1?}, longest {:>6.1?}; \
             +{:.1} MB, {:.1} % CPU, {} reports",
            self.attack.name,
            self.number,
            figures.taken(),
            figures.refused.len(),
            figures.quantile(0.5),
            figures.quantile(0.99),
            figures.quantile(1.0),
            bot.megabytes,
            bot.processor * 100.0,
            bot.reports,
        )
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let (attack, number) = (self.attack.name, self.number);
        if !self.figures.refused.is_empty() {
            faults.push(format!("{attack}, try {number}: refused: {:?}", self.figures.refused));
        }
        if !is_long() {
            return faults;
        }
        if self.added() > self.attack.most_added {
            faults.push(format!("{attack}, try {number}: {:?} added to the collector's time", self.added()));
        }
        let (memory, processor) = (self.attack.most_memory, self.attack.most_processor);
        if self.bot.megabytes > memory || self.bot.processor > processor {
            faults.push(format!(
                "{attack}, try {number}: more than {memory} MB or {} % of a processor",
                processor * 100.0
            ));
        }
        faults
    }
}
