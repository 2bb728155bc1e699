//! Instructions that our attributes add to a call, counted by callgrind: the gate that no noise disturbs.
//!
//! `cargo run --release --manifest-path tests/bench/Cargo.toml --bin instructions` builds nothing else, so build the
//! whole package first; it needs valgrind and fails where a call has become dearer.

use std::path::Path;
use std::process::{Command, ExitCode};

/// A row of `calls`, the row that it is compared with, and how many instructions it may add to it.
const LIMITS: [(&str, &str, f64); 5] = [
    ("#[exchange_call]", "bare function", 45.0),
    ("#[timed_subsystem]", "bare function", 45.0),
    ("#[exchange_call] of a future", "bare future", 45.0),
    ("#[exchange_call], exchange picked at run time", "bare function", 80.0),
    ("#[exchange_call] of a function that fails", "bare function", 125.0),
];

/// For what happens once in the many repetitions.
const TOLERANCE: f64 = 0.5;

fn main() -> ExitCode {
    let calls = std::env::current_exe().expect("a path").with_file_name("calls");
    let mut code = ExitCode::SUCCESS;
    println!("| row | instructions added | at most |\n| --- | ---: | ---: |");
    for (row, base, limit) in LIMITS {
        let added = per_call(&calls, row) - per_call(&calls, base);
        println!("| {row} | {added:.1} | {limit} |");
        if added > limit + TOLERANCE {
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// The difference between two runs, so that the start does not count.
fn per_call(calls: &Path, row: &str) -> f64 {
    let (few, many) = (10_000, 110_000);
    (instructions(calls, row, many) - instructions(calls, row, few)) / f64::from(many - few)
}

fn instructions(calls: &Path, row: &str, repetitions: u32) -> f64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(calls)
        .args(["only", row, &repetitions.to_string()])
        .output()
        .expect("valgrind and the binary `calls` are there");
    let told = String::from_utf8_lossy(&output.stderr);
    let collected = told.lines().find_map(|line| line.split_once("Collected : "));
    collected.unwrap_or_else(|| panic!("no count in {told}")).1.trim().parse().expect("a count")
}
