//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use tokio::net::TcpStream;

use super::ServerOptions;
use super::activity::Activity;
use super::answer::Content;
use super::connections::ConnectionSlot;
use super::patience::Patience;
use super::scrapes::{Handover, Tracked};
use super::site::PageService;
use super::stop::StopListener;
use super::stream::WatchedStream;

const WRITTEN_AT_ONCE: usize = 128 * 1024;

/// Serves until the client leaves, a limit is reached or the server stops. Errors here are caused by the client and are
/// not reported, because a hostile client could fill a disk with them.
pub(super) async fn answer(
    stream: TcpStream,
    slot: ConnectionSlot,
    site: Arc<PageService>,
    options: ServerOptions,
    mut stop: StopListener,
) {
    // An answer is written at once; waiting for more data would only delay its last packet.
    let _ = stream.set_nodelay(true);
    let activity = slot.activity();
    let handover = Handover::default();
    let io = WatchedStream::new(stream, Arc::clone(activity), handover.clone(), options.write_timeout);
    let service = service_fn(|request| respond(request, activity, &site, handover.clone()));
    let patience = Patience::new(Arc::clone(activity), &options);
    let mut connection = pin!(http(&options, patience).serve_connection(io, service));
    if stop.unless_stopped(connection.as_mut()).await.is_none() {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

fn http(options: &ServerOptions, patience: Patience) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(patience)
        .header_read_timeout(options.header_timeout)
        .max_header_size(options.max_header_bytes)
        // The part of a long answer that is buffered before the socket accepts it: by default it is 400 KiB.
        .max_buf_size(WRITTEN_AT_ONCE.max(options.max_header_bytes.saturating_mul(2)))
        // A client that has closed its sending side still gets its answer.
        .half_close(true);
    http
}

/// The body is dropped unread, before anything else: hyper then reads the part that arrived with the header, and closes
/// the connection after the answer if there is more, so that no client can hold it with an endless body.
fn respond<'a>(
    request: Request<Incoming>,
    activity: &Activity,
    site: &'a PageService,
    handover: Handover,
) -> impl Future<Output = Result<Response<Tracked<Content>>, Infallible>> + use<'a> {
    activity.requested();
    let (head, _) = request.into_parts();
    async move { Ok(site.respond(&head, handover).await) }
}
