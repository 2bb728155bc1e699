//! The HTTP server: the exposition, the status page and the health pages, served on a separate thread.
//!
//! The server runs hyper on a single thread named `bot-metrics`, so it works in a bot with or without an async
//! runtime, and a bot whose own runtime hangs can still be scraped. Pages are rendered on further threads, at most
//! one active per page, so that a slow page never delays another one. An exposition of more than 256 KiB is sent
//! while it is rendered, in pieces, so that it takes a megabyte of memory regardless of its length.
//!
//! | path | answer |
//! | --- | --- |
//! | `/metrics` | the exposition |
//! | `/` | the status page, or without the feature `page` a list of links |
//! | `/status.json` | the [status](crate::status) of the bot, with the feature `page` |
//! | `/catalogue` | the annotated functions and the families, likewise: a page for browsers, otherwise JSON |
//! | `/-/healthy`, `/-/ready` | 200, or 503 with the reason |
//!
//! # Formats
//!
//! The exposition is text unless [`ServerOptions::formats`] offers further [formats](Format), among which each client
//! chooses by its `Accept` header. With the feature `gzip` it is compressed for clients that accept that. Clients that
//! wait for the same variant share one rendering.
//!
//! `/metrics?name[]=NAME&name[]=…` has only the families with these names, or with samples of these names, up to 200; a
//! name that does not exist selects nothing. Such a page is not the scrape for which [`Server::drain`] waits.
//!
//! If a page is not rendered within [`ServerOptions::render_timeout`], or 95 % of the time that a scraper sets in the
//! header `X-Prometheus-Scrape-Timeout-Seconds`, the client gets a 503 that says so.
//!
//! # Limits
//!
//! Only GET and HEAD are answered. Every limit against slow, broken or hostile clients is a field of
//! [`ServerOptions`], with the reason for its default.
//!
//! A scraper that asks once a second or less is served whatever other clients do:
//!
//! - **Connections.** Above [`ServerOptions::max_connections`] a new connection replaces the one with the weakest claim:
//!   one that has not sent a request, then one that sends many requests without a pause, then an idle one, then one
//!   that does not read. So a client that pipelines gets one answer at a time while others wait. One that asks again
//!   after each answer is not replaced while its page is rendered. An address with more than a quarter of the
//!   connections loses its own first, and closes none of another. No connection is refused: if none may be replaced, the
//!   new one waits.
//! - **Processor time.** All clients that wait for a page share one rendering, so that a crowd costs no more than two
//!   clients. The system buffers at most half a megabyte for each client.
//! - **Slow clients.** The rendering of a long page waits for its slowest client if all are slow, and otherwise for 20 ms
//!   in total. After that the rest of the page is kept in memory for the slow ones. Four renderings of a page may wait
//!   for slow clients; if a fifth is requested, they stop waiting.
//! - **Memory.** [`ServerOptions::max_unread_bytes`] limits the bytes that are kept for slow clients. Above it, those that have
//!   accepted nothing for longest are disconnected.
//! - **Descriptors.** If the process has none left, the server accepts with one that it keeps in reserve, and replaces a
//!   connection as above. One that is full of leaked descriptors can still be scraped.
//!
//! # What it does not do
//!
//! It serves HTTP/1.1 alone. Without a [web configuration](crate::guide::securing_the_endpoint) it answers everybody who reaches
//! its address, unencrypted.

mod accept;
mod activity;
mod answer;
mod bot_pages;
mod connection;
mod connections;
mod error;
mod flow;
mod listeners;
mod negotiation;
mod options;
mod outlet;
#[cfg(feature = "page")]
mod page;
mod pages;
mod rendering;
mod scrapes;
mod security;
mod service;
mod site;
mod stop;
mod stream;
#[cfg(test)]
mod tests;
mod thread;
mod unread;
mod visitor;

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{convert::Infallible, io};

pub use self::error::ServeError;
use self::listeners::Listing;
pub use self::options::ServerOptions;
pub(crate) use self::pages::{Delivered, HealthAnswer, Pages};
use self::scrapes::Scrapes;
#[cfg(feature = "operations")]
pub(crate) use self::security::ScraperNeeds;
use self::security::Security;
pub use self::service::{MetricsBody, MetricsService};
use self::stop::StopSignal;
pub use crate::exposition::format::Format;
use crate::report::{LAST_REPORTS, Report, Topic};
use crate::source_line::SourceLine;

/// The time for which [`Server::shutdown`] waits for the thread. The thread itself ends within [`thread::GRACE`],
/// which is shorter; the difference allows for a machine that is too busy to run it.
const LONGEST_SHUTDOWN: Duration = Duration::from_secs(1);

/// A server that is dropped sooner was not bound to a variable: that takes microseconds, and the fastest stop signal
/// takes longer to reach a bot.
const EARLY: Duration = Duration::from_micros(500);

/// Serves the pages on the address, a `host:port`, until the [`Server`] is dropped. A host name is served on each of
/// its addresses that this machine has.
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
    #[cfg(feature = "page")]
    if let Some(name) = options.wrong_host() {
        return Err(ServeError::host_name(&address, name));
    }
    let addresses = resolve(&address).map_err(|cause| ServeError::address(&address, cause))?;
    serve_all(&address, addresses, options, pages, report)
}

/// Serves the pages on all of `addresses`, to which `address` was resolved.
#[track_caller]
fn serve_all(
    address: &str,
    addresses: Vec<SocketAddr>,
    options: ServerOptions,
    pages: Arc<dyn Pages>,
    report: Report,
) -> Result<Server, ServeError> {
    let place = SourceLine::of_caller();
    let security = Security::open(options.web_config.as_deref(), &report)
        .map_err(|cause| ServeError::web_config(address, cause))?;
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
                security: security.clone(),
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
    Ok(Server { listing, began, stop, scrapes, report, security, thread: Some(thread), finished })
}

fn resolve(address: &str) -> io::Result<Vec<SocketAddr>> {
    if address.trim().is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the address is empty"));
    }
    let mut addresses = Vec::new();
    for address in address.to_socket_addrs()? {
        // A hosts file may contain one twice.
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

/// A running server. Dropping it stops it, like [`shutdown`](Server::shutdown).
///
/// Bind it to a variable that lives as long as the bot: `let _server = …`, never `let _ = …`, which stops it at once.
#[must_use = "dropping the server stops it"]
pub struct Server {
    listing: Listing,
    began: Beginning,
    stop: StopSignal,
    scrapes: Scrapes,
    report: Report,
    security: Security,
    thread: Option<JoinHandle<()>>,
    /// Closed when the thread has ended. The lock is never contended; it makes the server `Sync`.
    finished: Mutex<mpsc::Receiver<Infallible>>,
}

/// The time at which a server started, and the line that started it.
struct Beginning {
    at: Instant,
    place: SourceLine,
}

impl Server {
    /// The address that is served, with the actual port if port 0 was requested. It is the first of
    /// [`local_addrs`](Self::local_addrs).
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.listing.addresses()[0]
    }

    /// All addresses that are served, at least one: a host name such as `localhost` may have several. They share one
    /// port.
    #[must_use]
    pub fn local_addrs(&self) -> &[SocketAddr] {
        self.listing.addresses()
    }

    /// The address of its pages for a client on this machine, such as `http://localhost:5000`; the exposition is at
    /// `/metrics` below it.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.security.encrypts() { "https" } else { "http" };
        let address = self.local_addr();
        if address.ip().is_unspecified() {
            // Not every browser understands the unspecified address.
            format!("{scheme}://localhost:{}", address.port())
        } else {
            format!("{scheme}://{address}")
        }
    }

    /// Waits for one more complete scrape, `timeout` at most, and returns whether it came, in which case the scraper
    /// has everything that was recorded before the call. A bot that stops its loops and then calls this loses no
    /// increment:
    ///
    /// ```no_run
    /// # use bot_metrics::{Mode, Settings};
    /// # use std::time::Duration;
    /// # let metrics = Settings::new(Mode::Paper).install()?;
    /// let server = metrics.serve(metrics.settings().address())?;
    /// // … trade until told to stop, then stop what records …
    /// if !server.drain(Duration::from_secs(20)) {
    ///     eprintln!("the last values were not scraped");
    /// }
    /// # Ok::<(), bot_metrics::Error>(())
    /// ```
    ///
    /// A scrape is complete if it was requested with GET after this call, was answered with 200, and its last byte
    /// was passed to the system. A scrape by any client counts, so that if two servers scrape a bot, one of them has
    /// the last values. Set the timeout to more than a scrape interval, and less than the time the supervisor waits
    /// before it kills.
    ///
    /// Blocks its thread: in an async bot call it in `tokio::task::spawn_blocking` or similar. No signal handler is
    /// installed; the bot decides when to call it.
    #[must_use = "returns whether the last values were scraped"]
    pub fn drain(&self, timeout: Duration) -> bool {
        let is_scraped = self.scrapes.one_more(timeout);
        self.report.flush(LAST_REPORTS);
        is_scraped
    }

    /// Stops the server: the port is free at once, answers in progress are finished, and connections that are still
    /// open after 0.8 s are closed. Blocks for at most a second; after an ordinary scrape only for milliseconds.
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

    /// Reports that it was dropped at once, as by `let _ = metrics.serve(…)?`, which rustc suggests for an unused
    /// server.
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
        // After `shutdown` there is no thread.
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
