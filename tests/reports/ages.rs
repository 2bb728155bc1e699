//! Two ages for one subsystem are reported if no start-up rejects them.

use std::io::Read;
use std::process::Stdio;

use bot_metrics::prelude::*;

use crate::{bot, is_bot, output};

#[timed_subsystem("trading", every = "1s")]
fn one_cycle() {}

#[timed_subsystem("trading", max_age = "6s")]
fn another_cycle() {}

#[test]
fn two_ages_of_one_subsystem_are_reported_with_both_places() {
    if is_bot() {
        one_cycle();
        another_cycle();
        another_cycle();
        return;
    }
    let mut bot = bot("ages::two_ages_of_one_subsystem_are_reported_with_both_places")
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = String::new();
    bot.stderr.take().expect("piped").read_to_string(&mut lines).expect("text");
    output(bot);
    let file = file!();
    assert_eq!(
        lines,
        format!(
            "bot-metrics: subsystem trading counts as stalled after 3s, as reports::ages::one_cycle ({file}:10) says; \
             the 6s of reports::ages::another_cycle ({file}:13) are not used: write the same `every` or `max_age` in both\n"
        )
    );
}
