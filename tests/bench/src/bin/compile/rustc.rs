//! Runs and times rustc: cargo calls this program as its rustc wrapper, which calls rustc and records the time.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const TIMES: &str = "BOT_METRICS_BENCH_TIMES";

/// A kind of build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    Check,
    Release,
}

/// The directory in which the crates are generated and built.
pub struct Workspace(pub PathBuf);

impl Workspace {
    /// Seconds of user CPU that rustc takes for a package whose dependencies are built.
    pub fn time(&self, package: &str, build: Build) -> f64 {
        let source = self.0.join(package).join("src/lib.rs");
        let text = fs::read(&source).expect("a generated crate");
        fs::write(&source, text).expect("a directory to write to");
        let arguments: &[&str] = match build {
            Build::Check => &["check"],
            Build::Release => &["build", "--release"],
        };
        let times = self.cargo(&[arguments, &["-p", package]].concat(), &self.target());
        let own = times.iter().find(|(name, _)| name == package);
        own.unwrap_or_else(|| panic!("{package} was not compiled: {times:?}")).1
    }

    /// Runs cargo, and returns each crate that was compiled with its seconds.
    pub fn cargo(&self, arguments: &[&str], target: &Path) -> Vec<(String, f64)> {
        let times = self.0.join("times");
        let _ = fs::remove_file(&times);
        let output = Command::new("cargo")
            .args(arguments)
            .current_dir(&self.0)
            .env("CARGO_TARGET_DIR", target)
            // Unchanged code is to be compiled again.
            .env("CARGO_INCREMENTAL", "0")
            .env("RUSTC_WRAPPER", std::env::current_exe().expect("a path"))
            .env(TIMES, &times)
            .output()
            .expect("cargo is there");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = fs::read_to_string(&times).unwrap_or_default();
        let line = |line: &str| {
            let (name, seconds) = line.split_once(' ').expect("a name and seconds");
            (name.to_owned(), seconds.parse().expect("seconds"))
        };
        text.lines().map(line).collect()
    }

    /// The size of code and data in a package's release build, as summed up by the program `size`.
    pub fn bytes(&self, package: &str) -> f64 {
        let library = self.target().join("release").join(format!("lib{package}.rlib"));
        let output = Command::new("size").args(["--totals"]).arg(library).output().expect("binutils");
        let text = String::from_utf8_lossy(&output.stdout);
        let totals = text.lines().find(|line| line.contains("(TOTALS)")).expect("totals");
        let [text, data, bss] = [0, 1, 2].map(|column| {
            let column = totals.split_whitespace().nth(column).expect("a column");
            column.parse::<f64>().expect("a size")
        });
        text + data + bss
    }

    pub fn target(&self) -> PathBuf {
        self.0.join("target")
    }
}

/// Runs the rustc that cargo wants to run, if it was cargo that started this.
pub fn as_wrapper() -> Option<ExitCode> {
    let times = std::env::var_os(TIMES)?;
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (rustc, arguments) = arguments.split_first()?;
    let status = Command::new(rustc).args(arguments).status().expect("rustc is there");
    let name = arguments.iter().skip_while(|argument| *argument != "--crate-name").nth(1);
    if let Some(name) = name.and_then(|name| name.to_str()).filter(|name| *name != "___") {
        let line = format!("{name} {}\n", children_seconds());
        let mut file = OpenOptions::new().append(true).create(true).open(times).expect("a file to write to");
        file.write_all(line.as_bytes()).expect("space");
    }
    Some(ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)))
}

/// User CPU of all children that have ended.
fn children_seconds() -> f64 {
    // SAFETY: `getrusage` writes only to the struct, for which all zeros is a valid value.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage);
        usage
    };
    usage.ru_utime.tv_sec as f64 + usage.ru_utime.tv_usec as f64 / 1e6
}
