//! Signatures of requests, as Binance's documentation describes them under "SIGNED endpoint security".

use std::fmt::Write as _;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The query string of a signed request: `parameters`, the time and the signature.
///
/// `now` is the time since the Unix epoch; the exchange refuses a request that arrives more than 5 s later, or as many
/// milliseconds as the parameter `recvWindow` says.
#[must_use]
pub fn signed_query(secret: &str, parameters: &[(&str, &str)], now: Duration) -> String {
    let payload = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .append_pair("timestamp", &now.as_millis().to_string())
        .finish();
    let signature = sign(secret, &payload);
    format!("{payload}&signature={signature}")
}

/// The HMAC SHA256 of `payload` in lower-case hexadecimal digits.
#[must_use]
pub fn sign(secret: &str, payload: &str) -> String {
    let digest = keyed(secret).chain_update(payload).finalize().into_bytes();
    digest.iter().fold(String::with_capacity(64), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// Whether `signature`, in either case, is that of `payload`. The comparison takes the same time wherever they differ.
#[must_use]
pub fn is_signed(secret: &str, payload: &str, signature: &str) -> bool {
    let digits = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<_>> = signature.as_bytes().chunks(2).map(digits).collect();
    bytes.is_some_and(|bytes| keyed(secret).chain_update(payload).verify_slice(&bytes).is_ok())
}

fn keyed(secret: &str) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret.as_bytes())
        .unwrap_or_else(|_| unreachable!("an HMAC accepts keys of all lengths"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Binance's documentation.
    const SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
    const PAYLOAD: &str = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559";
    const SIGNATURE: &str = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71";

    #[test]
    fn the_documented_example_has_the_documented_signature() {
        assert_eq!(sign(SECRET, PAYLOAD), SIGNATURE);
        assert!(is_signed(SECRET, PAYLOAD, SIGNATURE));
        assert!(is_signed(SECRET, PAYLOAD, &SIGNATURE.to_uppercase()));
        let query = signed_query(SECRET, &[("symbol", "LTC BTC")], Duration::from_millis(1_499_827_319_559));
        assert!(query.starts_with("symbol=LTC+BTC&timestamp=1499827319559&signature="), "{query}");
    }

    #[test]
    fn nothing_else_is_a_signature() {
        for signature in ["", "c8", "zz", "ä", &SIGNATURE[1..], &format!("{SIGNATURE}00")] {
            assert!(!is_signed(SECRET, PAYLOAD, signature), "{signature}");
        }
        assert!(!is_signed("other", PAYLOAD, SIGNATURE));
        assert!(!is_signed(SECRET, &PAYLOAD[1..], SIGNATURE));
    }
}
