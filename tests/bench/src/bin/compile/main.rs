//! What the attributes cost the compiler: crates of 1,000 functions, annotated and bare, and what the library itself
//! adds to a build.
//!
//! `cargo run --release --manifest-path tests/bench/Cargo.toml --no-default-features --bin compile [-- --peers] [rounds]`
//! prints the tables. Times are rustc's own user CPU of the generated crate alone, which cargo hands over because this
//! program stands between it and rustc; medians, the crates compiled in turn.

mod crates;
mod library;
mod rustc;

use std::process::ExitCode;

use bot_metrics_bench::median;

use crates::{FUNCTIONS, Shape, VARIANTS, Variant};
use rustc::{Build, Workspace};

fn main() -> ExitCode {
    if let Some(code) = rustc::as_wrapper() {
        return code;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let peers = arguments.iter().any(|argument| argument == "--peers");
    let rounds = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(5);
    let variants: Vec<_> = VARIANTS.iter().filter(|variant| peers || !variant.is_peer).collect();
    let workspace = crates::generate(&variants);
    functions(&workspace, &variants, rounds);
    library::tables(&workspace, rounds);
    ExitCode::SUCCESS
}

/// What was measured of one crate.
#[derive(Default)]
struct Row {
    check: Vec<f64>,
    release: Vec<f64>,
    bytes: f64,
}

fn functions(workspace: &Workspace, variants: &[&Variant], rounds: usize) {
    let mut rows: Vec<[Row; 2]> = variants.iter().map(|_| Default::default()).collect();
    for round in 0..=rounds {
        for (variant, row) in variants.iter().zip(&mut rows) {
            for (shape, row) in Shape::BOTH.iter().zip(row) {
                measure(workspace, variant, *shape, round, row);
            }
        }
    }
    println!(
        "| {FUNCTIONS} functions | sync: check | release | bytes each | async: check | release | bytes each |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let seconds: Vec<[[f64; 2]; 2]> = rows
        .iter()
        .map(|row| [0, 1].map(|shape| [median(row[shape].check.clone()), median(row[shape].release.clone())]))
        .collect();
    for ((variant, row), times) in variants.iter().zip(&rows).zip(&seconds) {
        let cells = [0, 1].map(|shape| {
            let ratio = |build: usize| times[shape][build] / seconds[0][shape][build];
            format!("{:.2} | {:.2} | {:.0}", ratio(0), ratio(1), row[shape].bytes)
        });
        println!("| {} | {} |", variant.name, cells.join(" | "));
    }
    let [[check, release], [async_check, async_release]] = seconds[0];
    println!("\nbare: {check:.2} s, {release:.2} s; async {async_check:.2} s, {async_release:.2} s\n");
}

/// The first round builds the dependencies; a crate that is slow to build is built once more.
fn measure(workspace: &Workspace, variant: &Variant, shape: Shape, round: usize, row: &mut Row) {
    let package = variant.package(shape);
    let check = workspace.time(&package, Build::Check);
    let slow = row.release.iter().any(|seconds| *seconds > 30.0);
    let release = if slow { None } else { Some(workspace.time(&package, Build::Release)) };
    if round > 0 {
        row.check.push(check);
        row.release.extend(release);
        row.bytes = workspace.bytes(&package) / FUNCTIONS as f64;
    }
}
