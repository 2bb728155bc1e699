//! The listening sockets of the server, and the addresses that this process serves, for the message about one that is
//! in use.

use std::io;
use std::net::{Shutdown, SocketAddr};

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket};

use crate::lock::{self, Lock};

/// The number of clients that wait in the system's queue, as far as the system allows it. One that finds the queue full
/// tries again after a second.
const QUEUE: u32 = 4096;

/// The number of attempts to find a common port if the system chose one that is taken on another of the addresses.
const PORTS: usize = 16;

/// A listening socket and its address.
pub(super) type BoundListeners = (TcpListener, SocketAddr);

/// The error of binding, with the address at which it failed, if there was one.
pub(super) type BindError = (Option<SocketAddr>, io::Error);

/// Listens on every address that this machine has, all with one port. An address that it does not have, such as `::1`
/// if IPv6 is off, is left out, since no client can reach it. Any other failure is an error of the whole: a client of
/// an address that another process serves would read that process's metrics.
pub(super) fn bind(addresses: &[SocketAddr]) -> Result<Vec<BoundListeners>, BindError> {
    let any_port = addresses.len() > 1 && addresses.iter().all(|address| address.port() == 0);
    let mut attempts = if any_port { PORTS } else { 1 };
    loop {
        attempts -= 1;
        match bind_all(addresses) {
            Err((_, cause)) if cause.kind() == io::ErrorKind::AddrInUse && attempts > 0 => {}
            result => return result,
        }
    }
}

fn bind_all(addresses: &[SocketAddr]) -> Result<Vec<BoundListeners>, BindError> {
    let mut bound: Vec<BoundListeners> = Vec::new();
    let mut missing = None;
    for &(mut address) in addresses {
        if let (0, Some((_, first))) = (address.port(), bound.first()) {
            address.set_port(first.port());
        }
        match listen(address) {
            Ok(listener) => bound.push(listener),
            Err(cause) if is_missing(&cause) => missing = missing.or(Some((Some(address), cause))),
            Err(cause) => return Err((Some(address), cause)),
        }
    }
    if bound.is_empty() {
        return Err(missing.unwrap_or_else(|| (None, io::Error::other("the name has no address"))));
    }
    Ok(bound)
}

fn listen(address: SocketAddr) -> io::Result<BoundListeners> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A port is free again when its server has ended. On Windows the option means something else.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(QUEUE)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Stops listening for a forked child too, which has a copy of the descriptor and would keep the port.
pub(super) fn stop(listener: &TcpListener) {
    // Only Linux can do this; elsewhere the copy keeps the port.
    let _ = SockRef::from(listener).shutdown(Shutdown::Both);
}

/// Whether this machine lacks the address, or its family.
fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(libc::EAFNOSUPPORT)
}

/// Each with the generation of the process that serves it, because a forked child has the list of its parent.
static SERVED: Lock<Vec<(u32, SocketAddr)>> = Lock::new(Vec::new());

/// An entry in the list, until dropped.
#[derive(Debug)]
pub(super) struct Listing {
    addresses: Vec<SocketAddr>,
}

impl Listing {
    pub(super) fn new(addresses: Vec<SocketAddr>) -> Self {
        let generation = lock::generation();
        SERVED.lock().extend(addresses.iter().map(|&address| (generation, address)));
        Self { addresses }
    }

    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        SERVED.lock().retain(|(_, address)| !self.addresses.contains(address));
    }
}

/// Whether a server of this process prevents a listener at `address`.
pub(super) fn is_served_here(address: SocketAddr) -> bool {
    let generation = lock::generation();
    let is_in_the_way = |served: SocketAddr| {
        let same_host =
            served.ip() == address.ip() || served.ip().is_unspecified() || address.ip().is_unspecified();
        served.port() == address.port() && same_host
    };
    SERVED.lock().iter().any(|&(by, served)| by == generation && is_in_the_way(served))
}
