//! Programs started by a test, each with a temporary directory, and tests that need a program.

use std::env;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

/// The time limit of any step on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// A directory that is removed when this is dropped.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Default for Directory {
    fn default() -> Self {
        Self::new()
    }
}

impl Directory {
    /// A new one among the system's temporary directories.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    #[must_use]
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("bot-metrics-tests-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let path = env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a temporary directory");
        Self(path)
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // A directory that cannot be removed is left to the system.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server that is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`, whose output goes to a file in `directory`.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    #[must_use]
    pub fn start(command: &mut Command, directory: &Directory) -> Self {
        let log = directory.path().join("log");
        let file = File::create(&log).expect("a log file");
        let errors = file.try_clone().expect("the same file");
        let child = command.stdin(Stdio::null()).stdout(file).stderr(errors).spawn().expect("it starts");
        Self { child, log }
    }

    /// Its output.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Stops it, so that it exists but does nothing.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub fn stop(&mut self) {
        let pid = self.signal(libc::SIGSTOP);
        // The signal needs time to reach every thread.
        //
        // SAFETY: the child is ours and was not waited for yet; a null pointer means that no status is stored.
        assert_eq!(unsafe { libc::waitpid(pid, std::ptr::null_mut(), libc::WUNTRACED) }, pid);
    }

    /// Lets it continue.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub fn go_on(&mut self) {
        self.signal(libc::SIGCONT);
    }

    fn signal(&mut self, signal: libc::c_int) -> libc::pid_t {
        assert!(self.child.try_wait().expect("the child is ours").is_none(), "it has ended: {}", self.log());
        let pid = libc::pid_t::try_from(self.child.id()).expect("a process id");
        // SAFETY: the child is ours and was not waited for yet, so that its id belongs to no other process.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
        pid
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that is unused at this moment.
///
/// # Panics
///
/// If the system has none.
#[must_use]
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a free port").port()
}

/// Repeats `look` until it succeeds.
///
/// # Errors
///
/// The last reason of `look`, if it has not succeeded within [`PATIENCE`].
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> Result<T, String> {
    let start = Instant::now();
    loop {
        match look() {
            Ok(found) => return Ok(found),
            Err(reason) if start.elapsed() > PATIENCE => {
                return Err(format!("timed out waiting until {what}: {reason}"));
            }
            Err(_) => thread::sleep(Duration::from_millis(200)),
        }
    }
}

/// A test that needs `what`, which `is_here` or not: without it the test is ignored, and fails if `CI` is set.
pub fn needing(
    what: &'static str,
    is_here: bool,
    name: &str,
    test: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    if is_here {
        return Trial::test(name, test);
    }
    let missing = move || Err(Failed::from(format!("{what} is not installed, and CI is set")));
    Trial::test(name, missing).with_ignored_flag(env::var_os("CI").is_none())
}

/// Whether the long versions of the tests are asked for.
#[must_use]
pub fn is_long() -> bool {
    env::var_os("BOT_METRICS_LONG_TESTS").is_some()
}

/// Whether the program runs and succeeds with these arguments.
#[must_use]
pub fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}
