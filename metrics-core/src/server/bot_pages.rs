//! The pages that show an instance.

use std::fmt::{self, Write as _};
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
use crate::{LabelValue as _, labels::Severity};

impl Metrics {
    /// Serves `/metrics`, a landing page, `/-/healthy` and `/-/ready` on `address`, on a separate thread, until the
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

    fn landing(&self) -> String {
        landing(self)
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
                    "{} is stalled: no success for {}, at most {} allowed",
                    subsystem.subsystem,
                    seconds(subsystem.age),
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

/// A run that lasts longer is shown on the page.
const LONG_RUN: Duration = Duration::from_secs(1);

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:3rem auto;padding:0 1rem}\
    div{overflow-x:auto}table{border-collapse:collapse}td,th{padding:.2rem 1rem .2rem 0;text-align:left;\
    vertical-align:top;white-space:nowrap}td:last-child{white-space:normal;min-width:14rem}.bad{color:#b00020;\
    font-weight:600}";

fn landing(metrics: &Metrics) -> String {
    let settings = metrics.settings();
    let app = escaped(&settings.app);
    let mut rows = String::new();
    for subsystem in metrics.health() {
        let state = state(&subsystem);
        // Writing to a String cannot fail.
        let _ = write!(
            rows,
            "<tr><td>{}<td>{} ago<td>{}<td{}>{state}",
            escaped(subsystem.subsystem),
            seconds(subsystem.age),
            seconds(subsystem.max_age),
            emphasis(subsystem.paused.is_none() && (subsystem.hung_for.is_some() || !subsystem.is_alive()))
        );
    }
    let events = recent_events(metrics);
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{app}</title><style>{STYLE}</style>\
         <h1>{app}</h1><p>mode <b>{}</b>, env <b>{}</b></p>\
         <h2>Subsystems</h2><div><table><tr><th>subsystem<th>last success or start<th>stalled after<th>state{rows}</table></div>\
         {events}\
         <ul><li><a href=\"/metrics\">/metrics</a> for Prometheus\
         <li><a href=\"/-/healthy\">/-/healthy</a> 503 when a loop hangs\
         <li><a href=\"/-/ready\">/-/ready</a> 503 also when one is stalled</ul>",
        settings.mode, settings.env
    )
}

/// The number of events of each severity on the page; [`Metrics::recent_events`] returns more. The limit leaves room
/// for the other severities.
const EVENTS: usize = 8;

fn recent_events(metrics: &Metrics) -> String {
    let events = metrics.newest_events_of_each_severity(EVENTS);
    if events.is_empty() {
        return String::new();
    }
    let now = metrics.wall();
    let mut table =
        "<h2>Last events</h2><div><table><tr><th>ago<th>severity<th>event<th>profile<th>symbol<th>what"
            .to_owned();
    for event in &events {
        let age = now.duration_since(event.at).unwrap_or_default();
        // Writing to a String cannot fail.
        let is_bad = [Severity::Error, Severity::Critical].iter().any(|bad| event.severity == bad.as_str());
        let _ = write!(table, "<tr{}><td>{}", emphasis(is_bad), seconds(age));
        for text in [&event.severity, &event.event_type, &event.profile, &event.symbol, &event.text] {
            let _ = write!(table, "<td>{}", escaped(text));
        }
    }
    table + "</table></div>"
}

/// Colour and weight, in addition to the word.
fn emphasis(is_bad: bool) -> &'static str {
    if is_bad { " class=\"bad\"" } else { "" }
}

fn state(subsystem: &SubsystemHealth) -> String {
    let mut state = match (&subsystem.paused, subsystem.hung_for, subsystem.is_alive()) {
        (Some(reason), ..) => format!("paused: {}", escaped(reason)),
        (None, Some(_), _) => "hangs".to_owned(),
        (None, None, true) => "fresh".to_owned(),
        (None, None, false) => "stalled".to_owned(),
    };
    if let Some(running) = subsystem.running_for.filter(|running| *running >= LONG_RUN) {
        let _ = write!(state, ", running for {}", seconds(running));
        if subsystem.runs_ended == 0 {
            state.push_str(
                "; no run has ended yet: does the attribute stand over the loop, not the body of one cycle?",
            );
        }
    }
    state
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::{EventType, Subsystem};
    use crate::testing::{instance, with_manual_clock};
    use crate::{Mode, Outcome, Settings};

    #[test]
    fn healthy_fails_only_for_a_hang_and_ready_also_for_a_stall() {
        let (metrics, clock) = instance();
        let trading =
            metrics.subsystem(Subsystem::Trading).with_max_age(Duration::from_secs(5)).expect("no other age");
        assert!(metrics.healthy().ok && metrics.ready().ok, "start-up has its grace");
        clock.advance(Duration::from_secs(6));
        assert!(metrics.healthy().ok);
        let ready = metrics.ready();
        assert_eq!(ready.text, "trading is stalled: no success for 6.0 s, at most 5.0 s allowed\n");
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

    #[test]
    fn the_last_events_are_on_the_page_escaped_with_their_age() {
        let (metrics, clock) = instance();
        assert!(!landing(&metrics).contains("<th>severity"));
        let event = metrics.event(Severity::Error, EventType::OrderRejected);
        event.profile("<b>").symbol("\"BTC&\"").text("<script>alert(1)</script>").record();
        clock.advance(Duration::from_secs(7));
        let page = landing(&metrics);
        let row = "<tr class=\"bad\"><td>7.0 s<td>ERROR<td>ORDER_REJECTED<td>&lt;b&gt;<td>&quot;BTC&amp;&quot;\
                   <td>&lt;script&gt;alert(1)&lt;/script&gt;";
        assert!(page.contains(row), "{page}");
    }

    #[test]
    fn a_flood_of_routine_events_leaves_severe_ones_on_the_page() {
        let (metrics, clock) = instance();
        metrics.event(Severity::Critical, EventType::CircuitBreaker).text("halted").record();
        for n in 0..1_000 {
            clock.advance(Duration::from_secs(1));
            metrics.event(Severity::Info, EventType::OrderPlaced).text(&format!("order {n}")).record();
        }
        let page = landing(&metrics);
        assert!(page.contains("<td>1000.0 s<td>CRITICAL<td>CIRCUIT_BREAKER<td><td><td>halted"), "{page}");
        assert_eq!(page.matches("<td>ORDER_PLACED").count(), EVENTS);
        assert!(
            page.find("order 999") < page.find("order 998") && page.find("order 992") < page.find("halted")
        );
    }

    #[test]
    fn the_landing_page_escapes_the_bots_own_text() {
        let (settings, _) = with_manual_clock(Settings::new(Mode::Live).app("<script>&\""));
        let page = landing(&settings.build().expect("legal"));
        assert!(page.contains("<h1>&lt;script&gt;&amp;&quot;</h1>"), "{page}");
        assert!(page.contains("mode <b>live</b>"), "{page}");
    }

    #[test]
    fn the_landing_page_shows_running_and_paused_subsystems_with_their_reasons() {
        let (metrics, clock) = instance();
        let trading = metrics.subsystem(Subsystem::Trading);
        metrics.subsystem(Subsystem::Monitor).pause("market <closed>");
        let run = trading.start();
        clock.advance(Duration::from_hours(1));
        let page = landing(&metrics);
        assert!(page.contains("hangs, running for 3600.0 s; no run has ended yet"), "{page}");
        assert!(page.contains("paused: market &lt;closed&gt;"), "{page}");
        run.finish(Outcome::Ok);
        assert!(!landing(&metrics).contains("running for"));
    }
}
