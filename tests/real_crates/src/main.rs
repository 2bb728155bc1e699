//! Annotates every function of public crates and checks that nothing changes apart from the measurement.
//!
//! `cargo run --release --manifest-path tests/real_crates/Cargo.toml [-- CRATE…]` takes the crates' pinned sources
//! from the registry, adds attributes of bot-metrics to their functions, and compares the result with the published
//! sources: the warnings of rustc and of clippy with all its groups, and the results of the crates' own tests. Each
//! annotated function also has an independent counter, which at the end of each test program must equal the calls
//! that bot-metrics recorded for the function, ended and in progress. Any difference is printed and is an error of
//! the program.

mod annotate;
mod copies;
mod counts;
mod crates;
mod edits;
mod outcomes;
mod warnings;
mod workspace;

use std::path::Path;
use std::process::ExitCode;

use copies::Copied;
use counts::Counts;
use crates::{CRATES, Crate};
use outcomes::Outcomes;
use warnings::{Warning, Warnings};
use workspace::Copy;

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = names.iter().find(|name| CRATES.iter().all(|krate| krate.name != **name)) {
        let known: Vec<_> = CRATES.iter().map(|krate| krate.name).collect();
        eprintln!("unknown crate {unknown:?}; known: {}", known.join(", "));
        return ExitCode::from(2);
    }
    let crates: Vec<_> = CRATES
        .iter()
        .filter(|krate| names.is_empty() || names.iter().any(|name| krate.name == name))
        .collect();
    match compare(&crates) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(differences) => {
            eprintln!("{differences} differences");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the table and every difference, and returns the number of differences.
fn compare(crates: &[&Crate]) -> Result<usize, String> {
    eprintln!("sources");
    let sources = workspace::sources(crates)?;
    let mut copies = Vec::new();
    for krate in crates {
        let source = sources.get(krate.name).ok_or_else(|| format!("cargo has no {}", krate.name))?;
        copies.push(Copied::of(krate, source).map_err(|error| format!("{}: {error}", krate.name))?);
    }
    let pairs: Vec<_> = crates.iter().copied().zip(&copies).collect();
    eprintln!("clippy, plain");
    let plain = warnings::warnings(Copy::Plain, &pairs)?;
    eprintln!("clippy, annotated");
    let annotated = warnings::warnings(Copy::Annotated, &pairs)?;
    eprintln!("tests, plain");
    let plain_programs = outcomes::programs(Copy::Plain, crates)?;
    eprintln!("tests, annotated");
    let counted_programs = outcomes::programs(Copy::Counted, crates)?;

    println!(
        "| crate | functions | async | of async_trait | new warnings | tests, differing | called, calls | mismatches |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let mut differences = Vec::new();
    for (krate, copied) in &pairs {
        let name = krate.name;
        let (before, _) = outcomes::run(Copy::Plain, krate, &plain_programs)?;
        let (after, counts) = outcomes::run(Copy::Counted, krate, &counted_programs)?;
        let compared = Compared {
            krate,
            copied,
            warnings: warnings::new_in(of(&annotated, name), of(&plain, name)),
            tests: before.len(),
            changed: changed(&before, &after),
            counts,
        };
        println!("{}", compared.row());
        differences
            .extend(compared.differences().into_iter().map(|difference| format!("{name}: {difference}")));
    }
    for (krate, copied) in pairs {
        for (reason, functions) in &copied.skipped {
            println!("{}: {functions} not annotated: {reason}", krate.name);
        }
    }
    for difference in &differences {
        eprintln!("{difference}");
    }
    Ok(differences.len())
}

fn of<'a>(warnings: &'a Warnings, krate: &str) -> &'a [Warning] {
    warnings.get(krate).map_or(&[], Vec::as_slice)
}

/// A crate, plain and annotated.
struct Compared<'a> {
    krate: &'a Crate,
    copied: &'a Copied,
    warnings: Vec<&'a Warning>,
    tests: usize,
    changed: Vec<String>,
    counts: Counts,
}

impl Compared<'_> {
    fn row(&self) -> String {
        let Self { krate, copied, counts, .. } = self;
        let linked = || counts.linked.iter().map(|function| &copied.functions[*function]);
        format!(
            "| {} {} | {} | {} | {} | {}, {} known | {}, {} | {}, {} | {} |",
            krate.name,
            krate.version,
            linked().count(),
            linked().filter(|function| function.is_async).count(),
            linked().filter(|function| function.is_async_trait).count(),
            self.unknown_warnings().count(),
            self.warnings.len() - self.unknown_warnings().count(),
            self.tests,
            self.changed.len(),
            counts.calls.len(),
            counts.calls.values().sum::<u64>(),
            counts.mismatches.len(),
        )
    }

    fn unknown_warnings(&self) -> impl Iterator<Item = &Warning> {
        let is_known = |warning: &Warning| {
            let mut known = self.krate.known_warnings.iter();
            known.any(|(lint, file)| warning.lint == *lint && warning.places[0].0 == Path::new(file))
        };
        self.warnings.iter().copied().filter(move |warning| !is_known(warning))
    }

    fn differences(&self) -> Vec<String> {
        let warnings = self.unknown_warnings().map(|warning| format!("new warning\n{}", warning.rendered));
        let mismatches = self
            .counts
            .mismatches
            .iter()
            .map(|mismatch| format!("{}: {mismatch:?}", self.copied.functions[mismatch.function].place));
        let uncalled = self.counts.calls.is_empty().then(|| "no test calls an annotated function".to_owned());
        warnings.chain(self.changed.clone()).chain(mismatches).chain(uncalled).collect()
    }
}

/// The tests whose results differ, or that only one of both has.
fn changed(before: &Outcomes, after: &Outcomes) -> Vec<String> {
    let mut names: Vec<_> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let end = |outcomes: &Outcomes, name| outcomes.get(name).map_or("not run", String::as_str).to_owned();
    let changed = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    changed
        .map(|name| format!("{name}: plain {}, annotated {}", end(before, name), end(after, name)))
        .collect()
}
