//! Measures one instrumented call: its cost over the bare function, compared with two reads of the clock and with
//! other crates.
//!
//! `cargo run --release --manifest-path tests/bench/Cargo.toml --bin calls [rounds]` prints the table;
//! `--no-default-features` leaves the other crates out, which take minutes to build;
//! `… --bin calls -- only NAME REPETITIONS` runs one contender, for callgrind.

use bot_metrics::{Mode, Settings};
use bot_metrics_bench::calls::{BARE, BARE_FUTURE, TWO_TIME_STAMPS, contenders};
use bot_metrics_bench::{Base, Contender, Labels, medians};

fn main() -> Result<(), bot_metrics::Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let contenders = contenders();
    if let [only, name, repetitions] = &arguments[..]
        && only == "only"
    {
        bot_metrics::testing::trust_time_stamps();
        let _metrics = Settings::new(Mode::Paper).install()?;
        let contender =
            contenders.iter().find(|contender| contender.name == name).expect("a row of the table");
        (contender.run[0])(repetitions.parse().expect("a number"));
        return Ok(());
    }
    let _metrics = Settings::new(Mode::Paper).install()?;
    let rounds = arguments.first().map_or(101, |rounds| rounds.parse().expect("a number of rounds"));
    let one = medians(&contenders, 1, Labels::Same, rounds, 10_000);
    let same = medians(&contenders, 2, Labels::Same, rounds, 10_000);
    let different = medians(&contenders, 2, Labels::Different, rounds, 10_000);
    table(&contenders, [&one, &same, &different]);
    // Exits without destructors, so that other crates do not print or send anything.
    std::process::exit(0);
}

/// Notes below the table.
const NOTES: &str = "
Every row records the duration and, but for hotpath, the outcome; ours the calls in flight and the last run besides.
hotpath hands over to a thread of its own, whose work is not in the table. measured is version 0.0.25, since 0.1 needs
Rust 1.98. foundations has its new back end, `foundations-metrics-backend`, and autometrics the back end prometheus:
one build has one of either.";

fn table(contenders: &[Contender], [one, same, different]: [&[f64]; 3]) {
    let row =
        |name| contenders.iter().position(|contender| contender.name == name).expect("a row of the table");
    let (bare, future) = (row(BARE), row(BARE_FUTURE));
    let base = |contender: &Contender| if contender.base == Base::Future { future } else { bare };
    let floor = one[row(TWO_TIME_STAMPS)] - one[bare];
    println!(
        "| added to a call | 1 thread, ns | × two readings | 2 threads, one metric, ns | two metrics, ns |"
    );
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (index, contender) in
        contenders.iter().enumerate().filter(|(index, _)| *index != bare && *index != future)
    {
        let added = |times: &[f64]| times[index] - times[base(contender)];
        let (alone, same, different) = (added(one), added(same), added(different));
        println!("| {} | {alone:.1} | {:.2} | {same:.1} | {different:.1} |", contender.name, alone / floor);
    }
    println!("\nUnmeasured, the function takes {:.1} ns and the future {:.1} ns.", one[bare], one[future]);
    if cfg!(feature = "peers") {
        println!("{NOTES}");
    }
}
