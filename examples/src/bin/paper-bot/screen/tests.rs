//! The table for given figures, and the terminal before, during and after it.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bot_metrics::AgeOrigin;
use bot_metrics::status::SubsystemState;
use bot_metrics_examples::demo::{Line, Tone};
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::layout::{Size, View, draw};
use super::row::{Row, Span};
use super::terminal::Terminal;
use crate::figures::{CallFigures, FaultFigures, Figures, LoopFigures, ProfileFigures};

#[test]
fn text_of_an_exchange_does_not_control_the_terminal() {
    assert_eq!(Span::new(Tone::Plain, "Filter failure\u{1b}[2J\n: ä").text, "Filter failure\\u{1b}[2J\\n: ä");
}

fn a_loop(name: &str, state: SubsystemState, age_seconds: f64, last_outcome: &str) -> LoopFigures {
    LoopFigures {
        name: name.to_owned(),
        state,
        is_alive: true,
        age_seconds,
        age_origin: AgeOrigin::Succeeded,
        limit_seconds: 5.0,
        last_outcome: Some(last_outcome.to_owned()),
        running_seconds: None,
        paused: None,
        problem: None,
    }
}

fn a_call(operation: &str, per_second: f64, rejected: u64, failed: u64) -> CallFigures {
    CallFigures {
        operation: operation.to_owned(),
        calls: 1_000,
        per_second: Some(per_second),
        p50_seconds: Some(0.034),
        p99_seconds: Some(0.183),
        rejected: Some(rejected),
        failed: Some(failed),
    }
}

/// A bot whose trading hangs.
fn figures() -> Figures {
    let mut trading = a_loop("trading", SubsystemState::Hung, 17.3, "ok");
    trading.running_seconds = Some(17.2);
    let maker = |name: &str, used, profit| ProfileFigures {
        name: name.to_owned(),
        placed: 1_234,
        fills: 321,
        cancelled: 900,
        open: Some(6.0),
        capital_used_percent: Some(used),
        is_below_zero: false,
        profit_usdt: Some(profit),
    };
    Figures {
        url: Some("http://localhost:5000/".to_owned()),
        mode: "paper".to_owned(),
        verdict: "trading has been hanging for 17 s".to_owned(),
        is_well: false,
        uptime_seconds: 83.4,
        weight_used_ratio: Some(0.03),
        loops: vec![
            a_loop("monitor", SubsystemState::Fresh, 0.4, "ok"),
            a_loop("reconciliation", SubsystemState::Failing, 4.4, "server_error"),
            trading,
        ],
        profiles: vec![maker("maker-tight", 49.96, 1.234), maker("maker-wide", 104.5, -12.0)],
        calls: vec![
            a_call("cancel_order", 5.9, 2, 0),
            a_call("get_account", 1.0, 0, 0),
            a_call("get_open_orders", 0.4, 0, 3),
            a_call("get_order", 0.0, 0, 0),
            a_call("get_ticker", 1.0, 0, 0),
            a_call("get_trades", 6.0, 0, 0),
            a_call("place_order", 8.5, 12, 0),
        ],
        faults: vec![FaultFigures { name: "hang-trading", see: "subsystem_alive{subsystem=\"trading\"}" }],
    }
}

fn lines() -> Vec<Line> {
    let line = |number| Line::new(Tone::Plain, format_args!("[   {number:4}.0s] message {number}"));
    (1..=40).map(line).collect()
}

fn orders() -> Vec<String> {
    (1..=40).map(|number| format!("[   {number:4}.0s] ORDER_PLACED maker-tight: order {number}")).collect()
}

fn text(row: &Row) -> String {
    row.0.iter().map(|span| span.text.as_str()).collect::<String>().trim_end().to_owned()
}

fn drawn(figures: &Figures, columns: usize, rows: usize) -> Vec<String> {
    let (lines, orders) = (lines(), orders());
    let view = View { figures, lines: &lines, orders: &orders };
    draw(&view, Size { columns, rows }).iter().map(text).collect()
}

#[test]
fn the_usual_terminal_shows_all_sections() {
    let expected = "\
http://localhost:5000/  paper  up 83 s  request weight 3 % used  Ctrl-C ends it
trading has been hanging for 17 s
loop            state      last success  limit  last run
monitor         ● fresh       0.4 s ago  5.0 s  ok
reconciliation  ▲ failing     4.4 s ago  5.0 s  server_error
trading         ■ HUNG         17 s ago  5.0 s  running for 17 s
profile      placed  fills  cancelled  open  capital used  profit USDT
maker-tight    1234    321        900     6        50.0 %        +1.23
maker-wide     1234    321        900     6     ▲ 104.5 %       -12.00
recent calls     per s  p50 ms  p99 ms  rejected  failed
get_open_orders    0.4      34     183         0       3
place_order        8.5      34     183        12       0
get_trades         6.0      34     183         0       0
cancel_order       5.9      34     183         2       0
get_account        1.0      34     183         0       0
get_ticker         1.0      34     183         0       0
fault hang-trading: see subsystem_alive{subsystem=\"trading\"}
messages
[     37.0s] message 37
[     38.0s] message 38
[     39.0s] message 39
[     40.0s] message 40
orders
[     40.0s] ORDER_PLACED maker-tight: order 40
";
    assert_eq!(drawn(&figures(), 80, 24).join("\n") + "\n", expected);
}

#[test]
fn a_small_terminal_leaves_out_the_least_important_columns_and_rows() {
    let expected = "\
http://localhost:5000/  paper  up 83 s  request weight 3 % …
trading has been hanging for 17 s
loop            state      last success  last run
monitor         ● fresh       0.4 s ago  ok
reconciliation  ▲ failing     4.4 s ago  server_error
trading         ■ HUNG         17 s ago  running for 17 s
profile      placed  fills  open  capital used  profit USDT
maker-tight    1234    321     6        50.0 %        +1.23
maker-wide     1234    321     6     ▲ 104.5 %       -12.00
recent calls     per s  p50 ms  p99 ms  rejected  failed
get_open_orders    0.4      34     183         0       3
place_order        8.5      34     183        12       0
and 4 more
fault hang-trading: see subsystem_alive{subsystem=\"trading\"}
messages
[     38.0s] message 38
[     39.0s] message 39
[     40.0s] message 40
orders
[     40.0s] ORDER_PLACED maker-tight: order 40
";
    assert_eq!(drawn(&figures(), 60, 20).join("\n") + "\n", expected);
}

#[test]
fn a_large_terminal_has_space_between_sections_and_every_call() {
    let rows = drawn(&figures(), 120, 40);
    let is_empty = |row: &&String| row.is_empty();
    assert!(rows.iter().filter(is_empty).count() >= 5, "{rows:#?}");
    for operation in
        ["place_order", "get_trades", "cancel_order", "get_ticker", "get_account", "get_open_orders"]
    {
        assert!(rows.iter().any(|row| row.starts_with(operation)), "{operation}\n{rows:#?}");
    }
    assert!(!rows.iter().any(|row| row.starts_with("get_order ")), "it is not in use\n{rows:#?}");
    assert_eq!(rows.last().unwrap(), "[     40.0s] ORDER_PLACED maker-tight: order 40");
}

#[test]
fn nothing_is_larger_than_the_terminal() {
    for columns in [1, 10, 39, 59, 80, 200] {
        for rows in [1, 3, 9, 15, 24, 50] {
            let (lines, orders, figures) = (lines(), orders(), figures());
            let view = View { figures: &figures, lines: &lines, orders: &orders };
            let drawn = draw(&view, Size { columns, rows });
            assert!(drawn.len() <= rows, "{} rows on {columns} x {rows}", drawn.len());
            assert!(drawn.iter().all(|row| row.width() <= columns), "{columns} x {rows}: {drawn:#?}");
        }
    }
}

#[test]
fn a_state_is_a_word_and_not_only_a_colour() {
    for (state, word) in [
        (SubsystemState::Fresh, "fresh"),
        (SubsystemState::Waiting, "waiting"),
        (SubsystemState::Paused, "paused"),
        (SubsystemState::Failing, "failing"),
        (SubsystemState::Stalled, "STALLED"),
        (SubsystemState::Hung, "HUNG"),
    ] {
        let loops = vec![a_loop("trading", state, 1.0, "ok")];
        let rows = drawn(&Figures { loops, ..Figures::default() }, 80, 24);
        let row = rows.iter().find(|row| row.starts_with("trading "));
        assert!(row.is_some_and(|row| row.contains(word)), "{rows:#?}");
    }
}

#[test]
fn an_age_that_does_not_begin_with_a_success_names_its_begin() {
    for (age_origin, expected) in [
        (AgeOrigin::Succeeded, "fresh 4.0 s ago"),
        (AgeOrigin::Skipped, "fresh skip 4.0 s ago"),
        (AgeOrigin::Resumed, "fresh resumed 4.0 s ago"),
        (AgeOrigin::Registered, "fresh started 4.0 s ago"),
    ] {
        let loops = vec![LoopFigures { age_origin, ..a_loop("trading", SubsystemState::Fresh, 4.0, "ok") }];
        let rows = drawn(&Figures { loops, ..Figures::default() }, 80, 24);
        let words = |row: &String| row.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(rows.iter().any(|row| words(row).contains(expected)), "{expected}\n{rows:#?}");
    }
}

#[test]
fn missing_figures_are_said_to_be_missing() {
    let rows = drawn(&Figures { url: None, profiles: vec![ProfileFigures::default()], ..figures() }, 80, 24);
    assert!(rows[0].starts_with("metrics are not served  paper"), "{rows:#?}");
    assert!(rows[7].ends_with("unknown            -"), "{rows:#?}");
}

/// A pseudo-terminal: the side of the person, and that of the program.
fn pseudo_terminal(columns: u16, rows: u16) -> (File, OwnedFd) {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&person).unwrap();
    unlockpt(&person).unwrap();
    let name = ptsname(&person, Vec::new()).unwrap();
    let program = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&program, size).unwrap();
    (person.into(), program)
}

/// Everything that was written to the terminal.
fn written(mut person: File) -> String {
    let mut text = Vec::new();
    // After the last byte the read fails, since no program has the terminal open.
    let _ = person.read_to_end(&mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn the_terminal_is_as_before_even_after_a_panic() {
    for panics in [false, true] {
        let (person, program) = pseudo_terminal(80, 24);
        let before = tcgetattr(&program).unwrap();
        let shown = catch_unwind(AssertUnwindSafe(|| {
            let mut terminal = Terminal::enter(File::from(program.try_clone().unwrap())).unwrap();
            let during = tcgetattr(&program).unwrap().local_modes;
            assert!(!during.contains(LocalModes::ECHO) && during.contains(LocalModes::ISIG), "{during:?}");
            assert_eq!(terminal.size(), Size { columns: 80, rows: 24 });
            terminal.show(&[Row::from("trading hangs".to_owned())]).unwrap();
            assert!(!panics, "a panic while the table is shown");
        }));
        assert_eq!(shown.is_err(), panics);
        let after = tcgetattr(&program).unwrap();
        assert_eq!(after.local_modes, before.local_modes);
        assert_eq!(format!("{:?}", after.special_codes), format!("{:?}", before.special_codes));
        drop(program);
        let text = written(person);
        let [enter, rows, leave] = ["\x1b[?1049h", "trading hangs", "\x1b[?1049l"]
            .map(|part| text.find(part).unwrap_or_else(|| panic!("{part:?} is not in {text:?}")));
        assert!(enter < rows && rows < leave, "{text:?}");
        assert!(text[rows..].contains("\x1b[?25h"), "the cursor is shown again: {text:?}");
    }
}

#[test]
fn a_file_is_no_terminal() {
    assert!(Terminal::enter(File::options().write(true).open("/dev/null").unwrap()).is_err());
}
