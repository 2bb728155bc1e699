//! Interprets error answers of Binance, by their HTTP status and the error code in their body.
//!
//! If the exchange may have executed a request, that is to be queried and not guessed: a bot that takes an open order
//! for rejected lets it trade unattended.

use bot_metrics::ErrorClass::{self, Auth, Banned, Other, RateLimited, Rejected, ServerError, Timeout};
use serde::Deserialize;

/// The meaning of an error answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// The kind of the failure.
    pub class: ErrorClass,
    /// Whether the exchange may have executed the request, wholly or in part.
    pub leaves_unknown: bool,
}

/// The body of an error answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Reason {
    /// Binance's number for the reason.
    pub code: i32,
    /// The reason.
    pub msg: String,
}

impl Reason {
    /// Reads a body; `None` if it is not in this format, as from a firewall or proxy in front of the exchange.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }
}

const fn not_done(class: ErrorClass) -> Meaning {
    Meaning { class, leaves_unknown: false }
}

const fn unknown(class: ErrorClass) -> Meaning {
    Meaning { class, leaves_unknown: true }
}

/// First and last status of each row. The body does not change the meaning of these statuses.
const STATUSES: [(u16, u16, Meaning); 6] = [
    // A component in front of the exchange timed out; the exchange may have received the request.
    (408, 408, unknown(Timeout)),
    // Half of a cancel-replace was executed.
    (409, 409, unknown(Other)),
    // The address is banned.
    (418, 418, not_done(Banned)),
    // The weight of the requests or the number of the orders is over the limit.
    (429, 429, not_done(RateLimited)),
    // The exchange does not serve customers at this location.
    (451, 451, not_done(Banned)),
    // "It is important to not treat this as a failure operation; the execution status is unknown."
    (500, 599, unknown(ServerError)),
];

/// First and last code of each row; the first matching row counts.
const CODES: [(i32, i32, Meaning); 17] = [
    // UNKNOWN, DISCONNECTED: the exchange failed while it processed the request.
    (-1001, -1000, unknown(ServerError)),
    // UNAUTHORIZED.
    (-1002, -1002, not_done(Auth)),
    // TOO_MANY_REQUESTS.
    (-1003, -1003, not_done(RateLimited)),
    // UNEXPECTED_RESP: "An unexpected response was received from the message bus. Execution status unknown."
    (-1006, -1006, unknown(ServerError)),
    // TIMEOUT: "Timeout waiting for response from backend server. Send status unknown; execution status unknown."
    (-1007, -1007, unknown(Timeout)),
    // SERVER_BUSY: overloaded. How far the request came is not stated.
    (-1008, -1008, unknown(ServerError)),
    // ERROR_MSG_RECEIVED, INVALID_MESSAGE, UNKNOWN_ORDER_COMPOSITION: the order breaks a rule.
    (-1014, -1010, not_done(Rejected)),
    // TOO_MANY_ORDERS.
    (-1015, -1015, not_done(RateLimited)),
    // SERVICE_SHUTTING_DOWN.
    (-1016, -1016, unknown(ServerError)),
    // UNSUPPORTED_OPERATION.
    (-1020, -1020, not_done(Rejected)),
    // INVALID_TIMESTAMP, INVALID_SIGNATURE: the clock or the key is wrong, not the order.
    (-1022, -1021, not_done(Auth)),
    // TOO_MANY_CONNECTIONS.
    (-1034, -1033, not_done(RateLimited)),
    // "Not found, authenticated, or authorized."
    (-1099, -1099, not_done(Auth)),
    // Any other failure of the exchange itself.
    (-1099, -1000, unknown(ServerError)),
    // BAD_API_KEY_FMT, REJECTED_MBX_KEY.
    (-2015, -2014, not_done(Auth)),
    // "Order cancel-replace partially failed."
    (-2021, -2021, unknown(Other)),
    // Errors in the parameters of the request (-11XX), rejections by the matching engine (-2010 and on) and all lower
    // codes that are not listed: the exchange has read the request and rejected it. No code of the exchange is above
    // -1000.
    (i32::MIN, -1100, not_done(Rejected)),
];

/// First and last status of each row, for answers without an error code, which come from something in front of the
/// exchange. With other statuses it is unknown whether the exchange received the request.
const STATUSES_WITHOUT_CODE: [(u16, u16, Meaning); 2] = [
    (401, 401, not_done(Auth)),
    // Binance's firewall: requests that it takes for an attack.
    (403, 403, not_done(Banned)),
];

/// The meaning of an answer with this status, and with this code where its body has one.
#[must_use]
pub fn meaning(status: u16, code: Option<i32>) -> Meaning {
    let by_code = || match code.and_then(|code| find(&CODES, code))? {
        // The key lacks a permission, whatever the code.
        Meaning { class: Rejected, .. } if matches!(status, 401 | 403) => Some(not_done(Auth)),
        meaning => Some(meaning),
    };
    let by_status = || find(&STATUSES_WITHOUT_CODE, status);
    find(&STATUSES, status).or_else(by_code).or_else(by_status).unwrap_or(unknown(Other))
}

fn find<T: PartialOrd + Copy>(table: &[(T, T, Meaning)], number: T) -> Option<Meaning> {
    table.iter().find(|(first, last, _)| *first <= number && number <= *last).map(|(_, _, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DONE_OR_NOT: bool = true;
    const NOT_DONE: bool = false;

    #[test]
    fn each_code_of_a_refused_request_has_its_meaning() {
        for (code, class, leaves_unknown) in [
            (-1000, ServerError, DONE_OR_NOT), // UNKNOWN
            (-1001, ServerError, DONE_OR_NOT), // DISCONNECTED
            (-1002, Auth, NOT_DONE),           // UNAUTHORIZED
            (-1003, RateLimited, NOT_DONE),    // TOO_MANY_REQUESTS
            (-1006, ServerError, DONE_OR_NOT), // UNEXPECTED_RESP
            (-1007, Timeout, DONE_OR_NOT),     // TIMEOUT
            (-1008, ServerError, DONE_OR_NOT), // SERVER_BUSY
            (-1010, Rejected, NOT_DONE),       // ERROR_MSG_RECEIVED
            (-1013, Rejected, NOT_DONE),       // INVALID_MESSAGE
            (-1014, Rejected, NOT_DONE),       // UNKNOWN_ORDER_COMPOSITION
            (-1015, RateLimited, NOT_DONE),    // TOO_MANY_ORDERS
            (-1016, ServerError, DONE_OR_NOT), // SERVICE_SHUTTING_DOWN
            (-1020, Rejected, NOT_DONE),       // UNSUPPORTED_OPERATION
            (-1021, Auth, NOT_DONE),           // INVALID_TIMESTAMP
            (-1022, Auth, NOT_DONE),           // INVALID_SIGNATURE
            (-1033, RateLimited, NOT_DONE),    // TOO_MANY_CONNECTIONS
            (-1034, RateLimited, NOT_DONE),    // TOO_MANY_CONNECTIONS
            (-1050, ServerError, DONE_OR_NOT), // not a listed code
            (-1099, Auth, NOT_DONE),           // not found, authenticated, or authorized
            (-1100, Rejected, NOT_DONE),       // ILLEGAL_CHARS
            (-1102, Rejected, NOT_DONE),       // MANDATORY_PARAM_EMPTY_OR_MALFORMED
            (-1111, Rejected, NOT_DONE),       // BAD_PRECISION
            (-1116, Rejected, NOT_DONE),       // INVALID_ORDER_TYPE
            (-1121, Rejected, NOT_DONE),       // BAD_SYMBOL
            (-1131, Rejected, NOT_DONE),       // BAD_RECV_WINDOW
            (-2010, Rejected, NOT_DONE),       // NEW_ORDER_REJECTED
            (-2011, Rejected, NOT_DONE),       // CANCEL_REJECTED
            (-2013, Rejected, NOT_DONE),       // NO_SUCH_ORDER
            (-2014, Auth, NOT_DONE),           // BAD_API_KEY_FMT
            (-2015, Auth, NOT_DONE),           // REJECTED_MBX_KEY
            (-2016, Rejected, NOT_DONE),       // NO_TRADING_WINDOW
            (-2021, Other, DONE_OR_NOT),       // cancel-replace, half of which was executed
            (-2022, Rejected, NOT_DONE),       // cancel-replace, no part of which was executed
            (-2026, Rejected, NOT_DONE),       // ORDER_ARCHIVED
            (-2038, Rejected, NOT_DONE),       // ORDER_AMEND_REJECTED
            (-9999, Rejected, NOT_DONE),       // not a listed code
        ] {
            assert_eq!(meaning(400, Some(code)), Meaning { class, leaves_unknown }, "{code}");
        }
    }

    #[test]
    fn each_status_has_its_meaning() {
        for (status, code, class, leaves_unknown) in [
            (302, None, Other, DONE_OR_NOT),
            (400, None, Other, DONE_OR_NOT),
            (400, Some(0), Other, DONE_OR_NOT),
            (400, Some(400), Other, DONE_OR_NOT),
            (403, Some(403), Banned, NOT_DONE),
            (401, None, Auth, NOT_DONE),
            (401, Some(-2015), Auth, NOT_DONE),
            (401, Some(-2010), Auth, NOT_DONE),
            (401, Some(-1007), Timeout, DONE_OR_NOT),
            (403, None, Banned, NOT_DONE),
            (403, Some(-2015), Auth, NOT_DONE),
            (403, Some(-1003), RateLimited, NOT_DONE),
            (404, None, Other, DONE_OR_NOT),
            (404, Some(404), Other, DONE_OR_NOT),
            (404, Some(-2013), Rejected, NOT_DONE),
            (408, None, Timeout, DONE_OR_NOT),
            (408, Some(-2010), Timeout, DONE_OR_NOT),
            (409, Some(-2021), Other, DONE_OR_NOT),
            (409, None, Other, DONE_OR_NOT),
            (418, None, Banned, NOT_DONE),
            (418, Some(-1003), Banned, NOT_DONE),
            (429, None, RateLimited, NOT_DONE),
            (429, Some(-1015), RateLimited, NOT_DONE),
            (451, Some(0), Banned, NOT_DONE),
            (451, None, Banned, NOT_DONE),
            (500, Some(-1000), ServerError, DONE_OR_NOT),
            (502, None, ServerError, DONE_OR_NOT),
            (503, Some(-2010), ServerError, DONE_OR_NOT),
            (504, Some(-1007), ServerError, DONE_OR_NOT),
        ] {
            assert_eq!(meaning(status, code), Meaning { class, leaves_unknown }, "{status} {code:?}");
        }
    }

    #[test]
    fn requests_that_may_have_been_executed_never_count_as_rejected() {
        for status in 100..600 {
            for code in (-10_000..1_000).map(Some).chain([None]) {
                let Meaning { class, leaves_unknown } = meaning(status, code);
                assert_eq!(
                    leaves_unknown,
                    matches!(class, ServerError | Timeout | Other),
                    "{status} {code:?}: {class:?}"
                );
            }
        }
    }

    #[test]
    fn a_reason_is_read_where_there_is_one() {
        let reason = Reason { code: -2010, msg: "no money".to_owned() };
        assert_eq!(Reason::read(br#"{"code":-2010,"msg":"no money","data":{}}"#), Some(reason));
        for body in [&b""[..], b"<html>", b"{}", br#"{"code":"-2010","msg":"text"}"#, b"\xff"] {
            assert_eq!(Reason::read(body), None);
        }
    }
}
