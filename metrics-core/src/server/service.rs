//! The pages as a service, for a bot that has an HTTP server of its own.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::answer::{Answer, Content};
use super::connections::Connections;
use super::scrapes::{Handover, Scrapes, Tracked};
use super::site::PageService;
use super::stop::StopSignal;
use super::thread::{every_second, runtime};
use super::unread::Unread;
use super::visitor::Visitor;
use super::{Pages, ServerOptions};
use crate::report::Report;

/// The pages of a bot as a service, to mount in its own HTTP server: `/metrics`, `/`, `/-/healthy` and `/-/ready`, and with
/// the feature `page` `/status.json` and `/catalogue`. It is a [tower](https://docs.rs/tower-service) `Service`, as axum
/// takes it, and one of hyper. Clones share it.
///
/// ```no_run
/// # use bot_metrics::{Mode, Settings};
/// # use bot_metrics::server::MetricsService;
/// let metrics = Settings::from_env()?.install()?;
/// let service: MetricsService = metrics.service()?;
/// // let router = axum::Router::new().route_service("/metrics", service.clone()).nest_service("/bot", service);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Pages are rendered on separate threads, like those of [`Metrics::serve`](crate::Metrics::serve), in the formats that
/// [`ServerOptions`] offers. Connections, their limits, encryption and authentication are those of the bot's server, and so
/// is the memory of answers that clients do not read: [`ServerOptions::max_unread_bytes`] does not limit it here.
///
/// It does not know the addresses of its clients. In live mode `/`, `/status.json` and `/catalogue` therefore answer with a
/// 403 unless `ServerOptions::trust_clients` says that the bot's server keeps others out.
#[derive(Clone)]
pub struct MetricsService(Arc<Mounted>);

struct Mounted {
    site: Arc<PageService>,
    runtime: Handle,
    scrapes: Scrapes,
    stop: StopSignal,
}

/// The body of an answer of a [`MetricsService`].
pub struct MetricsBody(Tracked<Content>);

type Answering = Pin<Box<dyn Future<Output = Result<Response<MetricsBody>, Infallible>> + Send>>;

impl MetricsService {
    pub(super) fn start(pages: Arc<dyn Pages>, options: ServerOptions, report: Report) -> io::Result<Self> {
        let (started, start) = mpsc::sync_channel(1);
        let (stop, scrapes) = (StopSignal::new(), Scrapes::default());
        let (stopped, counted) = (stop.listen(), scrapes.clone());
        std::thread::Builder::new().name("bot-metrics".to_owned()).spawn(move || {
            let runtime = match runtime() {
                Ok(runtime) => runtime,
                Err(cause) => return drop(started.send(Err(cause))),
            };
            let inside = runtime.enter();
            let unread = Unread::new(&options, Connections::new(options.max_connections));
            let site = PageService::start(&pages, &options, &report, counted, &unread);
            tokio::spawn(every_second(pages));
            drop(inside);
            let _ = started.send(Ok((Arc::new(site), runtime.handle().clone())));
            runtime.block_on(stopped.stopped());
            // A page that hangs must not delay the end.
            runtime.shutdown_background();
        })?;
        let (site, runtime) =
            start.recv().unwrap_or_else(|_| Err(io::Error::other("its thread ended at once")))?;
        Ok(Self(Arc::new(Mounted { site, runtime, scrapes, stop })))
    }

    /// Waits for one more complete scrape, as [`Server::drain`](super::Server::drain) does. Here a scrape is complete
    /// when the bot's server has taken its last byte.
    #[must_use = "returns whether the last values were scraped"]
    pub fn drain(&self, timeout: Duration) -> bool {
        self.0.scrapes.one_more(timeout)
    }

    fn answer(&self, head: Parts) -> Answering {
        let site = Arc::clone(&self.0.site);
        let answer = async move { site.respond(&head, Visitor::Unknown, Handover::without_a_stream()).await };
        let answer = self.0.runtime.spawn(answer);
        let unless_left = AbortOnDrop(answer.abort_handle());
        // Keeps the threads that render until the answer is complete.
        let service = self.clone();
        Box::pin(async move {
            let answer = answer.await.unwrap_or_else(|_| {
                let text = "the page broke off";
                let answer = Answer::text(StatusCode::INTERNAL_SERVER_ERROR, text).into_response(None);
                answer.map(|body| Tracked::new(body, None, Handover::without_a_stream()))
            });
            drop((service, unless_left));
            Ok(answer.map(MetricsBody))
        })
    }
}

/// Ends the work for a client that has left.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        self.stop.raise();
    }
}

impl<B> tower_service::Service<Request<B>> for MetricsService {
    type Response = Response<MetricsBody>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Answering {
        self.answer(request.into_parts().0)
    }
}

impl<B> hyper::service::Service<Request<B>> for MetricsService {
    type Response = Response<MetricsBody>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<B>) -> Answering {
        self.answer(request.into_parts().0)
    }
}

impl Body for MetricsBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl fmt::Debug for MetricsService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsService").finish_non_exhaustive()
    }
}

impl fmt::Debug for MetricsBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsBody").finish_non_exhaustive()
    }
}
