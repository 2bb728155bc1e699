//! Measures the compile time of the attributes, with crates of 1,000 functions, annotated and bare, and the cost that
//! the library itself adds to a build.
//!
//! `cargo run --release --manifest-path tests/bench/Cargo.toml --no-default-features --bin compile [-- --peers]
//! [rounds]` prints the tables, each as soon as it is complete, and its progress on stderr. Times are rustc's own
//! user CPU time for the generated crate alone, which this program measures as cargo's rustc wrapper; they are
//! medians, with the crates compiled in turn.

mod crates;
mod library;
mod rustc;

use std::process::ExitCode;

use bot_metrics_bench::median;

use crates::{FUNCTIONS, Shape, VARIANTS, Variant};
use rustc::{Build, Workspace};

const USAGE: &str = "usage: compile [--peers] [rounds], with at least one round; 3 unless said";

/// Crates that take longer than this many seconds are built once and not in each round.
const SLOW: f64 = 30.0;

fn main() -> ExitCode {
    if let Some(code) = rustc::as_wrapper() {
        return code;
    }
    let Some(Arguments { peers, rounds }) = Arguments::read(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let variants: Vec<_> = VARIANTS.iter().filter(|variant| peers || !variant.is_peer).collect();
    let workspace = crates::generate(&variants);
    for shape in Shape::BOTH {
        functions(&workspace, &variants, shape, rounds);
    }
    library::tables(&workspace, rounds);
    ExitCode::SUCCESS
}

struct Arguments {
    peers: bool,
    rounds: usize,
}

impl Arguments {
    fn read(arguments: impl Iterator<Item = String>) -> Option<Self> {
        let mut read = Self { peers: false, rounds: 3 };
        for argument in arguments {
            match argument.as_str() {
                "--peers" => read.peers = true,
                rounds => read.rounds = rounds.parse().ok().filter(|rounds| *rounds > 0)?,
            }
        }
        Some(read)
    }
}

/// The measurements of one crate.
#[derive(Default)]
struct Row {
    check: Vec<f64>,
    release: Vec<f64>,
    bytes: f64,
}

fn functions(workspace: &Workspace, variants: &[&Variant], shape: Shape, rounds: usize) {
    let mut rows: Vec<Row> = variants.iter().map(|_| Row::default()).collect();
    for round in 1..=rounds {
        for (variant, row) in variants.iter().zip(&mut rows) {
            let package = variant.package(shape);
            for (build, times) in [(Build::Check, &mut row.check), (Build::Release, &mut row.release)] {
                if times.iter().all(|seconds| *seconds < SLOW) {
                    let seconds = workspace.time(&package, build);
                    eprintln!("round {round} of {rounds}: {package}, {build:?}: {seconds:.2} s");
                    times.push(seconds);
                }
            }
            row.bytes = workspace.bytes(&package) / FUNCTIONS as f64;
        }
    }
    println!("| {FUNCTIONS} {shape} functions | check | release | bytes each |");
    println!("| --- | ---: | ---: | ---: |");
    let times: Vec<_> =
        rows.iter().map(|row| [&row.check, &row.release].map(|times| median(times.clone()))).collect();
    let [bare_check, bare_release] = times[0];
    for ((variant, row), [check, release]) in variants.iter().zip(&rows).zip(&times) {
        let [check, release] = [check / bare_check, release / bare_release];
        println!("| {} | {check:.2} | {release:.2} | {:.0} |", variant.name, row.bytes);
    }
    println!("\nbare: {bare_check:.2} s, {bare_release:.2} s\n");
}
