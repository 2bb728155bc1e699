//! Counts with callgrind the instructions that the attributes add to a call, a gate that is free of noise. It also
//! checks whether any instruction of a call is atomic, hashes, or belongs to another library: an allocator's, a
//! lock's, or a system call's.
//!
//! `cargo run --release --manifest-path tests/bench/Cargo.toml --no-default-features --bin instructions` runs the
//! programs `calls` and `recordings`, so build those first, with the same features. It needs valgrind and objdump,
//! and fails if a call has become more expensive or waits.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::process::{Command, ExitCode};

/// A program, one of its rows, the row that it is compared with, and the number of instructions that it may add.
const LIMITS: [(&str, &str, &str, f64); 11] = [
    ("calls", "#[exchange_call]", "bare function", 45.0),
    ("calls", "#[timed_subsystem]", "bare function", 46.0),
    ("calls", "#[exchange_call] of a future", "bare future", 45.0),
    ("calls", "#[exchange_call], exchange picked at run time", "bare function", 80.0),
    ("calls", "#[exchange_call] of a function that fails", "bare function", 125.0),
    ("recordings", "counter, closed labels", "nothing", 20.0),
    ("recordings", "counter, closed label picked at run time", "nothing", 25.0),
    ("recordings", "gauge, closed labels", "nothing", 25.0),
    ("recordings", "histogram, closed labels", "nothing", 160.0),
    ("recordings", "#[operational_event]", "bare function", 50.0),
    ("recordings", "#[counted(…, on = ok)]", "bare function", 80.0),
];

/// A row that looks up a label and therefore hashes, which proves that hashing is detected.
const HASHES: (&str, &str) = ("calls", "`metrics!` histogram, open label looked up");

/// Tolerates work that is done only once in all repetitions.
const TOLERANCE: f64 = 0.5;

/// The number of calls of a row; an instruction that is executed once more or less is still part of every call.
const CALLS: u32 = 100_000;

fn main() -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    println!(
        "| row | instructions added | at most | atomic | hashing | of other libraries |\n\
         | --- | ---: | ---: | ---: | ---: | ---: |"
    );
    for (program, row, base, limit) in LIMITS {
        let calls = std::env::current_exe().expect("a path").with_file_name(program);
        let program = instructions_of(&calls);
        let (counted, bare) = (Counted::of(&calls, row, CALLS), Counted::of(&calls, base, CALLS));
        let added = counted.per_call() - bare.per_call();
        let hot: Vec<_> = counted.in_each_call().collect();
        let own = || hot.iter().filter(|(object, _)| Path::new(object) == calls);
        // An instruction that is not found must not count as harmless.
        let text = |address| program.get(address).unwrap_or_else(|| panic!("no instruction at {address:#x}"));
        let atomic: Vec<_> = own().map(|(_, address)| text(address)).filter(|text| is_atomic(text)).collect();
        let elsewhere = hot.len() - own().count();
        let hashing = counted.hashing_in_each_call();
        println!("| {row} | {added:.1} | {limit} | {} | {hashing} | {elsewhere} |", atomic.len());
        if added > limit + TOLERANCE || !atomic.is_empty() || hashing > 0 || elsewhere > 0 {
            code = ExitCode::FAILURE;
            atomic.iter().for_each(|text| eprintln!("{row}: {text}"));
        }
    }
    let (program, row) = HASHES;
    let program = std::env::current_exe().expect("a path").with_file_name(program);
    if Counted::of(&program, row, CALLS).hashing_in_each_call() == 0 {
        eprintln!("{row}: no hashing is found where there is some");
        code = ExitCode::FAILURE;
    }
    code
}

/// Callgrind's result for this many calls of a row.
struct Counted {
    calls: u32,
    /// By object file and address.
    instructions: HashMap<(String, u64), u64>,
    /// The instructions that come from a source file of hashing, inlined or not.
    hashing: HashSet<(String, u64)>,
    /// The instructions of the same program without any call.
    start: u64,
}

impl Counted {
    fn of(program: &Path, row: &str, calls: u32) -> Self {
        let (instructions, hashing) = callgrind(program, row, calls);
        // The result is the difference between two runs, so that the start of the program does not count.
        let start = callgrind(program, row, 0).0.values().sum();
        Self { calls, instructions, hashing, start }
    }

    fn per_call(&self) -> f64 {
        let all: u64 = self.instructions.values().sum();
        #[expect(clippy::cast_precision_loss, reason = "some millions")]
        let spent = (all - self.start) as f64;
        spent / f64::from(self.calls)
    }

    fn hashing_in_each_call(&self) -> usize {
        self.in_each_call().filter(|place| self.hashing.contains(place)).count()
    }

    fn in_each_call(&self) -> impl Iterator<Item = &(String, u64)> {
        let each = u64::from(self.calls) - 1;
        self.instructions.iter().filter(move |(_, count)| **count >= each).map(|(place, _)| place)
    }
}

/// The number of executions of each instruction, by object file and address, and the instructions that hash.
type Executed = (HashMap<(String, u64), u64>, HashSet<(String, u64)>);

/// Runs a row under callgrind.
fn callgrind(program: &Path, row: &str, calls: u32) -> Executed {
    let out = std::env::temp_dir().join(format!("bot-metrics-callgrind-{}", std::process::id()));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--dump-instr=yes", "--compress-pos=no", "--compress-strings=no"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .args(["only", row, &calls.to_string()])
        .output()
        .expect("valgrind and the program are there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let profile = std::fs::read_to_string(&out).expect("callgrind's profile");
    std::fs::remove_file(&out).expect("it was there");
    executed(&profile)
}

/// Reads the lines `0xaddress line count` of a profile, each under its `ob=`. The line after a `calls=` is the cost
/// of the called function, which is counted there. The source file is that of the last `fl=`, `fi=` or `fe=`.
fn executed(profile: &str) -> Executed {
    let (mut instructions, mut hashing) = (HashMap::new(), HashSet::new());
    let (mut object, mut of_callee, mut hashes) = ("", false, false);
    for line in profile.lines() {
        if let Some(name) = line.strip_prefix("ob=") {
            object = name;
        } else if let Some(file) = ["fl=", "fi=", "fe="].iter().find_map(|file| line.strip_prefix(file)) {
            hashes = ["hash", "sip"].iter().any(|word| file.contains(word));
        } else if line.starts_with("calls=") {
            of_callee = true;
        } else if let Some(cost) = line.strip_prefix("0x")
            && !std::mem::take(&mut of_callee)
        {
            let mut parts = cost.split(' ');
            let address = parts.next().and_then(|hex| u64::from_str_radix(hex, 16).ok());
            let count = parts.nth(1).and_then(|count| count.parse::<u64>().ok());
            let (address, count) = address.zip(count).unwrap_or_else(|| panic!("no cost: {line}"));
            if hashes {
                hashing.insert((object.to_owned(), address));
            }
            *instructions.entry((object.to_owned(), address)).or_default() += count;
        }
    }
    (instructions, hashing)
}

/// The text of each instruction of a program.
fn instructions_of(program: &Path) -> BTreeMap<u64, String> {
    let output = Command::new("objdump").args(["-d", "--no-show-raw-insn"]).arg(program).output();
    let text = String::from_utf8(output.expect("objdump is there").stdout).expect("text");
    let instruction = |line: &str| {
        let (address, text) = line.split_once(":\t")?;
        Some((u64::from_str_radix(address.trim(), 16).ok()?, text.to_owned()))
    };
    text.lines().filter_map(instruction).collect()
}

/// A read-modify-write that other processors wait for, or a fence.
fn is_atomic(instruction: &str) -> bool {
    let name = instruction.split_whitespace().next().unwrap_or_default();
    // An exchange with memory is atomic without a prefix.
    name == "lock" || name == "mfence" || name.starts_with("xchg") && instruction.contains('(')
}
