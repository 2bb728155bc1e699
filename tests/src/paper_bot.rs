//! The demo bot as its users run it: a release build, in a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bot_metrics::testing::Samples;

use crate::workspace;

/// How long the bot may take to start, to react or to end on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The bot's program, built once.
fn program() -> &'static str {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let build = Command::new(cargo)
            .args(["build", "--release", "--bin", "paper-bot", "--message-format", "json-render-diagnostics"])
            .current_dir(workspace::root())
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo runs");
        assert!(build.status.success(), "paper-bot does not build");
        let messages = String::from_utf8(build.stdout).expect("cargo writes UTF-8");
        let executable = messages.lines().rev().find_map(|line| {
            let (_, rest) = line.split_once("\"executable\":\"")?;
            rest.split('"').next().map(str::to_owned)
        });
        executable.expect("cargo names the program")
    })
}

/// A command that runs the bot in an empty environment.
#[must_use]
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.env_clear().args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the bot to its end.
///
/// # Panics
///
/// Where it cannot be run.
#[must_use]
pub fn run(command: &mut Command) -> Ended {
    let output = command.output().expect("the bot runs");
    Ended {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A bot that has ended.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

/// A bot that runs; it is killed when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    url: String,
    started: Instant,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
}

impl Running {
    /// Starts the bot on a free port and waits until it says where its metrics are.
    ///
    /// # Panics
    ///
    /// Where it ends or says nothing instead.
    #[must_use]
    pub fn start(arguments: &[&str]) -> Self {
        let mut child =
            command(&["--port", "0", "--bind", "127.0.0.1"]).args(arguments).spawn().expect("the bot starts");
        let started = Instant::now();
        let stderr = child.stderr.take().map(|mut stderr| {
            thread::spawn(move || {
                let mut text = String::new();
                // What cannot be read is shown as far as it was.
                let _ = stderr.read_to_string(&mut text);
                text
            })
        });
        let (found, url) = mpsc::channel();
        let stdout = child.stdout.take().map(|stdout| {
            thread::spawn(move || {
                let mut text = String::new();
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if let Some(url) = line.split_whitespace().find(|word| word.ends_with("/metrics")) {
                        let _ = found.send(url.to_owned());
                    }
                    text += &line;
                    text.push('\n');
                }
                text
            })
        });
        let url = url.recv_timeout(PATIENCE);
        let mut running = Self { child, url: url.clone().unwrap_or_default(), started, stdout, stderr };
        assert!(url.is_ok(), "the bot did not say where its metrics are: {:?}", running.kill());
        running
    }

    /// Where its metrics are.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Time since it was started.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// What it serves under `path`: status and body.
    ///
    /// # Panics
    ///
    /// Where it does not answer.
    #[must_use]
    pub fn get(&self, path: &str) -> (u16, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let url = self.url.replace("/metrics", path);
        let mut answer = agent.get(&url).call().unwrap_or_else(|error| panic!("{url}: {error}"));
        let status = answer.status().as_u16();
        (status, answer.body_mut().read_to_string().unwrap_or_else(|error| panic!("{url}: {error}")))
    }

    /// Asks for `path` until the answer has this status, and returns the body.
    ///
    /// # Panics
    ///
    /// Where it does not come about within a minute.
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
    /// Where the exposition cannot be read.
    #[must_use]
    pub fn scrape(&self) -> Samples {
        Samples::parse(&self.scrape_text()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Scrapes until `holds`, and returns the samples for which it did.
    ///
    /// # Panics
    ///
    /// Where it does not come about within a minute.
    #[must_use]
    pub fn wait_until(&self, what: &str, holds: impl Fn(&Samples) -> bool) -> Samples {
        let patience = Instant::now() + PATIENCE;
        loop {
            let samples = self.scrape();
            if holds(&samples) {
                return samples;
            }
            assert!(Instant::now() < patience, "it never came about that {what}:\n{}", self.scrape_text());
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Asks it to end, as a supervisor does, and waits for that.
    ///
    /// # Panics
    ///
    /// Where it does not end within a minute.
    #[must_use]
    pub fn terminate(mut self) -> Ended {
        let pid = libc::pid_t::try_from(self.child.id()).expect("a process id");
        // SAFETY: the child is ours and was not waited for yet, so that its id names nobody else.
        assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0);
        self.wait()
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    ///
    /// Where it does not end within a minute.
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
        let text = |reader: &mut Option<JoinHandle<String>>| {
            reader.take().and_then(|reader| reader.join().ok()).unwrap_or_default()
        };
        Ended { status, stdout: text(&mut self.stdout), stderr: text(&mut self.stderr) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
