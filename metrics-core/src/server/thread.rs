//! The thread of the server: its runtime, its start and its end.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
#[cfg(feature = "page")]
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::MissedTickBehavior;

use super::accept::Acceptor;
use super::connections::Connections;
use super::listeners;
use super::rendering::RENDERINGS;
use super::scrapes::Scrapes;
use super::security::Security;
use super::site::{PAGES, PageService};
use super::stop::StopSignal;
use super::unread::Unread;
use super::{Pages, ServerOptions};
#[cfg(feature = "page")]
use crate::panics::contained;
use crate::report::Report;

/// The time for which answers in progress may continue once the server is stopped.
pub(super) const GRACE: Duration = Duration::from_millis(800);

/// The time for which an idle rendering thread is kept: longer than any common scrape interval, so that a scrape
/// needs no new thread and works on a machine that has none left.
const KEEP_RENDERING_THREADS: Duration = Duration::from_secs(60 * 60);

/// The threads that read the web configuration and check a password.
const SECURITY: usize = 2;

/// The thread that samples the history.
const SAMPLING: usize = if cfg!(feature = "page") { 1 } else { 0 };

/// The time for which a recording around a suspend may be dated before it; the comparison costs next to nothing.
const COMPARE_CLOCKS_EVERY: Duration = Duration::from_secs(1);

/// Everything that the thread needs.
pub(super) struct Work {
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) options: ServerOptions,
    pub(super) pages: Arc<dyn Pages>,
    pub(super) report: Report,
    pub(super) stop: StopSignal,
    pub(super) scrapes: Scrapes,
    pub(super) security: Security,
}

/// The reason why the server did not start.
pub(super) enum StartError {
    Runtime(io::Error),
    Bind { at: Option<SocketAddr>, cause: io::Error },
}

/// Sent once: the addresses that are served, or the reason why there is none.
pub(super) type StartSender = mpsc::SyncSender<Result<Vec<SocketAddr>, StartError>>;

impl Work {
    /// Serves until the stop signal; first sends the addresses that are served.
    pub(super) fn run(self, started: &StartSender) {
        match runtime() {
            Ok(runtime) => {
                runtime.block_on(self.serve(started));
                // A page that hangs must not delay the end: its thread is left behind.
                runtime.shutdown_background();
            }
            Err(cause) => tell(started, Err(StartError::Runtime(cause))),
        }
    }

    async fn serve(self, started: &StartSender) {
        let (listeners, addresses) = match listeners::bind(&self.addresses) {
            Ok(bound) => bound.into_iter().unzip(),
            Err((at, cause)) => return tell(started, Err(StartError::Bind { at, cause })),
        };
        let acceptor = self.acceptor();
        // It ends with the runtime.
        tokio::spawn(every_second(Arc::clone(&self.pages)));
        tokio::spawn(self.security.clone().watch());
        tell(started, Ok(addresses));
        let stop = self.stop;
        acceptor.run(listeners).await;
        // After that the end of the runtime closes all open connections.
        let _ = tokio::time::timeout(GRACE, stop.heeded()).await;
    }

    fn acceptor(&self) -> Acceptor {
        let connections = Connections::new(self.options.max_connections);
        let unread = Unread::new(&self.options, Arc::clone(&connections));
        let site =
            PageService::start(&self.pages, &self.options, &self.report, self.scrapes.clone(), &unread);
        Acceptor {
            connections,
            site: Arc::new(site),
            options: self.options.clone(),
            report: self.report.clone(),
            stop: self.stop.clone(),
            security: self.security.clone(),
        }
    }
}

/// Compares the clocks, and samples the history.
pub(super) async fn every_second(pages: Arc<dyn Pages>) {
    let mut turns = tokio::time::interval(COMPARE_CLOCKS_EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    #[cfg(feature = "page")]
    let mut sampling = Sampling::default();
    loop {
        turns.tick().await;
        pages.compare_clocks();
        #[cfg(feature = "page")]
        sampling.begin(&pages);
    }
}

/// The last sampling of the history. It runs on a thread that renders pages, since it may wait for locks.
#[cfg(feature = "page")]
#[derive(Default)]
struct Sampling(Option<JoinHandle<()>>);

#[cfg(feature = "page")]
impl Sampling {
    /// Begins the next one. If the last one still waits, or the system has no thread left, the history has a gap.
    fn begin(&mut self, pages: &Arc<dyn Pages>) {
        if self.0.as_ref().is_some_and(|last| !last.is_finished()) {
            return;
        }
        let pages = Arc::clone(pages);
        self.0 = contained(|| spawn_blocking(move || pages.sample())).ok();
    }
}

pub(super) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .thread_name("metrics-render")
        .max_blocking_threads(PAGES * RENDERINGS + SECURITY + SAMPLING)
        .thread_keep_alive(KEEP_RENDERING_THREADS)
        .build()
}

fn tell(started: &StartSender, news: Result<Vec<SocketAddr>, StartError>) {
    // The caller waits for exactly this message; it can only be gone if its thread was killed.
    let _ = started.send(news);
}
