//! The metrics endpoint of a demo bot, and its wait for a last scrape.

use std::net::{Ipv6Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use bot_metrics::Metrics;
use bot_metrics::server::{Server, ServerOptions};

use super::console::{complain, say};
use super::{Stop, parse_run_time};

/// The address of the metrics endpoint, and whether the bot may run without it.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct MetricsEndpoint {
    /// Port of the metrics endpoint, by default that of `METRICS_ADDR` or 5000; 0 lets the system choose.
    #[arg(long, value_parser = parse_port, allow_negative_numbers = true)]
    pub port: Option<u16>,

    /// Address or host name of the metrics endpoint, by default that of `METRICS_ADDR` or 0.0.0.0.
    #[arg(long, value_name = "ADDRESS", value_parser = parse_host)]
    pub bind: Option<String>,

    /// Refuses to trade if the metrics endpoint cannot be opened.
    #[arg(long)]
    pub require_metrics: bool,

    /// Waits up to this long for one more scrape before the end.
    #[arg(long, value_name = "TIME", value_parser = parse_run_time, allow_hyphen_values = true)]
    pub drain: Option<Duration>,
}

fn parse_port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "must be a whole number from 0 to 65535".to_owned())
}

/// Parses a host as written before a port.
fn parse_host(text: &str) -> Result<String, String> {
    if text.parse::<Ipv6Addr>().is_ok() {
        Ok(format!("[{text}]"))
    } else if text.is_empty() || text.contains([':', '/', ' ', '[', ']']) {
        Err("must be an address or a host name without a port, such as 0.0.0.0, ::1 or localhost".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

impl MetricsEndpoint {
    /// Serves the metrics. If the endpoint cannot be opened, the bot continues unless `require_metrics` is set.
    ///
    /// # Errors
    ///
    /// If the endpoint cannot be opened although it is required.
    pub fn serve(
        &self,
        metrics: &Metrics,
        options: ServerOptions,
        stop: &Stop,
    ) -> Result<Serving, bot_metrics::Error> {
        match metrics.serve_with(self.address(metrics), options) {
            Ok(server) => {
                say(format_args!("status page at {}/", server.url()));
                say(format_args!("metrics at {}/metrics", server.url()));
                Ok(Serving { server: Some(Arc::new(server)), drain: self.drain, stop: stop.clone() })
            }
            Err(error) if self.require_metrics => Err(error.into()),
            Err(error) => {
                complain(format_args!(
                    "{error}; this demo takes --port and --bind too; trading goes on without metrics"
                ));
                Ok(Serving { server: None, drain: None, stop: stop.clone() })
            }
        }
    }

    /// The address of the endpoint: from the command line or else from the settings.
    #[must_use]
    pub fn address(&self, metrics: &Metrics) -> String {
        let configured = metrics.settings().address();
        let (host, port) = configured.rsplit_once(':').unwrap_or((configured, ""));
        let host = self.bind.as_deref().unwrap_or(host);
        let port = self.port.map_or_else(|| port.to_owned(), |port| port.to_string());
        format!("{host}:{port}")
    }
}

/// The address under which a client on this machine reaches a server; not every browser understands the unspecified
/// address.
#[must_use]
pub fn reachable(address: SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("localhost:{}", address.port()) } else { address.to_string() }
}

/// A running metrics server. Dropping it waits for one more scrape, if that was requested.
#[derive(Debug)]
#[must_use = "dropping it ends the server"]
pub struct Serving {
    server: Option<Arc<Server>>,
    drain: Option<Duration>,
    stop: Stop,
}

impl Serving {
    /// The address of the page for a browser on this machine; `None` if the metrics are not served.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        self.server.as_ref().map(|server| format!("{}/", server.url()))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let Some(server) = self.server.take() else { return };
        if let Some(longest) = self.drain {
            say(format_args!("waiting up to {longest:?} for one more scrape"));
            say(match drain(&server, longest, &self.stop) {
                Some(true) => "the last values were scraped",
                Some(false) => "the last values were not scraped",
                None => "told to stop: the last values were not scraped",
            });
        }
        // A bot that cannot continue ends its server on purpose; dropping it so early would be reported as a mistake.
        if let Some(server) = Arc::into_inner(server) {
            server.shutdown();
        }
    }
}

/// Whether a last scrape came; `None` if another signal came first.
fn drain(server: &Arc<Server>, longest: Duration, stop: &Stop) -> Option<bool> {
    let before = stop.count();
    let (tell, told) = mpsc::channel();
    let server = Arc::clone(server);
    thread::spawn(move || tell.send(server.drain(longest)));
    let start = Instant::now();
    while stop.count() == before {
        match told.recv_timeout(Duration::from_millis(50)) {
            Ok(came) => return Some(came),
            // The thread has ended without a result.
            Err(mpsc::RecvTimeoutError::Disconnected) => return Some(false),
            Err(mpsc::RecvTimeoutError::Timeout) if start.elapsed() > longest + Duration::from_secs(1) => {
                return Some(false);
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use bot_metrics::{Mode, Settings};

    use super::*;

    #[test]
    fn every_address_is_named_as_this_machines_own() {
        for (address, expected) in [
            ("0.0.0.0:5000", "localhost:5000"),
            ("[::]:5000", "localhost:5000"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("[::1]:1", "[::1]:1"),
        ] {
            assert_eq!(reachable(address.parse().unwrap()), expected);
        }
    }

    #[test]
    fn the_command_line_counts_before_the_settings() {
        let metrics = Settings::new(Mode::Paper).build().unwrap();
        for (bind, port, expected) in [
            (None, None, "0.0.0.0:5000"),
            (Some("127.0.0.1"), None, "127.0.0.1:5000"),
            (None, Some(0), "0.0.0.0:0"),
            (Some("::1"), Some(9), "[::1]:9"),
            (Some("localhost"), None, "localhost:5000"),
        ] {
            let bind = bind.map(|bind| parse_host(bind).unwrap());
            let endpoint = MetricsEndpoint { bind, port, require_metrics: false, drain: None };
            assert_eq!(endpoint.address(&metrics), expected);
        }
    }

    #[test]
    fn a_host_has_no_port_and_no_brackets() {
        for wrong in ["", "localhost:5000", "[::1]", "::1:x", "a b", "http://localhost"] {
            assert!(parse_host(wrong).is_err(), "{wrong}");
        }
    }
}
