//! The classes of errors below an exchange's answer: of I/O and of the HTTP clients.

use std::error::Error;
use std::io;

use super::{ClassifyError, ErrorClass};
use crate::Elapsed;

impl ClassifyError for io::Error {
    fn class(&self) -> ErrorClass {
        match self.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => ErrorClass::Timeout,
            io::ErrorKind::InvalidData => ErrorClass::Decode,
            io::ErrorKind::PermissionDenied => ErrorClass::Auth,
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::NotConnected
            | io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => ErrorClass::Transport,
            _ => self.get_ref().map_or(ErrorClass::Other, |inner| known_class(inner)),
        }
    }
}

/// The class of an error whose type is known only dynamically, if it is one of those with a class here.
fn known_class(error: &(dyn Error + 'static)) -> ErrorClass {
    fn class_of<E: ClassifyError + Error + 'static>(error: &(dyn Error + 'static)) -> Option<ErrorClass> {
        error.downcast_ref::<E>().map(E::class)
    }
    let class = class_of::<io::Error>(error).or_else(|| class_of::<Elapsed>(error));
    #[cfg(feature = "reqwest")]
    let class = class.or_else(|| class_of::<reqwest::Error>(error));
    #[cfg(feature = "hyper")]
    let class = class.or_else(|| class_of::<hyper::Error>(error));
    class.unwrap_or(ErrorClass::Other)
}

/// The causes of an error, the nearest first.
#[cfg(feature = "hyper")]
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |error| cause(*error))
}

#[cfg(feature = "hyper")]
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    // The source of an I/O error is the source of its inner error, which would be left out.
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inside) => Some(inside),
        None => error.source(),
    }
}

/// Whether a cause of an error is an I/O error of this class.
#[cfg(feature = "hyper")]
fn has_io_cause(error: &(dyn Error + 'static), class: ErrorClass) -> bool {
    causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|cause| cause.class() == class)
}

/// By the status that `error_for_status` found, otherwise by the kind of failure. A body that breaks off, which
/// reqwest calls a decoding error, is of the class [`Transport`](ErrorClass::Transport).
#[cfg(feature = "reqwest")]
impl ClassifyError for reqwest::Error {
    fn class(&self) -> ErrorClass {
        if let Some(status) = self.status() {
            return ErrorClass::of_status(status.as_u16());
        }
        if self.is_timeout() || has_io_cause(self, ErrorClass::Timeout) {
            ErrorClass::Timeout
        } else if self.is_decode() && !broke_off(self) {
            ErrorClass::Decode
        } else if self.is_builder() || self.is_redirect() {
            ErrorClass::Other
        } else {
            ErrorClass::Transport
        }
    }
}

/// Whether a body could not be decoded because it did not arrive completely. Decompression, which is in between,
/// reports its own errors as I/O errors.
#[cfg(feature = "reqwest")]
fn broke_off(error: &reqwest::Error) -> bool {
    let is_body = |cause: &(dyn Error + 'static)| {
        cause.is::<hyper::Error>() || cause.downcast_ref().is_some_and(reqwest::Error::is_body)
    };
    causes(error).any(is_body) || has_io_cause(error, ErrorClass::Transport)
}

/// An answer that is not HTTP is of the class [`Transport`](ErrorClass::Transport), because no answer came.
#[cfg(feature = "hyper")]
impl ClassifyError for hyper::Error {
    fn class(&self) -> ErrorClass {
        if self.is_timeout() || has_io_cause(self, ErrorClass::Timeout) {
            ErrorClass::Timeout
        } else if self.is_user() {
            ErrorClass::Other
        } else {
            ErrorClass::Transport
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn io_errors_have_a_class() {
        for (kind, class) in [
            (io::ErrorKind::TimedOut, ErrorClass::Timeout),
            (io::ErrorKind::ConnectionReset, ErrorClass::Transport),
            (io::ErrorKind::InvalidData, ErrorClass::Decode),
            (io::ErrorKind::NotFound, ErrorClass::Other),
        ] {
            assert_eq!(io::Error::from(kind).class(), class, "{kind}");
            assert_eq!(io::Error::other(io::Error::from(kind)).class(), class, "{kind} inside another");
        }
        assert_eq!(io::Error::other("a text").class(), ErrorClass::Other);
    }
}
