//! The bot always stops soon, cleanly and without open orders.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bot_metrics::testing::Samples;
use bot_metrics_tests::paper_bot::{Ended, Running, command, run, start};
use serde_json::Value;

use super::customer::{Customer, PROFILES};

/// Longer than the shutdown may take: two seconds, and a margin for a busy machine.
const SOON: Duration = Duration::from_millis(3_500);

/// The open orders on the profiles' accounts.
fn open_orders(exchange: &str) -> Vec<Value> {
    PROFILES.into_iter().flat_map(|profile| Customer::new(exchange, profile).open_orders()).collect()
}

fn assert_nothing_is_left(ended: &Ended) {
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    for profile in PROFILES {
        let [placed, filled, cancelled] =
            ["placed", "filled", "cancelled"].map(|what| ended.count(profile, what));
        assert_eq!(
            placed,
            filled + cancelled,
            "{profile}: every order was filled or cancelled\n{}",
            ended.stdout
        );
        assert_eq!(ended.count(profile, "left open"), 0, "{}", ended.stdout);
        assert_eq!(ended.count(profile, "failed calls"), 0, "{}", ended.stdout);
    }
}

pub(super) fn it_places_fills_and_cancels_orders_and_leaves_none_open() {
    let ended = run(&mut command(&["--port", "0", "--duration", "6s"]));
    assert_nothing_is_left(&ended);
    for profile in PROFILES {
        for what in ["placed", "filled", "cancelled"] {
            assert!(ended.count(profile, what) > 0, "{profile} {what}\n{}", ended.stdout);
        }
    }
    assert!(!ended.stdout.contains("mismatch"), "{}", ended.stdout);
}

pub(super) fn the_orders_reported_as_open_are_those_of_the_exchange_at_any_point_of_a_cycle() {
    let host = start(&["--fault", "hang-trading"]);
    let exchange = host.wait_to_say("exchange at ");
    // A trading cycle begins every second from 0.3 s on, and takes about 0.3 s.
    for duration in ["1300ms", "1350ms", "1400ms", "1450ms", "1500ms", "1550ms", "1650ms"] {
        let ended = run(&mut command(&["--port", "0", "--duration", duration, "--exchange-url", &exchange]));
        assert_nothing_is_left(&ended);
        assert_eq!(open_orders(&exchange), Vec::<Value>::new(), "after {duration}");
    }
}

pub(super) fn an_exchange_that_stops_answering_does_not_delay_the_shutdown() {
    let mut host = start(&["--fault", "hang-trading"]);
    let exchange = host.wait_to_say("exchange at ");
    let guest = start(&["--exchange-url", &exchange]);
    let _ = guest.wait_until("an order is placed", |samples| {
        samples.sum("bytelyst_bot_operational_events_total", &[("type", "ORDER_PLACED")]) > 0.0
    });
    host.signal(libc::SIGSTOP);
    let start = Instant::now();
    let ended = guest.terminate();
    assert!(start.elapsed() < SOON, "it took {:?}", start.elapsed());
    assert!(ended.status.success(), "{ended:?}");
    assert!(ended.stdout.contains("of its orders may be left open: no answer in time"), "{}", ended.stdout);
    assert!(PROFILES.iter().any(|profile| ended.count(profile, "left open") > 0), "{}", ended.stdout);
}

pub(super) fn a_signal_stops_it_soon_even_while_it_hangs() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT] {
        let mut bot = start(&["--fault", "hang-trading"]);
        let _ = bot.wait_to_say("Ctrl-C ends the bot");
        bot.signal(signal);
        let start = Instant::now();
        let ended = bot.wait();
        assert!(start.elapsed() < SOON, "{signal} took {:?}", start.elapsed());
        assert_nothing_is_left(&ended);
        assert!(ended.stdout.contains("told to stop"), "{}", ended.stdout);
    }
}

pub(super) fn nohup_protects_it_from_the_end_of_its_terminal() {
    let program = command(&[]).get_program().to_owned();
    let bot = Command::new("/bin/sh")
        .env_clear()
        .args(["-c", "trap '' HUP; exec \"$0\" --port 0 --bind 127.0.0.1 --duration 2s"])
        .arg(program)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell runs");
    thread::sleep(Duration::from_secs(1));
    let pid = libc::pid_t::try_from(bot.id()).expect("a process id");
    // SAFETY: the child is ours and was not waited for yet, so that its id belongs to no other process.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGHUP) }, 0);
    let stdout = bot.wait_with_output().expect("it ends").stdout;
    assert!(String::from_utf8_lossy(&stdout).contains("time is up"), "{}", String::from_utf8_lossy(&stdout));
}

pub(super) fn sigterm_loses_no_increment_if_one_more_scrape_comes() {
    let mut bot = start(&["--drain", "50s"]);
    let _ = bot.wait_until("an order is placed", |samples| {
        samples.sum("bytelyst_bot_operational_events_total", &[("type", "ORDER_PLACED")]) > 0.0
    });
    bot.signal(libc::SIGTERM);
    // It keeps serving as long as it has anything to record.
    let _ = bot.wait_to_say("waiting up to 50s for one more scrape");
    let last = bot.scrape();
    let ended = bot.wait();
    assert_nothing_is_left(&ended);
    assert!(ended.stdout.ends_with("the last values were scraped\n"), "{}", ended.stdout);
    let events = |profile, kind| {
        let labels = [("profile_id", profile), ("type", kind)];
        last.sum("bytelyst_bot_operational_events_total", &labels)
    };
    for profile in PROFILES {
        for (what, kind) in [("placed", "ORDER_PLACED"), ("cancelled", "ORDER_CANCELLED")] {
            #[expect(clippy::cast_precision_loss, reason = "a few orders")]
            let told = ended.count(profile, what) as f64;
            assert_eq!(events(profile, kind), told, "{profile} {what}\n{}", ended.stdout);
        }
    }
    assert_eq!(events("", "STOPPED"), 1.0);
}

pub(super) fn a_missing_last_scrape_is_reported_and_another_signal_ends_the_wait() {
    let ended = run(&mut command(&["--port", "0", "--duration", "1s", "--drain", "1s"]));
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert!(ended.stdout.ends_with("the last values were not scraped\n"), "{}", ended.stdout);

    let mut bot = start(&["--duration", "1s", "--drain", "1h"]);
    let _ = bot.wait_to_say("waiting up to 3600s");
    bot.signal(libc::SIGINT);
    let ended = bot.wait();
    assert!(ended.stdout.ends_with("told to stop: the last values were not scraped\n"), "{}", ended.stdout);
}

pub(super) fn a_rate_limit_without_open_orders_is_not_reported() {
    let ended = run(&mut command(&["--port", "0", "--duration", "2s", "--fault", "rate-limit"]));
    assert!(ended.status.success(), "{ended:?}");
    assert!(!ended.stdout.contains("may be left open"), "{}", ended.stdout);
    for profile in PROFILES {
        assert_eq!((ended.count(profile, "placed"), ended.count(profile, "left open")), (0, 0));
    }
}

pub(super) fn a_closed_standard_output_does_not_end_it() {
    // `exec` makes the shell's exit code the bot's.
    let shell = Command::new("/bin/sh")
        .env_clear()
        .arg("-c")
        .arg("exec \"$0\" --port 0 --bind 127.0.0.1 --duration 1s >&-")
        .arg(command(&[]).get_program())
        .output()
        .expect("a shell runs");
    assert_eq!((shell.status.code(), String::from_utf8_lossy(&shell.stderr).as_ref()), (Some(0), ""));
}

pub(super) fn a_reader_that_goes_away_does_not_end_it_and_is_reported_once() {
    let mut bot = command(&["--port", "0", "--duration", "2s"]).spawn().expect("the bot starts");
    drop(bot.stdout.take());
    let output = bot.wait_with_output().expect("the bot ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("its output is no longer read; trading continues"), "{stderr}");
}

pub(super) fn an_unread_output_delays_neither_trading_nor_metrics_nor_the_shutdown() {
    // Each fault prints a line at its beginning and at its end.
    let (mut bot, pipes) = Running::start_unread("paper-bot", &["--fault", "halt-markets@1s+1s"]);
    let cycles = |samples: &Samples| {
        samples.sum("bytelyst_bot_subsystem_duration_seconds_count", &[("subsystem", "trading")])
    };
    let traded = bot.wait_until("it trades", |samples| {
        samples.sum("bytelyst_bot_operational_events_total", &[("type", "ORDER_PLACED")]) > 0.0
    });
    let _ = bot.wait_until("it goes on", |samples| cycles(samples) > cycles(&traded) + 5.0);
    bot.signal(libc::SIGTERM);
    let start = Instant::now();
    let ended = bot.wait();
    assert_eq!(ended.status.code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(10), "it took {:?}", start.elapsed());
    drop(pipes);
}
