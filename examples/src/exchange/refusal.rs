//! The exchange's errors, with Binance's codes.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The reason why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The exchange itself failed; whether it executed the request is unknown.
    #[error("An unknown error occurred while processing the request.")]
    Internal,
    /// More requests than the weight limit allows.
    #[error("Too many requests; current limit of IP is exceeded. Please use the websocket for live updates.")]
    TooManyRequests {
        /// When the next request may be sent.
        retry_after: Duration,
    },
    /// The account placed as many orders as allowed.
    #[error("Too many new orders; current limit is {most} orders per {interval_num} {interval}.")]
    TooManyOrders {
        /// The orders that are allowed in one window.
        most: u32,
        /// The length of the window, in its unit.
        interval_num: u32,
        /// The unit.
        interval: &'static str,
    },
    /// Requests continued although they were refused as too many.
    #[error("Way too many requests; IP banned until the time in Retry-After has passed.")]
    Banned {
        /// When the ban ends.
        retry_after: Duration,
    },
    /// The order breaks one of the market's rules.
    #[error("Filter failure: {0}")]
    Filter(&'static str),
    /// Trading is halted.
    #[error("Market is closed.")]
    MarketClosed,
    /// No such path, or not with this method.
    #[error("No such endpoint.")]
    NoSuchEndpoint,
    /// A parameter has a value of the wrong type.
    #[error("Illegal characters found in parameter '{parameter}'; legal range is '{legal}'.")]
    IllegalParameter {
        /// Its name.
        parameter: &'static str,
        /// The legal values.
        legal: &'static str,
    },
    /// The request or its body is not in the expected form, or too long.
    #[error("Too many parameters sent for this endpoint.")]
    TooManyParameters,
    /// The body did not arrive in time.
    #[error(
        "Timeout waiting for response from backend server. Send status unknown; execution status unknown."
    )]
    SlowBody,
    /// A parameter has been sent twice.
    #[error("Duplicate values for a parameter detected.")]
    DuplicateParameter,
    /// A parameter has no value.
    #[error("Parameter '{0}' was empty.")]
    EmptyParameter(String),
    /// A parameter does not belong to an order of this type.
    #[error("Parameter '{0}' sent when not required.")]
    UnwantedParameter(&'static str),
    /// A number has more than eight places.
    #[error("Parameter '{0}' has too much precision.")]
    TooPrecise(&'static str),
    /// A parameter is missing.
    #[error("Mandatory parameter '{0}' was not sent, was empty/null, or malformed.")]
    MissingParameter(&'static str),
    /// Neither of the two ids of an order was given.
    #[error("Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")]
    NoOrderReference,
    /// Not GTC, IOC or FOK.
    #[error("Invalid timeInForce.")]
    BadTimeInForce,
    /// Not LIMIT, `LIMIT_MAKER` or MARKET.
    #[error("Invalid orderType.")]
    BadOrderType,
    /// Not BUY or SELL.
    #[error("Invalid side.")]
    BadSide,
    /// No such market.
    #[error("Invalid symbol.")]
    BadSymbol,
    /// The account cannot pay for the order.
    #[error("Account has insufficient balance for requested action.")]
    InsufficientBalance,
    /// A post-only order would have executed at once.
    #[error("Order would immediately match and take.")]
    WouldTake,
    /// An open order already has this client order id.
    #[error("Duplicate order sent.")]
    DuplicateOrder,
    /// There is no such open order to cancel.
    #[error("Unknown order sent.")]
    UnknownOrder,
    /// There never was such an order.
    #[error("Order does not exist.")]
    NoSuchOrder,
    /// The request was made earlier than `recvWindow` permits.
    #[error("Timestamp for this request is outside of the recvWindow.")]
    OutsideWindow,
    /// The request was made later, by the exchange's clock, than now.
    #[error("Timestamp for this request was 1000ms ahead of the server's time.")]
    Ahead,
    /// `recvWindow` is longer than allowed.
    #[error("recvWindow must be less than 60000.")]
    WindowTooLong,
    /// The signature is not that of the request and the key.
    #[error("Signature for this request is not valid.")]
    BadSignature,
    /// No key was sent.
    #[error("API-key format invalid.")]
    NoApiKey,
    /// The key belongs to no account.
    #[error("Invalid API-key, IP, or permissions for action.")]
    UnknownApiKey,
}

impl Refusal {
    pub(super) const fn illegal(parameter: &'static str, legal: &'static str) -> Self {
        Self::IllegalParameter { parameter, legal }
    }

    /// Binance's code of the error.
    #[must_use]
    pub const fn code(&self) -> i32 {
        match self {
            Self::Internal | Self::NoSuchEndpoint => -1000,
            Self::TooManyRequests { .. } | Self::Banned { .. } => -1003,
            Self::Filter(_) | Self::MarketClosed => -1013,
            Self::SlowBody => -1007,
            Self::TooManyOrders { .. } => -1015,
            Self::OutsideWindow | Self::Ahead => -1021,
            Self::BadSignature => -1022,
            Self::IllegalParameter { .. } => -1100,
            Self::TooManyParameters | Self::DuplicateParameter => -1101,
            Self::EmptyParameter(_) => -1105,
            Self::UnwantedParameter(_) => -1106,
            Self::TooPrecise(_) => -1111,
            Self::WindowTooLong => -1131,
            Self::MissingParameter(_) | Self::NoOrderReference => -1102,
            Self::BadTimeInForce => -1115,
            Self::BadOrderType => -1116,
            Self::BadSide => -1117,
            Self::BadSymbol => -1121,
            Self::InsufficientBalance | Self::WouldTake | Self::DuplicateOrder => -2010,
            Self::UnknownOrder => -2011,
            Self::NoSuchOrder => -2013,
            Self::NoApiKey => -2014,
            Self::UnknownApiKey => -2015,
        }
    }

    /// The HTTP status of the error.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Internal => StatusCode::SERVICE_UNAVAILABLE,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::TooManyRequests { .. } | Self::TooManyOrders { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Banned { .. } => StatusCode::IM_A_TEAPOT,
            Self::NoSuchEndpoint => StatusCode::NOT_FOUND,
            Self::NoApiKey | Self::UnknownApiKey => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyRequests { retry_after } | Self::Banned { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}

#[derive(Serialize)]
struct Body {
    code: i32,
    msg: String,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Body { code: self.code(), msg: self.to_string() };
        let mut response = (self.status(), Json(body)).into_response();
        if let Some(retry_after) = self.retry_after() {
            // Whole seconds, rounded up, because an early retry would be refused again.
            let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
