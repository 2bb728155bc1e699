//! The settings in the environment. Nothing else reads its variables.

use std::env::{self, VarError};
use std::net::Ipv6Addr;

use super::settings::{Env, Mode, Settings};
use crate::Error;
use crate::error::{EnvValue, Problem};

const NODE_ENV: Variable = Variable("NODE_ENV", ENV_NAMES);
const BOT_ENV: Variable = Variable("BOT_ENV", ENV_NAMES);
const ENV_NAMES: &str = "expected development or production";
const PAPER_TRADING: Variable = Variable(
    "PAPER_TRADING",
    "expected true, 1, yes or on for paper trading, false, 0, no or off for live trading",
);
const BOT_MODE: Variable = Variable("BOT_MODE", "expected paper or live");
const METRICS_ADDR: Variable =
    Variable("METRICS_ADDR", "expected an address and a port such as 0.0.0.0:5000");
#[cfg(feature = "server")]
const METRICS_WEB_CONFIG: Variable =
    Variable("METRICS_WEB_CONFIG", "expected the path of a web configuration, such as /etc/bot/web.yml");

/// Reads [`Settings`] from the environment, for a bot with needs that [`Settings::from_env`] does not meet.
///
/// ```no_run
/// use bot_metrics::{Env, EnvReader, Mode};
///
/// let settings = EnvReader::new()
///     .mode_if_unset(Mode::Paper)
///     .map_node_env(|name| match name {
///         "staging" | "prod" => Some(Env::Production),
///         "test" => Some(Env::Development),
///         _ => None,
///     })
///     .read()?;
/// # Ok::<(), bot_metrics::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is read before `read`"]
pub struct EnvReader {
    env: Variable,
    mode: Variable,
    parse_mode: fn(&str) -> Option<Mode>,
    defaults: fn(Mode) -> Settings,
    mode_if_unset: Option<Mode>,
    map_node_env: fn(&str) -> Option<Env>,
}

impl EnvReader {
    /// A reader that accepts what [`Settings::from_env`] accepts.
    pub fn new() -> Self {
        Self {
            env: NODE_ENV,
            mode: PAPER_TRADING,
            parse_mode: paper_trading,
            defaults: Settings::new,
            mode_if_unset: None,
            map_node_env: |_| None,
        }
    }

    /// A reader for a bot that does not use Node's variables. It begins with [`Settings::neutral`], and reads:
    ///
    /// | variable | allowed values | default |
    /// | --- | --- | --- |
    /// | `BOT_ENV` | `development`, `production` | development |
    /// | `BOT_MODE` | `paper`, `live`; case-insensitive | an error |
    /// | `METRICS_ADDR`, `METRICS_WEB_CONFIG` | as in [`Settings::from_env`] | |
    ///
    /// ```no_run
    /// use bot_metrics::EnvReader;
    ///
    /// let metrics = EnvReader::neutral().read()?.install()?;
    /// # Ok::<(), bot_metrics::Error>(())
    /// ```
    pub fn neutral() -> Self {
        Self { env: BOT_ENV, mode: BOT_MODE, parse_mode: mode, defaults: Settings::neutral, ..Self::new() }
    }

    /// Sets the mode of a bot whose `PAPER_TRADING` (or `BOT_MODE`) is unset, which is an error otherwise: for a bot that
    /// can trade in one mode only.
    pub fn mode_if_unset(mut self, mode: Mode) -> Self {
        self.mode_if_unset = Some(mode);
        self
    }

    /// Sets the meaning of values of `NODE_ENV` (or `BOT_ENV`) other than `development` and `production`. A value for
    /// which `map` returns `None` is an error.
    pub fn map_node_env(mut self, map: fn(&str) -> Option<Env>) -> Self {
        self.map_node_env = map;
        self
    }

    /// Reads the variables that [`Settings::from_env`], or [`neutral`](Self::neutral), lists.
    ///
    /// # Errors
    ///
    /// If a variable has a value that is neither allowed nor mapped, or if the mode is unset without a
    /// [mode for that](Self::mode_if_unset).
    pub fn read(self) -> Result<Settings, Error> {
        self.read_from(variable)
    }

    fn read_from(
        self,
        read: impl Fn(&'static str) -> Result<Option<String>, EnvValue>,
    ) -> Result<Settings, Error> {
        let mode = self.mode.read(&read, self.parse_mode)?.or(self.mode_if_unset);
        let mut settings = (self.defaults)(mode.ok_or_else(|| self.mode.refuse(EnvValue::Nothing))?);
        let env = |name: &str| env(name).or_else(|| (self.map_node_env)(name));
        settings.env = self.env.read(&read, env)?.unwrap_or_default();
        let address = |text: &str| is_address(text).then(|| text.to_owned());
        if let Some(address) = METRICS_ADDR.read(&read, address)? {
            settings.address = address;
        }
        #[cfg(feature = "server")]
        {
            let path = |text: &str| (!text.is_empty()).then(|| text.into());
            settings.web_config = METRICS_WEB_CONFIG.read(&read, path)?;
        }
        Ok(settings)
    }
}

impl Default for EnvReader {
    fn default() -> Self {
        Self::new()
    }
}

/// A variable of the environment: its name, and the allowed values for the error message.
#[derive(Clone, Copy, Debug)]
struct Variable(&'static str, &'static str);

impl Variable {
    /// The value as parsed; `None` if it is not set. It is an error if `parse` returns `None`.
    fn read<T>(
        &self,
        read: impl Fn(&'static str) -> Result<Option<String>, EnvValue>,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        match read(self.0).map_err(|found| self.refuse(found))? {
            None => Ok(None),
            Some(text) => parse(&text).map(Some).ok_or_else(|| self.refuse(EnvValue::Text(text))),
        }
    }

    fn refuse(&self, found: EnvValue) -> Error {
        Problem::Environment { variable: self.0, found, allowed: self.1 }.into()
    }
}

fn variable(name: &'static str) -> Result<Option<String>, EnvValue> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(EnvValue::NoUnicode),
    }
}

fn paper_trading(text: &str) -> Option<Mode> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(Mode::Paper),
        "false" | "0" | "no" | "off" => Some(Mode::Live),
        _ => None,
    }
}

fn mode(name: &str) -> Option<Mode> {
    [Mode::Paper, Mode::Live].into_iter().find(|mode| mode.as_str().eq_ignore_ascii_case(name))
}

fn env(node_env: &str) -> Option<Env> {
    [Env::Development, Env::Production].into_iter().find(|env| env.as_str() == node_env)
}

/// Whether it has the form of a host and a port; whether such a host exists is checked by the server.
fn is_address(address: &str) -> bool {
    address.rsplit_once(':').is_some_and(|(host, port)| {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_host = bare
            .map_or(!host.is_empty() && !host.contains([':', '/', ' ']), |ip| ip.parse::<Ipv6Addr>().is_ok());
        is_host && port.parse::<u16>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reader: EnvReader, variables: &[(&'static str, &str)]) -> Result<Settings, String> {
        let read = |name| {
            Ok(variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
        };
        reader.read_from(read).map_err(|error| error.to_string())
    }

    fn settings(variables: &[(&'static str, &str)], unset: Option<Mode>) -> Result<Settings, String> {
        let reader = EnvReader::new().map_node_env(|name| (name == "staging").then_some(Env::Production));
        read(EnvReader { mode_if_unset: unset, ..reader }, variables)
    }

    #[test]
    fn the_neutral_names_are_read_instead_of_nodes() {
        let node = [(PAPER_TRADING.0, "false"), (NODE_ENV.0, "production")];
        let neutral = |variables: &[_]| read(EnvReader::neutral(), &[&node, variables].concat());
        let found = neutral(&[("BOT_MODE", "Paper"), ("BOT_ENV", "production"), (METRICS_ADDR.0, "[::1]:1")]);
        let found = found.expect("legal values");
        assert_eq!((found.mode, found.env, found.address()), (Mode::Paper, Env::Production, "[::1]:1"));
        assert_eq!(found.namespace, "trading_bot");
        assert_eq!(neutral(&[("BOT_MODE", "live")]).map(|settings| settings.env), Ok(Env::Development));
        for (variables, message) in [
            (&[][..], "BOT_MODE is not set: expected paper or live"),
            (&[("BOT_MODE", "true")], "BOT_MODE is \"true\": expected paper or live"),
            (
                &[("BOT_MODE", "paper"), ("BOT_ENV", "prod")],
                "BOT_ENV is \"prod\": expected development or production",
            ),
        ] {
            assert_eq!(neutral(variables).map(drop), Err(message.to_owned()));
        }
    }

    #[test]
    fn paper_trading_is_read_in_any_case_and_never_guessed() {
        for (value, mode) in
            [("true", Mode::Paper), ("1", Mode::Paper), ("YES", Mode::Paper), ("On", Mode::Paper)]
                .into_iter()
                .chain([("false", Mode::Live), ("0", Mode::Live), ("No", Mode::Live), ("OFF", Mode::Live)])
        {
            assert_eq!(settings(&[(PAPER_TRADING.0, value)], None).map(|s| s.mode), Ok(mode), "{value}");
        }
        for value in ["", "paper", "truee", " true"] {
            let error = settings(&[(PAPER_TRADING.0, value)], Some(Mode::Paper)).expect_err(value);
            assert!(error.starts_with(&format!("PAPER_TRADING is {value:?}: expected true, 1,")), "{error}");
        }
        let error = settings(&[], None).expect_err("unset is an error");
        assert!(error.starts_with("PAPER_TRADING is not set: expected"), "{error}");
        assert_eq!(settings(&[], Some(Mode::Paper)).map(|s| s.mode), Ok(Mode::Paper));
    }

    #[test]
    fn node_env_is_development_by_default_and_other_values_are_rejected() {
        let env = |variables: &[_]| settings(variables, Some(Mode::Paper)).map(|s| s.env);
        assert_eq!(env(&[]), Ok(Env::Development));
        assert_eq!(env(&[(NODE_ENV.0, "production")]), Ok(Env::Production));
        assert_eq!(env(&[(NODE_ENV.0, "staging")]), Ok(Env::Production), "mapped by the caller");
        assert_eq!(
            env(&[(NODE_ENV.0, "prod")]),
            Err("NODE_ENV is \"prod\": expected development or production".to_owned())
        );
    }

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for good in ["0.0.0.0:5000", "localhost:0", "[::1]:5000", "bot.internal:9100"] {
            assert_eq!(
                settings(&[(METRICS_ADDR.0, good)], Some(Mode::Paper)).map(|s| s.address),
                Ok(good.to_owned())
            );
        }
        for bad in
            ["", "nonsense", "localhost", ":5000", "localhost:", "localhost:65536", "::1:5000", "http://a:1"]
        {
            let error = settings(&[(METRICS_ADDR.0, bad)], Some(Mode::Paper)).expect_err(bad);
            assert!(
                error.starts_with(&format!("METRICS_ADDR is {bad:?}: expected an address and a port")),
                "{error}"
            );
        }
    }

    #[test]
    fn invalid_values_are_escaped_and_cut() {
        for error in [
            settings(&[(PAPER_TRADING.0, &"x".repeat(10_240))], None).expect_err("no mode"),
            settings(&[(NODE_ENV.0, &"x".repeat(10_240))], Some(Mode::Paper)).expect_err("no env"),
            settings(&[(METRICS_ADDR.0, &"x".repeat(10_240))], Some(Mode::Paper)).expect_err("no address"),
            Settings::new(Mode::Paper)
                .namespace("x".repeat(10_239) + "-")
                .build()
                .expect_err("-")
                .to_string(),
        ] {
            assert!(error.contains("x…\" (10240 bytes)") && error.len() < 500, "{error}");
        }
        let error = settings(&[(NODE_ENV.0, "\x1b[2J")], Some(Mode::Paper)).expect_err("no env");
        assert!(error.contains("\"\\u{1b}[2J\"") && !error.contains('\x1b'), "{error}");
    }
}
