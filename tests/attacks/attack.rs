//! The attacks, each by a process of many clients that come back as soon as they are disconnected.

use std::io::{self, Read as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{interval, sleep};

/// The variable that makes this program the attackers: the name of the attack and the bot's address.
pub(crate) const ROLE: &str = "BOT_METRICS_ATTACKERS";

/// The time for which an attack runs before the first scrape.
const RUN_UP: Duration = Duration::from_millis(1_500);

/// Enough histograms for a page of 5 MB.
const FIVE_MEGABYTES: u32 = 4_000;

const METRICS: &str = "GET /metrics HTTP/1.1\r\nHost: bot\r\n\r\n";
const HEALTHY: &str = "GET /-/healthy HTTP/1.1\r\nHost: bot\r\n\r\n";

pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// The bot's series, each a histogram.
    pub(crate) series: u32,
    /// The time that the bot's collector takes.
    pub(crate) collector: Duration,
    /// Whether the bot asks for a password.
    pub(crate) needs_password: bool,
    /// The latency that the attack may add to 99 of 100 scrapes.
    pub(crate) most_added: Duration,
    /// The bot's limit of file descriptors.
    pub(crate) descriptors: Option<u32>,
    /// The memory that attack and scrapes may cost the bot, in megabytes.
    pub(crate) most_memory: f64,
    /// The processor time that the attack may add to that of the scrapes, as a fraction of one processor.
    pub(crate) most_processor: f64,
    clients: usize,
    client: Client,
}

#[derive(Clone, Copy)]
enum Client {
    /// Sends requests in one piece and reads the answers.
    Asks { request: &'static str, requests: usize },
    /// Requests the page and does not read it.
    ReadsNothing,
    /// Sends part of a header and then a byte at a time.
    SlowHeader,
    /// Sends part of a header, and comes back a second after it was disconnected.
    ComesBackLater,
    /// Sends nothing.
    Silent,
    /// Resets 25,000 connections in 6 s, together with all others.
    Resets,
    /// Sends another wrong password with each request, from another address each time, so that none is refused
    /// unchecked.
    GuessesPasswords,
}

const fn attack(name: &'static str, clients: usize, client: Client) -> Attack {
    Attack {
        name,
        series: 0,
        collector: Duration::ZERO,
        needs_password: false,
        most_added: Duration::from_millis(250),
        descriptors: None,
        most_memory: 10.0,
        // That of the thread that serves, and a little of those that render for it meanwhile.
        most_processor: 1.1,
        clients,
        client,
    }
}

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        collector: Duration::from_millis(300),
        ..attack("pipelined_scrapes", 300, Client::Asks { request: METRICS, requests: 40 })
    },
    attack("pipelined_health", 300, Client::Asks { request: HEALTHY, requests: 50 }),
    Attack {
        collector: Duration::from_millis(300),
        ..attack("single_scrapes", 300, Client::Asks { request: METRICS, requests: 1 })
    },
    attack("single_health", 300, Client::Asks { request: HEALTHY, requests: 1 }),
    // The memory is that of unread pages, twice the limit of which 16 MiB is the default.
    Attack { series: FIVE_MEGABYTES, most_memory: 64.0, ..attack("unread_pages", 256, Client::ReadsNothing) },
    attack("resets", 16, Client::Resets),
    attack("open_connections", 2_000, Client::Silent),
    attack("slow_headers", 1_000, Client::SlowHeader),
    // The processor time of the one thread that checks passwords, and of the server.
    Attack {
        needs_password: true,
        most_added: Duration::from_millis(50),
        most_processor: 2.0,
        ..attack("wrong_passwords", 64, Client::GuessesPasswords)
    },
    Attack {
        descriptors: Some(64),
        most_processor: 0.01,
        ..attack("no_descriptors", 100, Client::ComesBackLater)
    },
];

/// The attackers, who stop when this is dropped.
pub(crate) struct Attackers(Child);

impl Attack {
    /// Starts the attack, and waits until it has begun in earnest.
    pub(crate) fn start(&self, target: SocketAddr) -> Attackers {
        let process = Command::new(std::env::current_exe().expect("a path"))
            .env(ROLE, format!("{} {target}", self.name))
            .stdin(Stdio::piped())
            .spawn()
            .expect("it starts");
        std::thread::sleep(RUN_UP);
        Attackers(process)
    }
}

impl Drop for Attackers {
    fn drop(&mut self) {
        // If either fails, they have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The attackers' part, which ends with its input.
pub(crate) fn run(role: &str) {
    std::thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let (name, target) = role.split_once(' ').expect("a name and an address");
    let attack = ATTACKS.iter().find(|attack| attack.name == name).expect("a name of the list");
    let (client, target) = (attack.client, target.parse().expect("an address"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("threads");
    runtime.block_on(async {
        for _ in 0..attack.clients {
            tokio::spawn(attack_for_ever(client, target));
        }
        std::future::pending::<()>().await;
    });
}

async fn attack_for_ever(client: Client, target: SocketAddr) {
    loop {
        let attacked = match client {
            Client::Asks { request, requests } => asks(target, request, requests).await,
            Client::ReadsNothing => reads_nothing(target).await,
            Client::SlowHeader => slow_header(target).await,
            Client::ComesBackLater => comes_back_later(target).await,
            Client::Silent => silent(target).await,
            Client::Resets => resets(target).await,
            Client::GuessesPasswords => guesses_passwords(target).await,
        };
        if attacked.is_err() {
            // It was disconnected, and comes back.
            tokio::task::yield_now().await;
        }
    }
}

async fn asks(target: SocketAddr, request: &str, requests: usize) -> io::Result<()> {
    let mut stream = BufReader::new(TcpStream::connect(target).await?);
    let (all, mut line) = (request.repeat(requests), Vec::new());
    loop {
        stream.write_all(all.as_bytes()).await?;
        let mut answered = 0;
        while answered < requests {
            line.clear();
            if stream.read_until(b'\n', &mut line).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            answered += usize::from(line.starts_with(b"HTTP/1.1 "));
        }
    }
}

async fn reads_nothing(target: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(target).await?;
    stream.write_all(METRICS.as_bytes()).await?;
    loop {
        sleep(Duration::from_millis(100)).await;
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
    }
}

async fn slow_header(target: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(target).await?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nX: ").await?;
    let (mut reader, mut writer) = stream.split();
    tokio::select! {
        end = until_closed(&mut reader) => end,
        end = async {
            loop {
                sleep(Duration::from_secs(1)).await;
                writer.write_all(b"a").await?;
            }
        } => end,
    }
}

async fn comes_back_later(target: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(target).await?;
    stream.write_all(b"G").await?;
    let end = until_closed(&mut stream).await;
    sleep(Duration::from_secs(1)).await;
    end
}

async fn silent(target: SocketAddr) -> io::Result<()> {
    until_closed(&mut TcpStream::connect(target).await?).await
}

async fn until_closed(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    stream.read_u8().await.map(|_| ())
}

async fn guesses_passwords(target: SocketAddr) -> io::Result<()> {
    static GUESSES: AtomicU32 = AtomicU32::new(0);
    let guess = GUESSES.fetch_add(1, Relaxed);
    let [_, a, b, c] = (guess + 256).to_be_bytes();
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 1 + a, b, c), 0).into())?;
    let mut stream = socket.connect(target).await?;
    let credentials = BASE64_STANDARD.encode(format!("prometheus:wrong{guess}"));
    let request = format!("GET /metrics HTTP/1.1\r\nHost: bot\r\nAuthorization: Basic {credentials}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.read_u8().await?;
    Ok(())
}

/// Half of the connections send a request first.
async fn resets(target: SocketAddr) -> io::Result<()> {
    // 16 clients, 25,000 connections in 6 s.
    let mut turns = interval(Duration::from_millis(8));
    loop {
        turns.tick().await;
        for asks in [true, false].repeat(2) {
            let mut stream = TcpStream::connect(target).await?;
            if asks {
                stream.write_all(METRICS.as_bytes()).await?;
            }
            stream.set_zero_linger()?;
        }
    }
}
