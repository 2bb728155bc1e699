//! A client for the HTTP endpoints of other programs: credentials, certificates and the time limit of a request.

#[cfg(feature = "tls")]
mod tls;

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::Agent;
use ureq::config::RedirectAuthHeaders;

use crate::shown::shown;
#[cfg(feature = "tls")]
pub(crate) use tls::FileFault;

/// Longer times are cut to this one, which is safe to add to a clock.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// The credentials, certificates and time limit of requests.
#[derive(Clone)]
pub(crate) struct HttpClient {
    timeout: Duration,
    authorization: Option<String>,
    #[cfg(feature = "tls")]
    tls: tls::Trust,
}

/// Why an address cannot be used.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AddressFault {
    /// It contains a user or a password, and must not be quoted.
    Credentials,
    Other(&'static str),
}

impl HttpClient {
    /// A client without credentials that trusts the certificates that the system trusts.
    pub(crate) fn new(timeout: Duration) -> Self {
        Self {
            timeout: timeout.min(LONGEST_TIMEOUT),
            authorization: None,
            #[cfg(feature = "tls")]
            tls: tls::Trust::default(),
        }
    }

    /// The time limit of a request, from looking up the name to the last byte of the answer.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    #[cfg(feature = "push")]
    pub(crate) fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout.min(LONGEST_TIMEOUT);
    }

    /// The value of the header `Authorization`.
    pub(crate) fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }

    pub(crate) fn set_basic_auth(&mut self, user: &str, password: &str) {
        self.authorization = Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
    }

    pub(crate) fn set_bearer_token(&mut self, token: &str) {
        self.authorization = Some(format!("Bearer {token}"));
    }

    /// An agent that returns answers with any status, and follows up to `redirects` redirects. Credentials stay with the
    /// host that they are for.
    pub(crate) fn agent(&self, redirects: u32) -> Agent {
        let config = Agent::config_builder();
        #[cfg(feature = "tls")]
        let config = config.tls_config(self.tls.config());
        config
            .timeout_global(Some(self.timeout))
            .http_status_as_error(false)
            .max_redirects(redirects)
            .redirect_auth_headers(RedirectAuthHeaders::SameHost)
            // Only `Settings` reads the environment.
            .proxy(None)
            .build()
            .into()
    }
}

/// The address without a trailing slash, if it is `http://host[:port][/path]`, or with the feature `tls` `https://…`.
pub(crate) fn check_address(url: &str) -> Result<&str, AddressFault> {
    // First, because the other errors quote the address.
    if url.split("://").last().unwrap_or_default().split('/').next().unwrap_or_default().contains('@') {
        return Err(AddressFault::Credentials);
    }
    let rest = match url.split_once("://") {
        Some(("http", rest)) => rest,
        Some(("https", rest)) if cfg!(feature = "tls") => rest,
        Some(("https", _)) => {
            return Err(AddressFault::Other("https needs the feature \"tls\" of bot-metrics"));
        }
        _ => return Err(AddressFault::Other("it begins with neither http:// nor https://")),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.is_empty() {
        return Err(AddressFault::Other("it names no host"));
    }
    if rest.contains(['?', '#']) || rest.contains(char::is_whitespace) {
        return Err(AddressFault::Other("it has more than a host, a port and a path"));
    }
    Ok(url.trim_end_matches('/'))
}

/// Why no answer came. `server` is a noun for the program that should run there.
pub(crate) fn explained(cause: &ureq::Error, timeout: Duration, server: &str) -> String {
    match cause {
        ureq::Error::Timeout(_) => format!("no answer within {timeout:?}"),
        ureq::Error::HostNotFound => "no such host".to_owned(),
        ureq::Error::Io(cause) if cause.kind() == io::ErrorKind::ConnectionRefused => {
            format!("connection refused; is {server} running there?")
        }
        other => shown(&other.to_string()).to_string(),
    }
}
