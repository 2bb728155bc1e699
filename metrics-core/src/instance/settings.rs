//! The settings of a metrics instance, with their defaults.

use std::collections::BTreeSet;
use std::env::{self, consts::EXE_SUFFIX};
use std::ffi::OsString;
use std::fmt;
use std::path::Path;
#[cfg(feature = "server")]
use std::path::PathBuf;

use super::env_reader::EnvReader;
use crate::catalogue::{DEFAULT_LABELS, DEFAULT_NAMESPACE, Families, Family, is_name};
use crate::clock::Clock;
use crate::error::Problem;
use crate::exposition::Naming;
use crate::labels::bounds::LabelBounds;
use crate::labels::vocabulary;
use crate::report::{Report, ReportHook};
use crate::shown::shown;
use crate::{Error, LabelValue};

/// The default address of the exposition.
pub const DEFAULT_ADDRESS: &str = "0.0.0.0:5000";

const DEFAULT_APP: &str = "bytelyst-trading-bot-service";

const NEUTRAL_NAMESPACE: &str = "trading_bot";

/// The deployment in which the bot runs; the value of the default label `env`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Env {
    /// Development or staging.
    #[default]
    Development,
    /// Production.
    Production,
}

impl Env {
    /// The label's text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }
}

/// Whether the bot trades real money; the value of the default label `mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Simulated trading; orders do not reach an exchange.
    Paper,
    /// Trading with real money.
    Live,
}

impl Mode {
    /// The label's text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Live => "live",
        }
    }
}

/// The settings of an instance. [`install`](Self::install) creates the process-wide instance, to which the attributes
/// record; [`build`](Self::build) creates a separate one.
///
/// ```no_run
/// use bot_metrics::Settings;
/// use bot_metrics::labels::Exchange;
///
/// let metrics = Settings::from_env()?.exchange(Exchange::Binance).install()?;
/// # Ok::<(), bot_metrics::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "settings take effect when they are installed or built"]
pub struct Settings {
    pub(crate) env: Env,
    pub(crate) mode: Mode,
    pub(crate) app: String,
    pub(crate) namespace: String,
    pub(crate) address: String,
    #[cfg(feature = "server")]
    pub(crate) web_config: Option<PathBuf>,
    pub(crate) exchange: Option<&'static str>,
    pub(crate) disabled: BTreeSet<&'static str>,
    /// Severity and type of the events that are exported as 0 from the start.
    pub(crate) expected_events: BTreeSet<(&'static str, &'static str)>,
    /// Names of the families that handles record, without the namespace.
    pub(crate) expected_families: BTreeSet<&'static str>,
    pub(crate) target_info: bool,
    pub(crate) families: Families,
    pub(crate) revision: String,
    pub(crate) version: String,
    pub(crate) capital_tolerance: f64,
    pub(crate) label_bounds: LabelBounds,
    pub(crate) report: Report,
    pub(crate) clock: Clock,
}

impl Settings {
    /// The default settings with this mode. Reads no environment variables.
    pub fn new(mode: Mode) -> Self {
        Self {
            env: Env::default(),
            mode,
            app: DEFAULT_APP.to_owned(),
            namespace: DEFAULT_NAMESPACE.to_owned(),
            address: DEFAULT_ADDRESS.to_owned(),
            #[cfg(feature = "server")]
            web_config: None,
            exchange: None,
            disabled: BTreeSet::new(),
            expected_events: BTreeSet::new(),
            expected_families: BTreeSet::new(),
            target_info: false,
            families: Families::default(),
            revision: String::new(),
            version: String::new(),
            capital_tolerance: 0.0,
            label_bounds: LabelBounds::DEFAULT,
            report: Report::default(),
            clock: Clock::default(),
        }
    }

    /// The default settings for a bot that shares nothing with the application of the defaults: the namespace is
    /// `trading_bot`, and `app` is the file name under which the program was started. Reads no environment variables;
    /// [`EnvReader::neutral`] does.
    ///
    /// ```
    /// use bot_metrics::{Mode, Settings};
    ///
    /// let metrics = Settings::neutral(Mode::Paper).app("grid-bot").build()?;
    /// let page = metrics.exposition();
    /// assert!(page.contains("\ntrading_bot_build_info{") && page.contains("app=\"grid-bot\""));
    /// # Ok::<(), bot_metrics::Error>(())
    /// ```
    pub fn neutral(mode: Mode) -> Self {
        Self::new(mode).namespace(NEUTRAL_NAMESPACE).app(program_name(env::args_os().next()))
    }

    /// Reads the settings from the environment.
    ///
    /// | variable | allowed values | default |
    /// | --- | --- | --- |
    /// | `NODE_ENV` | `development`, `production` | development |
    /// | `PAPER_TRADING` | `true`, `1`, `yes`, `on` for paper; `false`, `0`, `no`, `off` for live; case-insensitive | an error |
    /// | `METRICS_ADDR` | an address and port | [`DEFAULT_ADDRESS`] |
    /// | `METRICS_WEB_CONFIG` | the path of a [web configuration](Self::web_config); ignored without the feature `server` | none |
    ///
    /// Use an [`EnvReader`] if the bot can trade in only one mode, or has other values of `NODE_ENV` or other variables.
    ///
    /// # Errors
    ///
    /// If a variable has another value, or `PAPER_TRADING` is unset. It has no default because open-source bots disagree
    /// on the meaning of an unset variable, and live money must never be labelled as paper.
    pub fn from_env() -> Result<Self, Error> {
        EnvReader::new().read()
    }

    /// Sets the value of the default label `env`, which is on each series; `development` by default.
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// Sets the value of the default label `app`, which is on each series;
    /// `bytelyst-trading-bot-service` by default.
    pub fn app(mut self, app: impl Into<String>) -> Self {
        self.app = app.into();
        self
    }

    /// Puts the default labels only on `target_info`, as in OpenMetrics, instead of on each series. Queries then join
    /// the labels they need: `… * on (job, instance) group_left (mode) target_info`.
    pub fn default_labels_in_target_info(mut self) -> Self {
        self.target_info = true;
        self
    }

    /// Sets the prefix of every metric's name; `bytelyst_bot` by default.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Sets the file with the certificates and users of the server, in the format of the web configuration of the
    /// Prometheus exporter-toolkit; see [Securing the endpoint](crate::guide::securing_the_endpoint). Without it the server
    /// answers everybody, unencrypted.
    #[cfg(feature = "server")]
    pub fn web_config(mut self, path: impl Into<PathBuf>) -> Self {
        self.web_config = Some(path.into());
        self
    }

    /// Sets the exchange of all calls that name none.
    pub fn exchange<L: LabelValue>(mut self, exchange: L) -> Self {
        const { vocabulary::require_type::<L>("exchange") };
        self.exchange = Some(exchange.as_str());
        self
    }

    /// Declares that this run of the bot does not start `subsystem`, which is left out of the exposition until it
    /// runs. Otherwise a loop that is linked into the binary but never starts would be reported as stalled.
    pub fn disable<L: LabelValue>(mut self, subsystem: L) -> Self {
        const { vocabulary::require_type::<L>("subsystem") };
        self.disabled.insert(subsystem.as_str());
        self
    }

    /// Exports these events of [`Metrics::event`](crate::Metrics::event) as 0 from the start, with empty profile and
    /// symbol. Other events are counted too, but appear with their first count, which `increase()` in a rule cannot see,
    /// because there was no 0 before. Repeated calls add events.
    ///
    /// Events that attributes or an `EventLayer` record are exported as 0 without this, whether their severity and type
    /// are literals or chosen at each call.
    ///
    /// ```
    /// use bot_metrics::labels::{EventType, Severity};
    /// use bot_metrics::{Mode, Settings};
    ///
    /// let settings = Settings::new(Mode::Paper)
    ///     .expect_events([(Severity::Critical, EventType::CircuitBreaker), (Severity::Error, EventType::OrderUnknown)]);
    /// let metrics = settings.build()?;
    /// let zero = "operational_events_total{severity=\"CRITICAL\",type=\"CIRCUIT_BREAKER\",profile_id=\"\",symbol=\"\"";
    /// assert!(metrics.exposition().contains(zero));
    /// # Ok::<(), bot_metrics::Error>(())
    /// ```
    pub fn expect_events<S: LabelValue, T: LabelValue>(
        mut self,
        events: impl IntoIterator<Item = (S, T)>,
    ) -> Self {
        const { vocabulary::require_type::<S>("severity") };
        const { vocabulary::require_type::<T>("event type") };
        let texts = events.into_iter().map(|(severity, kind)| (severity.as_str(), kind.as_str()));
        self.expected_events.extend(texts);
        self
    }

    /// Declares that handles of [`Metrics`](crate::Metrics) record these families, which is not known at link time. The
    /// linked catalogue and the alert rules then contain them, with the families that are recorded together with them;
    /// the exposition does not change. Families that attributes or `metrics!` record need no declaration.
    ///
    /// ```
    /// use bot_metrics::{Mode, Settings, catalogue};
    ///
    /// let settings = Settings::new(Mode::Paper).expect_families([
    ///     &catalogue::MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS,
    ///     &catalogue::EXCHANGE_RATE_LIMIT_USED_RATIO,
    /// ]);
    /// ```
    pub fn expect_families(mut self, families: impl IntoIterator<Item = &'static Family>) -> Self {
        self.expected_families.extend(families.into_iter().map(|family| family.name));
        self
    }

    /// Sets the families that are exported.
    pub fn families(mut self, families: Families) -> Self {
        self.families = families;
        self
    }

    /// Sets the label `version` of `build_info`, such as `env!("CARGO_PKG_VERSION")`.
    #[doc(alias = "build_info")]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Sets the label `revision` of `build_info`, such as the hash of a commit.
    #[doc(alias = "build_info")]
    pub fn revision(mut self, revision: impl Into<String>) -> Self {
        self.revision = revision.into();
        self
    }

    /// Sets how far below zero available capital may be before that is a violation, in the profile's currency; 0 by
    /// default.
    pub fn capital_tolerance(mut self, tolerance: f64) -> Self {
        self.capital_tolerance = tolerance;
        self
    }

    /// Sets the limit on the values of the label `profile_id`, and of every [`ProfileId`](crate::ProfileId) in the bot's
    /// own families, for each family separately; 50 by default. Values over the limit are counted under "other"; gauges
    /// with such values are not recorded.
    ///
    /// The limit also applies to families that recorded before [`install`](Self::install). Existing series are kept; a
    /// value that was over the old limit gets a series with its next recording, if the new limit allows it.
    ///
    /// Independent of this limit, a family has at most 2,000 series, or as many as the `budget` of its declaration
    /// says. Series of `operational_events_total` whose profile and symbol are empty or "other" do not count towards
    /// that number.
    pub fn profile_limit(mut self, profiles: usize) -> Self {
        self.label_bounds.profiles = profiles;
        self
    }

    /// Limits the values of the label `symbol`, and of every [`Symbol`](crate::Symbol) in families of the bot's own, as
    /// [`profile_limit`](Self::profile_limit) limits those of `profile_id`; 200 by default.
    pub fn symbol_limit(mut self, symbols: usize) -> Self {
        self.label_bounds.symbols = symbols;
        self
    }

    /// Sets the handler of reports of the library's own problems; by default they go to standard error. Each kind of
    /// problem is limited to ten lines a minute, and to three from one source, such as a call site or a family; the next
    /// line states how many were suppressed. At exit the process waits up to 0.1 s until the last lines are written.
    pub fn on_report(mut self, hook: ReportHook) -> Self {
        self.report = Report::new(hook);
        self
    }

    /// The mode. Use it in the order router too, so that the label agrees with the bot's behaviour.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether orders must not reach a real exchange.
    #[must_use]
    pub fn is_paper(&self) -> bool {
        self.mode == Mode::Paper
    }

    /// The address of the exposition.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns these settings if the namespace, the app and the tolerance are valid. A server checks its address and file.
    pub(super) fn checked(self) -> Result<Self, Error> {
        let refuse = |setting, found, allowed| Err(Problem::Setting { setting, found, allowed }.into());
        if !is_name(&self.namespace, false) {
            let allowed = "a namespace consists of ASCII letters, digits and underscores, and does not start with a digit";
            return refuse("namespace", self.namespace, allowed);
        }
        if self.app.is_empty() {
            return refuse("app", self.app, "the name of the application must not be empty");
        }
        if !(self.capital_tolerance.is_finite() && self.capital_tolerance >= 0.0) {
            let allowed = "a tolerance is a finite amount of at least 0";
            return refuse("capital tolerance", self.capital_tolerance.to_string(), allowed);
        }
        Ok(self)
    }

    /// The prefix and the default labels of exported series.
    pub(crate) fn naming(&self) -> Naming {
        let labels_on_series = if self.target_info { 0 } else { DEFAULT_LABELS.len() };
        let labels = DEFAULT_LABELS.into_iter().zip(self.identity().map(str::to_owned));
        Naming {
            families: self.families,
            namespace: self.namespace.clone(),
            default_labels: labels.take(labels_on_series).collect(),
        }
    }

    /// The values of the default labels, in the order of [`DEFAULT_LABELS`].
    pub(crate) fn identity(&self) -> [&str; DEFAULT_LABELS.len()] {
        [&self.app, self.env.as_str(), self.mode.as_str()]
    }

    pub(crate) fn disables(&self, subsystem: &str) -> bool {
        self.disabled.contains(subsystem)
    }

    /// One text for each setting that differs: its value here, then that of `other`. Hooks and clocks are not compared.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let pairs = self.named().into_iter().zip(other.named());
        pairs
            .filter(|((_, mine), (_, others))| mine != others)
            .map(|((name, mine), (_, others))| format!("{name} {}, not {}", shown(&mine), shown(&others)))
            .collect()
    }

    /// The comparable settings, by name.
    fn named(&self) -> Vec<(&'static str, String)> {
        let LabelBounds { profiles, symbols } = self.label_bounds;
        let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
        let list = |names: Vec<String>| or_none(&names.join(", "));
        let events = self.expected_events.iter().map(|(severity, kind)| format!("{severity} {kind}"));
        let labels = if self.target_info { "in target_info" } else { "on each series" };
        vec![
            ("app", self.app.clone()),
            ("env", self.env.to_string()),
            ("mode", self.mode.to_string()),
            ("default labels", labels.to_owned()),
            ("namespace", self.namespace.clone()),
            ("address", self.address.clone()),
            #[cfg(feature = "server")]
            (
                "web configuration",
                self.web_config.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string()),
            ),
            ("exchange", self.exchange.unwrap_or("none").to_owned()),
            ("disabled subsystems", list(self.disabled.iter().map(ToString::to_string).collect())),
            ("expected events", list(events.collect())),
            ("expected families", list(self.expected_families.iter().map(ToString::to_string).collect())),
            ("families", format!("{:?}", self.families)),
            ("version", or_none(&self.version)),
            ("revision", or_none(&self.revision)),
            ("capital tolerance", self.capital_tolerance.to_string()),
            ("label bounds", format!("{profiles} profiles and {symbols} symbols")),
        ]
    }
}

/// The file name of a program by its first argument; empty, which [`Settings::checked`] refuses, if there is none.
fn program_name(first_argument: Option<OsString>) -> String {
    let path = first_argument.unwrap_or_default();
    let name = Path::new(&path).file_name().unwrap_or_default().to_string_lossy();
    name.strip_suffix(EXE_SUFFIX).unwrap_or(&name).to_owned()
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_neutral_app_is_the_programs_file_name() {
        for (argument, name) in [
            (Some("/usr/local/bin/grid-bot"), "grid-bot"),
            (Some("target/debug/grid.bot"), "grid.bot"),
            (Some("grid-bot"), "grid-bot"),
            (Some(""), ""),
            (None, ""),
        ] {
            assert_eq!(program_name(argument.map(OsString::from)), name);
        }
        assert!(!Settings::neutral(Mode::Paper).app.is_empty(), "that of this test");
    }

    #[test]
    fn each_setting_that_differs_is_named() {
        use crate::labels::{EventType, Exchange, Severity, Subsystem};
        let new = || Settings::new(Mode::Live);
        assert_eq!(new().differences(&new()), [""; 0]);
        let mut elsewhere = new();
        elsewhere.address = "[::1]:9000".to_owned();
        for (other, difference) in [
            (Settings::new(Mode::Paper), "mode live, not paper"),
            (new().env(Env::Production), "env development, not production"),
            (new().app("grid"), "app bytelyst-trading-bot-service, not grid"),
            (new().default_labels_in_target_info(), "default labels on each series, not in target_info"),
            (new().namespace("grid"), "namespace bytelyst_bot, not grid"),
            (elsewhere, "address 0.0.0.0:5000, not [::1]:9000"),
            #[cfg(feature = "server")]
            (new().web_config("web.yml"), "web configuration none, not web.yml"),
            (new().exchange(Exchange::Okx), "exchange none, not okx"),
            (new().disable(Subsystem::Monitor), "disabled subsystems none, not monitor"),
            (
                new().expect_events([(Severity::Info, EventType::Started)]),
                "expected events none, not INFO STARTED",
            ),
            (
                new().expect_families([&crate::catalogue::TOKIO_SCHEDULER_LAG_SECONDS]),
                "expected families none, not tokio_scheduler_lag_seconds",
            ),
            (new().families(Families::CoreOnly), "families All, not CoreOnly"),
            (new().version("1"), "version none, not 1"),
            (new().revision("a"), "revision none, not a"),
            (new().capital_tolerance(0.5), "capital tolerance 0, not 0.5"),
            (
                new().symbol_limit(9),
                "label bounds 50 profiles and 200 symbols, not 50 profiles and 9 symbols",
            ),
        ] {
            assert_eq!(new().differences(&other), [difference]);
        }
    }

    #[test]
    fn settings_that_cannot_be_exported_are_refused() {
        let new = || Settings::new(Mode::Paper);
        for bad in [
            new().namespace("9lives"),
            new().namespace(""),
            new().namespace("a-b"),
            new().app(""),
            new().capital_tolerance(f64::NAN),
            new().capital_tolerance(-1.0),
        ] {
            assert!(bad.clone().build().is_err(), "{bad:?}");
        }
    }
}
