//! The cost that the library itself adds to a build.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bot_metrics_bench::median;

use super::rustc::Workspace;

pub fn tables(workspace: &Workspace, rounds: usize) {
    let [parser, macros, library] = clean_build(workspace, rounds);
    println!("| clean build, seconds of rustc's CPU | |\n| --- | ---: |");
    println!("| syn | {parser:.2} |\n| bot-metrics-macros | {macros:.2} |\n| bot-metrics | {library:.2} |\n");
    println!("| crates in the dependency tree, itself included | |\n| --- | ---: |");
    println!("| default features | {} |", dependencies(&[]));
    println!(
        "| without the server | {} |\n",
        dependencies(&["--no-default-features", "--features", "enable"])
    );
    eprintln!("release builds of an empty and of a serving program");
    let [empty, installed] = ["empty", "installed"].map(|package| binary_size(workspace, package));
    println!("| stripped release binary, KiB | |\n| --- | ---: |");
    println!("| empty `main` | {} |\n| installed and served | {} |", empty / 1024, installed / 1024);
}

/// Median times for syn, the macros and the library, each built from scratch.
fn clean_build(workspace: &Workspace, rounds: usize) -> [f64; 3] {
    let target = workspace.0.join("clean");
    let mut seconds = [const { Vec::new() }; 3];
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}: clean build");
        let _ = fs::remove_dir_all(&target);
        let times = workspace.cargo(&["build", "-p", "ours_sync"], &target);
        for (name, seconds) in ["syn", "bot_metrics_macros", "bot_metrics"].iter().zip(&mut seconds) {
            seconds.push(times.iter().find(|(crated, _)| crated == name).expect("a dependency").1);
        }
    }
    seconds.map(median)
}

fn dependencies(features: &[&str]) -> usize {
    let manifest: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let output = Command::new("cargo")
        .args(["tree", "--package", "bot-metrics", "--edges", "normal,build", "--prefix", "none"])
        .args(["--format", "{p}", "--manifest-path"])
        .arg(manifest)
        .args(features)
        .output()
        .expect("cargo is there");
    let text = String::from_utf8_lossy(&output.stdout);
    // `cargo tree` marks a crate that it prints again.
    let crates: BTreeSet<_> = text.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    crates.len()
}

fn binary_size(workspace: &Workspace, package: &str) -> u64 {
    workspace.cargo(&["build", "--release", "-p", package], &workspace.target());
    let binary = workspace.target().join("release").join(package);
    fs::metadata(binary).expect("a binary").len()
}
