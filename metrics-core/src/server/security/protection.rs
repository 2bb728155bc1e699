//! The protection of a server, and its replacement when the web configuration changes.
//!
//! A version of the files that cannot be used, for example because one is only half written, changes nothing and is
//! reported. Neither does one that would end TLS, authentication or the check of client certificates, or accept an
//! older version of TLS: that needs a restart, so that a broken file never opens the port.

use std::collections::hash_map::{Entry, HashMap};
use std::fmt;
use std::future::pending;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use hyper::Response;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use super::Transport;
use super::auth::{Login, Logins, Users};
use super::tls::Tls;
use super::web_config::{FilesRead, Invalid, WebConfig};
use crate::report::{Report, Topic};
use crate::server::activity::Activity;
use crate::server::answer::Answer;
#[cfg(feature = "auth")]
use crate::server::pages::METRICS;

/// A change is in effect after this time and the time of reading the files.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The time after which a refused address is reported again.
const TELL_EVERY: Duration = Duration::from_secs(60 * 60);

/// The maximum number of refused addresses and reasons that are remembered, less than 100 KiB; further ones are not
/// reported within the hour.
const MOST_REFUSED: usize = 1024;

/// The protection of a server. Clones share it.
#[derive(Clone)]
pub(in crate::server) struct Security(Arc<Shared>);

struct Shared {
    path: Option<PathBuf>,
    report: Report,
    current: RwLock<Arc<Protection>>,
    version: AtomicU64,
    /// The files of the last attempt to use the web configuration, whether or not it succeeded.
    attempted: Mutex<FilesRead>,
    /// The addresses and reasons that were reported, and when.
    refused: Mutex<HashMap<(IpAddr, &'static str), Instant>>,
    logins: Arc<Logins>,
}

/// The protection that one version of the files gives.
#[derive(Default)]
struct Protection {
    tls: Option<Tls>,
    users: Option<Arc<Users>>,
    /// Replace the server's own.
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Security {
    /// Reads the web configuration, if there is one.
    pub(in crate::server) fn open(path: Option<&Path>, report: &Report) -> io::Result<Self> {
        let mut files = FilesRead::default();
        let protection =
            path.map_or_else(|| Ok(Protection::default()), |path| Protection::read(path, &mut files));
        let protection = protection.map_err(|reason| {
            let path = path.unwrap_or(Path::new("")).display();
            io::Error::new(io::ErrorKind::InvalidData, format!("the web configuration {path}: {reason}"))
        })?;
        Ok(Self(Arc::new(Shared {
            path: path.map(Path::to_owned),
            report: report.clone(),
            current: RwLock::new(Arc::new(protection)),
            version: AtomicU64::new(0),
            attempted: Mutex::new(files),
            refused: Mutex::default(),
            logins: Arc::default(),
        })))
    }

    /// Whether clients need a password, a token or a certificate.
    pub(in crate::server) fn keeps_others_out(&self) -> bool {
        let current = self.current();
        current.users.is_some() || current.requires_certificate()
    }

    pub(in crate::server) fn encrypts(&self) -> bool {
        self.current().tls.is_some()
    }

    /// Replaces the protection whenever a file has changed; never ends.
    pub(in crate::server) async fn watch(self) {
        let Some(path) = self.0.path.clone() else { return pending().await };
        let mut turns = interval(LOOK_EVERY);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            turns.tick().await;
            let (shared, path) = (Arc::clone(&self.0), path.clone());
            // On another thread, because the files may be on a slow disk.
            let _ = spawn_blocking(move || shared.look(&path)).await;
        }
    }

    /// The stream below HTTP, after the TLS handshake; `None` if that failed.
    pub(in crate::server) async fn transport(
        &self,
        stream: TcpStream,
        from: SocketAddr,
        activity: &Activity,
    ) -> Option<Transport> {
        let current = self.current();
        let Some(tls) = &current.tls else { return Some(Transport::Plain(stream)) };
        let failed = |cause: &io::Error| self.tell_refused(from.ip(), "the TLS handshake failed: ", cause);
        // In a box, since a connection would keep the room of the handshake to its end.
        Box::pin(tls.handshake(stream, activity)).await.inspect_err(failed).ok()
    }

    /// The answer to a request that is not allowed.
    pub(in crate::server) async fn refusal(&self, head: &Parts, from: SocketAddr) -> Option<Answer> {
        let users = self.current().users.clone()?;
        match users.check(&self.0.logins, &head.headers, from.ip()).await {
            Login::Accepted => None,
            #[cfg(feature = "auth")]
            Login::Missing => {
                // A browser asks without a password first; a scraper without one would never be noticed.
                if head.uri.path() == METRICS {
                    self.tell_refused(from.ip(), "it sent no user and no password", "");
                }
                Some(Answer::unauthorized("this page needs a user and a password"))
            }
            #[cfg(feature = "auth")]
            Login::Wrong => {
                self.tell_refused(from.ip(), "its user or password is wrong", "");
                Some(Answer::unauthorized("the user or the password is wrong"))
            }
            #[cfg(feature = "auth")]
            Login::Busy => Some(Answer::busy_with_logins()),
            #[cfg(feature = "auth")]
            Login::TooMany => {
                self.tell_refused(from.ip(), "it has failed to log in too often", "");
                Some(Answer::too_many_logins())
            }
        }
    }

    /// Identifies the protection that applies now.
    pub(in crate::server) fn version(&self) -> u64 {
        self.0.version.load(Relaxed)
    }

    /// Adds the configured headers.
    pub(in crate::server) fn add_headers<B>(&self, response: &mut Response<B>) {
        for (name, value) in &self.current().headers {
            response.headers_mut().insert(name, value.clone());
        }
    }

    fn current(&self) -> Arc<Protection> {
        Arc::clone(&self.0.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reports each address and reason once an hour: a scraper with a wrong password asks again and again.
    fn tell_refused(&self, from: IpAddr, reason: &'static str, detail: impl fmt::Display) {
        let mut refused = self.0.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        refused.retain(|_, told| now.duration_since(*told) < TELL_EVERY);
        if refused.len() < MOST_REFUSED
            && let Entry::Vacant(entry) = refused.entry((from, reason))
        {
            entry.insert(now);
            self.0.report.tell(
                Topic::Refused,
                from,
                format_args!("a client at {from} was refused: {reason}{detail}"),
            );
        }
    }
}

impl Shared {
    /// Reads the files again if one has changed since the last attempt.
    fn look(&self, path: &Path) {
        if self.attempted().are_unchanged() {
            return;
        }
        let mut files = FilesRead::default();
        let result = Protection::read(path, &mut files).and_then(|protection| self.replace(protection));
        *self.attempted() = files;
        let path = path.display();
        match result {
            Ok(()) => self.report.tell(Topic::WebConfig, "", format_args!("the web configuration {path} has changed and is in effect")),
            Err(reason) => self.report.tell(
                Topic::WebConfig,
                "",
                format_args!("the web configuration {path} has changed and is not used, the previous one stays: {reason}"),
            ),
        };
    }

    fn replace(&self, protection: Protection) -> Result<(), Invalid> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        protection.check_successor_of(&current)?;
        if let (Some(users), Some(previous)) = (&protection.users, &current.users) {
            users.keep_verified(previous);
        }
        *current = Arc::new(protection);
        self.version.fetch_add(1, Relaxed);
        Ok(())
    }

    fn attempted(&self) -> MutexGuard<'_, FilesRead> {
        self.attempted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Protection {
    fn read(path: &Path, files: &mut FilesRead) -> Result<Self, Invalid> {
        let config = WebConfig::read(path, files)?;
        let headers = config.http_server_config.unwrap_or_default().headers.unwrap_or_default();
        let folder = path.parent().unwrap_or(Path::new(""));
        Ok(Self {
            tls: match config.tls_server_config {
                Some(tls) => Tls::new(&tls, folder, files)?,
                None => None,
            },
            users: Users::new(&config.basic_auth_users.unwrap_or_default())?.map(Arc::new),
            headers: headers
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| header(name, value))
                .collect::<Result<_, _>>()?,
        })
    }

    fn check_successor_of(&self, previous: &Self) -> Result<(), Invalid> {
        let lost = |what| {
            Err(Invalid::new(format_args!("it no longer has {what}; restart the bot to serve without")))
        };
        if previous.tls.is_some() && self.tls.is_none() {
            lost("tls_server_config")
        } else if previous.users.is_some() && self.users.is_none() {
            lost("basic_auth_users")
        } else if previous.requires_certificate() && !self.requires_certificate() {
            lost("client_auth_type: RequireAndVerifyClientCert")
        } else if previous.restricts_names() && !self.restricts_names() {
            lost("client_allowed_sans")
        } else if previous.refuses_tls12() && !self.refuses_tls12() {
            lost("min_version: TLS13")
        } else {
            Ok(())
        }
    }

    fn refuses_tls12(&self) -> bool {
        self.tls.as_ref().is_some_and(Tls::refuses_tls12)
    }

    fn restricts_names(&self) -> bool {
        self.tls.as_ref().is_some_and(Tls::restricts_names)
    }

    fn requires_certificate(&self) -> bool {
        self.tls.as_ref().is_some_and(Tls::requires_certificate)
    }
}

/// The headers that the exporter-toolkit allows.
const HEADERS: [&str; 5] = [
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-XSS-Protection",
];

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Invalid> {
    if !HEADERS.iter().any(|allowed| allowed.eq_ignore_ascii_case(name)) {
        let allowed = HEADERS.join(", ");
        return Err(Invalid::new(format_args!(
            "http_server_config: the header {name:?} is not allowed; allowed: {allowed}"
        )));
    }
    match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        (Ok(name), Ok(value)) => Ok((name, value)),
        _ => Err(Invalid::new(format_args!(
            "http_server_config: {value:?} is no value of the header {name:?}"
        ))),
    }
}
