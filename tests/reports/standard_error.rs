//! Reports without a hook go to standard error, in any state of it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _};
use std::process::Stdio;
use std::time::Duration;

use bot_metrics::prelude::*;
use bot_metrics::prometheus::core::{Collector, Desc};
use bot_metrics::prometheus::proto;
use bot_metrics::server::ServerOptions;
use bot_metrics::testing::flush_reports;

use crate::{PATIENCE, bot, is_bot, output, use_up_names};

fn settings() -> Settings {
    Settings::new(Mode::Paper)
}

/// A pipe: its read end and its write end.
fn pipe() -> (File, File) {
    let mut ends = [0; 2];
    // SAFETY: the call writes two descriptors to the given array.
    assert_eq!(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }, 0);
    // SAFETY: both descriptors were just opened and have no other owner.
    unsafe { (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1])) }
}

/// Writes until no further byte fits.
fn fill(pipe: &File) {
    let flags = |flags: libc::c_int| {
        // SAFETY: the descriptor is open, and the call takes flags.
        assert_eq!(unsafe { libc::fcntl(pipe.as_raw_fd(), libc::F_SETFL, flags) }, 0);
    };
    flags(libc::O_NONBLOCK);
    while { pipe }.write(b"x").is_ok() {}
    flags(0);
}

fn status(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE / 4)).expect("a timeout above zero");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: bot\r\nConnection: close\r\n\r\n").expect("it is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it is answered in time");
    answer.lines().next().expect("a status line").to_owned()
}

/// A collector that takes longer than the time limit of a page.
struct Slow(Desc);

impl Collector for Slow {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.0]
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        std::thread::sleep(Duration::from_millis(300));
        Vec::new()
    }
}

/// A server whose page `/metrics` takes too long.
fn serve_too_slowly(metrics: &Metrics) -> bot_metrics::server::Server {
    let description = Desc::new("slow".to_owned(), "Slow.".to_owned(), Vec::new(), HashMap::new());
    metrics.register(Box::new(Slow(description.expect("a legal description")))).expect("new");
    let options = ServerOptions::new().render_timeout(Duration::from_millis(20));
    metrics.serve_with("127.0.0.1:0", options).expect("a free port")
}

#[test]
fn a_report_without_a_hook_is_a_line_on_standard_error_also_when_the_bot_ends_at_once() {
    if is_bot() {
        let metrics = settings().build().expect("legal");
        use_up_names(&metrics);
        drop(metrics.named_reconciliation("one too many"));
        std::process::exit(0);
    }
    let test =
        "standard_error::a_report_without_a_hook_is_a_line_on_standard_error_also_when_the_bot_ends_at_once";
    let mut bot = bot(test).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut lines = String::new();
    bot.stderr.take().expect("piped").read_to_string(&mut lines).expect("text");
    output(bot);
    assert!(lines.starts_with("bot-metrics: the reconciliation \"one too many\""), "{lines:?}");
    assert_eq!(lines.lines().count(), 1, "{lines:?}");
}

#[test]
fn a_broken_standard_error_causes_no_panic() {
    if is_bot() {
        // With `panic = "abort"` a panic would end the bot.
        std::panic::set_hook(Box::new(|_| std::process::abort()));
        let metrics = settings().build().expect("legal");
        use_up_names(&metrics);
        drop(metrics.named_reconciliation("one too many"));
        std::panic::set_hook(Box::new(|_| {}));
        return;
    }
    let (reader, writer) = pipe();
    let bot = bot("standard_error::a_broken_standard_error_causes_no_panic");
    let bot = { bot }.stderr(writer).spawn().expect("it starts");
    drop(reader);
    output(bot);
}

#[test]
fn an_unread_standard_error_delays_no_page() {
    if is_bot() {
        let metrics = settings().build().expect("legal");
        let server = serve_too_slowly(&metrics);
        fill(&File::from(std::io::stderr().as_fd().try_clone_to_owned().expect("a descriptor")));
        for _ in 0..3 {
            assert!(status(server.local_addr(), "/metrics").contains(" 503 "));
            // On a busy machine this page may take too long as well; it only has to be answered.
            status(server.local_addr(), "/-/healthy");
        }
        println!("answered");
        return;
    }
    let (mut reader, writer) = pipe();
    let mut bot = bot("standard_error::an_unread_standard_error_delays_no_page");
    let child = bot.stderr(writer).spawn().expect("it starts");
    drop(bot);
    assert!(output(child).contains("answered"));
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).expect("what is left in the pipe");
    assert!(rest.ends_with(b"x"), "the report found no room");
}

/// The line that waited, and the number of lines dropped in the meantime.
#[test]
fn reports_arrive_once_standard_error_is_read_again() {
    if is_bot() {
        let metrics = settings().build().expect("legal");
        fill(&File::from(std::io::stderr().as_fd().try_clone_to_owned().expect("a descriptor")));
        use_up_names(&metrics);
        drop(metrics.named_reconciliation("while it was full"));
        println!("full");
        // Until the test has emptied the pipe and closes this input.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        flush_reports(&metrics);
        return;
    }
    let (mut reader, writer) = pipe();
    let mut bot = bot("standard_error::reports_arrive_once_standard_error_is_read_again");
    let mut child = bot.stdin(Stdio::piped()).stderr(writer).spawn().expect("it starts");
    drop(bot);
    let mut said = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    assert!(said.any(|line| line.contains("full")), "it continues while its output is not read");
    drop(child.stdin.take());
    let mut told = Vec::new();
    reader.read_to_end(&mut told).expect("all that it wrote");
    assert!(child.wait().expect("it is ours").success());
    let told = String::from_utf8(told).expect("text");
    assert!(
        told.trim_start_matches('x').starts_with("bot-metrics: the reconciliation \"while it was full\"")
    );
}

mod before_install {
    use super::*;

    #[reconciliation(name = name)]
    fn reconcile(name: &str) -> ReconciliationReport {
        ReconciliationReport::new()
    }

    /// Without an instance there is no limit per instance.
    #[test]
    fn a_thousand_reports_before_install_are_few_lines() {
        if is_bot() {
            for name in 0..1_000 {
                reconcile(&name.to_string());
            }
            return;
        }
        let test = "standard_error::before_install::a_thousand_reports_before_install_are_few_lines";
        let mut bot = bot(test).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut lines = String::new();
        bot.stderr.take().expect("piped").read_to_string(&mut lines).expect("text");
        output(bot);
        let lines: Vec<_> = lines.lines().filter(|line| line.starts_with("bot-metrics: ")).collect();
        assert!((1..=3).contains(&lines.len()), "{} lines", lines.len());
        assert!(lines.last().is_some_and(|line| line.contains("suppressed")), "{lines:?}");
    }
}
