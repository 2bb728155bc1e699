//! The pages that show an instance.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::MetricsService;
use super::error::ServeError;
use super::options::ServerOptions;
use super::pages::{Delivered, HealthAnswer, Pages};
use super::{Server, serve};
use crate::exposition::WaitingClients;
use crate::exposition::format::RequestedPage;
use crate::families::subsystem::SubsystemHealth;
use crate::instance::metrics::Metrics;
use crate::report::Topic;
use crate::storage::ENABLED;

impl Metrics {
    /// Serves `/metrics`, the status page, `/-/healthy` and `/-/ready` on `address`, on a separate thread, until the
    /// returned value is dropped. It needs no async runtime.
    ///
    /// ```no_run
    /// # use bot_metrics::{Mode, Settings};
    /// let metrics = Settings::from_env()?.install()?;
    /// let _server = metrics.serve(metrics.settings().address())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Without the feature `enable` the page has none of this library's metrics, which is reported.
    ///
    /// # Errors
    ///
    /// If the address cannot be served, for example because it is in use. A bot can continue trading without it.
    #[track_caller]
    pub fn serve(&self, address: impl fmt::Display) -> Result<Server, ServeError> {
        self.serve_with(address, ServerOptions::default())
    }

    /// Like [`serve`](Self::serve), with other limits.
    ///
    /// # Errors
    ///
    /// If the address cannot be served, or a limit is zero, with which no client could be answered.
    #[track_caller]
    pub fn serve_with(
        &self,
        address: impl fmt::Display,
        mut options: ServerOptions,
    ) -> Result<Server, ServeError> {
        let report = self.settings().report.clone();
        if !ENABLED {
            report.tell(
                Topic::SwitchedOff,
                "",
                format_args!(
                    "the page has no metrics of this library: the bot is built without the feature \"enable\" of bot-metrics"
                ),
            );
        }
        if let Some(path) = self.settings().web_config.as_ref().filter(|_| options.web_config.is_none()) {
            options = options.web_config(path);
        }
        let server = serve(address, options, Arc::new(self.clone()), report.clone())?;
        let Some(address) = server.local_addrs().iter().find(|address| !address.ip().is_loopback()) else {
            return Ok(server);
        };
        if !server.security.keeps_others_out() && !self.settings().is_paper() {
            report.tell(
                Topic::Unprotected,
                "",
                format_args!(
                    "all who reach {address} can read the positions and the capital of this live bot: ask for a \
                     password by METRICS_WEB_CONFIG, or listen on 127.0.0.1"
                ),
            );
        } else if server.security.keeps_others_out() && !server.security.encrypts() {
            report.tell(
                Topic::Unprotected,
                "",
                format_args!(
                    "the passwords of {address} are sent unencrypted: add tls_server_config to the web configuration"
                ),
            );
        }
        Ok(server)
    }

    /// Returns the pages of [`serve`](Self::serve) as a service, to mount in the bot's own HTTP server: axum, hyper, or any
    /// other that takes a tower `Service`.
    ///
    /// # Errors
    ///
    /// If the thread that renders cannot be started.
    pub fn service(&self) -> Result<MetricsService, ServeError> {
        self.service_with(ServerOptions::default())
    }

    /// Like [`service`](Self::service), with other formats and limits. Those of connections do not apply.
    ///
    /// # Errors
    ///
    /// If the thread that renders cannot be started, a limit is zero, or the options have a
    /// [web configuration](ServerOptions::web_config), which a service cannot apply.
    pub fn service_with(&self, options: ServerOptions) -> Result<MetricsService, ServeError> {
        const ADDRESS: &str = "service";
        if let Some(option) = options.zero() {
            return Err(ServeError::zero(ADDRESS, option));
        }
        #[cfg(feature = "page")]
        if let Some(name) = options.wrong_host() {
            return Err(ServeError::host_name(ADDRESS, name));
        }
        if options.web_config.is_some() {
            let text = "a web configuration protects the library's own server; the bot's server protects this service";
            return Err(ServeError::web_config(ADDRESS, io::Error::new(io::ErrorKind::InvalidInput, text)));
        }
        let report = self.settings().report.clone();
        if let Some(path) = &self.settings().web_config {
            report.tell(
                Topic::Unprotected,
                "",
                format_args!(
                    "the web configuration {} does not protect the metrics that the bot's own HTTP server serves",
                    path.display()
                ),
            );
        }
        MetricsService::start(Arc::new(self.clone()), options, report)
            .map_err(|cause| ServeError::start(ADDRESS, cause))
    }
}

impl Pages for Metrics {
    fn metrics(
        &self,
        page: &RequestedPage,
        clients: &WaitingClients,
        out: &mut dyn io::Write,
    ) -> io::Result<Delivered> {
        let receipt = self.write_page(page, clients, out)?;
        #[cfg(feature = "page")]
        let core = Arc::clone(&self.core);
        Ok(Box::new(move || {
            #[cfg(feature = "page")]
            core.scrapes.add(core.clock.wall());
            receipt.confirm();
        }))
    }

    fn compare_clocks(&self) {
        Metrics::compare_clocks(self);
    }

    fn is_live(&self) -> bool {
        !self.settings().is_paper()
    }

    #[cfg(feature = "page")]
    fn sample(&self) {
        self.core.sample();
    }

    #[cfg(feature = "page")]
    fn status(&self, since: u64) -> Vec<u8> {
        json(&self.status_since(since))
    }

    #[cfg(feature = "page")]
    fn catalogue(&self) -> Vec<u8> {
        json(&Metrics::catalogue(self))
    }

    /// A loop that hangs must be restarted by the supervisor; one that merely fails must not, since an outage of the
    /// exchange must not restart a bot that has open orders.
    fn healthy(&self) -> HealthAnswer {
        verdict(&self.health(), |_| None)
    }

    fn ready(&self) -> HealthAnswer {
        verdict(&self.health(), |subsystem| {
            (!subsystem.is_alive()).then(|| {
                format!(
                    "{} is stalled: {}, at most {} allowed",
                    subsystem.subsystem,
                    subsystem.age_origin.without_success(&seconds(subsystem.age)),
                    seconds(subsystem.max_age)
                )
            })
        })
    }
}

/// Fails for no status: its maps have texts as keys, and its numbers are spelled.
#[cfg(feature = "page")]
fn json(page: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(page).unwrap_or_default()
}

fn verdict(
    subsystems: &[SubsystemHealth],
    stale: impl Fn(&SubsystemHealth) -> Option<String>,
) -> HealthAnswer {
    let trouble: Vec<String> = subsystems
        .iter()
        .filter_map(|subsystem| match subsystem.hung_for {
            Some(hung) => Some(format!(
                "{} hangs: a run has been in progress for {}, at most {} allowed",
                subsystem.subsystem,
                seconds(hung),
                seconds(subsystem.max_age)
            )),
            None => stale(subsystem),
        })
        .collect();
    let ok = trouble.is_empty();
    let text = if ok { "ok\n".to_owned() } else { trouble.join("\n") + "\n" };
    HealthAnswer { ok, text }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;
    use crate::labels::Subsystem;
    use crate::testing::instance;

    #[test]
    fn healthy_fails_only_for_a_hang_and_ready_also_for_a_stall() {
        let (metrics, clock) = instance();
        let trading =
            metrics.subsystem(Subsystem::Trading).with_max_age(Duration::from_secs(5)).expect("no other age");
        assert!(metrics.healthy().ok && metrics.ready().ok, "start-up has its grace");
        clock.advance(Duration::from_secs(6));
        assert!(metrics.healthy().ok);
        let ready = metrics.ready();
        assert_eq!(
            ready.text,
            "trading is stalled: no success for 6.0 s since its start, at most 5.0 s allowed\n"
        );
        assert!(!ready.ok);

        let run = trading.start();
        clock.advance(Duration::from_secs(4));
        assert!(metrics.healthy().ok);
        clock.advance(Duration::from_secs(2));
        let healthy = metrics.healthy();
        assert!(!healthy.ok);
        assert!(healthy.text.starts_with("trading hangs: a run has been in progress"), "{}", healthy.text);
        run.finish(Outcome::Error);
        assert!(metrics.healthy().ok, "a failing loop does not hang");
        assert!(!metrics.ready().ok);
        trading.start().finish(Outcome::Ok);
        assert!(metrics.ready().ok);
    }
}
