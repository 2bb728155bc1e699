//! The listening sockets of the server.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

/// The number of attempts to find a common port if the system chose one that is taken on another of the addresses.
const PORTS: usize = 16;

/// A listening socket and its address.
pub(super) type BoundListeners = (TcpListener, SocketAddr);

/// The error of binding, with the address at which it failed, if there was one.
pub(super) type BindError = (Option<SocketAddr>, io::Error);

/// Listens on every address that this machine has, all with one port. An address that it does not have, such as `::1`
/// if IPv6 is off, is left out, since no client can reach it. Any other failure is an error of the whole: a client of
/// an address that another process serves would read that process's metrics.
pub(super) async fn bind(addresses: &[SocketAddr]) -> Result<Vec<BoundListeners>, BindError> {
    let any_port = addresses.len() > 1 && addresses.iter().all(|address| address.port() == 0);
    let mut attempts = if any_port { PORTS } else { 1 };
    loop {
        attempts -= 1;
        match bind_all(addresses).await {
            Err((_, cause)) if cause.kind() == io::ErrorKind::AddrInUse && attempts > 0 => {}
            result => return result,
        }
    }
}

async fn bind_all(addresses: &[SocketAddr]) -> Result<Vec<BoundListeners>, BindError> {
    let mut bound: Vec<BoundListeners> = Vec::new();
    let mut missing = None;
    for &(mut address) in addresses {
        if let (0, Some((_, first))) = (address.port(), bound.first()) {
            address.set_port(first.port());
        }
        match listen(address).await {
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

async fn listen(address: SocketAddr) -> io::Result<BoundListeners> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Whether this machine lacks the address, or its family.
fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(libc::EAFNOSUPPORT)
}
