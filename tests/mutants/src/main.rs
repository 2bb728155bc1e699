//! Injects small faults into the library, one at a time, and runs CI's test suites: at least one suite must fail for
//! each fault. The faults are drawn with a fixed seed from the full list of `cargo mutants`, so that results can be
//! repeated and the selection cannot be biased.
//!
//! ```text
//! cargo install cargo-mutants
//! cargo run --release --manifest-path tests/mutants/Cargo.toml -- core
//! cargo run --release --manifest-path tests/mutants/Cargo.toml -- macros
//! ```
//!
//! The quick suites run first, the others only for faults that those do not detect. Each worker has a copy of the
//! sources below `target/mutants`, with a separate build directory. The exit code is 0 if enough faults are caught, 1
//! otherwise, and 2 if the run failed.

mod draw;
mod mutant;
mod suites;
mod tree;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use mutant::Mutant;
use suites::{Crate, Verdict};
use tree::Tree;

/// Fixed before the first run; another seed draws other faults.
const SEED: u64 = 2026;

/// The part of the faults that must be caught, in percent.
const ENOUGH: usize = 95;

const USAGE: &str = "usage: mutants core|macros [SEED [COUNT [WORKERS [SUITES]]]]";

struct Options {
    tested: Crate,
    seed: u64,
    count: usize,
    workers: usize,
    /// Only the first ones, where the later ones would take too long.
    suites: usize,
}

fn main() -> ExitCode {
    match options().and_then(|options| run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("mutants: {message}");
            ExitCode::from(2)
        }
    }
}

fn options() -> Result<Options, String> {
    let mut arguments = std::env::args().skip(1);
    let tested = match arguments.next().as_deref() {
        Some("core") => Crate::Core,
        Some("macros") => Crate::Macros,
        _ => return Err(USAGE.to_owned()),
    };
    let mut number = |default: u64| match arguments.next() {
        Some(text) => text.parse().map_err(|_| format!("{text:?} is no whole number; {USAGE}")),
        None => Ok(default),
    };
    let seed = number(SEED)?;
    let count = usize::try_from(number(tested.count())?).map_err(|error| error.to_string())?;
    let workers = usize::try_from(number(2)?).map_err(|error| error.to_string())?;
    let suites = usize::try_from(number(u64::MAX)?).map_err(|error| error.to_string())?;
    Ok(Options { tested, seed, count, workers: workers.max(1), suites: suites.max(1) })
}

/// Whether enough faults were caught.
fn run(options: &Options) -> Result<bool, String> {
    let root = root()?;
    let mutants = mutant::list(&root, options.tested.package())?;
    println!(
        "{} faults are possible in {}; drawing {} by seed {}",
        mutants.len(),
        options.tested.package(),
        options.count,
        options.seed
    );
    let drawn = draw::shuffled(mutants, options.seed);
    let queue = Mutex::new(Queue { waiting: drawn.into_iter(), wanted: options.count });
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        let workers: Vec<_> = (0..options.workers)
            .map(|worker| {
                let (root, queue, results) = (&root, &queue, &results);
                scope.spawn(move || work(root, worker, options, queue, results))
            })
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| "a worker panicked".to_owned())?)
    })?;
    let results = results.into_inner().map_err(|_| "a worker panicked".to_owned())?;
    Ok(summarize(&results))
}

fn root() -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().map_err(|error| format!("{}: {error}", root.display()))
}

/// The faults left to test. A fault that does not compile is replaced by the next one.
struct Queue {
    waiting: std::vec::IntoIter<Mutant>,
    wanted: usize,
}

impl Queue {
    fn next(&mut self) -> Option<Mutant> {
        let wanted = self.wanted.checked_sub(1)?;
        let mutant = self.waiting.next()?;
        self.wanted = wanted;
        Some(mutant)
    }
}

fn work(
    root: &Path,
    worker: usize,
    options: &Options,
    queue: &Mutex<Queue>,
    results: &Mutex<Vec<(Mutant, Verdict)>>,
) -> Result<(), String> {
    let tree = Tree::copy(root, &format!("{}-{worker}", options.tested.name()))?;
    let suites = options.tested.suites_without_a_fault(&tree, options.suites)?;
    loop {
        let Some(mutant) = queue.lock().map_err(|_| "a worker panicked")?.next() else { return Ok(()) };
        let started = Instant::now();
        let verdict = tree.with(&mutant, || suites.judge(&tree))??;
        println!("{:>4} s  {}\n        {verdict}", started.elapsed().as_secs(), mutant.name);
        if verdict == Verdict::Unviable {
            queue.lock().map_err(|_| "a worker panicked")?.wanted += 1;
        }
        results.lock().map_err(|_| "a worker panicked")?.push((mutant, verdict));
    }
}

fn summarize(results: &[(Mutant, Verdict)]) -> bool {
    let count = |wanted: fn(&Verdict) -> bool| results.iter().filter(|(_, verdict)| wanted(verdict)).count();
    let (missed, unviable) =
        (count(|verdict| *verdict == Verdict::Missed), count(|verdict| *verdict == Verdict::Unviable));
    let caught = results.len() - missed - unviable;
    println!("\n{caught} caught, {missed} missed, {unviable} that do not compile");
    for (mutant, _) in results.iter().filter(|(_, verdict)| *verdict == Verdict::Missed) {
        println!("missed: {}", mutant.name);
    }
    100 * caught >= ENOUGH * (caught + missed)
}
