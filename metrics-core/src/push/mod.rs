//! Pushing to a Prometheus Pushgateway, for what ends before it is scraped: a backtest, a nightly job.
//!
//! ```no_run
//! use std::time::Duration;
//! use bot_metrics::push::Pushgateway;
//! use bot_metrics::{Mode, Settings};
//!
//! let metrics = Settings::new(Mode::Paper).build()?;
//! // … run the backtest …
//! Pushgateway::new("http://127.0.0.1:9091", "backtest")?
//!     .grouping("strategy", "grid")?
//!     .timeout(Duration::from_secs(5))
//!     .push(&metrics)?;
//! # Ok::<(), bot_metrics::Error>(())
//! ```
//!
//! A long-running bot should be scraped instead: if a bot that pushes dies, its last values stay until they are
//! [deleted](Pushgateway::delete). Nothing is pushed automatically or retried.

mod error;
mod grouping;
#[cfg(test)]
mod tests;
#[cfg(feature = "tls")]
mod tls;

use std::fmt;
#[cfg(feature = "tls")]
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::Agent;
use ureq::http::{Method, Request};

pub use self::error::PushError;
use self::error::PushProblem;
use self::grouping::Grouping;
use crate::Metrics;
use crate::exposition::text::CONTENT_TYPE;

/// Twice the time that a gateway on a busy machine takes for the megabytes of a large bot.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Longer times are cut to this one, which is safe to add to a clock.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// The number of bytes of an answer that are read for a message. Gateways explain errors in one line.
const LONGEST_ANSWER: u64 = 1_000;

/// A group of metrics on a Pushgateway: its address, and the labels that identify the group.
///
/// Nothing is sent before [`push`](Self::push), [`push_add`](Self::push_add) or [`delete`](Self::delete). Each blocks
/// its thread, for the [timeout](Self::timeout) at most: in an async bot call them in `tokio::task::spawn_blocking`
/// or similar.
#[derive(Clone)]
#[must_use = "nothing is pushed before `push`"]
pub struct Pushgateway {
    url: String,
    grouping: Grouping,
    timeout: Duration,
    authorization: Option<String>,
    #[cfg(feature = "tls")]
    tls: tls::Trust,
}

impl Pushgateway {
    /// The group with the label `job` at the gateway `url`, which may have a path prefix.
    ///
    /// # Errors
    ///
    /// If `url` is not a plain `http://host[:port][/path]`, or with the feature `tls` `https://…`, or `job` is empty.
    pub fn new(url: &str, job: &str) -> Result<Self, PushError> {
        Ok(Self {
            url: checked(url)?.to_owned(),
            grouping: Grouping::of_job(job)?,
            timeout: DEFAULT_TIMEOUT,
            authorization: None,
            #[cfg(feature = "tls")]
            tls: tls::Trust::default(),
        })
    }

    /// Adds a label to the group's. The gateway sets it on every pushed series, replacing an existing value.
    ///
    /// # Errors
    ///
    /// If `label` is not a valid label name, is a duplicate, or is a label of the library's own series, which the
    /// gateway would merge.
    pub fn grouping(mut self, label: &str, value: &str) -> Result<Self, PushError> {
        self.grouping.add(label, value)?;
        Ok(self)
    }

    /// Sets the time limit of a request, from looking up the name to the last byte of the answer; 10 s by default, a
    /// day at most. With zero every request fails.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(LONGEST_TIMEOUT);
        self
    }

    /// Sets a user and a password for basic authentication, which `http` sends unencrypted.
    pub fn basic_auth(mut self, user: &str, password: &str) -> Self {
        self.authorization = Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
        self
    }

    /// Sets a token that authorizes the requests, instead of a user and a password; `http` sends it unencrypted.
    pub fn bearer_token(mut self, token: &str) -> Self {
        self.authorization = Some(format!("Bearer {token}"));
        self
    }

    /// Trusts the certificates in this PEM file alone, instead of those that the system trusts.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or contains no certificate.
    #[cfg(feature = "tls")]
    pub fn ca_file(mut self, path: impl AsRef<Path>) -> Result<Self, PushError> {
        self.tls.trust(path.as_ref())?;
        Ok(self)
    }

    /// Shows a certificate to the gateway, from PEM files of the chain and its key.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, has no certificate or key, or the key is not that of the certificate.
    #[cfg(feature = "tls")]
    pub fn client_certificate(
        mut self,
        chain: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, PushError> {
        self.tls.show(chain.as_ref(), key.as_ref())?;
        Ok(self)
    }

    /// Replaces everything in the group (PUT).
    ///
    /// # Errors
    ///
    /// If the gateway cannot be reached, does not answer in time or refuses.
    pub fn push(&self, metrics: &Metrics) -> Result<(), PushError> {
        self.send_exposition(Method::PUT, metrics)
    }

    /// Replaces those families of the group that `metrics` has, and keeps the others (POST).
    ///
    /// # Errors
    ///
    /// If the gateway cannot be reached, does not answer in time or refuses.
    pub fn push_add(&self, metrics: &Metrics) -> Result<(), PushError> {
        self.send_exposition(Method::POST, metrics)
    }

    /// Deletes everything in the group.
    ///
    /// # Errors
    ///
    /// If the gateway cannot be reached, does not answer in time or refuses.
    pub fn delete(&self) -> Result<(), PushError> {
        self.send(Method::DELETE, None)
    }

    fn send_exposition(&self, method: Method, metrics: &Metrics) -> Result<(), PushError> {
        let (text, receipt) = metrics.exposition_with_receipt();
        self.send(method, Some(text)).map(|()| receipt.confirm())
    }

    fn send(&self, method: Method, exposition: Option<String>) -> Result<(), PushError> {
        let failed = |cause| PushProblem::Failed {
            address: self.url.clone(),
            timeout: self.timeout,
            cause: Box::new(cause),
        };
        let uri = format!("{}{}", self.url, self.grouping.path());
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let answer = match exposition {
            Some(text) => {
                let request = request.header("Content-Type", CONTENT_TYPE).body(text);
                request.map_err(ureq::Error::from).and_then(|request| self.agent().run(request))
            }
            None => request.body(()).map_err(ureq::Error::from).and_then(|request| self.agent().run(request)),
        };
        let mut answer = answer.map_err(failed)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        // A refusal whose body cannot be read is reported without its reason.
        let reason = answer.body_mut().with_config().limit(LONGEST_ANSWER).lossy_utf8(true).read_to_string();
        let (address, answer) = (self.url.clone(), reason.unwrap_or_default());
        Err(PushProblem::Refused { address, status: status.as_u16(), answer }.into())
    }

    fn agent(&self) -> Agent {
        let config = Agent::config_builder();
        #[cfg(feature = "tls")]
        let config = config.tls_config(self.tls.config());
        config
            .timeout_global(Some(self.timeout))
            .http_status_as_error(false)
            // If a gateway has moved, the operator must change the address; a redirect must not turn a push into a
            // GET.
            .max_redirects(0)
            // Only `Settings` reads the environment.
            .proxy(None)
            .build()
            .into()
    }
}

/// Without the password.
impl fmt::Debug for Pushgateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pushgateway")
            .field("url", &self.url)
            .field("grouping", &self.grouping)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// The address without a trailing slash.
fn checked(url: &str) -> Result<&str, PushError> {
    // First, because the other errors quote the address.
    if url.split("://").last().unwrap_or_default().split('/').next().unwrap_or_default().contains('@') {
        return Err(PushError::address("…@…", "a user and a password go to `basic_auth`"));
    }
    let rest = match url.split_once("://") {
        Some(("http", rest)) => rest,
        Some(("https", rest)) if cfg!(feature = "tls") => rest,
        Some(("https", _)) => {
            return Err(PushError::address(url, "https needs the feature \"tls\" of bot-metrics"));
        }
        _ => return Err(PushError::address(url, "it begins with neither http:// nor https://")),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.is_empty() {
        return Err(PushError::address(url, "it names no host"));
    }
    if rest.contains(['?', '#']) || rest.contains(char::is_whitespace) {
        return Err(PushError::address(url, "it has more than a host, a port and a path"));
    }
    Ok(url.trim_end_matches('/'))
}
