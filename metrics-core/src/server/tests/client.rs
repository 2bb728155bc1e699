//! A client that can misbehave as a test requires.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use super::PATIENCE;

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    head: String,
    pub(super) bytes: Vec<u8>,
    /// The bytes as text.
    pub(super) body: String,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn content_length(&self) -> Option<usize> {
        self.header("content-length").map(|length| length.parse().unwrap())
    }
}

pub(super) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A client for which the kernel buffers little. By default it enlarges the buffer of a client that reads, up to 32
/// MiB on Linux.
#[cfg(unix)]
pub(super) fn connect_with_a_small_buffer(address: SocketAddr) -> TcpStream {
    use std::os::fd::AsRawFd;
    let stream = connect(address);
    let bytes: libc::c_int = 64 * 1024;
    // SAFETY: the pointer is to a live integer of the given length, which the call only reads.
    let set = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVBUF,
            (&raw const bytes).cast(),
            size_of_val(&bytes).try_into().unwrap(),
        )
    };
    assert_eq!(set, 0);
    stream
}

/// Sends as much as the server accepts, and returns everything it sends until it closes. A reset ends the answer like
/// a close.
pub(super) fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = connect(address);
    let _ = stream.write_all(request);
    rest(&mut stream)
}

/// Everything that arrives until the server closes.
pub(super) fn rest(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    if let Err(error) = stream.read_to_end(&mut said) {
        assert!(!is_timeout(&error), "still open after {PATIENCE:?}");
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// The status of an answer, or 0 if the connection was closed without one.
pub(super) fn status(said: &str) -> u16 {
    said.split(' ').nth(1).map_or(0, |status| status.parse().unwrap())
}

pub(super) fn get(address: SocketAddr, path: &str) -> Reply {
    request(address, "GET", path)
}

pub(super) fn request(address: SocketAddr, method: &str, path: &str) -> Reply {
    let mut stream = connect(address);
    ask(&mut stream, method, path);
    read_reply(&mut stream, method)
}

/// The answer to a GET with these header lines, each with its end.
pub(super) fn get_with(address: SocketAddr, path: &str, headers: &str) -> Reply {
    let mut stream = connect(address);
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").unwrap();
    read_reply(&mut stream, "GET")
}

pub(super) fn ask(stream: &mut impl Write, method: &str, path: &str) {
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
}

/// Reads one answer and leaves the connection open.
pub(super) fn read_reply(stream: &mut impl Read, method: &str) -> Reply {
    try_read_reply(stream, method).unwrap()
}

pub(super) fn try_read_reply(stream: &mut impl Read, method: &str) -> io::Result<Reply> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let mut reply = Reply { status: status(&head), head, bytes: Vec::new(), body: String::new() };
    if method != "HEAD" {
        reply.bytes = match reply.content_length() {
            Some(length) => read(stream, length)?,
            None => read_chunks(stream)?,
        };
        reply.body = String::from_utf8_lossy(&reply.bytes).into_owned();
    }
    Ok(reply)
}

fn read(stream: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(body)
}

fn read_chunks(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        while !line.ends_with("\r\n") {
            line.push(read(stream, 1)?[0].into());
        }
        let length = usize::from_str_radix(line.trim_end(), 16).unwrap();
        body.extend(read(stream, length)?);
        assert_eq!(read(stream, 2)?, b"\r\n");
        if length == 0 {
            return Ok(body);
        }
    }
}

pub(super) fn is_open(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false).unwrap();
    match peeked {
        Ok(bytes) => bytes > 0,
        Err(error) => is_timeout(&error),
    }
}

/// Waits for the effect of another thread.
pub(super) fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < PATIENCE, "never happened: {what}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
