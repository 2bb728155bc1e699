//! Errors of one attempt to call the exchange.

use std::error::Error;
use std::time::Duration;

use bot_metrics::ErrorClass;
use bot_metrics_examples::binance::{Reason, meaning};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The wait after a rate limit whose answer does not give one.
const USUAL_WAIT: Duration = Duration::from_secs(1);

/// The length of a ban whose answer does not give one; no ban is shorter.
const SHORTEST_BAN: Duration = Duration::from_mins(2);

/// The longest accepted wait; the exchange's longest ban is three days.
const LONGEST_WAIT: Duration = Duration::from_hours(72);

/// The reason why an attempt returned no usable answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// The exchange rejected the request.
    #[error("rejected: {msg} ({code})")]
    Rejected {
        /// The exchange's number for the reason.
        code: i32,
        /// The reason.
        msg: String,
    },
    /// Too many requests.
    #[error("rate limited for {retry_after:?}")]
    RateLimited {
        /// When the next attempt is allowed.
        retry_after: Duration,
    },
    /// So many requests that the address is banned.
    #[error("banned for {retry_after:?}")]
    Banned {
        /// When the ban ends.
        retry_after: Duration,
    },
    /// The key is not accepted.
    #[error("not authorised: {msg}")]
    Auth {
        /// The reason.
        msg: String,
    },
    /// The exchange failed; whether it executed the request is unknown.
    #[error("the exchange failed with {what}")]
    Server {
        /// The HTTP status or the error code.
        what: String,
    },
    /// No answer in time; whether the exchange executed the request is unknown.
    #[error("no answer in time")]
    Timeout,
    /// The connection could not be made or broke.
    #[error("{}", innermost(.0))]
    Transport(#[source] reqwest::Error),
    /// An answer that cannot be decoded.
    #[error("unreadable answer: {0}")]
    Decode(String),
    /// An error for part of the request only, or from something in front of the exchange.
    #[error("refused: {why}")]
    Unclear {
        /// The error that was returned.
        why: String,
    },
}

impl ApiError {
    /// Whether the exchange may have executed the request although it did not confirm it.
    pub(crate) fn leaves_unknown(&self) -> bool {
        match self {
            Self::Server { .. } | Self::Timeout | Self::Decode(_) | Self::Unclear { .. } => true,
            // Without a connection the request was never sent.
            Self::Transport(error) => !error.is_connect(),
            Self::Rejected { .. } | Self::RateLimited { .. } | Self::Banned { .. } | Self::Auth { .. } => {
                false
            }
        }
    }

    /// The wait that the exchange asked for.
    pub(crate) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::Banned { retry_after } => Some(*retry_after),
            _ => None,
        }
    }

    /// Converts an answer whose status is an error.
    pub(crate) fn from_answer(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let reason = Reason::read(body);
        let meaning = meaning(status.as_u16(), reason.as_ref().map(|reason| reason.code));
        match (meaning.class, reason) {
            (ErrorClass::RateLimited, _) => Self::RateLimited { retry_after: wait(headers, USUAL_WAIT) },
            (ErrorClass::Banned, _) => Self::Banned { retry_after: wait(headers, SHORTEST_BAN) },
            (ErrorClass::Timeout, _) => Self::Timeout,
            (ErrorClass::ServerError, Some(Reason { code, .. })) if !status.is_server_error() => {
                Self::Server { what: format!("code {code}") }
            }
            (ErrorClass::ServerError, _) => Self::Server { what: format!("status {}", status.as_u16()) },
            (ErrorClass::Auth, Some(Reason { msg, .. })) => Self::Auth { msg },
            (ErrorClass::Auth, None) => Self::Auth { msg: format!("status {status}") },
            (ErrorClass::Rejected, Some(Reason { code, msg })) => Self::Rejected { code, msg },
            (_, Some(Reason { code, msg })) => Self::Unclear { why: format!("{msg} ({code})") },
            (_, None) => Self::Unclear { why: format!("status {status} without a code") },
        }
    }
}

impl From<reqwest::Error> for ApiError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() { Self::Timeout } else { Self::Transport(error) }
    }
}

/// The wait that the exchange asks for, or `unless_said`.
fn wait(headers: &HeaderMap, unless_said: Duration) -> Duration {
    let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    seconds.map_or(unless_said, Duration::from_secs).min(LONGEST_WAIT)
}

/// Returns the innermost error, since the outer ones only say that a request was being sent.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_classified_by_its_status_and_its_code() {
        let mut waiting = HeaderMap::new();
        waiting.insert(RETRY_AFTER, 7.into());
        let none = HeaderMap::new();
        let body = br#"{"code":-2010,"msg":"no money"}"#;
        let unknown = br#"{"code":-1007,"msg":"execution status unknown"}"#;
        let unexpected = br#"{"code":-1006,"msg":"execution status unknown"}"#;
        let partly = br#"{"code":-2021,"msg":"one half failed"}"#;
        for (status, headers, body, expected) in [
            (400, &none, &body[..], "rejected: no money (-2010)"),
            (404, &none, body, "rejected: no money (-2010)"),
            (401, &none, body, "not authorised: no money"),
            (403, &none, body, "not authorised: no money"),
            (401, &none, b"", "not authorised: status 401 Unauthorized"),
            (403, &none, b"<html>", "banned for 120s"),
            (403, &waiting, b"<html>", "banned for 7s"),
            (400, &none, unknown, "no answer in time"),
            (408, &none, body, "no answer in time"),
            (408, &none, b"<html>", "no answer in time"),
            (400, &none, unexpected, "the exchange failed with code -1006"),
            (409, &none, partly, "refused: one half failed (-2021)"),
            (429, &waiting, body, "rate limited for 7s"),
            (429, &none, b"", "rate limited for 1s"),
            (418, &waiting, body, "banned for 7s"),
            (418, &none, b"", "banned for 120s"),
            (500, &none, body, "the exchange failed with status 500"),
            (503, &none, b"", "the exchange failed with status 503"),
            (400, &none, b"<html>", "refused: status 400 Bad Request without a code"),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(ApiError::from_answer(status, headers, body).to_string(), expected);
        }
    }

    #[test]
    fn an_absurd_wait_is_bounded() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, u64::MAX.into());
        assert_eq!(wait(&headers, USUAL_WAIT), LONGEST_WAIT);
        headers.insert(RETRY_AFTER, reqwest::header::HeaderValue::from_static("soon"));
        assert_eq!(wait(&headers, USUAL_WAIT), USUAL_WAIT);
    }
}
