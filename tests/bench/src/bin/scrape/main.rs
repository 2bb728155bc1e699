//! Measures one scrape of histograms with 11 bounds, 14 lines each, compared with copying the finished text and with
//! other crates, and the memory that they take.
//!
//! `cargo run --release --manifest-path tests/bench/Cargo.toml --bin scrape` measures 10,000 and 100,000 series, each
//! in a process of its own; with a number of series, and one of rounds, it measures that. With `-- served` it measures
//! scrapes over a socket.

mod memory;
mod ours;
mod peers;
mod served;

use std::hint::black_box;
use std::process::Command;

use bot_metrics_bench::median;
use bot_metrics_bench::processor::thread_seconds;
use bytes::Bytes;

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

const BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The number of values of the second label.
const SYMBOLS: usize = 100;

/// The default labels of this library.
const DEFAULT: [(&str, &str); 3] =
    [("app", "bytelyst-trading-bot-service"), ("env", "development"), ("mode", "paper")];

/// A contender.
trait Contender: Send + Sync {
    fn name(&self) -> &'static str;
    /// Observes a value of the series with these labels.
    fn observe(&self, labels: &Labels, value: f64);
    /// The finished text.
    fn text(&self) -> Bytes;
    /// Scrapes and returns the length of the text.
    fn scrape(&self) -> usize {
        self.text().len()
    }
    /// Processes the observations that are still buffered.
    fn settle(&self) {}
}

const CONTENDERS: [fn() -> Box<dyn Contender>; 7] = [
    ours::streamed,
    ours::whole,
    peers::measured,
    peers::prometheus_client,
    peers::prometheus,
    peers::opentelemetry,
    peers::metrics,
];

#[derive(Clone, Debug)]
struct Labels {
    strategy: String,
    symbol: String,
}

impl Labels {
    fn of(series: usize) -> Self {
        let (strategy, symbol) = (series / SYMBOLS, series % SYMBOLS);
        Self { strategy: format!("strategy-{strategy:04}"), symbol: format!("PAIR{symbol:02}USDT") }
    }
}

/// The memory of the series of one contender, in bytes.
struct Memory {
    resident: f64,
    further_thread: f64,
    extra: f64,
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let number = |argument: &String| argument.parse().expect("a number");
    match &arguments[..] {
        [mode] if mode == "served" => return served::measure(),
        [mode, contender] if mode == "serve" => served::serve(number(contender)),
        _ => {}
    }
    match arguments.iter().map(number).collect::<Vec<_>>()[..] {
        [] => {
            for (series, rounds) in [("10000", "15"), ("100000", "5")] {
                let this = std::env::current_exe().expect("a path");
                let status = Command::new(this).args([series, rounds]).status().expect("it starts");
                assert!(status.success(), "{series} series: {status}");
            }
        }
        [series] => measure(series, 15),
        [series, rounds, ..] => measure(series, rounds),
    }
}

fn measure(series: usize, rounds: usize) {
    let labels: Vec<_> = (0..series).map(Labels::of).collect();
    let measured: Vec<_> = CONTENDERS
        .into_iter()
        .map(|make| {
            let contender = make();
            let memory = memory_of(&*contender, &labels);
            (contender, memory)
        })
        .collect();
    let finished = ours::text();
    let lines = finished.lines().filter(|line| line.contains("strategy=")).count();
    println!(
        "\n{series} series, {lines} lines, {:.1} MB of text; medians of {rounds} rounds, in CPU time\n",
        finished.len() as f64 / 1e6
    );
    let mut table = vec![Vec::new(); measured.len() + 1];
    for every in [1, 100, usize::MAX] {
        let mut times = vec![Vec::new(); measured.len() + 1];
        for round in 0..rounds {
            for (contender, _) in &measured {
                for labels in labels.iter().step_by(every).take(if every > series { 0 } else { series }) {
                    contender.observe(labels, [0.003, 0.2, 7.0][round % 3]);
                }
                contender.settle();
            }
            times[0].push(timed(|| black_box(finished.clone()).len()));
            for (row, (contender, _)) in times[1..].iter_mut().zip(&measured) {
                row.push(timed(|| contender.scrape()));
            }
        }
        for (row, times) in table.iter_mut().zip(times) {
            row.push(median(times));
        }
    }
    println!(
        "| | all changed, ms | × copy | 1 in 100 changed, ms | none, ms | resident bytes a series | \
         a further thread's | extra peak |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    );
    let names = std::iter::once("copying the finished text").chain(measured.iter().map(|(c, _)| c.name()));
    let memories = std::iter::once(None).chain(measured.iter().map(|(_, memory)| Some(memory)));
    for ((name, times), memory) in names.zip(&table).zip(memories) {
        print!("| {name} |");
        print!(" {:.2} | {:.1} | {:.2} | {:.2} |", times[0], times[0] / table[0][0], times[1], times[2]);
        match memory {
            // Another contender created the series.
            Some(Memory { resident, extra, .. }) if *resident < 1.0 => println!(" – | – | {extra:.0} |"),
            Some(Memory { resident, further_thread, extra }) => {
                println!(" {resident:.0} | {further_thread:.0} | {extra:.0} |");
            }
            None => println!(" – | – | – |"),
        }
    }
}

fn memory_of(contender: &dyn Contender, labels: &[Labels]) -> Memory {
    let per_series = |bytes: i64| bytes as f64 / labels.len() as f64;
    let observe = || {
        for labels in labels {
            contender.observe(labels, 0.003);
        }
        contender.settle();
    };
    let observed = |observe: &(dyn Fn() + Sync)| {
        // The thread stays alive, so that its memory is counted.
        std::thread::scope(|scope| {
            let before = memory::in_use();
            let (done, wait) = std::sync::mpsc::channel();
            let (leave, stay) = std::sync::mpsc::channel::<()>();
            scope.spawn(move || {
                observe();
                done.send(()).expect("the receiver waits");
                let _ = stay.recv();
            });
            wait.recv().expect("it observes");
            let after = memory::in_use();
            drop(leave);
            per_series(after - before)
        })
    };
    let before = memory::in_use();
    observe();
    contender.scrape();
    let resident = per_series(memory::in_use() - before);
    let further_thread = observed(&|| {
        for labels in labels {
            contender.observe(labels, 0.003);
        }
        contender.settle();
    });
    contender.scrape();
    let extra = per_series(memory::peak_of(|| {
        contender.scrape();
    }));
    Memory { resident, further_thread, extra }
}

/// The CPU time of this thread in milliseconds, because the machine is shared; all contenders work in the calling
/// thread.
fn timed(work: impl FnOnce() -> usize) -> f64 {
    let start = thread_seconds();
    black_box(work());
    (thread_seconds() - start) * 1e3
}
