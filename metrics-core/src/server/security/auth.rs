//! Basic authentication and bearer tokens, with passwords hashed by bcrypt.
//!
//! Checking a password takes bcrypt a tenth of a second on purpose, so that it happens on a separate thread, one check
//! at a time, and once per password: credentials that were right are remembered. An address that fails too often is
//! refused without a check.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, HeaderMap};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::web_config::Invalid;

/// The user whose password is also accepted as a bearer token: the exporter-toolkit's format has no key for tokens.
const BEARER: &str = "bearer";

/// A higher cost takes longer than a scrape may.
const HIGHEST_COST: u32 = 16;

/// The number of failed logins of one address that are answered with 401 within [`WINDOW`].
const FAILURES: usize = 10;

const WINDOW: Duration = Duration::from_secs(60);

/// The maximum number of logins that wait for the check of another one. With the usual cost this is less than Prometheus'
/// default scrape timeout.
const WAITING: usize = 64;

/// The maximum number of addresses whose failures are remembered: less than 1 MiB.
const ADDRESSES: usize = 4096;

/// The users of one version of the web configuration.
pub(super) struct Users {
    hashes: BTreeMap<String, String>,
    /// The digest of each user's credentials, once they were right.
    verified: Mutex<HashMap<String, [u8; 32]>>,
}

/// The result of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Login {
    Accepted,
    /// The request has no credentials, as the first request of every browser.
    Missing,
    /// The credentials are wrong, or of an unknown kind.
    Wrong,
    /// The address has failed too often, or too many logins are waiting.
    TooMany,
}

struct Credentials {
    user: String,
    password: Vec<u8>,
}

impl Users {
    /// `None` if no user is configured.
    pub(super) fn new(hashes: &BTreeMap<String, String>) -> Result<Option<Self>, Invalid> {
        for (user, hash) in hashes {
            let parts = bcrypt::HashParts::from_str(hash).map_err(|_| {
                Invalid::new(format_args!(
                    "basic_auth_users: the password of {user:?} is not a bcrypt hash such as $2y$10$…; \
                     `htpasswd -nBC 10 {user}` makes one"
                ))
            })?;
            if parts.get_cost() > HIGHEST_COST {
                return Err(Invalid::new(format_args!(
                    "basic_auth_users: the hash of {user:?} has the cost {}; allowed: {HIGHEST_COST} at most, since a \
                     higher one takes longer than a scrape may",
                    parts.get_cost()
                )));
            }
        }
        Ok((!hashes.is_empty()).then(|| Self { hashes: hashes.clone(), verified: Mutex::default() }))
    }

    pub(super) async fn check(self: &Arc<Self>, logins: &Logins, headers: &HeaderMap, from: IpAddr) -> Login {
        if !headers.contains_key(AUTHORIZATION) {
            return Login::Missing;
        }
        let from = network(from);
        let credentials = Credentials::of(headers);
        // Not refused for others' failures behind the same proxy.
        if credentials.as_ref().is_some_and(|credentials| self.is_verified(credentials)) {
            return Login::Accepted;
        }
        // Counted as a failure in advance, so that simultaneous logins cannot exceed the limit.
        let Some(attempt) = logins.attempt(from, Instant::now()) else { return Login::TooMany };
        let Some(credentials) = credentials else { return Login::Wrong };
        let Ok(_waiting) = logins.waiting.try_acquire() else { return Login::TooMany };
        let _turn = logins.turn.acquire().await;
        let users = Arc::clone(self);
        let check = move || users.is_verified(&credentials) || users.verify(&credentials);
        if spawn_blocking(check).await.unwrap_or(false) {
            logins.withdraw(from, attempt);
            return Login::Accepted;
        }
        Login::Wrong
    }

    fn is_verified(&self, credentials: &Credentials) -> bool {
        let verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.get(&credentials.user) == Some(&credentials.digest())
    }

    /// Takes as long for an unknown user as for a known one.
    fn verify(&self, credentials: &Credentials) -> bool {
        let known = self.hashes.get(&credentials.user);
        let Some(hash) = known.or_else(|| self.hashes.values().next()) else { return false };
        // A password of more than 72 bytes is an error, since bcrypt would ignore the rest of it.
        let is_right = bcrypt::non_truncating_verify(&credentials.password, hash).unwrap_or(false);
        if is_right && known.is_some() {
            let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
            verified.insert(credentials.user.clone(), credentials.digest());
        }
        is_right && known.is_some()
    }
}

impl Credentials {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (value, None) = (values.next()?.to_str().ok()?, values.next()) else { return None };
        let (scheme, rest) = value.split_once(' ')?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Self { user: BEARER.to_owned(), password: rest.trim().as_bytes().to_vec() });
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = STANDARD.decode(rest.trim()).ok()?;
        let colon = decoded.iter().position(|&byte| byte == b':')?;
        let user = String::from_utf8(decoded[..colon].to_vec()).ok()?;
        Some(Self { user, password: decoded[colon + 1..].to_vec() })
    }

    /// The user's length comes first, so that no two pairs of user and password have the same digest.
    fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update((self.user.len() as u64).to_le_bytes());
        digest.update(&self.user);
        digest.update(&self.password);
        digest.finalize().into()
    }
}

/// Checks logins one at a time, and counts the failures of each address. It outlives changes of the users.
pub(super) struct Logins {
    turn: Semaphore,
    failures: Mutex<HashMap<IpAddr, Vec<Instant>>>,
    waiting: Semaphore,
}

impl Default for Logins {
    fn default() -> Self {
        Self { turn: Semaphore::new(1), failures: Mutex::default(), waiting: Semaphore::new(WAITING) }
    }
}

impl Logins {
    fn attempt(&self, from: IpAddr, now: Instant) -> Option<Instant> {
        let mut failures = self.failures();
        if failures.len() >= ADDRESSES && !failures.contains_key(&from) {
            let newest = |of: &Vec<Instant>| of.last().copied();
            let oldest =
                failures.iter().min_by_key(|(_, failures)| newest(failures)).map(|(address, _)| *address);
            oldest.and_then(|address| failures.remove(&address));
        }
        let of_address = failures.entry(from).or_default();
        of_address.retain(|failure| now.duration_since(*failure) < WINDOW);
        if of_address.len() >= FAILURES {
            return None;
        }
        of_address.push(now);
        Some(now)
    }

    fn withdraw(&self, from: IpAddr, attempt: Instant) {
        if let Some(failures) = self.failures().get_mut(&from) {
            failures.retain(|failure| *failure != attempt);
        }
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<IpAddr, Vec<Instant>>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One client has a whole /64 of IPv6 addresses.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}
