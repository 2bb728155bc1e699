//! The demo bots as separate processes, in a release build.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bot_metrics::testing::Samples;

use crate::process::free_port;
use crate::workspace;

/// The time limit for the bot to start, to react or to stop on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A demo bot's program, built once.
fn program(bot: &str) -> String {
    static PROGRAMS: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    // One build at a time; after a failed build every test fails.
    let mut programs = PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner);
    programs.entry(bot.to_owned()).or_insert_with(|| build(bot)).clone()
}

fn build(bot: &str) -> String {
    let build = workspace::cargo()
        .args(["build", "--release", "--bin", bot, "--message-format", "json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs");
    assert!(build.status.success(), "{bot} does not build");
    let messages = String::from_utf8(build.stdout).expect("cargo writes UTF-8");
    let executable = messages.lines().rev().find_map(|line| {
        let (_, rest) = line.split_once("\"executable\":\"")?;
        rest.split('"').next().map(str::to_owned)
    });
    executable.expect("cargo names the program")
}

/// A command that runs `bot` in an empty environment.
#[must_use]
pub fn command(bot: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program(bot));
    command.env_clear().args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the bot to its end.
///
/// # Panics
///
/// If it cannot be run.
#[must_use]
pub fn run(command: &mut Command) -> Ended {
    let output = command.output().expect("the bot runs");
    Ended {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A finished bot.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Ended {
    /// The number before `what` in a profile's line of the summary.
    ///
    /// # Panics
    ///
    /// If the summary does not contain it.
    #[must_use]
    pub fn count(&self, profile: &str, what: &str) -> u64 {
        let summary = self.stdout.rsplit_once("\nsummary\n").map_or("", |(_, summary)| summary);
        let line = summary.lines().find_map(|line| line.trim_start().strip_prefix(profile));
        let count = line.and_then(|line| {
            let figure = line.split(',').map(str::trim).find(|figure| {
                figure
                    .split_once(' ')
                    .is_some_and(|(_, name)| name == what || name.starts_with(&format!("{what} (")))
            });
            figure?.split(' ').next()?.parse().ok()
        });
        count.unwrap_or_else(|| {
            panic!("the summary does not say how many {what} of {profile}:\n{}", self.stdout)
        })
    }
}

/// A full pipe: nothing more can be written to it while this lives.
#[derive(Debug)]
pub struct FullPipe {
    writer: PipeWriter,
    _reader: PipeReader,
}

impl FullPipe {
    fn new() -> Self {
        let (reader, mut writer) = std::io::pipe().expect("a pipe");
        set_blocking(&writer, false);
        for size in [4096, 1] {
            while writer.write(&[b'x'; 4096][..size]).is_ok() {}
        }
        set_blocking(&writer, true);
        Self { writer, _reader: reader }
    }

    fn writer(&self) -> Stdio {
        self.writer.try_clone().expect("a descriptor").into()
    }
}

fn set_blocking(pipe: &PipeWriter, blocking: bool) {
    let flags = if blocking { 0 } else { libc::O_NONBLOCK };
    // SAFETY: the descriptor is open, and the flags are those of a file's status.
    assert_eq!(unsafe { libc::fcntl(pipe.as_raw_fd(), libc::F_SETFL, flags) }, 0);
}

/// A running bot, which is killed when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    url: String,
    said: Arc<Mutex<String>>,
    stdout: Option<JoinHandle<()>>,
    stderr: Option<JoinHandle<String>>,
}

impl Running {
    /// Starts `bot` on a free port and waits until it prints the address of its metrics.
    ///
    /// # Panics
    ///
    /// If it ends or prints nothing.
    #[must_use]
    pub fn start(bot: &str, arguments: &[&str]) -> Self {
        Self::start_at(bot, 0, arguments)
    }

    /// Starts `bot` on this port and waits until it prints the address of its metrics.
    ///
    /// # Panics
    ///
    /// If it ends or prints nothing.
    #[must_use]
    pub fn start_at(bot: &str, port: u16, arguments: &[&str]) -> Self {
        Self::spawn(command(bot, &["--port", &port.to_string()]).args(arguments))
    }

    /// Starts a demo bot's command on the loopback address and waits until it prints the address of its metrics.
    ///
    /// # Panics
    ///
    /// If it ends or prints nothing.
    #[must_use]
    pub fn spawn(command: &mut Command) -> Self {
        Self::spawn_as_is(command.args(["--bind", "127.0.0.1"]), "metrics at ")
    }

    /// Starts a bot that has no command line, and waits until it prints an address after these words.
    ///
    /// # Panics
    ///
    /// If it ends or prints nothing.
    #[must_use]
    pub fn spawn_as_is(command: &mut Command, words: &str) -> Self {
        let mut child = command.spawn().expect("the bot starts");
        let stderr = child.stderr.take().map(|mut stderr| {
            thread::spawn(move || {
                let mut text = String::new();
                // An unreadable rest is left out of the text.
                let _ = stderr.read_to_string(&mut text);
                text
            })
        });
        let said = Arc::new(Mutex::new(String::new()));
        let stdout = child.stdout.take().map(|stdout| {
            let said = Arc::clone(&said);
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
                    said.push_str(&line);
                    said.push('\n');
                }
            })
        });
        let mut running = Self { child, url: String::new(), said, stdout, stderr };
        let url = running.wait_to_say(words);
        // In a JSON object the address ends with a quotation mark.
        let url = url.split_once('"').map_or(url.as_str(), |(url, _)| url);
        running.url.push_str(url.trim_end_matches("metrics").trim_end_matches('/'));
        running
    }

    /// Starts `bot` with full pipes that are never read as its output, and waits until it serves its metrics.
    ///
    /// # Panics
    ///
    /// If it does not serve them within a minute.
    #[must_use]
    pub fn start_unread(bot: &str, arguments: &[&str]) -> (Self, [FullPipe; 2]) {
        let port = free_port();
        let address = ("127.0.0.1", port);
        let pipes = [FullPipe::new(), FullPipe::new()];
        let child = command(bot, &["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(arguments)
            .stdout(pipes[0].writer())
            .stderr(pipes[1].writer())
            .spawn()
            .expect("the bot starts");
        let url = format!("http://127.0.0.1:{port}");
        let running = Self { child, url, said: Arc::default(), stdout: None, stderr: None };
        let patience = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < patience, "{bot} never served its metrics");
            thread::sleep(Duration::from_millis(20));
        }
        (running, pipes)
    }

    /// Waits for a line with these words, and returns the rest of the line.
    ///
    /// # Panics
    ///
    /// If no such line appears within a minute, or the bot ends first.
    #[must_use]
    pub fn wait_to_say(&self, words: &str) -> String {
        let patience = Instant::now() + PATIENCE;
        loop {
            let is_silent = self.stdout.as_ref().is_none_or(JoinHandle::is_finished);
            let said = self.said();
            // The last line may be incomplete.
            let complete = said.rfind('\n').map_or("", |end| &said[..end]);
            if let Some((_, rest)) = complete.lines().find_map(|line| line.split_once(words)) {
                return rest.to_owned();
            }
            assert!(!is_silent && Instant::now() < patience, "it never said {words:?}:\n{said}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it has printed these words.
    #[must_use]
    pub fn has_said(&self, words: &str) -> bool {
        self.said().contains(words)
    }

    fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The base URL of its metrics, without the path.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The status and body of `path`.
    ///
    /// # Panics
    ///
    /// If it does not answer.
    #[must_use]
    pub fn get(&self, path: &str) -> (u16, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let url = format!("{}{path}", self.url);
        let mut answer = agent.get(&url).call().unwrap_or_else(|error| panic!("{url}: {error}"));
        let status = answer.status().as_u16();
        (status, answer.body_mut().read_to_string().unwrap_or_else(|error| panic!("{url}: {error}")))
    }

    /// Requests `path` until the answer has this status, and returns the body.
    ///
    /// # Panics
    ///
    /// If that does not happen within a minute.
    #[must_use]
    pub fn wait_for(&self, path: &str, status: u16) -> String {
        let patience = Instant::now() + PATIENCE;
        loop {
            let (found, body) = self.get(path);
            if found == status {
                return body;
            }
            assert!(Instant::now() < patience, "{path} never answered {status}: {found} {body}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Its exposition.
    #[must_use]
    pub fn scrape_text(&self) -> String {
        self.get("/metrics").1
    }

    /// Its samples.
    ///
    /// # Panics
    ///
    /// If the exposition cannot be parsed.
    #[must_use]
    pub fn scrape(&self) -> Samples {
        Samples::parse(&self.scrape_text()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Scrapes until `holds` returns true, and returns those samples.
    ///
    /// # Panics
    ///
    /// If that does not happen within a minute.
    #[must_use]
    pub fn wait_until(&self, what: &str, holds: impl Fn(&Samples) -> bool) -> Samples {
        let patience = Instant::now() + PATIENCE;
        loop {
            let samples = self.scrape();
            if holds(&samples) {
                return samples;
            }
            assert!(Instant::now() < patience, "timed out waiting until {what}:\n{}", self.scrape_text());
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Sends SIGTERM, as a supervisor does, and waits for the end.
    ///
    /// # Panics
    ///
    /// If it does not end within a minute.
    #[must_use]
    pub fn terminate(mut self) -> Ended {
        self.signal(libc::SIGTERM);
        self.wait()
    }

    /// Sends it a signal.
    ///
    /// # Panics
    ///
    /// If it has already ended.
    pub fn signal(&mut self, signal: libc::c_int) {
        assert!(self.child.try_wait().expect("the child is ours").is_none(), "it has ended: {}", self.said());
        let pid = libc::pid_t::try_from(self.child.id()).expect("a process id");
        // SAFETY: the child is ours and was not waited for yet, so that its id belongs to no other process.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    ///
    /// If it does not end within a minute.
    #[must_use]
    pub fn wait(&mut self) -> Ended {
        let patience = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                return self.ended(status);
            }
            assert!(Instant::now() < patience, "the bot does not end: {:?}", self.kill());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn kill(&mut self) -> Ended {
        let _ = self.child.kill();
        let status = self.child.wait().expect("the child is ours");
        self.ended(status)
    }

    fn ended(&mut self, status: ExitStatus) -> Ended {
        // The output of a reader that panicked is missing from the text.
        let _ = self.stdout.take().map(JoinHandle::join);
        let stderr = self.stderr.take().and_then(|reader| reader.join().ok()).unwrap_or_default();
        Ended { status, stdout: self.said(), stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
