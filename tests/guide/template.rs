//! The template, as a package of its own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bot_metrics::assert_metric;
use bot_metrics_tests::demo::Running;
use bot_metrics_tests::process::eventually;
use bot_metrics_tests::workspace::{cargo, read, root};

/// Copies the template by the commands in its own page, tests and runs it.
#[test]
fn the_template_is_a_bot_that_is_tested_and_monitored() {
    let bot = copy();
    let tested = in_copy(&bot, &["test", "--quiet"]);
    assert!(tested.contains("2 passed"), "{tested}");
    let rules = in_copy(&bot, &["run", "--quiet", "--", "metrics", "rules"]);
    for part in ["alert: BotSubsystemStalled", "job=\"my-bot\"", "alert: BotReconciliationMismatch"] {
        assert!(rules.contains(part), "{part}:\n{rules}");
    }

    let mut bot = start();
    let samples = bot.wait_until("each loop ran", |samples| {
        samples.sum("bytelyst_bot_subsystem_runs_total", &[("outcome", "ok")]) >= 4.0
    });
    assert_metric!(samples, "sum(bytelyst_bot_subsystem_alive{app='my-bot'})", 3);
    assert_metric!(samples, "bytelyst_bot_reconciliation_missing_items_count{source='db'}", 0);
    assert_metric!(samples, "bytelyst_bot_profile_utilization_percent{profile_id='maker'}", 0..);
    assert_metric!(samples, "sum(bytelyst_bot_signals_total)", 1..);
    bot.signal(libc::SIGTERM);
    let _ = bot.wait_to_say("waiting up to 20s for a last scrape");
    assert_metric!(bot.scrape(), "bytelyst_bot_operational_events_total{type='STOPPED'}", 1);
    // The scrape above may have come before the wait for one.
    let url = format!("{}/metrics", bot.url());
    let scraped = eventually("the last values are scraped", || {
        let scrape = ureq::get(&url).call().map(drop).map_err(|error| error.to_string());
        if bot.has_said("the last values were scraped") {
            Ok(())
        } else {
            scrape.and(Err("not yet".to_owned()))
        }
    });
    let ended = bot.wait();
    assert_eq!((ended.status.code(), scraped), (Some(0), Ok(())), "{ended:?}");

    a_further_signal_ends_the_wait_for_a_scrape();
    a_mistyped_word_starts_no_bot();
}

fn a_further_signal_ends_the_wait_for_a_scrape() {
    let mut bot = start();
    bot.signal(libc::SIGINT);
    let _ = bot.wait_to_say("waiting up to 20s for a last scrape");
    bot.signal(libc::SIGINT);
    let ended = bot.wait();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert!(!ended.stdout.contains("the last values were"), "it waited for the scrape: {ended:?}");
}

fn a_mistyped_word_starts_no_bot() {
    let output = command().arg("metrcs").output().expect("it runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.starts_with("unknown argument \"metrcs\"; allowed are"), "{errors}");
}

fn start() -> Running {
    let mut command = command();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Running::spawn_as_is(&mut command, "status page: ")
}

/// The bot, which was built by the tests of its package.
fn command() -> Command {
    let mut command = Command::new(target().join("debug/my-bot"));
    command.env("PAPER_TRADING", "true").env("METRICS_ADDR", "127.0.0.1:0");
    command
}

/// The copy's folder, always the same, so that the next run compiles only changes.
fn copy() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("template");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    symlink(root(), folder.join("bot-metrics")).expect("a link to the repository");
    let page = read("examples/template/README.md");
    let commands =
        page.split_once("```sh\n").and_then(|(_, rest)| rest.split_once("cargo test")).expect("commands").0;
    let copied = Command::new("sh").args(["-e", "-c", commands]).current_dir(&folder).status();
    assert!(copied.expect("a shell").success(), "{commands}");
    // The versions of this workspace, which are here already.
    let bot = folder.join("my-bot");
    fs::copy(root().join("Cargo.lock"), bot.join("Cargo.lock")).expect("a lock file");
    // It lies inside this workspace, to which it does not belong.
    let manifest = fs::read_to_string(bot.join("Cargo.toml")).expect("its manifest");
    fs::write(bot.join("Cargo.toml"), manifest + "\n[workspace]\n").expect("its manifest");
    bot
}

/// The output of cargo in the copy.
fn in_copy(bot: &Path, arguments: &[&str]) -> String {
    let output = cargo()
        .current_dir(bot)
        .arg("--offline")
        .args(arguments)
        .env("CARGO_TARGET_DIR", target())
        .output()
        .expect("cargo runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// The target directory of this build, which has most of the dependencies already.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a target directory").to_owned()
}
