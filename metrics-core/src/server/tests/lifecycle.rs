//! The start and the end of the server, and its errors at the start.

use std::error::Error;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use super::client::{ask, connect, get, is_open, read_reply, rest, status};
#[cfg(target_os = "linux")]
use super::serve_all;
use super::{EXPOSITION, PATIENCE, Reports, Server, patient, script, serve, start, start_plain};
use crate::exposition::WaitingClients;
use crate::exposition::format::RequestedPage;
use crate::server::{Delivered, HealthAnswer, Pages, ServeError, ServerOptions};

fn try_serve(address: &str) -> Result<Server, ServeError> {
    try_serve_with(address, ServerOptions::new())
}

fn try_serve_with(address: &str, options: ServerOptions) -> Result<Server, ServeError> {
    let pages = Arc::new(script(|out: &mut dyn std::io::Write| out.write_all(EXPOSITION.as_bytes())));
    serve(address, options, pages, Reports::default().hook())
}

fn failure(address: &str) -> String {
    let error = try_serve(address).unwrap_err();
    assert_eq!(error.requested_address(), address);
    assert!(error.source().unwrap().is::<io::Error>());
    error.to_string()
}

#[test]
fn an_address_in_use_is_named_with_a_solution() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_eq!(
        failure(&address),
        format!(
            "cannot serve metrics on {address}: the address is already in use; \
             stop the process that listens there, or choose another port with METRICS_ADDR"
        )
    );
}

#[test]
fn an_address_that_this_process_serves_already_is_distinguished_from_one_of_another_process() {
    let served = start_plain();
    let address = served.address.to_string();
    let expected = format!(
        "cannot serve metrics on {address}: this process serves metrics there already; \
         keep one server, or choose another port"
    );
    assert_eq!(failure(&address), expected);
    assert!(
        failure(&format!("0.0.0.0:{}", served.address.port()))
            .contains("this process serves metrics there already")
    );
    drop(served);
    drop(try_serve(&address).expect("the port is free again"));
}

/// Loopback addresses that Linux has by default.
#[cfg(target_os = "linux")]
const TWO: [&str; 2] = ["127.0.0.1:0", "127.0.0.2:0"];

#[cfg(target_os = "linux")]
fn serve_each(addresses: &[&str]) -> Result<Server, ServeError> {
    let pages = Arc::new(script(|out: &mut dyn std::io::Write| out.write_all(EXPOSITION.as_bytes())));
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    serve_all("bot:5000", addresses, ServerOptions::new(), pages, Reports::default().hook())
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_is_served_on_all_its_addresses_with_one_port_and_all_end_with_the_server() {
    let server = serve_each(&TWO).unwrap();
    let addresses = server.local_addrs().to_vec();
    assert_eq!(addresses.len(), 2);
    assert_eq!(addresses[0], server.local_addr());
    assert_eq!(addresses[0].port(), addresses[1].port());
    for &address in &addresses {
        assert_eq!(get(address, "/metrics").status, 200);
    }
    server.shutdown();
    assert!(!addresses.into_iter().any(is_served));
}

#[cfg(target_os = "linux")]
#[test]
fn an_address_that_the_machine_lacks_is_left_out_of_those_of_a_name() {
    let server = serve_each(&["192.0.2.1:0", TWO[0]]).unwrap();
    assert_eq!(server.local_addrs(), [server.local_addr()]);
    assert_eq!(get(server.local_addr(), "/metrics").status, 200);
}

/// A client of that address would get the metrics of another process.
#[cfg(target_os = "linux")]
#[test]
fn a_name_with_one_address_in_use_is_not_served_at_all_and_that_address_is_named() {
    let taken = TcpListener::bind(TWO[1]).unwrap();
    let port = taken.local_addr().unwrap().port();
    let error =
        serve_each(&[&format!("127.0.0.1:{port}"), &format!("127.0.0.2:{port}")]).unwrap_err().to_string();
    let expected =
        format!("cannot serve metrics on bot:5000: 127.0.0.2:{port}: the address is already in use; ");
    assert!(error.starts_with(&expected), "{error}");
    assert!(!is_served(SocketAddr::from(([127, 0, 0, 1], port))));
}

#[test]
fn an_invalid_address_is_quoted_with_an_example() {
    assert_eq!(
        failure(""),
        "cannot serve metrics on \"\": the address is empty; \
         write the address as host:port, for example 0.0.0.0:5000 or [::1]:5000"
    );
    for address in ["5000", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:http", "a b"] {
        let failure = failure(address);
        assert!(failure.contains(address) && failure.contains("for example 0.0.0.0:5000"), "{failure}");
    }
}

#[test]
fn an_address_is_escaped_and_cut_in_messages() {
    let long = failure(&format!("{}:5000", "x".repeat(10_240)));
    assert!(long.contains("x… (10245 bytes)") && long.len() < 500, "{long}");
    let hostile = failure("\x1b[2J:5000");
    assert!(hostile.contains("\"\\u{1b}[2J:5000\"") && !hostile.contains('\x1b'), "{hostile}");
}

#[test]
fn an_address_of_another_machine_is_refused() {
    assert_eq!(
        failure("192.0.2.1:0"),
        "cannot serve metrics on 192.0.2.1:0: this machine has no such address; 0.0.0.0 listens on all that it has"
    );
}

#[test]
fn a_limit_of_zero_is_rejected_by_name() {
    let options = ServerOptions::new;
    for (name, options) in [
        ("header_timeout", options().header_timeout(Duration::ZERO)),
        ("write_timeout", options().write_timeout(Duration::ZERO)),
        ("render_timeout", options().render_timeout(Duration::ZERO)),
        ("max_header_bytes", options().max_header_bytes(0)),
    ] {
        let text = try_serve_with("127.0.0.1:0", options).unwrap_err().to_string();
        assert!(text.contains(&format!("`ServerOptions::{name}` is zero")), "{text}");
    }
}

#[test]
fn an_infinite_limit_is_accepted() {
    let options = ServerOptions::new().max_header_bytes(usize::MAX).max_unread_bytes(usize::MAX);
    let served = start(options.max_connections(usize::MAX), || EXPOSITION.to_owned());
    assert_eq!(get(served.address, "/metrics").status, 200);
}

#[test]
fn the_server_can_be_shared_and_shows_its_real_port() {
    fn shared<T: Send + Sync + 'static>(_: &T) {}
    let served = start_plain();
    shared(&served.server);
    assert_ne!(served.address.port(), 0);
    assert!(format!("{:?}", served.server).contains(&served.address.to_string()));
}

#[test]
fn it_starts_and_ends_within_an_async_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let server = try_serve("127.0.0.1:0").unwrap();
        assert_eq!(get(server.local_addr(), "/metrics").status, 200);
        assert!(try_serve(&server.local_addr().to_string()).is_err());
    });
}

fn is_served(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok()
}

#[test]
fn shutdown_closes_idle_connections_and_frees_the_port() {
    let served = start(patient(), || EXPOSITION.to_owned());
    let silent = connect(served.address);
    let mut idle = connect(served.address);
    ask(&mut idle, "GET", "/metrics");
    read_reply(&mut idle, "GET");
    served.server.shutdown();
    assert!(!is_served(served.address));
    assert!(!is_open(&silent) && !is_open(&idle));
    let again = try_serve(&served.address.to_string()).unwrap();
    assert_eq!(get(again.local_addr(), "/metrics").status, 200);
}

#[test]
fn dropping_finishes_the_answers_in_progress() {
    let (entered, rendering) = mpsc::channel();
    let served = start(patient(), move || {
        entered.send(()).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        EXPOSITION.to_owned()
    });
    let mut scrape = connect(served.address);
    ask(&mut scrape, "GET", "/metrics");
    rendering.recv().unwrap();
    drop(served.server);
    assert!(!is_served(served.address));
    let said = rest(&mut scrape);
    assert!(status(&said) == 200 && said.ends_with(EXPOSITION), "{said}");
}

#[test]
fn shutdown_does_not_wait_for_a_page_that_hangs() {
    let (entered, rendering) = mpsc::channel();
    let (leave, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let served = start(patient(), move || {
        entered.send(()).unwrap();
        let _ = gate.lock().unwrap().recv();
        EXPOSITION.to_owned()
    });
    let mut scrape = connect(served.address);
    ask(&mut scrape, "GET", "/metrics");
    rendering.recv().unwrap();
    let start = Instant::now();
    served.server.shutdown();
    assert!(start.elapsed() < PATIENCE / 2);
    assert!(!is_served(served.address));
    assert_eq!(status(&rest(&mut scrape)), 0);
    drop(leave);
}

/// Pages that are never requested.
#[derive(Default)]
struct Comparing(AtomicUsize);

impl Pages for Comparing {
    fn metrics(&self, _: &RequestedPage, _: &WaitingClients, _: &mut dyn io::Write) -> io::Result<Delivered> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn compare_clocks(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn is_live(&self) -> bool {
        false
    }

    fn healthy(&self) -> HealthAnswer {
        HealthAnswer { ok: true, text: String::new() }
    }

    fn ready(&self) -> HealthAnswer {
        self.healthy()
    }
}

#[test]
fn the_clocks_are_compared_periodically_without_requests() {
    let pages = Arc::new(Comparing::default());
    let server = serve("127.0.0.1:0", patient(), Arc::clone(&pages) as _, Reports::default().hook()).unwrap();
    let start = Instant::now();
    while pages.0.load(Relaxed) < 3 {
        assert!(start.elapsed() < PATIENCE, "they are not");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(server);
}
