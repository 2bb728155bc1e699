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

use std::fmt;
#[cfg(feature = "tls")]
use std::path::Path;
use std::time::Duration;

use ureq::http::{Method, Request};

pub use self::error::PushError;
use self::error::PushProblem;
use self::grouping::Grouping;
use crate::Metrics;
use crate::client::{HttpClient, check_address};
use crate::exposition::text::CONTENT_TYPE;

/// Twice the time that a gateway on a busy machine takes for the megabytes of a large bot.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

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
    client: HttpClient,
}

impl Pushgateway {
    /// The group with the label `job` at the gateway `url`, which may have a path prefix.
    ///
    /// # Errors
    ///
    /// If `url` is not a plain `http://host[:port][/path]`, or with the feature `tls` `https://…`, or `job` is empty.
    pub fn new(url: &str, job: &str) -> Result<Self, PushError> {
        Ok(Self {
            url: check_address(url).map_err(|fault| PushError::address(url, fault))?.to_owned(),
            grouping: Grouping::of_job(job)?,
            client: HttpClient::new(DEFAULT_TIMEOUT),
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
        self.client.set_timeout(timeout);
        self
    }

    /// Sets a user and a password for basic authentication, which `http` sends unencrypted.
    pub fn basic_auth(mut self, user: &str, password: &str) -> Self {
        self.client.set_basic_auth(user, password);
        self
    }

    /// Sets a token that authorizes the requests, instead of a user and a password; `http` sends it unencrypted.
    pub fn bearer_token(mut self, token: &str) -> Self {
        self.client.set_bearer_token(token);
        self
    }

    /// Trusts the certificates in this PEM file alone, instead of those that the system trusts.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or contains no certificate.
    #[cfg(feature = "tls")]
    pub fn ca_file(mut self, path: impl AsRef<Path>) -> Result<Self, PushError> {
        self.client.trust(path.as_ref())?;
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
        self.client.show(chain.as_ref(), key.as_ref())?;
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
            timeout: self.client.timeout(),
            cause: Box::new(cause),
        };
        let uri = format!("{}{}", self.url, self.grouping.path());
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(authorization) = self.client.authorization() {
            request = request.header("Authorization", authorization);
        }
        // If a gateway has moved, the operator must change the address; a redirect must not turn a push into a GET.
        let agent = self.client.agent(0);
        let answer = match exposition {
            Some(text) => {
                let request = request.header("Content-Type", CONTENT_TYPE).body(text);
                request.map_err(ureq::Error::from).and_then(|request| agent.run(request))
            }
            None => request.body(()).map_err(ureq::Error::from).and_then(|request| agent.run(request)),
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
}

/// Without the password.
impl fmt::Debug for Pushgateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pushgateway")
            .field("url", &self.url)
            .field("grouping", &self.grouping)
            .field("timeout", &self.client.timeout())
            .finish_non_exhaustive()
    }
}
