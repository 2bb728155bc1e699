//! Users, passwords and tokens.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpStream};

use super::*;
use crate::server::tests::client::get;

#[test]
fn every_page_asks_for_a_password_and_says_how() {
    let (served, _folder) = with_users(&[("ops", "example")]);
    for path in ["/", "/-/healthy", "/-/ready", "/other"] {
        let reply = get(served.address, path);
        assert_eq!(reply.status, 401, "{path}");
        assert_eq!(reply.header("www-authenticate"), Some("Basic realm=\"bot-metrics\", charset=\"UTF-8\""));
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    }
    assert_eq!(served.reports.lines(), [""; 0], "a browser asks without a password first");
    for _ in 0..3 {
        assert_eq!(get(served.address, "/metrics").status, 401);
    }
    let told = "a client at 127.0.0.1 was refused: it sent no user and no password";
    assert_eq!(served.reports.lines(), [told], "a scraper without a password is reported once");
    assert_eq!(login(served.address, &basic("ops", "example")).body, EXPOSITION);
}

#[test]
fn wrong_users_and_passwords_are_refused_and_reported_once() {
    let (served, _folder) = with_users(&[("ops", "example")]);
    let long = format!("example{}", "x".repeat(100));
    for wrong in [
        basic("ops", "exampl"),
        basic("ops", ""),
        basic("other", "example"),
        basic("ops", &long),
        "Bearer example".to_owned(),
        "Basic !".to_owned(),
        "Basic".to_owned(),
        "Digest x".to_owned(),
    ] {
        assert_eq!(login(served.address, &wrong).status, 401, "{wrong}");
    }
    let expected = "a client at 127.0.0.1 was refused: its user or password is wrong";
    assert_eq!(served.reports.lines(), [expected]);
}

/// bcrypt reads no more than 72 bytes, so that a longer password would be accepted with any end.
#[test]
fn a_password_of_more_than_72_bytes_is_refused() {
    for (length, status) in [(71, 200), (72, 401), (80, 401)] {
        let password = "x".repeat(length);
        // With the NUL at its end, bcrypt reads 71 letters of a password.
        let (served, _folder) = with_hashes(&[("ops", hash(&"x".repeat(length.min(72))))]);
        assert_eq!(login(served.address, &basic("ops", &password)).status, status, "{length}");
    }
}

#[test]
fn the_password_of_the_user_bearer_is_a_token() {
    let (served, _folder) = with_users(&[("bearer", "example")]);
    for (authorization, status) in
        [("Bearer example", 200), ("bearer  example", 200), ("Bearer other", 401), ("Bearer", 401)]
    {
        assert_eq!(login(served.address, authorization).status, status, "{authorization}");
    }
}

#[test]
fn after_ten_failures_an_address_gets_429_but_known_credentials_and_others_do_not() {
    let (served, _folder) = with_users(&[("ops", "example"), ("bearer", "example")]);
    assert_eq!(login(served.address, &basic("ops", "example")).status, 200);
    for _ in 0..10 {
        assert_eq!(login(served.address, &basic("ops", "wrong")).status, 401);
    }
    let refused = login(served.address, "Bearer example");
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("60")));
    assert_eq!(login(served.address, &basic("ops", "example")).status, 200, "was right before");
    assert_eq!(get(served.address, "/metrics").status, 401, "a request without a password is no failure");
    let mut elsewhere = connect_from(Ipv4Addr::new(127, 0, 0, 2), served.address);
    write!(elsewhere, "GET / HTTP/1.1\r\nHost: bot\r\nAuthorization: Bearer example\r\n\r\n").unwrap();
    assert_eq!(read_reply(&mut elsewhere, "GET").status, 200, "another address");
}

/// Each would take the processor for as long as a password's check.
#[test]
fn of_many_simultaneous_wrong_logins_ten_are_checked() {
    let (served, _folder) = with_users(&[("ops", "example")]);
    let wrong = |number: usize| basic(&format!("user{number}"), "wrong");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..8)
            .map(|client| {
                scope.spawn(move || {
                    let logins = (0..1_250)
                        .map(|number| login(served.address, &wrong(client * 1_250 + number)).status);
                    logins.collect::<Vec<_>>()
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let count = |status| statuses.iter().filter(|&&found| found == status).count();
    assert_eq!((count(401), count(429)), (10, 9_990));
}

/// The check of a password takes seconds here.
#[test]
fn a_login_in_progress_delays_no_scrape() {
    let slow = hash("slow").replace("$04$", "$14$");
    let (served, _folder) = with_hashes(&[("ops", hash("example")), ("slow", slow)]);
    assert_eq!(login(served.address, &basic("ops", "example")).status, 200);
    let mut slow_login = connect(served.address);
    let header = basic("slow", "wrong");
    write!(slow_login, "GET / HTTP/1.1\r\nHost: bot\r\nAuthorization: {header}\r\n\r\n").unwrap();
    for _ in 0..20 {
        assert_eq!(login(served.address, &basic("ops", "example")).status, 200);
    }
    slow_login.set_nonblocking(true).unwrap();
    let answer = slow_login.peek(&mut [0]);
    assert!(
        answer.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock),
        "the login was checked first"
    );
}

/// CVE-2022-46146: a cache whose key joined user and password.
#[test]
fn remembered_credentials_are_not_confused_with_others_of_the_same_letters() {
    let (served, _folder) = with_users(&[("a", "example"), ("aexam", "example")]);
    assert_eq!(login(served.address, &basic("a", "example")).status, 200);
    assert_eq!(login(served.address, &basic("aexam", "ple")).status, 401);
    assert_eq!(login(served.address, &basic("aexam", "example")).status, 200);
}

/// From another loopback address, as from another machine.
fn connect_from(from: Ipv4Addr, to: SocketAddr) -> TcpStream {
    use std::os::fd::{FromRawFd as _, OwnedFd};
    // SAFETY: a new descriptor, which is checked and owned by nothing else.
    let socket = unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0);
        assert!(socket >= 0);
        OwnedFd::from_raw_fd(socket)
    };
    let name = |ip: Ipv4Addr, port: u16| libc::sockaddr_in {
        sin_family: libc::sa_family_t::try_from(libc::AF_INET).unwrap(),
        sin_port: port.to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(ip).to_be() },
        sin_zero: [0; 8],
    };
    let (SocketAddr::V4(to), length) =
        (to, libc::socklen_t::try_from(size_of::<libc::sockaddr_in>()).unwrap())
    else {
        panic!("the server has an IPv4 address");
    };
    let (own, peer) = (name(from, 0), name(*to.ip(), to.port()));
    let descriptor = std::os::fd::AsRawFd::as_raw_fd(&socket);
    // SAFETY: both names are live and of the given length.
    unsafe {
        assert_eq!(libc::bind(descriptor, (&raw const own).cast(), length), 0);
        assert_eq!(libc::connect(descriptor, (&raw const peer).cast(), length), 0);
    }
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// As several scrapers after a start.
#[test]
fn simultaneous_logins_that_are_right_are_all_accepted() {
    let (served, _folder) = with_users(&[("ops", "example")]);
    let address = served.address;
    let logins: Vec<_> = (0..40)
        .map(|_| std::thread::spawn(move || login(address, &basic("ops", "example")).status))
        .collect();
    for login in logins {
        assert_eq!(login.join().unwrap(), 200);
    }
}
