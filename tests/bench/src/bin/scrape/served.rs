//! Scrapes over a socket. Each contender is a process of its own.
//!
//! The peers serve their text with hyper, as the listener of metrics-exporter-prometheus and the examples of the others
//! do; none of them compresses.

use std::convert::Infallible;
use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use bot_metrics::server::ServerOptions;
use bot_metrics_bench::median;
use bot_metrics_bench::processor::process_seconds;
use bytes::Bytes;
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

use super::{CONTENDERS, Contender, Labels, ours};

const SERIES: usize = 10_000;
const ROUNDS: usize = 21;

/// This library, as one text, is the second; its server streams.
const SERVED: [usize; 7] = [0, 2, 3, 4, 5, 6, FINISHED];

/// The number of [`Finished`].
const FINISHED: usize = CONTENDERS.len();

/// This library's text, rendered before: what any server takes at least to send as much.
struct Finished(Bytes);

impl Contender for Finished {
    fn name(&self) -> &'static str {
        "the finished text"
    }

    fn observe(&self, _: &Labels, _: f64) {}

    fn text(&self) -> Bytes {
        self.0.clone()
    }
}

/// Prints how long a scrape takes from the connection to the last byte, and the processor time that it costs the
/// server.
pub(crate) fn measure() {
    let mut servers: Vec<_> = SERVED.map(Server::start).into();
    let mut rows: Vec<_> = SERVED.iter().map(|_| Row::default()).collect();
    let mut compressed = Row::default();
    for _ in 0..ROUNDS {
        for (server, row) in servers.iter_mut().zip(&mut rows) {
            row.add(server, "");
        }
        compressed.add(&mut servers[0], "Accept-Encoding: gzip\r\n");
    }
    println!("{SERIES} series, all changed since the last scrape; medians of {ROUNDS} rounds\n");
    println!("| | from the connection to the last byte, ms | × ours | server's processor time, ms | MB |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let ours = rows[0].medians().0;
    let names = servers.iter().map(|server| server.name.clone());
    let all = names.zip(&rows).chain([("**bot-metrics, gzip**".to_owned(), &compressed)]);
    for (name, row) in all {
        let (wall, processor) = row.medians();
        let (ratio, megabytes) = (wall / ours, row.bytes as f64 / 1e6);
        println!("| {name} | {wall:.1} | {ratio:.1} | {processor:.1} | {megabytes:.2} |");
    }
}

/// The measurements of one contender, in milliseconds.
#[derive(Default)]
struct Row {
    wall: Vec<f64>,
    processor: Vec<f64>,
    bytes: usize,
}

impl Row {
    fn add(&mut self, server: &mut Server, header: &str) {
        let before = server.change_all();
        let start = Instant::now();
        self.bytes = get(server.address, header);
        self.wall.push(start.elapsed().as_secs_f64() * 1e3);
        self.processor.push(server.processor_time() - before);
    }

    fn medians(&self) -> (f64, f64) {
        (median(self.wall.clone()), median(self.processor.clone()))
    }
}

/// Reads a page to its end, and returns the number of its bytes.
fn get(address: SocketAddr, header: &str) -> usize {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\n{header}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it answers");
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..200]));
    answer.len()
}

/// A process that serves the series of one contender.
struct Server {
    name: String,
    address: SocketAddr,
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Server {
    fn start(contender: usize) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("a path"))
            .args(["serve", &contender.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let commands = process.stdin.take().expect("a pipe");
        let mut answers = BufReader::new(process.stdout.take().expect("a pipe"));
        let (name, address) = (read(&mut answers), read(&mut answers));
        Self { name, address: address.parse().expect("an address"), process, commands, answers }
    }

    /// Changes all series, and returns the processor time in milliseconds afterwards.
    fn change_all(&mut self) -> f64 {
        self.ask("change")
    }

    fn processor_time(&mut self) -> f64 {
        self.ask("time")
    }

    fn ask(&mut self, command: &str) -> f64 {
        writeln!(self.commands, "{command}").expect("it reads");
        read(&mut self.answers).parse().expect("a time")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // If either fails, it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read(answers: &mut impl io::BufRead) -> String {
    let mut line = String::new();
    answers.read_line(&mut line).expect("it answers");
    line.trim_end().to_owned()
}

/// The server's part: prints its name and address, and then the processor time after each command.
pub(crate) fn serve(number: usize) {
    let labels: Vec<_> = (0..SERIES).map(Labels::of).collect();
    let contender: Arc<dyn Contender> = if number == FINISHED {
        let rendered = ours::whole();
        labels.iter().for_each(|labels| rendered.observe(labels, 0.003));
        Arc::new(Finished(rendered.text()))
    } else {
        CONTENDERS[number]().into()
    };
    let change = |value| {
        for labels in &labels {
            contender.observe(labels, value);
        }
        contender.settle();
    };
    change(0.003);
    // The server of this library ends when it is dropped.
    let (address, _server) = if SERVED[0] == number {
        let server = ours::METRICS.serve_with("127.0.0.1:0", ServerOptions::new()).expect("a free port");
        (server.local_addr(), Some(server))
    } else {
        (listen(Arc::clone(&contender)), None)
    };
    println!("{}\n{address}", contender.name());
    for (line, value) in io::stdin().lines().zip([0.2, 7.0, 0.003].into_iter().cycle()) {
        if line.expect("text") == "change" {
            change(value);
        }
        println!("{}", process_seconds() * 1e3);
    }
}

/// Serves the text of a peer on a free port, on a thread of its own.
fn listen(contender: Arc<dyn Contender>) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("it is bound");
    let serve = async move {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a runtime");
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let answer = service_fn(|_: Request<_>| {
                let text = contender.text();
                async { Ok::<_, Infallible>(Response::new(Full::new(text))) }
            });
            http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await.expect("a scrape");
        }
    };
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
        runtime.block_on(serve)
    });
    address
}
