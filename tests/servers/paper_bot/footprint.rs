//! The time, memory and processor time that the bot takes at its usual speed.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bot_metrics::testing::Samples;
use bot_metrics_tests::paper_bot::{Running, command, start};

/// Time from the start of the process to the end of the first scrape.
const LONGEST_START: Duration = Duration::from_secs(1);
/// Part of one core.
const MOST_PROCESSOR: f64 = 0.15;
const MOST_MEMORY: f64 = 64.0 * 1024.0 * 1024.0;
/// Time of 99 of 100 scrapes over an open connection.
const LONGEST_SCRAPE: Duration = Duration::from_millis(5);

const SCRAPES: usize = 300;

fn value(samples: &Samples, name: &str) -> f64 {
    samples.value(name, &[]).unwrap_or_else(|| panic!("no {name}"))
}

/// A scraper that keeps its connection. It is plain, because a client in a debug build takes longer than the bot.
struct Scraper {
    connection: BufReader<TcpStream>,
    request: String,
}

impl Scraper {
    fn connect(bot: &Running) -> Self {
        let address = bot.url().trim_start_matches("http://");
        let connection = TcpStream::connect(address).expect("the bot accepts");
        connection.set_nodelay(true).expect("a connection");
        let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\n\r\n");
        Self { connection: BufReader::new(connection), request }
    }

    /// The time from the request to the last byte of the answer.
    fn scrape(&mut self) -> Duration {
        let begun = Instant::now();
        self.connection.get_mut().write_all(self.request.as_bytes()).expect("the bot reads");
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.connection.read_line(&mut line).expect("the bot answers");
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().expect("a number");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut page = vec![0; length];
        self.connection.read_exact(&mut page).expect("a whole page");
        let took = begun.elapsed();
        assert!(page.starts_with(b"# HELP "), "{}", String::from_utf8_lossy(&page));
        took
    }
}

/// The times of scrapes, sorted.
fn scrapes(bot: &Running) -> Vec<Duration> {
    let mut scraper = Scraper::connect(bot);
    let scrape = |_| {
        // A scraper does not come in step with the loops.
        sleep(Duration::from_millis(17));
        scraper.scrape()
    };
    let mut times: Vec<_> = (0..SCRAPES).map(scrape).collect();
    times.sort();
    times
}

/// Checks memory; in the long version, on an otherwise idle machine, also the times.
pub(super) fn the_bot_is_small_and_quick() {
    let is_long = env::var_os("BOT_METRICS_LONG_TESTS").is_some();
    // Builds the program.
    let _ = command(&[]);
    let begun = Instant::now();
    let bot = start(&["--speed", "10"]);
    let first = bot.scrape();
    let start = begun.elapsed();
    let begun = Instant::now();
    let mut memory = 0.0_f64;
    for _ in 0..if is_long { 60 } else { 5 } {
        sleep(Duration::from_secs(1));
        memory = memory.max(value(&bot.scrape(), "process_resident_memory_bytes"));
    }
    let last = bot.scrape();
    let spent = value(&last, "process_cpu_seconds_total") - value(&first, "process_cpu_seconds_total");
    let processor = spent / begun.elapsed().as_secs_f64();
    let times = scrapes(&bot);
    let [median, slow] = [50, 99].map(|percent| times[SCRAPES * percent / 100]);
    println!(
        "start to first scrape {start:.1?}, {:.2} % of one core, {:.1} MiB, scrape p50 {median:.2?}, p99 {slow:.2?}",
        processor * 100.0,
        memory / 1024.0 / 1024.0
    );
    let placed = last.sum("bytelyst_bot_operational_events_total", &[("type", "ORDER_PLACED")]);
    assert!(placed > 0.0, "it trades");
    assert!(memory < MOST_MEMORY, "{memory} bytes");
    if is_long {
        assert!(start < LONGEST_START, "{start:?} to the first scrape");
        assert!(processor < MOST_PROCESSOR, "{processor} of one core");
        assert!(slow < LONGEST_SCRAPE, "{slow:?} for a scrape");
    }
}
