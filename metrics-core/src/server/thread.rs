//! The thread of the server: its runtime, its start and its end.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use super::accept::Acceptor;
use super::connections::Connections;
use super::rendering::RENDERINGS;
use super::scrapes::Scrapes;
use super::site::{PAGES, Site};
use super::stop::StopSignal;
use super::unread::Unread;
use super::{Pages, ServerOptions};
use crate::report::Report;

/// How long answers under way may take to finish once the server is to stop.
pub(super) const GRACE: Duration = Duration::from_millis(800);

/// How long an idle rendering thread is kept: longer than any scrape interval in use, so that a scrape needs
/// no new thread and works on a machine that has none left to give.
const KEEP_RENDERING_THREADS: Duration = Duration::from_hours(1);

/// All that the thread needs.
pub(super) struct Work {
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) options: ServerOptions,
    pub(super) pages: Arc<dyn Pages>,
    pub(super) report: Report,
    pub(super) stop: StopSignal,
    pub(super) scrapes: Scrapes,
}

/// Why the server did not start.
pub(super) enum StartError {
    Runtime(io::Error),
    Bind(io::Error),
}

/// Told once: the address that is served, or why there is none.
pub(super) type Started = mpsc::SyncSender<Result<SocketAddr, StartError>>;

impl Work {
    /// Serves until the signal to stop; tells first which address is served.
    pub(super) fn run(self, started: &Started) {
        match runtime() {
            Ok(runtime) => {
                runtime.block_on(self.serve(started));
                // A page that hangs must not hold up the end: its thread is left behind.
                runtime.shutdown_background();
            }
            Err(cause) => tell(started, Err(StartError::Runtime(cause))),
        }
    }

    async fn serve(self, started: &Started) {
        let (listener, address) = match bind(&self.addresses).await {
            Ok(bound) => bound,
            Err(cause) => return tell(started, Err(StartError::Bind(cause))),
        };
        let acceptor = self.acceptor();
        tell(started, Ok(address));
        let stop = self.stop;
        acceptor.run(listener).await;
        // Too late for the rest: the runtime's end closes what is still open.
        let _ = tokio::time::timeout(GRACE, stop.heeded()).await;
    }

    fn acceptor(&self) -> Acceptor {
        let connections = Connections::new(self.options.max_connections);
        let unread = Unread::new(&self.options, Arc::clone(&connections));
        let site = Site::start(&self.pages, &self.options, &self.report, self.scrapes.clone(), &unread);
        Acceptor {
            connections,
            site: Arc::new(site),
            options: self.options.clone(),
            report: self.report.clone(),
            stop: self.stop.clone(),
        }
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .thread_name("metrics-render")
        .max_blocking_threads(PAGES * RENDERINGS)
        .thread_keep_alive(KEEP_RENDERING_THREADS)
        .build()
}

async fn bind(addresses: &[SocketAddr]) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(addresses).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

fn tell(started: &Started, news: Result<SocketAddr, StartError>) {
    // The caller waits for exactly this; it can only be gone if its thread was killed.
    let _ = started.send(news);
}
