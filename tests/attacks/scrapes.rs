//! Scrapers that behave.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Half of these keep their connection, as Prometheus does.
const SCRAPERS: u32 = 24;

/// A scraper's interval.
const INTERVAL: Duration = Duration::from_secs(1);

/// A scraper gives up after this time, like Prometheus by default.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(crate) struct Figures {
    /// Sorted.
    took: Vec<Duration>,
    pub(crate) refused: Vec<String>,
}

impl Figures {
    pub(crate) fn taken(&self) -> usize {
        self.took.len()
    }

    pub(crate) fn quantile(&self, quantile: f64) -> Duration {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "few"
        )]
        let rank = (quantile * self.took.len() as f64).ceil() as usize;
        self.took[rank.max(1) - 1]
    }
}

/// Takes one scrape, which checks the password.
pub(crate) fn log_in(address: SocketAddr) -> io::Result<()> {
    scrape(address, &mut None)
}

/// Takes this many scrapes.
pub(crate) fn take(address: SocketAddr, scrapes: u32) -> Figures {
    let mut figures = Figures::default();
    std::thread::scope(|scope| {
        let threads = (0..SCRAPERS).map(|scraper| {
            scope.spawn(move || {
                // So that they do not share their renderings.
                std::thread::sleep(INTERVAL.mul_f64(f64::from(scraper) / f64::from(SCRAPERS)));
                let mut kept = None;
                let keeps = scraper % 2 == 0;
                (0..scrapes / SCRAPERS)
                    .map(|_| {
                        let start = Instant::now();
                        let result = scrape(address, &mut kept);
                        let took = start.elapsed();
                        if !keeps {
                            kept = None;
                        }
                        std::thread::sleep(INTERVAL.saturating_sub(took));
                        (took, result)
                    })
                    .collect::<Vec<_>>()
            })
        });
        for thread in threads.collect::<Vec<_>>() {
            for (took, result) in thread.join().expect("it does not panic") {
                figures.took.push(took);
                figures.refused.extend(result.err().map(|error| format!("after {took:.1?}: {error}")));
            }
        }
    });
    figures.took.sort_unstable();
    figures
}

/// Scrapes on the kept connection if there is one. If that was closed before the answer began, the scrape is repeated
/// on a new one, as Go's client does.
fn scrape(address: SocketAddr, kept: &mut Option<BufReader<TcpStream>>) -> io::Result<()> {
    if let Some(mut stream) = kept.take()
        && ask(&mut stream).and_then(|()| stream.fill_buf().map(|bytes| !bytes.is_empty())).unwrap_or(false)
    {
        read(&mut stream)?;
        *kept = Some(stream);
        return Ok(());
    }
    let mut stream = BufReader::new(TcpStream::connect_timeout(&address, TIMEOUT)?);
    stream.get_ref().set_read_timeout(Some(TIMEOUT))?;
    ask(&mut stream)?;
    read(&mut stream)?;
    *kept = Some(stream);
    Ok(())
}

fn ask(stream: &mut BufReader<TcpStream>) -> io::Result<()> {
    // The password is needed by some bots only.
    stream.get_mut().write_all(
        b"GET /metrics HTTP/1.1\r\nHost: bot\r\nUser-Agent: Prometheus\r\n\
          Authorization: Basic cHJvbWV0aGV1czpyaWdodA==\r\n\r\n",
    )
}

/// Reads a complete answer.
fn read(stream: &mut BufReader<TcpStream>) -> io::Result<()> {
    let mut length = None;
    let status = line(stream)?;
    if !status.starts_with("HTTP/1.1 200 ") {
        return Err(io::Error::other(status));
    }
    loop {
        let header = line(stream)?;
        if header.is_empty() {
            break;
        }
        if let Some(bytes) = header.strip_prefix("content-length: ") {
            length = bytes.parse::<u64>().ok();
        }
    }
    if let Some(length) = length {
        return skip(stream, length);
    }
    loop {
        let length = u64::from_str_radix(&line(stream)?, 16).map_err(io::Error::other)?;
        skip(stream, length + 2)?;
        if length == 0 {
            return Ok(());
        }
    }
}

fn line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

fn skip(stream: &mut BufReader<TcpStream>, length: u64) -> io::Result<()> {
    let skipped = io::copy(&mut stream.take(length), &mut io::sink())?;
    if skipped < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}
