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
    /// The hash that takes longest to check, for users that are unknown.
    costliest: String,
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
    /// The address has failed too often.
    TooMany,
    /// Too many logins are waiting.
    Busy,
}

struct Credentials {
    user: String,
    password: Vec<u8>,
}

impl Users {
    /// `None` if no user is configured.
    pub(super) fn new(hashes: &BTreeMap<String, String>) -> Result<Option<Self>, Invalid> {
        let mut costliest = None;
        for (user, hash) in hashes {
            let parts = bcrypt::HashParts::from_str(hash).map_err(|_| {
                Invalid::new(format_args!(
                    "basic_auth_users: the password of {user:?} is not a bcrypt hash such as $2y$10$…; \
                     `htpasswd -nBC 10 {user}` makes one"
                ))
            })?;
            let cost = parts.get_cost();
            if cost > HIGHEST_COST {
                return Err(Invalid::new(format_args!(
                    "basic_auth_users: the hash of {user:?} has the cost {cost}; allowed: {HIGHEST_COST} at most, since a \
                     higher one takes longer than a scrape may"
                )));
            }
            costliest = costliest.max(Some((cost, hash)));
        }
        Ok(costliest.map(|(_, costliest)| Self {
            hashes: hashes.clone(),
            costliest: costliest.clone(),
            verified: Mutex::default(),
        }))
    }

    pub(super) async fn check(
        self: &Arc<Self>,
        logins: &Arc<Logins>,
        headers: &HeaderMap,
        from: IpAddr,
    ) -> Login {
        if !headers.contains_key(AUTHORIZATION) {
            return Login::Missing;
        }
        let from = network(from);
        let Some(credentials) = Credentials::of(headers) else {
            return if logins.fails(from) { Login::Wrong } else { Login::TooMany };
        };
        // Not refused for others' failures behind the same proxy.
        if self.is_verified(&credentials) {
            return Login::Accepted;
        }
        if !logins.may_fail(from) {
            return Login::TooMany;
        }
        let Ok(waiting) = Arc::clone(&logins.waiting).try_acquire_owned() else { return Login::Busy };
        let Ok(turn) = Arc::clone(&logins.turn).acquire_owned().await else { return Login::Busy };
        let (users, logins) = (Arc::clone(self), Arc::clone(logins));
        let check = move || {
            // Until the end of the check, even if the connection is closed before.
            let _held = (waiting, turn);
            // While this login waited, the same one may have been checked, or others of the address may have failed.
            if users.is_verified(&credentials) {
                Login::Accepted
            } else if !logins.may_fail(from) {
                Login::TooMany
            } else if users.verify(&credentials) {
                Login::Accepted
            } else {
                logins.fails(from);
                Login::Wrong
            }
        };
        spawn_blocking(check).await.unwrap_or(Login::Busy)
    }

    /// Takes over which credentials were right, for users whose password is the same.
    pub(super) fn keep_verified(&self, previous: &Self) {
        let of_previous = previous.verified.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |user: &String| self.hashes.get(user) == previous.hashes.get(user);
        let kept = of_previous.iter().filter(|(user, _)| same(user));
        *self.verified.lock().unwrap_or_else(PoisonError::into_inner) =
            kept.map(|(user, digest)| (user.clone(), *digest)).collect();
    }

    fn is_verified(&self, credentials: &Credentials) -> bool {
        let verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.get(&credentials.user) == Some(&credentials.digest())
    }

    /// Takes at least as long for an unknown user as for a known one.
    fn verify(&self, credentials: &Credentials) -> bool {
        let known = self.hashes.get(&credentials.user);
        let hash = known.unwrap_or(&self.costliest);
        // A password of more than 71 bytes is an error, since bcrypt would ignore the rest of it.
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

/// Lets one login be checked at a time, and counts the failures of each address. It outlives changes of the users.
pub(super) struct Logins {
    turn: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    failures: Mutex<HashMap<IpAddr, Vec<Instant>>>,
}

impl Default for Logins {
    fn default() -> Self {
        let (turn, waiting) = (Arc::new(Semaphore::new(1)), Arc::new(Semaphore::new(WAITING)));
        Self { turn, waiting, failures: Mutex::default() }
    }
}

impl Logins {
    /// Whether this address has failed less often than the limit within the last minute.
    fn may_fail(&self, from: IpAddr) -> bool {
        let now = Instant::now();
        let recent = |failure: &&Instant| now.duration_since(**failure) < WINDOW;
        self.failures().get(&from).is_none_or(|failures| failures.iter().filter(recent).count() < FAILURES)
    }

    /// Counts a failure; returns whether it was within the limit.
    fn fails(&self, from: IpAddr) -> bool {
        let now = Instant::now();
        let mut failures = self.failures();
        if failures.len() >= ADDRESSES && !failures.contains_key(&from) {
            let newest = |of: &Vec<Instant>| of.last().copied();
            let oldest = failures.iter().min_by_key(|(_, of)| newest(of)).map(|(address, _)| *address);
            oldest.and_then(|address| failures.remove(&address));
        }
        let of_address = failures.entry(from).or_default();
        of_address.retain(|failure| now.duration_since(*failure) < WINDOW);
        let is_within = of_address.len() < FAILURES;
        if is_within {
            of_address.push(now);
        }
        is_within
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
