//! One connection, from its first byte to its last.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::ServerOptions;
use super::activity::ConnectionTimer;
use super::answer::Content;
use super::connections::ConnectionSlot;
use super::scrapes::{Handover, Tracked};
use super::security::Security;
use super::site::PageService;
use super::stop::StopListener;
use super::stream::WatchedStream;
use super::visitor::Visitor;

const WRITTEN_AT_ONCE: usize = 128 * 1024;

/// The part of an answer that the system buffers; Linux takes twice as much. By default it would buffer megabytes for a
/// client that does not read, and copying them would delay all others. With a round trip of 100 ms this allows 5 MB
/// per second.
const BUFFERED_BY_SYSTEM: usize = 256 * 1024;

/// A connection, and what its answers are made of.
pub(super) struct Connection {
    pub(super) slot: ConnectionSlot,
    pub(super) from: SocketAddr,
    pub(super) security: Security,
    pub(super) site: Arc<PageService>,
    pub(super) options: ServerOptions,
}

impl Connection {
    /// Serves until the client leaves, a limit is reached or the server stops. Errors here are caused by the client
    /// and are not reported, because a hostile client could fill a disk with them.
    pub(super) async fn answer(self, stream: TcpStream, mut stop: StopListener) {
        // An answer is written at once; waiting for more data would only delay its last packet.
        let _ = stream.set_nodelay(true);
        let _ = SockRef::from(&stream).set_send_buffer_size(BUFFERED_BY_SYSTEM);
        let version = self.security.version();
        let port = stream.local_addr().map_or(0, |address| address.port());
        let transport = self.security.transport(stream, self.from, self.slot.activity());
        let handshake = timeout(self.options.header_timeout, transport);
        let Some(Ok(Some(stream))) = stop.unless_stopped(handshake).await else { return };
        let activity = self.slot.activity();
        let handover = Handover::default();
        let stream = WatchedStream::new(
            stream,
            Arc::clone(activity),
            handover.clone(),
            self.options.write_timeout,
            self.security.clone(),
        );
        let service = service_fn(|request| self.respond(request, port, handover.clone(), version));
        let timer = ConnectionTimer::new(Arc::clone(activity), &self.options);
        let mut connection = pin!(http(&self.options, timer).serve_connection(TokioIo::new(stream), service));
        if stop.unless_stopped(connection.as_mut()).await.is_none() {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }

    fn visitor(&self, port: u16) -> Visitor {
        if self.security.keeps_others_out() {
            Visitor::Authenticated
        } else {
            Visitor::At(self.from.ip(), port)
        }
    }

    /// The body is dropped unread, before anything else: hyper then reads the part that arrived with the header, and
    /// closes the connection after the answer if there is more, so that no client can hold it with an endless body.
    fn respond(
        &self,
        request: Request<Incoming>,
        port: u16,
        handover: Handover,
        version: u64,
    ) -> impl Future<Output = Result<Response<Tracked<Content>>, ConfigurationChanged>> {
        self.slot.activity().requested();
        let (head, _) = request.into_parts();
        async move {
            if version != self.security.version() {
                return Err(ConfigurationChanged);
            }
            let mut response = match self.security.refusal(&head, self.from).await {
                Some(answer) => answer.into_response(None).map(|body| Tracked::new(body, None, handover)),
                None => self.site.respond(&head, self.visitor(port), handover).await,
            };
            self.security.add_headers(&mut response);
            Ok(response)
        }
    }
}

/// Closes a connection that began under another version of the web configuration without an answer, so that neither a
/// certificate that is no longer accepted nor a connection without encryption gets one. Scrapers connect again.
#[derive(Debug, thiserror::Error)]
#[error("the web configuration has changed")]
struct ConfigurationChanged;

fn http(options: &ServerOptions, timer: ConnectionTimer) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(timer)
        .header_read_timeout(options.header_timeout)
        .max_header_size(options.max_header_bytes)
        // The part of a long answer that is buffered before the socket accepts it: by default it is 400 KiB.
        .max_buf_size(WRITTEN_AT_ONCE.max(options.max_header_bytes.saturating_mul(2)))
        // A client that has closed its sending side still gets its answer.
        .half_close(true);
    http
}
