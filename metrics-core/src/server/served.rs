//! The addresses that this process serves, for the message about one that is in use.

use std::net::SocketAddr;

use crate::lock::{self, Lock};

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
