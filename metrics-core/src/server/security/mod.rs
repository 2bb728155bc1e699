//! TLS and authentication, as a web configuration file says, which is read again whenever it changes.

#[cfg(feature = "auth")]
mod auth;
mod protection;
#[cfg(feature = "operations")]
mod scraper;
#[cfg(feature = "tls")]
mod tls;
mod transport;
mod web_config;
#[cfg(not(all(feature = "tls", feature = "auth")))]
mod without;

pub(super) use self::protection::Security;
#[cfg(feature = "operations")]
pub(crate) use self::scraper::ScraperNeeds;
pub(super) use self::transport::Transport;
#[cfg(not(feature = "auth"))]
use self::without::auth;
#[cfg(not(feature = "tls"))]
use self::without::tls;
