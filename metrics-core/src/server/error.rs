//! The error of starting the server.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;

use super::listeners::is_served_here;
use crate::shown::{quoted, shown};

/// The error of serving the metrics: its cause, the address, and the solution.
///
/// The bot can continue without its metrics; nothing else is affected. The [`source`](Error::source) is the
/// [`io::Error`].
pub struct ServeError {
    address: String,
    problem: ServeProblem,
    cause: io::Error,
}

#[derive(Debug)]
enum ServeProblem {
    Option(&'static str),
    #[cfg(feature = "page")]
    HostName(String),
    Address,
    Bind {
        at: Option<SocketAddr>,
        served_here: bool,
    },
    Start,
    WebConfig,
}

impl ServeError {
    pub(super) fn zero(address: &str, option: &'static str) -> Self {
        let cause = io::Error::new(io::ErrorKind::InvalidInput, "a limit of zero");
        Self::new(address, ServeProblem::Option(option), cause)
    }

    #[cfg(feature = "page")]
    pub(super) fn host_name(address: &str, name: &str) -> Self {
        let cause = io::Error::new(io::ErrorKind::InvalidInput, "not a host name");
        Self::new(address, ServeProblem::HostName(name.to_owned()), cause)
    }

    pub(super) fn address(address: &str, cause: io::Error) -> Self {
        Self::new(address, ServeProblem::Address, cause)
    }

    /// `at` is the address that failed among those to which `address` was resolved.
    pub(super) fn bind(address: &str, at: Option<SocketAddr>, cause: io::Error) -> Self {
        let served_here = cause.kind() == io::ErrorKind::AddrInUse && at.is_some_and(is_served_here);
        Self::new(address, ServeProblem::Bind { at, served_here }, cause)
    }

    pub(super) fn web_config(address: &str, cause: io::Error) -> Self {
        Self::new(address, ServeProblem::WebConfig, cause)
    }

    pub(super) fn start(address: &str, cause: io::Error) -> Self {
        Self::new(address, ServeProblem::Start, cause)
    }

    fn new(address: &str, problem: ServeProblem, cause: io::Error) -> Self {
        Self { address: address.to_owned(), problem, cause }
    }

    /// The requested address.
    #[must_use]
    pub fn requested_address(&self) -> &str {
        &self.address
    }
}

/// Prints the same text, because a `main` that returns an error prints it with `Debug`.
impl fmt::Debug for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = &self.cause;
        write!(f, "cannot serve metrics on {}: ", Bare(&self.address))?;
        match &self.problem {
            ServeProblem::Option(option) => write!(
                f,
                "`ServerOptions::{option}` is zero, with which no client gets an answer; any larger value is allowed"
            ),
            #[cfg(feature = "page")]
            ServeProblem::HostName(name) => write!(
                f,
                "`ServerOptions::allowed_hosts` has {}, which is no host name; write it without a scheme, a port or a \
                 path, for example \"bot.example\"",
                quoted(name)
            ),
            ServeProblem::Address => {
                write!(f, "{cause}; write the address as host:port, for example 0.0.0.0:5000 or [::1]:5000")
            }
            ServeProblem::Bind { at, served_here } => {
                if let Some(at) = at.filter(|at| at.to_string() != self.address) {
                    write!(f, "{at}: ")?;
                }
                write_bind_failure(f, cause, *served_here)
            }
            ServeProblem::WebConfig => cause.fmt(f),
            ServeProblem::Start => write!(f, "the server's thread did not start: {cause}"),
        }
    }
}

fn write_bind_failure(f: &mut fmt::Formatter<'_>, cause: &io::Error, served_here: bool) -> fmt::Result {
    match cause.kind() {
        io::ErrorKind::AddrInUse if served_here => {
            f.write_str("this process serves metrics there already; keep one server, or choose another port")
        }
        io::ErrorKind::AddrInUse => f.write_str(
            "the address is already in use; stop the process that listens there, or choose another port with \
             METRICS_ADDR",
        ),
        io::ErrorKind::PermissionDenied => f.write_str(
            "permission denied; choose a port above 1023, or give the process the right to use this one",
        ),
        io::ErrorKind::AddrNotAvailable => {
            f.write_str("this machine has no such address; 0.0.0.0 listens on all that it has")
        }
        _ => write!(f, "{cause}"),
    }
}

/// An address as it was written, quoted only if it would be unreadable otherwise.
struct Bare<'a>(&'a str);

impl fmt::Display for Bare<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = !self.0.is_empty() && self.0.chars().all(|c| c.is_ascii_graphic());
        if plain { shown(self.0).fmt(f) } else { quoted(self.0).fmt(f) }
    }
}

impl Error for ServeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}

impl From<ServeError> for crate::Error {
    fn from(error: ServeError) -> Self {
        Self::other(error)
    }
}
