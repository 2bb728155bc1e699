//! The last known prices and their ages.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bot_metrics::MarketDataHandle;
use bot_metrics::prelude::*;
use bot_metrics_examples::market::{Asset, Symbol, Touch};
use rust_decimal::Decimal;

use crate::api::Ticker;
use crate::error::BotError;

/// The touch of every market.
#[derive(Debug)]
pub(crate) struct MarketData {
    latest: Mutex<BTreeMap<Symbol, (Touch, Instant)>>,
    feeds: BTreeMap<Symbol, MarketDataHandle>,
}

impl MarketData {
    /// The age from which on a price is stale: five periods of the trading loop, which fetches it.
    pub(crate) const STALE: Duration = Duration::from_secs(5);

    /// Market data without prices; updates are recorded in `metrics`.
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let feed = |symbol: Symbol| metrics.market_data(labels::Exchange::Paper, symbol.as_str());
        Self { latest: Mutex::default(), feeds: Symbol::ALL.map(|symbol| (symbol, feed(symbol))).into() }
    }

    /// Stores the prices of an answer.
    pub(crate) fn update(&self, tickers: &[Ticker]) {
        for (symbol, touch) in tickers.iter().filter_map(Ticker::touch) {
            self.set(symbol, touch);
        }
    }

    /// A market's best bid and ask.
    pub(crate) fn touch(&self, symbol: Symbol) -> Result<Touch, BotError> {
        self.latest().get(&symbol).map(|(touch, _)| *touch).ok_or(BotError::NoMarketData)
    }

    /// A market's best bid and ask as long as they are not stale; `None` afterwards, since quotes at old prices lose money.
    ///
    /// # Errors
    /// If no price has arrived yet.
    pub(crate) fn fresh_touch(&self, symbol: Symbol) -> Result<Option<Touch>, BotError> {
        let touch = self.touch(symbol)?;
        Ok(self.age(symbol).is_some_and(|age| age <= Self::STALE).then_some(touch))
    }

    /// The age of a market's last update; `None` before the first.
    pub(crate) fn age(&self, symbol: Symbol) -> Option<Duration> {
        self.latest().get(&symbol).map(|(_, heard)| heard.elapsed())
    }

    /// The value of `amount` of an asset, in dollars.
    pub(crate) fn value(&self, asset: Asset, amount: Decimal) -> Result<Decimal, BotError> {
        match Symbol::ALL.into_iter().find(|symbol| symbol.base() == asset) {
            Some(symbol) => Ok(self.touch(symbol)?.mid() * amount),
            None => Ok(amount),
        }
    }

    /// Stores a price. All updates pass through this function.
    fn set(&self, symbol: Symbol, touch: Touch) {
        self.latest().insert(symbol, (touch, Instant::now()));
        if let Some(feed) = self.feeds.get(&symbol) {
            feed.updated();
        }
    }

    fn latest(&self) -> MutexGuard<'_, BTreeMap<Symbol, (Touch, Instant)>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
