//! The set-up of the bot's metrics and its conversions to their labels.

use bot_metrics::catalogue;
use bot_metrics::labels::Exchange;
use bot_metrics::prelude::*;
use bot_metrics::{ProfileId, metrics};
use bot_metrics_examples::demo::{self, Failure};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::api::ApiError;
use crate::capital::CapitalFigures;
use crate::desk::Desk;
use crate::error::BotError;
use crate::reconciliation::{MismatchKind, Report};

metrics! {
    /// Orders that are or may be open.
    gauge open_orders { profile_id: ProfileId }

    /// Profit or loss since the start of the bot, at the last prices, in USDT.
    gauge profit_usdt { profile_id: ProfileId }
}

/// The settings of the process's metrics.
pub(crate) fn settings() -> Result<Settings, Failure> {
    Ok(of(demo::settings()?))
}

/// This bot's settings, from general ones.
pub(crate) fn of(settings: Settings) -> Settings {
    // Recorded by handles, which are not known at link time.
    settings.exchange(Exchange::Paper).version(env!("CARGO_PKG_VERSION")).expect_families([
        &catalogue::MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS,
        &catalogue::EXCHANGE_RATE_LIMIT_USED_RATIO,
        &catalogue::TOKIO_SCHEDULER_LAG_SECONDS,
    ])
}

/// Installs the process's metrics.
pub(crate) fn install() -> Result<Metrics, Failure> {
    Ok(settings()?.install()?)
}

impl Desk {
    /// Sets the gauges of the profile, which must be at work: those of a stopped one are removed.
    pub(crate) fn publish(&self) {
        let open = u32::try_from(self.orders().open_count()).unwrap_or(u32::MAX);
        open_orders(self.profile.id).set(open.into());
        if let Some(profit) = self.profit().and_then(|profit| profit.to_f64()) {
            profit_usdt(self.profile.id).set(profit);
        }
    }
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
            Self::Unclear { .. } => ErrorClass::Other,
        }
    }
}

impl ClassifyError for BotError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Api(error) => error.class(),
            Self::HeldBack { class, .. } => *class,
            Self::NoMarketData | Self::Unwritten(_) | Self::Panicked | Self::Injected(_) => ErrorClass::Other,
        }
    }
}

impl From<CapitalFigures> for Capital<Decimal> {
    fn from(figures: CapitalFigures) -> Self {
        let CapitalFigures { allocated, positions, open_orders, reported_available } = figures;
        Self { allocated, positions, open_orders, reported_available }
    }
}

impl From<&Report> for ReconciliationReport {
    fn from(report: &Report) -> Self {
        report.mismatches.iter().fold(Self::new(), |found, mismatch| {
            let key = format!("{} {} {:?}", mismatch.profile, mismatch.client_id, mismatch.kind);
            match mismatch.kind {
                MismatchKind::Orphan => found.missing(labels::Source::Db, key),
                MismatchKind::Ghost => found.missing(labels::Source::Exchange, key),
                MismatchKind::Status | MismatchKind::Quantity | MismatchKind::Executed => found.differs(key),
            }
        })
    }
}
