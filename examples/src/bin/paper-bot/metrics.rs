//! How the bot's metrics are set up and served, and what its own words are called there.

use std::net::SocketAddr;

use bot_metrics::labels::Exchange;
use bot_metrics::prelude::*;
use bot_metrics::server::Server;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::api::ApiError;
use crate::capital::CapitalFigures;
use crate::console::{complain, say};
use crate::error::{BotError, FatalError};
use crate::options::MetricsEndpoint;
use crate::reconciliation::{MissingFrom, Report};

/// Installs the process's metrics. The bot knows nothing but paper, so that is its mode where the environment does not
/// say; where it says otherwise the bot refuses.
pub(crate) fn install() -> Result<Metrics, FatalError> {
    let settings = Settings::from_env_or(Mode::Paper)?;
    if !settings.is_paper() {
        return Err(FatalError::NotPaper);
    }
    Ok(settings.exchange(Exchange::Paper).build_info(env!("CARGO_PKG_VERSION"), "").install()?)
}

/// Serves them. Without an endpoint the bot goes on trading, unless it was told not to.
pub(crate) fn serve(metrics: &Metrics, endpoint: &MetricsEndpoint) -> Result<Option<Server>, FatalError> {
    match metrics.serve(address(metrics, endpoint)) {
        Ok(server) => {
            say(format_args!("metrics at http://{}/metrics", reachable(server.local_addr())));
            Ok(Some(server))
        }
        Err(error) if endpoint.require_metrics => Err(FatalError::Metrics(error.into())),
        Err(error) => {
            complain(format_args!("{error}; trading goes on without metrics"));
            Ok(None)
        }
    }
}

/// What the command line leaves open the settings say.
fn address(metrics: &Metrics, endpoint: &MetricsEndpoint) -> String {
    let configured = metrics.settings().address();
    let (host, port) = configured.rsplit_once(':').unwrap_or((configured, ""));
    let host = endpoint.bind.map_or_else(
        || host.to_owned(),
        |bind| if bind.is_ipv6() { format!("[{bind}]") } else { bind.to_string() },
    );
    let port = endpoint.port.map_or_else(|| port.to_owned(), |port| port.to_string());
    format!("{host}:{port}")
}

/// Where somebody on this machine finds a server: "every address" is none that a browser understands everywhere.
fn reachable(address: SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("localhost:{}", address.port()) } else { address.to_string() }
}

impl ClassifyError for ApiError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Rejected { .. } => ErrorClass::Rejected,
            Self::RateLimited { .. } => ErrorClass::RateLimited,
            Self::Banned { .. } => ErrorClass::Banned,
            Self::Auth { .. } => ErrorClass::Auth,
            Self::Server { .. } => ErrorClass::ServerError,
            Self::Timeout => ErrorClass::Timeout,
            Self::Transport(_) => ErrorClass::Transport,
            Self::Decode(_) => ErrorClass::Decode,
        }
    }
}

impl ClassifyError for BotError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Api(error) => error.class(),
            Self::HeldBack { .. } => ErrorClass::RateLimited,
            Self::NoMarketData | Self::Panicked => ErrorClass::Other,
        }
    }
}

impl From<CapitalFigures> for Capital {
    fn from(figures: CapitalFigures) -> Self {
        let amount = |amount: Decimal| amount.to_f64().unwrap_or(f64::NAN);
        Self {
            allocated: amount(figures.allocated),
            positions: amount(figures.positions),
            open_orders: amount(figures.open_orders),
            // The difference of the exact amounts: rounded ones could fall below zero where these do not.
            reported_available: Some(amount(figures.available())),
        }
    }
}

impl From<&Report> for ReconciliationReport {
    fn from(report: &Report) -> Self {
        report.mismatches.iter().fold(Self::new(), |found, mismatch| {
            let source = match mismatch.missing_from {
                MissingFrom::Database => labels::Source::Db,
                MissingFrom::Exchange => labels::Source::Exchange,
            };
            found.missing(source, format!("{} {}", mismatch.profile, mismatch.client_id))
        })
    }
}

#[cfg(test)]
mod tests {
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
        ] {
            let bind = bind.map(|bind| bind.parse().unwrap());
            let endpoint = MetricsEndpoint { bind, port, require_metrics: false };
            assert_eq!(address(&metrics, &endpoint), expected);
        }
    }
}
