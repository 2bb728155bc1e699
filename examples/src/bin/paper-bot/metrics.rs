//! How the bot's metrics are set up, and what its own words are called there.

use bot_metrics::labels::Exchange;
use bot_metrics::prelude::*;
use bot_metrics_examples::demo::{self, Failure};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::api::ApiError;
use crate::capital::CapitalFigures;
use crate::error::BotError;
use crate::reconciliation::{MissingFrom, Report};

/// Installs the process's metrics.
pub(crate) fn install() -> Result<Metrics, Failure> {
    Ok(demo::settings()?.exchange(Exchange::Paper).build_info(env!("CARGO_PKG_VERSION"), "").install()?)
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
