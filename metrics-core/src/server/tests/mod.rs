//! The server, tested over real loopback sockets.

mod client;
mod descriptors;
mod drain;
mod formats;
mod hostile;
mod lifecycle;
#[cfg(feature = "page")]
mod page;
mod paths;
mod rendering;
#[cfg(all(feature = "tls", feature = "auth"))]
mod security;
mod service;
mod slow;
#[cfg(feature = "page")]
mod status;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[cfg(target_os = "linux")]
use super::serve_all;
use super::{Delivered, HealthAnswer, Pages, Server, ServerOptions, serve};
use crate::exposition::WaitingClients;
use crate::exposition::format::RequestedPage;
use crate::report::Report;

/// Far longer than any step of these tests; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

const EXPOSITION: &str = "# TYPE up gauge\nup 1\n";
const HEALTHY: &str = "healthy\n";

/// Pages with a scripted exposition, the part that varies between tests. The second field counts the renderings that
/// a client has received completely.
struct Script<F>(F, Arc<AtomicUsize>);

impl<F: Fn(&mut dyn io::Write) -> io::Result<()> + Send + Sync + 'static> Pages for Script<F> {
    fn metrics(
        &self,
        _: &RequestedPage,
        _: &WaitingClients,
        out: &mut dyn io::Write,
    ) -> io::Result<Delivered> {
        (self.0)(out)?;
        let delivered = Arc::clone(&self.1);
        Ok(Box::new(move || {
            delivered.fetch_add(1, Relaxed);
        }))
    }

    fn is_live(&self) -> bool {
        false
    }

    fn healthy(&self) -> HealthAnswer {
        HealthAnswer { ok: true, text: "healthy".to_owned() }
    }

    fn ready(&self) -> HealthAnswer {
        HealthAnswer { ok: false, text: "stalled: trading".to_owned() }
    }
}

fn script<F: Fn(&mut dyn io::Write) -> io::Result<()>>(metrics: F) -> Script<F> {
    Script(metrics, Arc::default())
}

/// The reports of a server.
struct Reports {
    report: Report,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Default for Reports {
    fn default() -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        let report = Report::new(Arc::new(move |line: &str| kept.lock().unwrap().push(line.to_owned())));
        Self { report, lines }
    }
}

impl Reports {
    fn hook(&self) -> Report {
        self.report.clone()
    }

    fn lines(&self) -> Vec<String> {
        assert!(self.report.flush(PATIENCE));
        self.lines.lock().unwrap().clone()
    }
}

/// A server on a free loopback port.
struct Served {
    server: Server,
    address: SocketAddr,
    reports: Reports,
    delivered: Arc<AtomicUsize>,
}

fn start(options: ServerOptions, metrics: impl Fn() -> String + Send + Sync + 'static) -> Served {
    start_writing(options, move |out| out.write_all(metrics().as_bytes()))
}

fn start_writing(
    options: ServerOptions,
    metrics: impl Fn(&mut dyn io::Write) -> io::Result<()> + Send + Sync + 'static,
) -> Served {
    let (reports, delivered) = (Reports::default(), Arc::default());
    let pages = Arc::new(Script(metrics, Arc::clone(&delivered)));
    let server = serve("127.0.0.1:0", options, pages, reports.hook()).unwrap();
    Served { address: server.local_addr(), server, reports, delivered }
}

fn start_plain() -> Served {
    start(ServerOptions::new(), || EXPOSITION.to_owned())
}

/// Limits that no test reaches unless it sets them lower.
fn patient() -> ServerOptions {
    ServerOptions::new()
        .header_timeout(PATIENCE * 2)
        .idle_timeout(PATIENCE * 2)
        .write_timeout(PATIENCE * 2)
        .render_timeout(PATIENCE * 2)
}
