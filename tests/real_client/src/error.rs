//! The client's errors, with their class for the metrics.

use binance::errors::Error;
use bot_metrics::{ClassifyError, ErrorClass};
use bot_metrics_examples::binance::meaning;

/// An error of the public client.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct CallError(#[from] Error);

impl CallError {
    /// Binance's code; `None` if the client reports none. It drops the code unless the status is 400.
    pub(crate) fn code(&self) -> Option<i32> {
        match &self.0 {
            Error::BinanceError { response } => Some(response.code),
            _ => None,
        }
    }
}

impl ClassifyError for CallError {
    fn class(&self) -> ErrorClass {
        match &self.0 {
            Error::BinanceError { response } => meaning(400, Some(response.code)).class,
            Error::Unauthorized => ErrorClass::Auth,
            Error::InternalServerError | Error::ServiceUnavailable => ErrorClass::ServerError,
            Error::ReqError(error) if error.is_timeout() => ErrorClass::Timeout,
            Error::ReqError(error) if error.is_decode() => ErrorClass::Decode,
            Error::ReqError(_) => ErrorClass::Transport,
            _ => ErrorClass::Other,
        }
    }
}
