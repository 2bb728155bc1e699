//! The formats and the limits of the server.

use std::path::PathBuf;
use std::time::Duration;

use super::Format;
use super::negotiation::OfferedFormats;
#[cfg(feature = "page")]
use super::page::is_host_name;

/// Longer times are cut to this one, which is far beyond any use and safe to add to a clock.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The formats that the server offers, and its limits. The defaults suit a bot on the open internet.
///
/// ```
/// use std::time::Duration;
/// use bot_metrics::server::ServerOptions;
///
/// let options = ServerOptions::new().max_connections(64).write_timeout(Duration::from_secs(10));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ServerOptions {
    pub(super) offered: OfferedFormats,
    pub(super) header_timeout: Duration,
    pub(super) idle_timeout: Duration,
    pub(super) write_timeout: Duration,
    pub(super) render_timeout: Duration,
    pub(super) max_connections: usize,
    pub(super) max_header_bytes: usize,
    pub(super) max_unread_bytes: usize,
    pub(super) web_config: Option<PathBuf>,
    #[cfg(feature = "page")]
    pub(super) allowed_hosts: Vec<String>,
    #[cfg(feature = "page")]
    pub(super) trust_clients: bool,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            offered: OfferedFormats { formats: vec![Format::Text], with_created: false },
            header_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(100),
            write_timeout: Duration::from_secs(30),
            render_timeout: Duration::from_secs(30),
            max_connections: 256,
            max_header_bytes: 16 * 1024,
            max_unread_bytes: 16 * 1024 * 1024,
            web_config: None,
            #[cfg(feature = "page")]
            allowed_hosts: Vec::new(),
            #[cfg(feature = "page")]
            trust_clients: false,
        }
    }
}

impl ServerOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The formats of the exposition that clients may choose by their `Accept` header; a client that names none of them
    /// gets text if it is among them. A single one is sent to every client. Without any, text is offered.
    ///
    /// ```
    /// use bot_metrics::server::{Format, ServerOptions};
    ///
    /// let options = ServerOptions::new().formats([Format::Text, Format::OpenMetrics]);
    /// ```
    ///
    /// Default: text alone. Prometheus prefers OpenMetrics where it is offered, and Prometheus 2 then stores the bounds
    /// of histograms as other series: [`Format::OpenMetrics`].
    pub fn formats(mut self, formats: impl IntoIterator<Item = Format>) -> Self {
        let mut formats: Vec<_> = formats.into_iter().collect();
        formats.sort_unstable();
        formats.dedup();
        if formats.is_empty() {
            formats.push(Format::default());
        }
        self.offered.formats = formats;
        self
    }

    /// Whether OpenMetrics has a further sample `…_created` for each counter and histogram, with the Unix time at which
    /// its counts began. The protobuf format always has that time.
    ///
    /// Default: no. Prometheus stores such a sample as one more series, unless its feature
    /// `created-timestamp-zero-ingestion` is on: then it takes a series that first appears with a count as one that was
    /// 0 before, so that `increase()` sees the first recording of a symbol or profile.
    pub fn created_samples(mut self, are_sent: bool) -> Self {
        self.offered.with_created = are_sent;
        self
    }

    /// The time for which a client may send the header of a request, counted from the connection or from the header's
    /// first byte. A connection that takes longer is closed.
    ///
    /// Default 5 s: a scraper sends its header in one packet. Zero is rejected by
    /// [`serve_with`](crate::Metrics::serve_with).
    pub fn header_timeout(mut self, timeout: Duration) -> Self {
        self.header_timeout = timeout.min(LONGEST);
        self
    }

    /// The time for which a connection is kept after an answer while its client sends nothing. Idle connections are
    /// closed to make room for new ones, so that a long time costs little. If the beginning of the next request
    /// arrived together with the last one, this limit applies to it too.
    ///
    /// Default 100 s: longer than the common scrape intervals (5, 10, 15, 30 and 60 s), so that a scraper keeps its
    /// connection, and equal to none of them, so that the server does not close a connection at the moment at which
    /// its scraper sends the next request.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout.min(LONGEST);
        self
    }

    /// The time for which a client may read an answer, counted from the moment the socket is full. A connection that
    /// takes longer is reset.
    ///
    /// Default 30 s: three times Prometheus' default scrape timeout; a slower reader has given up by then. Zero is
    /// rejected by [`serve_with`](crate::Metrics::serve_with).
    pub fn write_timeout(mut self, timeout: Duration) -> Self {
        self.write_timeout = timeout.min(LONGEST);
        self
    }

    /// The time for which a page may be rendered before its clients get a 503.
    ///
    /// Default 30 s: three times Prometheus' default scrape timeout. A collector that hangs is thus reported in the
    /// answer, and no longer holds the connection. Zero is rejected by [`serve_with`](crate::Metrics::serve_with).
    pub fn render_timeout(mut self, timeout: Duration) -> Self {
        self.render_timeout = timeout.min(LONGEST);
        self
    }

    /// The maximum number of open connections. A new one above it replaces another: first the oldest one without a
    /// complete request header, then the one whose client has sent the most requests without a pause, then the oldest
    /// idle one, then one that does not accept its answer. The connection of a client that asks once a second or less
    /// and reads is not closed while it is being answered; if all are of this kind, a new connection waits. At least 1.
    ///
    /// If one address has more than a quarter of the connections, one of its own is replaced.
    ///
    /// Default 256: a quarter of the usual limit of 1024 file descriptors, so that the rest stays with the bot. The
    /// memory that hostile connections take is limited by [`max_unread_bytes`](Self::max_unread_bytes).
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections.max(1);
        self
    }

    /// The maximum length of a request's line and header, in bytes. A longer one is answered with 431.
    ///
    /// Default 16 KiB: Prometheus sends about 300 bytes; a browser's cookies and tokens stay below 8 KiB with most
    /// servers. Zero is rejected by [`serve_with`](crate::Metrics::serve_with).
    pub fn max_header_bytes(mut self, bytes: usize) -> Self {
        self.max_header_bytes = bytes;
        self
    }

    /// The memory, in bytes, for answers that are rendered and not yet read; at least twice the longest answer so far
    /// that was sent as a whole, so that one always fits beside another. Clients that share a rendering share its
    /// bytes. Above the limit, the connection that has accepted nothing of its answer for longest is reset, and the
    /// next, until the rest fits. A client that has accepted some within the last 50 ms is reset only if there is no
    /// other; a client that waits for the new answer never is, though it may wait a quarter of a second longer.
    ///
    /// An exposition of more than 256 KiB is sent while it is rendered, no faster than it is read, and takes a
    /// megabyte at most. Only if a client reads more slowly than others who wait, for the same rendering or for a
    /// fifth one, its unread part is kept for it, and counts here.
    ///
    /// Answers smaller than a connection's equal share, 64 KiB by default, are not counted: all connections together
    /// hold no more of them than this.
    ///
    /// Default 16 MiB: the size of ten thousand histograms as text, so that ordinary bots are never near it.
    pub fn max_unread_bytes(mut self, bytes: usize) -> Self {
        self.max_unread_bytes = bytes;
        self
    }

    /// The file with the certificates, users and headers of the server, in the format of the web configuration of the
    /// Prometheus exporter-toolkit; see [Securing the endpoint](crate::guide::securing_the_endpoint). It is read again within
    /// two seconds after it, or a file that it names, has changed.
    ///
    /// Default [`Settings::web_config`](crate::Settings::web_config), which reads `METRICS_WEB_CONFIG`. Needs the
    /// features `tls` and `auth` for what is in the file; without them
    /// [`serve_with`](crate::Metrics::serve_with) fails.
    pub fn web_config(mut self, path: impl Into<PathBuf>) -> Self {
        self.web_config = Some(path.into());
        self
    }

    /// Further host names, without a port, under which a browser gets `/`, `/status.json` and `/catalogue`. Addresses,
    /// `localhost` and the name of the bot's machine, also with `.local`, are always allowed; `/metrics` and the health
    /// pages are served under every name.
    ///
    /// ```
    /// use bot_metrics::server::ServerOptions;
    ///
    /// let options = ServerOptions::new().allowed_hosts(["bot.example"]);
    /// ```
    ///
    /// Default: none. Without authentication another name gets a 421, since a web page anywhere can let a name of its own point to the bot, and
    /// would read the bot's state through the operator's browser (DNS rebinding). An invalid name is rejected by
    /// [`serve_with`](crate::Metrics::serve_with).
    #[cfg(feature = "page")]
    pub fn allowed_hosts(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.allowed_hosts.extend(names.into_iter().map(Into::into));
        self
    }

    /// Whether every client may see `/`, `/status.json` and `/catalogue` of a bot in live mode, even though the server
    /// itself asks for no password and no certificate: because a proxy in front of it does, or the bot's own server that
    /// mounts the [service](crate::Metrics::service).
    ///
    /// Default: no. In live mode without authentication these pages are for clients on the bot's machine, also through
    /// an SSH tunnel; others get a 403 that explains this. Requests that a proxy forwards count as those of others if it
    /// says so by `Forwarded`, `Via` or a header such as `X-Forwarded-For`. A proxy on the bot's machine that adds none of
    /// these cannot be recognised: let it add one, or ask for a password. Every request to a mounted service counts as
    /// that of others, since the service does not know the address of its client.
    #[cfg(feature = "page")]
    pub fn trust_clients(mut self, are_trusted: bool) -> Self {
        self.trust_clients = are_trusted;
        self
    }

    /// A name in `allowed_hosts` that is no host name, if there is one.
    #[cfg(feature = "page")]
    pub(super) fn wrong_host(&self) -> Option<&str> {
        self.allowed_hosts.iter().map(String::as_str).find(|name| !is_host_name(name))
    }

    /// The name of a limit of zero, with which no client could be answered, if there is one.
    pub(super) fn zero(&self) -> Option<&'static str> {
        [
            ("header_timeout", self.header_timeout.is_zero()),
            ("write_timeout", self.write_timeout.is_zero()),
            ("render_timeout", self.render_timeout.is_zero()),
            ("max_header_bytes", self.max_header_bytes == 0),
        ]
        .into_iter()
        .find_map(|(limit, is_zero)| is_zero.then_some(limit))
    }
}
