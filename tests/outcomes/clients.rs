//! The class of each failure of an HTTP client, tested with a socket that sends given bytes.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use bot_metrics::prelude::*;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use crate::labels::{self, Operation};
use crate::seen::{counts, ends, metrics};

/// The server's behaviour after its last byte.
#[derive(Clone, Copy, Debug)]
enum Then {
    Closes,
    Resets,
    /// Waits for the client to close the connection.
    Waits,
}

/// Answers one request with these bytes.
fn answer(bytes: &'static str, then: Then) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut byte = [0];
        // Reads the whole request, because closing with unread bytes would reset the connection.
        while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() > 0 {
            request.push(byte[0]);
        }
        stream.write_all(bytes.as_bytes()).unwrap();
        match then {
            Then::Closes => {}
            Then::Resets => reset(&stream),
            Then::Waits => while stream.read(&mut byte).is_ok_and(|read| read > 0) {},
        }
    });
    address
}

/// Resets the connection on close, so that the peer gets an error.
fn reset(stream: &TcpStream) {
    use std::os::fd::AsRawFd as _;
    // Written bytes have been sent by then; the kernel would discard unsent ones.
    thread::sleep(Duration::from_millis(50));
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    let size = libc::socklen_t::try_from(size_of_val(&linger)).unwrap();
    // SAFETY: the descriptor is open, and the option is a `linger` of this size.
    let set = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            (&raw const linger).cast(),
            size,
        )
    };
    assert_eq!(set, 0, "{}", std::io::Error::last_os_error());
}

/// Answers that never arrive completely, and their class.
const BROKEN: [(&str, Then, ErrorClass); 9] = [
    ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"a\": ", Then::Closes, ErrorClass::Transport),
    ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"a\": ", Then::Resets, ErrorClass::Transport),
    ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"a\": ", Then::Waits, ErrorClass::Timeout),
    ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", Then::Closes, ErrorClass::Transport),
    ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\n{\"", Then::Closes, ErrorClass::Transport),
    ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n", Then::Closes, ErrorClass::Transport),
    ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n", Then::Waits, ErrorClass::Timeout),
    ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nno size\r\n", Then::Waits, ErrorClass::Transport),
    ("HTTP/1.1 200 OK\r\ncontent-le", Then::Closes, ErrorClass::Transport),
];

/// Answers without a body, and their class.
const WITHOUT_BODY: [(&str, Then, ErrorClass); 4] = [
    ("", Then::Closes, ErrorClass::Transport),
    ("", Then::Resets, ErrorClass::Transport),
    ("", Then::Waits, ErrorClass::Timeout),
    ("no HTTP at all\r\n\r\n", Then::Waits, ErrorClass::Transport),
];

/// The ways to read a body.
const METHODS: [&str; 4] = ["json", "text", "bytes", "chunk"];

async fn read(response: reqwest::Response, method: &str) -> reqwest::Result<()> {
    match method {
        "json" => response.json::<serde_json::Value>().await.map(drop),
        "text" => response.text().await.map(drop),
        "bytes" => response.bytes().await.map(drop),
        _ => {
            let mut response = response;
            while response.chunk().await?.is_some() {}
            Ok(())
        }
    }
}

/// Clients whose timeouts wrap the body in different ways.
fn clients() -> [reqwest::Client; 2] {
    // Long enough for complete answers on a busy machine.
    let timeout = Duration::from_secs(3);
    [reqwest::Client::builder().timeout(timeout), reqwest::Client::builder().read_timeout(timeout)]
        .map(|client| client.no_proxy().build().unwrap())
}

#[exchange_call(op = "broken")]
async fn get(client: reqwest::Client, address: SocketAddr, method: &str) -> reqwest::Result<()> {
    let response = client.get(format!("http://{address}/")).send().await?.error_for_status()?;
    read(response, method).await
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_a_decoding_error() {
    metrics();
    let without_timeout = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut calls = JoinSet::new();
    for (client, has_timeout) in
        clients().map(|client| (client, true)).into_iter().chain([(without_timeout, false)])
    {
        for (bytes, then, class) in BROKEN.into_iter().chain(WITHOUT_BODY) {
            for method in METHODS.into_iter().filter(|_| has_timeout || class != ErrorClass::Timeout) {
                let client = client.clone();
                calls.spawn(async move {
                    let error = get(client, answer(bytes, then), method).await.unwrap_err();
                    assert_eq!(error.class(), class, "{method}, {bytes:?}, {then:?}: {error:?}");
                    class
                });
            }
        }
    }
    let classes = calls.join_all().await;
    let of = |class| u32::try_from(classes.iter().filter(|of| **of == class).count()).unwrap();
    let expected = [("transport", of(ErrorClass::Transport)), ("timeout", of(ErrorClass::Timeout))];
    assert_eq!(ends(Operation::Broken), counts(expected), "each of them is an outage");
}

#[tokio::test]
async fn a_complete_answer_has_the_class_of_its_content_or_status() {
    for client in clients() {
        let get = async |bytes| {
            let address = answer(bytes, Then::Closes);
            client.get(format!("http://{address}/")).send().await?.error_for_status()?.json::<u8>().await
        };
        let cut = get("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{").await.unwrap_err();
        assert_eq!(cut.class(), ErrorClass::Decode, "{cut:?}");
        let other = get("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ntrue").await.unwrap_err();
        assert_eq!(other.class(), ErrorClass::Decode, "{other:?}");
        // The status is known even if the body is incomplete.
        let failed = get("HTTP/1.1 503 No\r\ncontent-length: 100\r\n\r\n").await.unwrap_err();
        assert_eq!(failed.class(), ErrorClass::ServerError, "{failed:?}");
        assert_eq!(get("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n7").await.unwrap(), 7);
    }
}

#[tokio::test]
async fn an_unsent_request_is_classified_by_its_reason() {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = client.get(format!("http://{closed}/")).send().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Transport, "{error:?}");
    let error = client.get("no address").send().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Other, "{error:?}");
}

#[tokio::test]
async fn an_error_inside_an_io_error_keeps_its_class() {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for (bytes, class) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", ErrorClass::Transport),
        ("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{", ErrorClass::Decode),
    ] {
        let response = client.get(format!("http://{}/", answer(bytes, Then::Closes))).send().await.unwrap();
        let error = std::io::Error::other(response.json::<u8>().await.unwrap_err());
        assert_eq!(error.class(), class, "{error:?}");
        assert_eq!(std::io::Error::other(error).class(), class);
    }
    assert_eq!(std::io::Error::other("an unknown reason").class(), ErrorClass::Other);
}

async fn get_by_hyper(address: SocketAddr) -> hyper::Result<()> {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = hyper::Request::get("/").header("host", "exchange").body(Empty::<Bytes>::new()).unwrap();
    sender.send_request(request).await?.into_body().collect().await.map(drop)
}

#[tokio::test]
async fn hyper_s_errors_have_the_same_classes() {
    for (bytes, then, class) in BROKEN.into_iter().chain(WITHOUT_BODY) {
        if class == ErrorClass::Transport {
            let error = get_by_hyper(answer(bytes, then)).await.unwrap_err();
            assert_eq!(error.class(), class, "{bytes:?}, {then:?}: {error:?}");
        }
    }
}

/// A connection that the kernel gives up.
#[derive(Debug)]
struct GivesUp(ErrorKind);

impl hyper::rt::Read for GivesUp {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        _: hyper::rt::ReadBufCursor<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Err(self.0.into()))
    }
}

impl hyper::rt::Write for GivesUp {
    fn poll_write(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        std::task::Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn poll_shutdown(
        self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        self.poll_flush(context)
    }
}

#[tokio::test]
async fn a_connection_that_the_kernel_gives_up_has_timed_out() {
    for (kind, class) in
        [(ErrorKind::TimedOut, ErrorClass::Timeout), (ErrorKind::ConnectionReset, ErrorClass::Transport)]
    {
        let (sender, connection) =
            hyper::client::conn::http1::handshake::<_, Empty<Bytes>>(GivesUp(kind)).await.unwrap();
        let error = connection.await.unwrap_err();
        drop(sender);
        assert_eq!(error.class(), class, "{error:?}");
    }
}
