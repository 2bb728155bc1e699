//! A process that has run out of file descriptors. It is a separate process, so that the other tests keep theirs:
//! this test binary again, with its role given by a variable.

#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, ChildStdin, Command, Stdio};
use std::sync::Arc;

use super::client::{ask, connect, eventually, get, try_read_reply};
use super::{EXPOSITION, patient, script, serve};
use crate::report::Report;

const SCENARIO: &str = "BOT_METRICS_TEST_DESCRIPTORS";
const LIMIT: libc::rlim_t = 64;

/// A bot with few descriptors. It serves until its input ends; its error output contains its reports.
struct Bot {
    process: Child,
    address: SocketAddr,
    input: ChildStdin,
    errors: ChildStderr,
}

impl Bot {
    fn start(scenario: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "server::tests::descriptors::bot", "--nocapture", "--test-threads=1"])
            .env(SCENARIO, scenario)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = output
            .find_map(|line| line.unwrap().strip_prefix("serving ").map(|it| it.parse().unwrap()))
            .unwrap();
        let (input, errors) = (process.stdin.take().unwrap(), process.stderr.take().unwrap());
        Self { process, address, input, errors }
    }

    /// Ends the bot and returns its reports.
    fn end(mut self) -> Vec<String> {
        drop(self.input);
        let mut reported = String::new();
        self.errors.read_to_string(&mut reported).unwrap();
        self.process.wait().unwrap();
        reported.lines().filter(|line| line.starts_with("cannot accept")).map(str::to_owned).collect()
    }
}

/// Not a test but the bot's part; does nothing in an ordinary run.
#[test]
fn bot() {
    let Ok(scenario) = std::env::var(SCENARIO) else {
        return;
    };
    let limit = libc::rlimit { rlim_cur: LIMIT, rlim_max: LIMIT };
    // SAFETY: the pointer is to a live, initialised structure that the call only reads.
    let limited = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    assert_eq!(limited, 0);
    let pages = Arc::new(script(|out: &mut dyn std::io::Write| out.write_all(EXPOSITION.as_bytes())));
    let server =
        serve("127.0.0.1:0", patient(), pages, Report::new(Arc::new(|line| eprintln!("{line}")))).unwrap();
    let leaks = if scenario == "leak" { usize::MAX } else { 0 };
    let leaked: Vec<_> = (0..leaks).map_while(|_| File::open("/dev/null").ok()).collect();
    println!("\nserving {}", server.local_addr());
    io::stdout().flush().unwrap();
    let _ = io::stdin().read_to_end(&mut Vec::new());
    drop(leaked);
}

#[test]
fn scrapes_succeed_while_attackers_hold_all_descriptors() {
    let bot = Bot::start("attack");
    let attackers: Vec<_> = (0..100)
        .map(|_| {
            let mut stream = connect(bot.address);
            stream.write_all(b"G").unwrap();
            stream
        })
        .collect();
    for _ in 0..5 {
        assert_eq!(get(bot.address, "/metrics").status, 200);
    }
    drop(attackers);
    let reported = bot.end();
    assert!((1..=10).contains(&reported.len()), "{reported:?}");
    assert!(reported[0].starts_with("cannot accept a connection: Too many open files"), "{reported:?}");
}

#[test]
fn scrapes_succeed_while_the_bot_itself_has_used_up_its_descriptors() {
    let bot = Bot::start("leak");
    for _ in 0..5 {
        eventually("a scrape succeeds", || {
            let mut stream = connect(bot.address);
            ask(&mut stream, "GET", "/metrics");
            try_read_reply(&mut stream, "GET").is_ok_and(|reply| reply.body == EXPOSITION)
        });
    }
    assert!((1..=10).contains(&bot.end().len()));
}
