//! The client of a request.

use std::net::IpAddr;

/// The client of a request, as far as the server knows it.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(feature = "page"),
    expect(dead_code, reason = "only the pages of the bot's state are not for everybody")
)]
pub(super) enum Visitor {
    /// It showed a password, a token or a certificate.
    Authenticated,
    /// It has this address and reached this port of the server.
    At(IpAddr, u16),
    /// The service is mounted in another server, which passes on no address.
    Unknown,
}
