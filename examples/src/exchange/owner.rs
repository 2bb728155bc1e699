//! The account that a signed request belongs to.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::HeaderName;
use axum::http::request::Parts;

use super::params::Params;
use super::refusal::Refusal;
use super::server::Floor;
use super::wire::millis;
use crate::signature::is_signed;

const API_KEY: HeaderName = HeaderName::from_static("x-mbx-apikey");

/// The time for which a request is valid unless `recvWindow` gives another, and the longest; in milliseconds.
const WINDOW: u64 = 5_000;
const LONGEST_WINDOW: u64 = 60_000;

/// A request whose timestamp is so far ahead of the exchange's clock is refused; in milliseconds.
const AHEAD: u64 = 1_000;

/// The API key of a request that its owner has signed.
pub(super) struct Owner(pub(super) String);

impl FromRequestParts<Arc<Floor>> for Owner {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, floor: &Arc<Floor>) -> Result<Self, Refusal> {
        let key = parts.headers.get(API_KEY).and_then(|key| key.to_str().ok()).unwrap_or_default();
        if key.is_empty() {
            return Err(Refusal::NoApiKey);
        }
        let secret = floor.secrets.get(key).ok_or(Refusal::UnknownApiKey)?;
        let params = parts.extensions.get::<Params>().ok_or(Refusal::Internal)?;
        let timestamp = params.integer("timestamp")?;
        if !is_signed(secret, params.signed(), params.text("signature")?) {
            return Err(Refusal::BadSignature);
        }
        check_time(timestamp, params.optional("recvWindow")?.unwrap_or(WINDOW), floor.time())?;
        Ok(Self(key.to_owned()))
    }
}

fn check_time(timestamp: u64, window: u64, now: Duration) -> Result<(), Refusal> {
    let now = millis(now);
    if window > LONGEST_WINDOW {
        Err(Refusal::WindowTooLong)
    } else if timestamp >= now + AHEAD {
        Err(Refusal::Ahead)
    } else if now.saturating_sub(timestamp) > window {
        Err(Refusal::OutsideWindow)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_valid_from_its_timestamp_to_the_end_of_its_window() {
        let now = Duration::from_secs(1_000);
        for (timestamp, window, expected) in [
            (1_000_000, WINDOW, Ok(())),
            (1_000_999, WINDOW, Ok(())),
            (1_001_000, WINDOW, Err(Refusal::Ahead)),
            (995_000, WINDOW, Ok(())),
            (994_999, WINDOW, Err(Refusal::OutsideWindow)),
            (940_000, LONGEST_WINDOW, Ok(())),
            (1_000_000, LONGEST_WINDOW + 1, Err(Refusal::WindowTooLong)),
            (u64::MAX, WINDOW, Err(Refusal::Ahead)),
            (0, WINDOW, Err(Refusal::OutsideWindow)),
        ] {
            assert_eq!(check_time(timestamp, window, now), expected, "{timestamp} {window}");
        }
    }
}
