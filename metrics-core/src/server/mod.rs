//! The HTTP server: the exposition, the landing page and the health pages, served from a thread of its own.
//!
//! The server runs hyper on a single thread named `bot-metrics`, so it works in a bot with or without an
//! async runtime, and a bot whose own runtime hangs can still be scraped. Pages are rendered on further
//! threads, at most one a page at work, so that a slow page never delays another one. An exposition beyond 256 KiB is
//! sent while it is rendered, in pieces, so that it takes a megabyte however long it is.
//!
//! | path | answer |
//! | --- | --- |
//! | `/metrics` | the exposition, text format 0.0.4 |
//! | `/` | the landing page |
//! | `/-/healthy`, `/-/ready` | 200, or 503 with the reason |
//!
//! Only GET and HEAD are answered. Every limit against slow, broken or hostile clients is a field of
//! [`ServerOptions`], with the reason for its number.
//!
//! # What it does not do
//!
//! There is no TLS and no authentication: put the port behind a firewall, or listen on a loopback address.

mod accept;
mod activity;
mod answer;
mod connection;
mod connections;
mod error;
mod flow;
mod listeners;
mod options;
mod outlet;
mod pages;
mod patience;
mod rendering;
mod scrapes;
mod served;
mod site;
mod spare;
mod stop;
mod stream;
#[cfg(test)]
mod tests;
mod thread;
mod unread;

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{convert::Infallible, io};

pub use self::error::ServeError;
pub use self::options::ServerOptions;
use self::scrapes::Scrapes;
use self::served::Listing;
use self::stop::StopSignal;
use crate::report::{LAST_REPORTS, Report, Topic};
use crate::source_line::SourceLine;

/// How long [`Server::shutdown`] waits for the thread. The thread itself ends within [`thread::GRACE`], which
/// is shorter; the difference is for a machine that is too busy to run it.
const LONGEST_SHUTDOWN: Duration = Duration::from_secs(1);

/// A server that is dropped sooner was not bound to a name: that takes microseconds, and the fastest bot that is told to
/// stop takes longer to hear of it.
const EARLY: Duration = Duration::from_micros(500);

/// Called when a client has received an exposition whole.
pub(crate) type Delivered = Box<dyn FnOnce() + Send>;

/// What the server shows; implemented by the instance.
///
/// Every method runs on a thread apart, one call of a method at a time, but for those that wait for slow readers. It may
/// block, and it may panic: that costs a 500, or breaks off what was begun to be sent.
pub(crate) trait Pages: Send + Sync + 'static {
    /// Writes the exposition, text format 0.0.4. It may take as long as its readers do. What it returns is called when the
    /// first of them has received all of it.
    fn metrics(&self, out: &mut dyn io::Write) -> io::Result<Delivered>;
    /// The landing page, HTML without scripts and without external resources.
    fn landing(&self) -> String;
    /// Called once a second on the server's own thread, so that it must not block.
    fn compare_clocks(&self) {}
    /// Whether the bot works.
    fn healthy(&self) -> Verdict;
    /// Whether the bot has started.
    fn ready(&self) -> Verdict;
}

/// The answer of a health page: 200 or 503, with a text for people.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) ok: bool,
    pub(crate) text: String,
}

/// Serves the pages on the address, a `host:port`, until the [`Server`] is dropped. A host name is served on each of its
/// addresses that this machine has.
#[track_caller]
pub(crate) fn serve(
    address: impl fmt::Display,
    options: ServerOptions,
    pages: Arc<dyn Pages>,
    report: Report,
) -> Result<Server, ServeError> {
    let address = address.to_string();
    if let Some(option) = options.zero() {
        return Err(ServeError::zero(&address, option));
    }
    let addresses = resolve(&address).map_err(|cause| ServeError::address(&address, cause))?;
    serve_all(&address, addresses, options, pages, report)
}

/// Serves the pages on all of `addresses`, which are those behind `address`.
#[track_caller]
fn serve_all(
    address: &str,
    addresses: Vec<SocketAddr>,
    options: ServerOptions,
    pages: Arc<dyn Pages>,
    report: Report,
) -> Result<Server, ServeError> {
    let place = SourceLine::of_caller();
    let (stop, scrapes) = (StopSignal::new(), Scrapes::default());
    let (started, start) = mpsc::sync_channel(1);
    let (alive, finished) = mpsc::channel();
    let thread = std::thread::Builder::new()
        .name("bot-metrics".to_owned())
        .spawn({
            let work = thread::Work {
                addresses,
                options,
                pages,
                report: report.clone(),
                stop: stop.clone(),
                scrapes: scrapes.clone(),
            };
            move || {
                work.run(&started);
                drop(alive);
            }
        })
        .map_err(|cause| ServeError::start(address, cause))?;
    let local_addrs = start
        .recv()
        .unwrap_or_else(|_| Err(thread::StartError::Runtime(io::Error::other("its thread ended at once"))))
        .map_err(|error| match error {
            thread::StartError::Runtime(cause) => ServeError::start(address, cause),
            thread::StartError::Bind { at, cause } => ServeError::bind(address, at, cause),
        })?;
    let began = Beginning { at: Instant::now(), place };
    let (listing, finished) = (Listing::new(local_addrs), Mutex::new(finished));
    Ok(Server { listing, began, stop, scrapes, report, thread: Some(thread), finished })
}

fn resolve(address: &str) -> io::Result<Vec<SocketAddr>> {
    if address.trim().is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the address is empty"));
    }
    let mut addresses = Vec::new();
    for address in address.to_socket_addrs()? {
        // A hosts file may name one twice.
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

/// A running server. Dropping it stops it, as [`shutdown`](Server::shutdown) does.
///
/// Bind it to a name that lives as long as the bot: `let _server = …`, never `let _ = …`, which stops it at
/// once.
#[must_use = "dropping the server stops it"]
pub struct Server {
    listing: Listing,
    began: Beginning,
    stop: StopSignal,
    scrapes: Scrapes,
    report: Report,
    thread: Option<JoinHandle<()>>,
    /// Closed when the thread has ended. The lock is never contended; it makes the server `Sync`.
    finished: Mutex<mpsc::Receiver<Infallible>>,
}

/// When a server had started, and by what line.
struct Beginning {
    at: Instant,
    place: SourceLine,
}

impl Server {
    /// The address that is served, with the real port where port 0 was asked for. It is the first of
    /// [`local_addrs`](Self::local_addrs).
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.listing.addresses()[0]
    }

    /// All addresses that are served, at least one: a host name such as `localhost` may have several. They share one port.
    #[must_use]
    pub fn local_addrs(&self) -> &[SocketAddr] {
        self.listing.addresses()
    }

    /// Waits for one more complete scrape, `timeout` at most, and says whether it came: whatever was recorded before the
    /// call is then with whoever scrapes. A bot that ends stops its loops, calls this, and loses no increment:
    ///
    /// ```no_run
    /// # use bot_metrics::{Mode, Settings};
    /// # use std::time::Duration;
    /// # let metrics = Settings::new(Mode::Paper).install()?;
    /// let server = metrics.serve(metrics.settings().address())?;
    /// // … trade until told to stop, then stop what records …
    /// if !server.drain(Duration::from_secs(20)) {
    ///     eprintln!("nobody scraped the last values");
    /// }
    /// # Ok::<(), bot_metrics::Error>(())
    /// ```
    ///
    /// A scrape is complete that was asked for with GET after this call, was answered with 200, and whose last byte was
    /// handed to the system; anybody's counts, so where two servers scrape a bot, one of them has the last values. Give
    /// it more than a scrape interval, and less than the supervisor waits before it kills.
    ///
    /// Blocks its thread: in an async bot call it in `tokio::task::spawn_blocking` or its like. No signal handler is
    /// installed; when to call it is the bot's to say.
    #[must_use = "it says whether the last values were scraped"]
    pub fn drain(&self, timeout: Duration) -> bool {
        let is_scraped = self.scrapes.one_more(timeout);
        self.report.flush(LAST_REPORTS);
        is_scraped
    }

    /// Stops the server: the port is free at once, answers under way are finished, and what is still open
    /// after 0.8 s is closed. Blocks for at most a second, an ordinary scrape only for milliseconds.
    pub fn shutdown(mut self) {
        self.stop_and_wait();
    }

    fn stop_and_wait(&mut self) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        self.stop.raise();
        let finished = self.finished.get_mut().unwrap_or_else(PoisonError::into_inner);
        if finished.recv_timeout(LONGEST_SHUTDOWN) == Err(mpsc::RecvTimeoutError::Disconnected) {
            // A panic of the thread was printed by the panic hook; there is nothing left to stop.
            let _ = thread.join();
        }
        self.report.flush(LAST_REPORTS);
    }

    /// Reports that it was dropped before it could be of use, as `let _ = metrics.serve(…)?` does, which rustc proposes
    /// where the server is not used.
    fn report_early_drop(&self) {
        let served_for = self.began.at.elapsed();
        if served_for > EARLY || std::thread::panicking() || self.scrapes.are_used() {
            return;
        }
        let (address, place) = (self.local_addr(), self.began.place);
        self.report.tell(
            Topic::ServerDropped,
            place,
            format_args!(
                "the server on {address}, started at {place}, was dropped after {served_for:.1?} and serves no more: \
                 write `let _server = …`, not `let _ = …`, so that it lives as long as the bot"
            ),
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // There is no thread after `shutdown`.
        if self.thread.is_some() {
            self.report_early_drop();
            self.stop_and_wait();
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("local_addrs", &self.local_addrs()).finish_non_exhaustive()
    }
}
