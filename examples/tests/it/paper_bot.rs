//! The binary's command line and its life from start to end.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn paper_bot(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_paper-bot"));
    // A system-chosen port: several bots run at the same time.
    command.args(["--port=0", "--bind=127.0.0.1"]).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> Output {
    paper_bot(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The number in front of `name` in a profile's line of the summary.
fn count(stdout: &str, profile: &str, name: &str) -> u64 {
    let line = stdout.lines().rev().find(|line| line.trim_start().starts_with(profile)).unwrap();
    let words: Vec<_> = line.split([' ', ',']).collect();
    let position = words.windows(2).position(|pair| pair[1] == name).unwrap();
    words[position].parse().unwrap()
}

#[test]
fn it_places_fills_and_cancels_and_leaves_nothing_open() {
    let output = run(&["--duration=6s"]);
    let stdout = text(&output.stdout);
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""), "{stdout}");
    for profile in ["maker-tight", "maker-wide"] {
        for name in ["placed", "filled", "cancelled"] {
            assert!(count(&stdout, profile, name) > 0, "{profile} {name}\n{stdout}");
        }
        assert_eq!(count(&stdout, profile, "errors"), 0, "{stdout}");
        let ended = count(&stdout, profile, "filled") + count(&stdout, profile, "cancelled");
        assert_eq!(count(&stdout, profile, "placed"), ended, "every order was filled or cancelled\n{stdout}");
    }
    assert!(!stdout.contains("mismatch"), "{stdout}");
}

#[test]
fn faults_show_in_what_the_bot_does() {
    let output = run(&[
        "--duration=8s",
        "--fault=negative-capital@1s+3s",
        "--fault=foreign-order@1s",
        "--fault=remove-profile@2s",
    ]);
    let stdout = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{stdout}");
    for line in [
        "fault negative-capital begins",
        "Critical maker-tight: available capital fell to -",
        "fault negative-capital ends",
        "Info maker-tight: available capital is ",
        "stands at the exchange and is missing from the database",
        "Warning maker-wide: stopped",
    ] {
        assert!(stdout.contains(line), "{line}\n{stdout}");
    }
    let last_progress =
        stdout.lines().rev().find(|line| line.starts_with('[') && line.contains(" placed")).unwrap();
    assert!(!last_progress.contains("maker-wide"), "{stdout}");
}

#[test]
fn a_blind_reconciliation_and_a_rate_limit_are_survived() {
    let output = run(&["--duration=8s", "--fault=blind-reconciliation@0s+2s", "--fault=rate-limit@3s+500ms"]);
    let stdout = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{stdout}");
    for line in [
        "reconciliation fails: the exchange failed with status 503",
        "trading fails: rate limited for 2s",
        "trading works again",
    ] {
        assert!(stdout.contains(line), "{line}\n{stdout}");
    }
    assert!(count(&stdout, "maker-tight", "placed") > 0, "{stdout}");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_soon_even_while_it_hangs() {
    for signal in ["-INT", "-TERM"] {
        let mut bot = paper_bot(&["--fault=hang-trading"]).spawn().unwrap();
        let mut lines = BufReader::new(bot.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("fault hang-trading begins")));
        let killed = Command::new("kill").args([signal, &bot.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let start = Instant::now();
        assert_eq!(bot.wait().unwrap().code(), Some(0), "{signal}");
        assert!(start.elapsed() < Duration::from_secs(3), "{signal} took {:?}", start.elapsed());
        assert!(lines.any(|line| line.unwrap().starts_with("summary")), "{signal}");
    }
}

#[test]
fn a_reader_that_goes_away_does_not_end_it_badly() {
    let mut bot = paper_bot(&["--duration=1s"]).spawn().unwrap();
    drop(bot.stdout.take());
    let output = bot.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
}

#[test]
fn a_bad_command_line_is_code_2_and_anything_else_code_1() {
    for (arguments, code, message) in [
        (&["--fault=nope"][..], 2, "unknown fault `nope`; known: hang-trading"),
        (&["--nope"], 2, "unexpected argument '--nope'"),
        (&["--speed=0"], 2, "must be a number above 0 and at most 1000"),
        (&["--exchange-url=nope"], 2, "allowed: http://HOST[:PORT]"),
        (&["--exchange-url=http://127.0.0.1:1"], 1, "paper-bot: no exchange at http://127.0.0.1:1: "),
        (&["--data=no/such/file"], 1, "paper-bot: no/such/file: "),
        (
            &[concat!("--data=", env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")],
            1,
            "Cargo.toml: line 1: the columns are `[package]`",
        ),
    ] {
        let output = run(arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{stderr}");
        assert!(stderr.contains(message), "{arguments:?}\n{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}
