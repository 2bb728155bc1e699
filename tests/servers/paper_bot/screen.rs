//! The live table on a pseudo-terminal, as a person sees it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use bot_metrics_tests::paper_bot::command;
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{ioctl_tiocsctty, setsid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

/// The sequences that begin and end the second screen of a terminal.
const ENTERS: &str = "\x1b[?1049h";
const LEAVES: &str = "\x1b[?1049l";

/// The sequences around everything that is drawn at a time.
const BEGINS_SCREEN: &str = "\x1b[?2026h";
const ENDS_SCREEN: &str = "\x1b[?2026l";

const PATIENCE: Duration = Duration::from_mins(1);

/// A person at a terminal in which a bot runs.
struct Person {
    keyboard: File,
    terminal: OwnedFd,
    before: Termios,
    bot: Child,
    seen: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

impl Person {
    /// Starts a bot in a terminal of 80 columns and 24 rows.
    fn start(arguments: &[&str], term: &str) -> Self {
        Self::start_in((80, 24), arguments, term)
    }

    /// Starts a bot in a terminal of this many columns and rows.
    fn start_in((columns, rows): (u16, u16), arguments: &[&str], term: &str) -> Self {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&person).expect("the terminal is ours");
        unlockpt(&person).expect("the terminal is ours");
        let name = ptsname(&person, Vec::new()).expect("it has a name");
        let terminal = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("its other side");
        let before = tcgetattr(&terminal).expect("a terminal");
        resize(&terminal, columns, rows);
        let side = || Stdio::from(terminal.try_clone().expect("a descriptor"));
        let mut command = command(&["--port", "0", "--bind", "127.0.0.1"]);
        command.args(arguments).env("TERM", term).stdin(side()).stdout(side()).stderr(side());
        let become_foreground = || {
            setsid()?;
            ioctl_tiocsctty(rustix::stdio::stdin())?;
            Ok(())
        };
        // SAFETY: both are system calls without memory or locks of their own.
        unsafe { command.pre_exec(become_foreground) };
        let bot = command.spawn().expect("the bot starts");
        let keyboard = File::from(person);
        let seen = Arc::new(Mutex::new(String::new()));
        let reader = thread::spawn({
            let (mut screen, seen) = (keyboard.try_clone().expect("a descriptor"), Arc::clone(&seen));
            move || {
                let mut bytes = [0; 4_096];
                // Reading fails when no program has the terminal open.
                while let Ok(length @ 1..) = screen.read(&mut bytes) {
                    let text = String::from_utf8_lossy(&bytes[..length]);
                    seen.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
                }
            }
        });
        Self { keyboard, terminal, before, bot, seen, reader }
    }

    fn seen(&self) -> String {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until something is shown after the first `skipped` bytes.
    fn wait_to_see(&self, words: &str, skipped: usize) -> usize {
        let patience = Instant::now() + PATIENCE;
        loop {
            let seen = self.seen();
            if let Some(at) = seen[skipped..].find(words) {
                return skipped + at;
            }
            assert!(Instant::now() < patience, "{words:?} is not in {:?}", &seen[skipped..]);
            sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a whole screen of `rows` rows is drawn.
    fn wait_for_rows(&self, rows: usize) {
        let patience = Instant::now() + PATIENCE;
        let (has, has_not) = (row(rows), row(rows + 1));
        let is_it = |screen: &str| {
            let whole = screen.split_once(ENDS_SCREEN).map(|(whole, _)| whole);
            whole.is_some_and(|whole| whole.contains(&has) && !whole.contains(&has_not))
        };
        while !self.seen().split(BEGINS_SCREEN).skip(1).any(is_it) {
            assert!(Instant::now() < patience, "no screen of {rows} rows: {:?}", self.seen());
            sleep(Duration::from_millis(20));
        }
    }

    fn presses(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    fn signals(&self, signal: libc::c_int) {
        let pid = libc::pid_t::try_from(self.bot.id()).expect("a process id");
        // SAFETY: the child was not waited for yet, so that its id belongs to no other process.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }

    /// Waits until the bot has ended; returns its status and everything that was shown.
    fn sees_the_end(mut self) -> (ExitStatus, String) {
        let patience = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.bot.try_wait().expect("the child is ours") {
                break status;
            }
            assert!(Instant::now() < patience, "it does not end: {:?}", self.seen());
            sleep(Duration::from_millis(20));
        };
        let after = tcgetattr(&self.terminal).expect("a terminal");
        assert_eq!(after.local_modes, self.before.local_modes, "keys are shown again");
        drop(self.terminal);
        self.reader.join().expect("the reader ends");
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (status, seen)
    }
}

/// The sequence that moves the cursor to the beginning of a row.
fn row(number: usize) -> String {
    format!("\x1b[{number};1H")
}

fn resize(terminal: impl AsFd, columns: u16, rows: u16) {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).expect("a terminal has a size");
}

pub(super) fn a_table_is_shown_and_ctrl_c_restores_the_terminal() {
    let mut person = Person::start(&["--fault", "hang-trading@4s"], "xterm");
    let entered = person.wait_to_see(ENTERS, 0);
    assert!(person.seen()[..entered].contains("status page at http://127.0.0.1:"), "{:?}", person.seen());
    for words in ["http://127.0.0.1:", "paper", "monitor", "maker-tight", "place_order", "ORDER_PLACED", "%"]
    {
        let _ = person.wait_to_see(words, entered);
    }
    let _ = person.wait_to_see("fault hang-trading", entered);
    let _ = person.wait_to_see("HUNG", entered);
    let _ = person.wait_to_see("trading has been hanging for ", entered);
    // Keys are neither shown nor obeyed, Ctrl-Z among them.
    person.presses("xyzzy\x1a");
    resize(&person.terminal, 60, 20);
    person.wait_for_rows(20);
    person.presses("\x03");
    let (status, seen) = person.sees_the_end();
    assert_eq!(status.code(), Some(0), "{seen:?}");
    assert!(!seen[entered..].contains("xyzzy"), "{seen:?}");
    let left = seen.find(LEAVES).expect("the first screen is shown again");
    let after = &seen[left..];
    for words in ["fault hang-trading begins", "told to stop", "summary", "maker-wide"] {
        assert!(after.contains(words), "{words:?} is not in {after:?}");
    }
    // On a busy machine the last success is too old before the cycle in progress is.
    assert!(
        ["trading has been hanging for ", "trading is stalled: "].iter().any(|words| after.contains(words)),
        "{after:?}"
    );
}

pub(super) fn every_end_restores_the_terminal() {
    for signal in [Some(libc::SIGTERM), Some(libc::SIGHUP), Some(libc::SIGQUIT), None] {
        let person = Person::start(if signal.is_none() { &["--duration", "2s"] } else { &[] }, "xterm");
        let entered = person.wait_to_see(ENTERS, 0);
        let _ = person.wait_to_see("maker-tight", entered);
        if let Some(signal) = signal {
            person.signals(signal);
        }
        let (status, seen) = person.sees_the_end();
        assert_eq!(status.code(), Some(0), "{signal:?} {seen:?}");
        let left = seen.find(LEAVES).expect("the first screen is shown again");
        assert!(seen[left..].contains("summary"), "{signal:?} {seen:?}");
        assert!(
            seen.rfind("\x1b[?25h") > seen.rfind("\x1b[?25l"),
            "the cursor is shown: {signal:?} {seen:?}"
        );
    }
}

/// Ctrl-\ sends SIGQUIT, whose default would end the bot without cancelling its orders or restoring the terminal.
pub(super) fn ctrl_backslash_restores_the_terminal() {
    let mut person = Person::start(&[], "xterm");
    let entered = person.wait_to_see(ENTERS, 0);
    let _ = person.wait_to_see("ORDER_PLACED", entered);
    person.presses("\x1c");
    let (status, seen) = person.sees_the_end();
    assert_eq!(status.code(), Some(0), "{seen:?}");
    let left = seen.find(LEAVES).expect("the first screen is shown again");
    for words in ["told to stop", "summary"] {
        assert!(seen[left..].contains(words), "{words:?} is not in {seen:?}");
    }
    assert!(!seen.contains("may be left open"), "{seen:?}");
}

pub(super) fn lines_are_printed_where_they_are_wanted() {
    for (arguments, term, has_colours) in [(&["--plain"][..], "xterm", true), (&["--json"], "xterm", false)] {
        let fault = ["--duration", "2s", "--fault", "remove-profile@1s"];
        let (status, seen) = Person::start(&[&fault[..], arguments].concat(), term).sees_the_end();
        assert_eq!(status.code(), Some(0), "{seen:?}");
        assert!(!seen.contains(ENTERS) && !seen.contains("no table"), "{arguments:?} {seen:?}");
        assert!(seen.contains("remove-profile"), "{seen:?}");
        assert_eq!(seen.contains("\x1b["), has_colours, "{arguments:?} {seen:?}");
    }
}

pub(super) fn a_terminal_that_cannot_show_the_table_says_so_and_gets_lines() {
    for (size, term, reason) in [
        ((80, 24), "dumb", "no table: TERM is unset, empty or `dumb`; printing lines instead"),
        ((80, 24), "", "no table: TERM is unset, empty or `dumb`; printing lines instead"),
        ((0, 0), "xterm", "no table: the terminal has no size; printing lines instead"),
    ] {
        let mut person = Person::start_in(size, &[], term);
        for words in [reason, "maker-tight: ", "maker-wide: "] {
            let _ = person.wait_to_see(words, 0);
        }
        person.presses("\x03");
        let (status, seen) = person.sees_the_end();
        assert_eq!(status.code(), Some(0), "{seen:?}");
        assert!(!seen.contains(ENTERS), "{size:?} {term} {seen:?}");
    }
}
