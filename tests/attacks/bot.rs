//! The bot that is attacked: this program again, as a separate process.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{env, fs};

use bot_metrics::prelude::*;
use bot_metrics::prometheus::core::{Collector, Desc};
use bot_metrics::prometheus::proto;
use bot_metrics::server::ServerOptions;
use bot_metrics::{Label, LabelType, metrics};

use crate::attack::Attack;

/// The variable that makes this program the bot: the number of series, the collector's milliseconds, and the limit of
/// file descriptors or 0, and whether it
/// needs a password.
pub(crate) const ROLE: &str = "BOT_METRICS_ATTACKED_BOT";

struct Strategy;

impl Label for Strategy {
    type Value<'a> = &'a str;
    const TYPE: LabelType = LabelType::open("strategy", 4_000);

    fn text(value: Self::Value<'_>) -> &str {
        value
    }
}

metrics! {
    /// Time from a signal to the acknowledgement.
    histogram order_ack_seconds { strategy: Strategy }
        buckets(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10) budget = 60_000
}

/// A collector that takes its time, as one does that asks another process.
struct Waiting(Desc, Duration);

impl Collector for Waiting {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.0]
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        std::thread::sleep(self.1);
        Vec::new()
    }
}

/// The password is "right"; checking one takes a quarter of a second.
const USERS: &str =
    "basic_auth_users: {prometheus: $2b$12$.tTXDytu4DpEV2y/uNcTTeTNSZX5Q8mUFf2sGRK.AXy27/yvFiciC}\n";

static REPORTS: AtomicU64 = AtomicU64::new(0);

/// The bot's part. It ends with its input, and answers each line of it with the number of reports so far.
pub(crate) fn serve(page: &str) {
    let numbers: Vec<u32> = page.split(' ').map(|number| number.parse().expect("a number")).collect();
    let [series, collector, descriptors, needs_password] = numbers[..] else { panic!("not four numbers") };
    let metrics = Settings::new(Mode::Paper)
        .on_report(Arc::new(|_: &str| {
            REPORTS.fetch_add(1, Relaxed);
        }))
        .install()
        .expect("one installation");
    for n in 0..series {
        order_ack_seconds(&format!("served-{n:04}")).observe(0.003);
    }
    if collector > 0 {
        let description = Desc::new("waiting".to_owned(), "Waits.".to_owned(), Vec::new(), HashMap::new());
        let waiting =
            Waiting(description.expect("a legal description"), Duration::from_millis(collector.into()));
        metrics.register(Box::new(waiting)).expect("a new name");
    }
    let mut options = ServerOptions::new();
    if needs_password > 0 {
        let path = env::temp_dir().join(format!("bot-metrics-attacks-{}.yml", std::process::id()));
        fs::write(&path, USERS).expect("a temporary file");
        options = options.web_config(path);
    }
    let server = metrics.serve_with("127.0.0.1:0", options).expect("a free port");
    if descriptors > 0 {
        let limit = libc::rlimit { rlim_cur: descriptors.into(), rlim_max: descriptors.into() };
        // SAFETY: the pointer is to a live, initialised structure that the call only reads.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
    }
    println!("{}", server.local_addr());
    for _ in io::stdin().lines() {
        println!("{}", REPORTS.load(Relaxed));
    }
}

/// A running bot, which ends when this is dropped.
pub(crate) struct Bot {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
}

impl Bot {
    pub(crate) fn start(attack: &Attack) -> Self {
        let (collector, descriptors) = (attack.collector.as_millis(), attack.descriptors.unwrap_or(0));
        let needs_password = u32::from(attack.needs_password);
        let role = format!("{} {collector} {descriptors} {needs_password}", attack.series);
        let mut process = Command::new(std::env::current_exe().expect("a path"))
            .env(ROLE, role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let input = process.stdin.take().expect("piped");
        let mut output = BufReader::new(process.stdout.take().expect("piped"));
        let address = line(&mut output).parse().expect("an address");
        Self { process, input, output, address }
    }

    /// The resources that the bot used so far.
    pub(crate) fn resources(&mut self) -> Resources {
        let of =
            |file: &str| fs::read_to_string(format!("/proc/{}/{file}", self.process.id())).expect("Linux");
        let status = of("status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line of Linux");
        let kilobytes = peak.trim().trim_end_matches(" kB").parse::<f64>().expect("a number");
        let stat = of("stat");
        let ticks = stat.rsplit(')').next().expect("a name").split_whitespace().skip(11).take(2);
        let ticks: f64 = ticks.map(|ticks| ticks.parse::<f64>().expect("a number")).sum();
        Resources {
            at: Instant::now(),
            megabytes: kilobytes / 1024.0,
            seconds: ticks / 100.0,
            reports: self.reports(),
        }
    }

    fn reports(&mut self) -> u64 {
        self.input.write_all(b"\n").expect("it runs");
        line(&mut self.output).parse().expect("a number")
    }
}

fn line(output: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    output.read_line(&mut line).expect("text");
    line.trim().to_owned()
}

impl Drop for Bot {
    fn drop(&mut self) {
        // If either fails, it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The resources that a bot used until a moment.
pub(crate) struct Resources {
    at: Instant,
    megabytes: f64,
    seconds: f64,
    reports: u64,
}

/// The resources that a bot used during a try.
pub(crate) struct Used {
    pub(crate) megabytes: f64,
    /// Processor time, as a fraction of one processor.
    pub(crate) processor: f64,
    pub(crate) reports: u64,
}

impl Resources {
    pub(crate) fn since(&self, before: &Self) -> Used {
        Used {
            megabytes: self.megabytes - before.megabytes,
            processor: (self.seconds - before.seconds) / (self.at - before.at).as_secs_f64(),
            reports: self.reports - before.reports,
        }
    }
}
