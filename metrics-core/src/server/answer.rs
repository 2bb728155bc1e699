//! An answer: status, type and text, with the headers that all answers share.

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
#[cfg(feature = "auth")]
use hyper::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{HeaderMap, Response, StatusCode};

use super::HealthAnswer;
use super::flow::Streamed;
use super::negotiation::Variant;
use super::security::Security;

const HTML: &str = "text/html; charset=utf-8";
#[cfg(feature = "page")]
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// On every answer, not only on the pages that a browser shows; the others lose nothing by it. A page with scripts has
/// its own policy.
const SHARED_HEADERS: [(HeaderName, &str); 5] = [
    (CACHE_CONTROL, "no-store"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
];

/// The body of an answer.
pub(super) type Content = Either<Full<Bytes>, Streamed>;

/// Cheap to clone, so that clients who wait for one rendering share its bytes.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    status: StatusCode,
    content_type: &'static str,
    /// In addition to the shared headers.
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Answer {
    /// An exposition whose body is still to come.
    pub(super) fn exposition(variant: &Variant) -> Self {
        let mut headers = vec![(VARY, HeaderValue::from_static("accept, accept-encoding"))];
        if variant.is_compressed {
            headers.push((CONTENT_ENCODING, HeaderValue::from_static("gzip")));
        }
        Self { headers, ..Self::new(StatusCode::OK, variant.page.format.content_type(), Bytes::new()) }
    }

    /// The page of a server that does not show the bot's state.
    #[cfg(not(feature = "page"))]
    pub(super) fn links() -> Self {
        let page = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Bot metrics</title><ul>\
            <li><a href=\"metrics\">/metrics</a> for Prometheus\
            <li><a href=\"-/healthy\">/-/healthy</a> 503 when a loop hangs\
            <li><a href=\"-/ready\">/-/ready</a> 503 also when one is stalled</ul>";
        Self::new(StatusCode::OK, HTML, page)
    }

    #[cfg(feature = "page")]
    pub(super) fn json(page: Vec<u8>) -> Self {
        Self::new(StatusCode::OK, JSON, page)
    }

    /// A page whose styles and scripts have the nonce that it is given, of this answer alone.
    #[cfg(feature = "page")]
    pub(super) fn html(status: StatusCode, page: impl FnOnce(&str) -> String) -> Self {
        let Some(nonce) = nonce() else {
            return Self::text(StatusCode::SERVICE_UNAVAILABLE, "the system has no random numbers");
        };
        let policy = format!(
            "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        // It has no character that a header may not have.
        let policy = HeaderValue::try_from(policy).ok().map(|policy| (CONTENT_SECURITY_POLICY, policy));
        Self { headers: policy.into_iter().collect(), ..Self::new(status, HTML, page(&nonce)) }
    }

    pub(super) fn text(status: StatusCode, text: impl Into<String>) -> Self {
        let mut text = text.into();
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Self::new(status, TEXT, text)
    }

    pub(super) fn verdict(verdict: HealthAnswer) -> Self {
        let status = if verdict.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        Self::text(status, verdict.text)
    }

    pub(super) fn method_not_allowed(allow: &'static str) -> Self {
        let text = format!("method not allowed; allowed: {allow}");
        Self {
            headers: vec![(ALLOW, HeaderValue::from_static(allow))],
            ..Self::text(StatusCode::METHOD_NOT_ALLOWED, text)
        }
    }

    /// Browsers ask for user and password because of its header.
    #[cfg(feature = "auth")]
    pub(super) fn unauthorized(reason: &str) -> Self {
        let realm = HeaderValue::from_static("Basic realm=\"bot-metrics\", charset=\"UTF-8\"");
        Self { headers: vec![(WWW_AUTHENTICATE, realm)], ..Self::text(StatusCode::UNAUTHORIZED, reason) }
    }

    #[cfg(feature = "auth")]
    pub(super) fn busy_with_logins() -> Self {
        let text = "too many logins are being checked; try again";
        Self {
            headers: vec![(RETRY_AFTER, HeaderValue::from_static("10"))],
            ..Self::text(StatusCode::SERVICE_UNAVAILABLE, text)
        }
    }

    #[cfg(feature = "auth")]
    pub(super) fn too_many_logins() -> Self {
        let text = "too many failed logins; try again in a minute";
        Self {
            headers: vec![(RETRY_AFTER, HeaderValue::from_static("60"))],
            ..Self::text(StatusCode::TOO_MANY_REQUESTS, text)
        }
    }

    fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, content_type, headers: Vec::new(), body: body.into() }
    }

    pub(super) fn body(&self) -> &Bytes {
        &self.body
    }

    pub(super) fn with_body(self, body: Bytes) -> Self {
        Self { body, ..self }
    }

    /// Builds the response, with `streamed` as its body if present.
    pub(super) fn into_response(self, streamed: Option<Streamed>) -> Response<Content> {
        let body = streamed.map_or_else(|| Either::Left(Full::new(self.body)), Either::Right);
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        add_shared_headers(headers);
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        response
    }
}

/// 128 random bits, as text.
#[cfg(feature = "page")]
fn nonce() -> Option<String> {
    let (high, low) = (getrandom::u64().ok()?, getrandom::u64().ok()?);
    Some(format!("{high:016x}{low:016x}"))
}

/// An answer of hyper's own, which has no headers but its length and the date, with those that all answers have.
pub(super) fn completed(answer: &[u8], security: &Security) -> Vec<u8> {
    let mut response = Response::new(());
    add_shared_headers(response.headers_mut());
    security.add_headers(&mut response);
    let status_line = answer.iter().position(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let (status_line, rest) = answer.split_at(status_line);
    let mut completed = status_line.to_vec();
    for (name, value) in response.headers() {
        completed.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    completed.extend_from_slice(rest);
    completed
}

fn add_shared_headers(headers: &mut HeaderMap) {
    for (name, value) in SHARED_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
