//! Whether the bot runs, and as what.

use super::{Alert, AlertList, Rule, Scenario, Urgency};
use crate::catalogue::PROCESS_START_TIME_SECONDS;
use crate::operations::context::RuleContext;
use crate::operations::promql::equal;
use crate::operations::recording::recorded_mode;
use crate::operations::scale::{HOUR, MINUTE};

/// The number of starts within half an hour above which a bot is in a loop of restarts.
pub(in crate::operations) const STARTS: u8 = 2;

pub(super) const ALERTS: &AlertList = &[
    |context| Some(down(context)),
    |context| Some(missing(context)),
    restart_loop,
    live_in_development,
    mode_conflict,
];

/// `up` has no label `mode`. Only a bot that was on paper last, and was not live within the last hour, is known to trade
/// no money.
fn down(context: &RuleContext<'_>) -> Alert {
    let hour = context.window(HOUR);
    let down = format!("{} == 0", context.up());
    let identity = context.identity();
    let rules = match &identity {
        Some(identity) => {
            let modes = recorded_mode(context, identity);
            let [paper, live] = ["paper", "live"]
                .map(|mode| format!("last_over_time({}[{hour}])", modes.with(equal("mode", mode))));
            let only_paper = format!("on (job, instance) ({paper} unless on (job, instance) {live})");
            vec![
                Rule::new(Urgency::AlwaysPage, MINUTE, format!("{down}\nunless {only_paper}")),
                Rule::new(Urgency::Warn, MINUTE, format!("{down}\nand {only_paper}")).with("mode", "paper"),
            ]
        }
        None => vec![Rule::new(Urgency::AlwaysPage, MINUTE, down)],
    };
    let of_target = |title: &str| Scenario::new(context, title).of_target();
    let up = |title: &str, values: &str| of_target(title).of_prometheus("up", values);
    let mut scenarios = vec![
        up("the bot crashes and comes back", "1x3 0x4 1x9").silent([3]).fires([6], "").silent([9]),
        up("one scrape fails", "1x3 0 1x9").silent([3, 4, 5, 6]),
        of_target("another job is down").with("job", "another").of_prometheus("up", "0x9").silent([5]),
    ];
    if let Some(identity) = &identity {
        scenarios.extend(down_in_mode(context, identity.name()));
    }
    Alert::of_rules("BotDown", rules, scenarios)
}

/// Bots that are down and had said their mode before, by the series `identity`.
fn down_in_mode(context: &RuleContext<'_>, identity: &str) -> [Scenario; 8] {
    let said = |title: &str, mode: &str, up: &str| {
        let bot = Scenario::new(context, title).with("mode", mode).standard(identity, "", "1x3 stale");
        bot.of_target().of_prometheus("up", up)
    };
    let on_paper = "severity=\"warning\",mode=\"paper\"";
    let crashes = "1x3 0x199";
    [
        said("a bot on paper is down for hours", "paper", crashes).silent([3]).fires([6, 60, 190], on_paper),
        said("a target is removed, and comes back for another bot", "paper", "1x3 0x3 stale _x70 0x9")
            .fires([85], ""),
        said("a target is removed for forty minutes", "paper", "1x3 0x3 stale _x40 0x9")
            .fires([55], on_paper),
        said("a bot on paper is down for more than a day", "paper", "1x6 0x800")
            .every(120)
            .fires([24 * 60], on_paper)
            .fires([26 * 60], "")
            .long(),
        said("a live bot crashes", "live", crashes).fires([6], ""),
        Scenario::new(context, "a bot whose neighbour trades on paper crashes")
            .with("mode", "paper")
            .with("instance", "other:5000")
            .standard(identity, "", "1x9")
            .with("instance", "bot:5000")
            .of_target()
            .of_prometheus("up", "1x3 0x9")
            .fires([6], ""),
        Scenario::new(context, "a bot crashes that went from live to paper")
            .standard(identity, "", "1x2 stale")
            .with("mode", "paper")
            .standard(identity, "", "_x3 1x36 stale")
            .of_target()
            .of_prometheus("up", "1x39 0x60")
            .fires([50], "")
            .fires([70], on_paper),
        said("the mode of a bot that crashes is not known", "", crashes).fires([6], ""),
    ]
}

fn missing(context: &RuleContext<'_>) -> Alert {
    let nothing = |title: &str| Scenario::new(context, title).of_target().with("instance", "");
    let at =
        |title: &str, values: &str| nothing(title).with("instance", "bot:5000").of_prometheus("up", values);
    let scenarios = [
        at("the target vanishes and comes back", "1x3 stale _x5 1x9")
            .with("instance", "")
            .silent([3, 5])
            .fires([7], "")
            .silent([12]),
        at("the bot is down but known", "0x9").silent([5]),
        nothing("only another job exists")
            .with("job", "another")
            .with("instance", "a")
            .of_prometheus("up", "1x9")
            .with("instance", "")
            .with("job", context.job)
            .fires([5], ""),
    ];
    Alert::new("BotMissing", Urgency::AlwaysPage, 2 * MINUTE, format!("absent({})", context.up()), scenarios)
}

fn restart_loop(context: &RuleContext<'_>) -> Option<Alert> {
    let start = context.series(&PROCESS_START_TIME_SECONDS)?;
    let window = context.window(30 * MINUTE);
    let bot = |title: &str, values: &str| Scenario::new(context, title).standard(start.name(), "", values);
    let scenarios = [
        bot("the bot starts three times within half an hour, then stays", "1x5 2x9 3x9 4x60")
            .silent([20])
            .fires([27, 34], "")
            .silent([40]),
        bot("the bot starts twice within half an hour", "1x5 2x9 3x60").silent([17, 30]),
        bot("three starts within a day", "1x40 2x40 3x40 4x40").silent([130]),
    ];
    Some(Alert::new(
        "BotRestartLoop",
        Urgency::Page,
        0,
        format!("changes({start}[{window}]) > {STARTS}"),
        scenarios,
    ))
}

fn live_in_development(context: &RuleContext<'_>) -> Option<Alert> {
    let identity = context.identity()?;
    let bot = |title: &str, env: &str, mode: &str, values: &str| {
        let bot = Scenario::new(context, title).with("env", env).with("mode", mode);
        bot.standard(identity.name(), "", values)
    };
    let scenarios = [
        bot("real money in development, then stopped", "development", "live", "1x4 stale")
            .fires([2], "")
            .silent([7]),
        bot("real money in development for less than a minute", "development", "live", "1").silent([0, 6]),
        bot("paper in development", "development", "paper", "1x9").silent([5]),
        bot("real money in production", "production", "live", "1x9").silent([5]),
    ];
    Some(Alert::new(
        "BotLiveModeInDevelopment",
        Urgency::Page,
        MINUTE,
        identity.with("mode=\"live\", env=\"development\"").to_string(),
        scenarios,
    ))
}

fn mode_conflict(context: &RuleContext<'_>) -> Option<Alert> {
    let identity = context.identity()?;
    let both = |title: &str, second: &str, values: &str| {
        let bot = Scenario::new(context, title).standard(identity.name(), "", "1x9");
        let bot = bot.with("mode", "paper").with("instance", second).standard(identity.name(), "", values);
        bot.with("instance", "bot:5000").of_target()
    };
    let scenarios = [
        both("two processes share one instance", "bot:5000", "_x2 1x3 stale")
            .silent([1])
            .fires([3], "")
            .silent([7]),
        both("a paper bot beside a live bot", "other:5000", "1x9").silent([3]),
        Scenario::new(context, "two builds of one mode")
            .standard(identity.name(), "version=\"1\"", "1x9")
            .standard(identity.name(), "version=\"2\"", "1x9")
            .silent([3]),
    ];
    Some(Alert::new(
        "BotModeConflict",
        Urgency::AlwaysPage,
        0,
        format!("count by (job, instance) (count by (job, instance, mode) ({identity})) > 1"),
        scenarios,
    ))
}
