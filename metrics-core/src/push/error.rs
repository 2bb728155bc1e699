//! The error of a push.

use std::fmt;
use std::io;
#[cfg(feature = "tls")]
use std::path::PathBuf;
use std::time::Duration;

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
    #[error("cannot push metrics to {}: {}", shown(address), explained(cause, *timeout))]
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
    pub(super) fn address(address: &str, reason: &'static str) -> Self {
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

fn explained(cause: &ureq::Error, timeout: Duration) -> String {
    match cause {
        ureq::Error::Timeout(_) => format!("no answer within {timeout:?}"),
        ureq::Error::HostNotFound => "no such host".to_owned(),
        ureq::Error::Io(cause) if cause.kind() == io::ErrorKind::ConnectionRefused => {
            "connection refused; is a Pushgateway running there?".to_owned()
        }
        other => shown(&other.to_string()).to_string(),
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

impl From<PushError> for crate::Error {
    fn from(error: PushError) -> Self {
        Self::other(error)
    }
}
