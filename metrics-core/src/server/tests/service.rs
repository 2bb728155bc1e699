//! The pages mounted in another server, which is not needed here: the tests call the service as that server would.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use http_body_util::{BodyExt as _, Empty};
use hyper::http::request::Builder;
use hyper::service::Service as _;
use hyper::{Request, Response, StatusCode};

use super::*;
use crate::server::{MetricsBody, MetricsService};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Without any runtime, as in a server that does not use tokio.
fn wait<F: Future>(future: F) -> F::Output {
    let (mut future, waker) = (pin!(future), Waker::from(Arc::new(Unpark(thread::current()))));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        thread::park();
    }
}

fn service(metrics: impl Fn(&mut dyn io::Write) -> io::Result<()> + Send + Sync + 'static) -> MetricsService {
    let pages = Arc::new(script(metrics));
    MetricsService::start(pages, ServerOptions::new(), Reports::default().hook()).unwrap()
}

fn call(service: &MetricsService, method: &str, path: &str) -> Response<MetricsBody> {
    call_with(service, Request::builder().method(method).uri(path).header("host", "localhost"))
}

pub(super) fn call_with(service: &MetricsService, request: Builder) -> Response<MetricsBody> {
    let Ok(response) = wait(service.call(request.body(Empty::<bytes::Bytes>::new()).unwrap()));
    response
}

pub(super) fn body(response: Response<MetricsBody>) -> String {
    let bytes = wait(response.into_body().collect()).unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_service_has_the_pages_and_answers_of_the_server() {
    let service = service(|out| out.write_all(EXPOSITION.as_bytes()));
    for (method, path, status, text) in [
        ("GET", "/metrics", 200, EXPOSITION),
        ("GET", "/-/healthy", 200, HEALTHY),
        ("GET", "/-/ready", 503, "stalled: trading\n"),
        ("POST", "/metrics", 405, "method not allowed; allowed: GET, HEAD\n"),
    ] {
        let response = call(&service, method, path);
        assert_eq!(response.status(), StatusCode::from_u16(status).unwrap(), "{method} {path}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(body(response), text);
    }
    assert_eq!(call(&service, "GET", "/other").status(), StatusCode::NOT_FOUND);
}

#[test]
fn a_long_page_is_streamed_and_outlives_the_service() {
    let line = "orders{side=\"buy\"} 1\n";
    let service = service(move |out| (0..100_000).try_for_each(|_| out.write_all(line.as_bytes())));
    let response = call(&service, "GET", "/metrics");
    assert_eq!(body(response), line.repeat(100_000));
    let response = call(&service, "GET", "/metrics");
    drop(service);
    drop(response);
}

#[test]
fn a_drain_waits_for_a_scrape_that_is_read_to_its_end() {
    let service = service(|out| out.write_all(EXPOSITION.as_bytes()));
    assert!(!service.drain(Duration::ZERO));
    thread::scope(|scope| {
        let drained = scope.spawn(|| service.drain(PATIENCE));
        while !drained.is_finished() {
            assert_eq!(body(call(&service, "GET", "/metrics")), EXPOSITION);
        }
        assert!(drained.join().unwrap());
    });
    thread::scope(|scope| {
        let drained = scope.spawn(|| service.drain(Duration::from_millis(200)));
        while !drained.is_finished() {
            drop(call(&service, "GET", "/metrics"));
            assert_eq!(body(call(&service, "GET", "/-/healthy")), HEALTHY);
        }
        assert!(!drained.join().unwrap(), "no body was read");
    });
}
