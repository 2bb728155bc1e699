//! The error of a push.

use std::fmt;
#[cfg(feature = "tls")]
use std::path::PathBuf;
use std::time::Duration;

#[cfg(feature = "tls")]
use crate::client::FileFault;
use crate::client::{AddressFault, explained};
use crate::shown::{quoted, shown};

/// The error of a push: its address, its cause and the solution. It never contains a password.
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct PushError(#[from] PushProblem);

#[derive(Debug, thiserror::Error)]
pub(super) enum PushProblem {
    #[error(
        "{} is no Pushgateway's address: {reason}; write it as http://host:port, for example http://127.0.0.1:9091",
        quoted(address)
    )]
    Address { address: String, reason: &'static str },
    #[cfg(feature = "tls")]
    #[error("{}: {reason}", path.display())]
    File { path: PathBuf, reason: String },
    #[error("{} cannot be a grouping label: {reason}", quoted(label))]
    Label { label: String, reason: &'static str },
    #[error("cannot push metrics to {}: {}", shown(address), explained(cause, *timeout, "a Pushgateway"))]
    Failed {
        address: String,
        timeout: Duration,
        #[source]
        cause: Box<ureq::Error>,
    },
    #[error("{} refused the pushed metrics with status {status}{}", shown(address), reason(answer))]
    Refused { address: String, status: u16, answer: String },
}

impl PushError {
    pub(super) fn address(address: &str, fault: AddressFault) -> Self {
        let (address, reason) = match fault {
            AddressFault::Credentials => ("…@…", "a user and a password go to `basic_auth`"),
            AddressFault::Other(reason) => (address, reason),
        };
        PushProblem::Address { address: address.to_owned(), reason }.into()
    }

    pub(super) fn label(label: &str, reason: &'static str) -> Self {
        PushProblem::Label { label: label.to_owned(), reason }.into()
    }

    /// The status with which the gateway refused, if it did.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self.0 {
            PushProblem::Refused { status, .. } => Some(status),
            _ => None,
        }
    }
}

/// The first line of a gateway's answer, if there is one.
fn reason(answer: &str) -> String {
    let line = answer.lines().next().unwrap_or_default().trim();
    if line.is_empty() { String::new() } else { format!(": {}", shown(line)) }
}

/// Prints the same text, because a `main` that returns an error prints it with `Debug`.
impl fmt::Debug for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(feature = "tls")]
impl From<FileFault> for PushError {
    fn from(FileFault { path, reason }: FileFault) -> Self {
        PushProblem::File { path, reason }.into()
    }
}

impl From<PushError> for crate::Error {
    fn from(error: PushError) -> Self {
        Self::other(error)
    }
}
