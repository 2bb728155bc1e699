//! The error of a push.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::shown::{quoted, shown};

/// The error of a push: its address, its cause and the solution. It never contains a password.
pub struct PushError(PushProblem);

enum PushProblem {
    Address { address: String, reason: &'static str },
    Label { label: String, reason: &'static str },
    Failed { address: String, timeout: Duration, cause: Box<ureq::Error> },
    Refused { address: String, status: u16, answer: String },
}

impl PushError {
    pub(super) fn address(address: &str, reason: &'static str) -> Self {
        Self(PushProblem::Address { address: address.to_owned(), reason })
    }

    pub(super) fn label(label: &str, reason: &'static str) -> Self {
        Self(PushProblem::Label { label: label.to_owned(), reason })
    }

    pub(super) fn failed(address: &str, timeout: Duration, cause: ureq::Error) -> Self {
        Self(PushProblem::Failed { address: address.to_owned(), timeout, cause: Box::new(cause) })
    }

    pub(super) fn refused(address: &str, status: u16, answer: &str) -> Self {
        let answer = answer.lines().next().unwrap_or_default().trim().to_owned();
        Self(PushProblem::Refused { address: address.to_owned(), status, answer })
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

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            PushProblem::Address { address, reason } => write!(
                f,
                "{} is no Pushgateway's address: {reason}; write it as http://host:port, for example \
                 http://127.0.0.1:9091",
                quoted(address)
            ),
            PushProblem::Label { label, reason } => {
                write!(f, "{} cannot be a grouping label: {reason}", quoted(label))
            }
            PushProblem::Failed { address, timeout, cause } => {
                write!(f, "cannot push metrics to {}: ", shown(address))?;
                match &**cause {
                    ureq::Error::Timeout(_) => write!(f, "no answer within {timeout:?}"),
                    ureq::Error::HostNotFound => f.write_str("no such host"),
                    ureq::Error::Io(cause) if cause.kind() == io::ErrorKind::ConnectionRefused => {
                        f.write_str("connection refused; is a Pushgateway running there?")
                    }
                    other => shown(&other.to_string()).fmt(f),
                }
            }
            PushProblem::Refused { address, status, answer } => {
                write!(f, "{} refused the pushed metrics with status {status}", shown(address))?;
                if answer.is_empty() { Ok(()) } else { write!(f, ": {}", shown(answer)) }
            }
        }
    }
}

/// Prints the same text, because a `main` that returns an error prints it with `Debug`.
impl fmt::Debug for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for PushError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            PushProblem::Failed { cause, .. } => Some(cause),
            _ => None,
        }
    }
}

impl From<PushError> for crate::Error {
    fn from(error: PushError) -> Self {
        Self::other(error)
    }
}
