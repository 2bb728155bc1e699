//! Attacks on the server: a scraper is served whatever other clients do.
//!
//! Each trial starts a bot and its attackers as separate processes, scrapes beside them, and prints a row of figures.
//! `BOT_METRICS_LONG_TESTS=1` runs ten tries of 120 scrapes each, and checks latency, memory and processor time too,
//! beside those of the same scrapes without attackers; it needs an otherwise idle machine. By default there is one try
//! of 48 scrapes, and only refused scrapes fail.

mod attack;
mod bot;
mod scrapes;

use std::{env, io};

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
    // For its figures each needs the machine for itself.
    arguments.test_threads = Some(if is_long() { 1 } else { 2 });
    let trial = |attack: &'static Attack| Trial::test(attack.name, || resist(attack));
    let trials = ATTACKS.iter().map(trial).collect();
    libtest_mimic::run(&arguments, trials).exit();
}

fn is_long() -> bool {
    env::var_os("BOT_METRICS_LONG_TESTS").is_some()
}

fn resist(attack: &Attack) -> Result<(), Failed> {
    let (tries, scrapes) = if is_long() { (10, 120) } else { (1, 48) };
    let quiet = if is_long() { Some(Measured::take(attack, scrapes, false)?) } else { None };
    if let Some(quiet) = &quiet {
        println!("{:<24} without: {}", attack.name, quiet.text());
    }
    let mut faults = Vec::new();
    for number in 1..=tries {
        let measured = Measured::take(attack, scrapes, true)?;
        println!("{:<24} try {number:>3}: {}", attack.name, measured.text());
        let found = measured.faults(attack, quiet.as_ref());
        faults.extend(found.into_iter().map(|fault| format!("{}, try {number}: {fault}", attack.name)));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

/// The result of a try.
struct Measured {
    figures: Figures,
    bot: bot::Used,
}

impl Measured {
    fn take(attack: &Attack, scrapes: u32, is_attacked: bool) -> io::Result<Self> {
        let mut bot = Bot::start(attack);
        if attack.needs_password {
            scrapes::log_in(bot.address)?;
        }
        let before = bot.resources();
        let attackers = is_attacked.then(|| attack.start(bot.address));
        let figures = scrapes::take(bot.address, scrapes);
        let measured = Self { figures, bot: bot.resources().since(&before) };
        drop(attackers);
        Ok(measured)
    }

    fn text(&self) -> String {
        let (figures, bot) = (&self.figures, &self.bot);
        format!(
            "{:>3} scrapes, {} refused, p50 {:>6.1?}, p99 {:>6.1?}, longest {:>6.1?}; \
             +{:.1} MB, {:.1} % CPU, {} reports",
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

    /// Compares this with the same scrapes without attackers, if they were measured.
    fn faults(&self, attack: &Attack, quiet: Option<&Self>) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.figures.refused.is_empty() {
            faults.push(format!("refused: {:?}", self.figures.refused));
        }
        let Some(quiet) = quiet else { return faults };
        let added = self.figures.quantile(0.99).saturating_sub(quiet.figures.quantile(0.99));
        if added > attack.most_added {
            faults.push(format!("{added:?} added to the scrapes"));
        }
        let processor = self.bot.processor - quiet.bot.processor;
        if self.bot.megabytes > attack.most_memory || processor > attack.most_processor {
            let (memory, most) = (attack.most_memory, attack.most_processor * 100.0);
            faults.push(format!("more than {memory} MB or {most} % of a processor"));
        }
        faults
    }
}
