//! Market data: the time of each symbol's last update.

use std::sync::Arc;

use crate::catalogue::MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS;
use crate::clock::Clock;
use crate::labels::bounds::LabelBounds;
use crate::series::{Bound, CachedSeries, QueriedLabel};
use crate::storage::{ENABLED, record_outside};

/// The position of the label with a limit in the family.
pub(crate) const SYMBOL: usize = 1;

/// The market data of an instance, limited to the number of symbols in the settings.
pub(crate) fn series(clock: Clock) -> CachedSeries {
    let bounds = vec![Bound::Closed, Bound::Open(LabelBounds::DEFAULT.symbols)];
    CachedSeries::new(&MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS, bounds, clock)
}

/// The market data of a symbol at an exchange; from [`Metrics::market_data`](crate::Metrics::market_data). An alert
/// on its age is the first sign of a silent stream.
///
/// ```
/// # use bot_metrics::{Mode, Settings, labels::Exchange};
/// let metrics = Settings::new(Mode::Paper).build()?;
/// let btc = metrics.market_data(Exchange::Binance, "BTCUSDT");
/// btc.updated(); // with each message
/// btc.remove(); // when it is subscribed no more
/// # Ok::<(), bot_metrics::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MarketDataHandle {
    market_data: Arc<CachedSeries>,
    exchange: &'static str,
    symbol: Arc<str>,
}

impl MarketDataHandle {
    pub(crate) fn new(market_data: Arc<CachedSeries>, exchange: &'static str, symbol: &str) -> Self {
        Self { market_data, exchange, symbol: Arc::from(symbol) }
    }

    /// Records an update at the current time of the wall clock; it revives a removed series. After a thread's first
    /// update of a symbol it neither locks nor allocates.
    ///
    /// Symbols over [`Settings::symbol_limit`](crate::Settings::symbol_limit) have no series, because one for several
    /// would hide a stale one behind one that is not. They are counted in `label_overflow_total`.
    pub fn updated(&self) {
        if ENABLED {
            let now = self.market_data.clock.wall().as_secs_f64();
            self.market_data.record(&self.labels(), |slot| slot.set(now));
        }
    }

    /// Removes the series when the symbol is no longer subscribed; otherwise it would be stale for ever. Its capacity
    /// is free at once.
    pub fn remove(&self) {
        record_outside(|| self.market_data.remove(&self.labels()));
    }

    fn labels(&self) -> [QueriedLabel<'_>; 2] {
        [QueriedLabel::Closed(self.exchange), QueriedLabel::Open(self.symbol.as_bytes())]
    }
}
