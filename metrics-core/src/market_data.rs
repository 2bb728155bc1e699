//! Market data: when each symbol's was last updated.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::catalogue;
use crate::clock::{Latch, Translation};
use crate::lock::Lock;
use crate::registry::Core;
use crate::settings::DEFAULT_SYMBOLS;
use crate::storage::{CounterSlot, Sink};

/// Series before nothing more finds a place, whatever the bound on symbols.
const SERIES_BOUND: usize = 2_000;

/// An exchange and a symbol.
type Key = (&'static str, Arc<str>);

/// The market data of an instance, of at most as many symbols as the settings allow.
#[derive(Debug)]
pub(crate) struct MarketData {
    bound: AtomicUsize,
    feeds: Lock<BTreeMap<Key, Arc<Feed>>>,
    overflow: CounterSlot,
}

/// One symbol's at one exchange.
#[derive(Debug, Default)]
struct Feed {
    /// The tick of the last update, 0 while there is none.
    updated_at: AtomicU64,
    stamp: Lock<Latch>,
}

impl MarketData {
    pub(crate) fn new() -> Self {
        Self {
            bound: AtomicUsize::new(DEFAULT_SYMBOLS),
            feeds: Lock::default(),
            overflow: CounterSlot::new(),
        }
    }

    /// Bounds the symbols from here on; who has a place keeps it.
    pub(crate) fn set_bound(&self, symbols: usize) {
        self.bound.store(symbols, Relaxed);
    }

    fn feed(&self, exchange: &'static str, symbol: &Arc<str>) -> Option<Arc<Feed>> {
        let key = (exchange, Arc::clone(symbol));
        let mut feeds = self.feeds.hold();
        if let Some(feed) = feeds.get(&key) {
            return Some(Arc::clone(feed));
        }
        if !self.has_room(&feeds, symbol) {
            sweep(&mut feeds);
            if !self.has_room(&feeds, symbol) {
                return None;
            }
        }
        let feed = Arc::new(Feed::default());
        feeds.insert(key, Arc::clone(&feed));
        Some(feed)
    }

    fn standing_feed(&self, exchange: &'static str, symbol: &Arc<str>) -> Option<Arc<Feed>> {
        self.feeds.hold().get(&(exchange, Arc::clone(symbol))).cloned()
    }

    fn has_room(&self, feeds: &BTreeMap<Key, Arc<Feed>>, symbol: &Arc<str>) -> bool {
        let symbols: BTreeSet<&Arc<str>> = feeds.keys().map(|(_, symbol)| symbol).collect();
        let has_symbol = symbols.contains(symbol) || symbols.len() < self.bound.load(Relaxed);
        has_symbol && feeds.len() < SERIES_BOUND
    }

    pub(crate) fn collect(&self, translation: &Translation, sink: &mut dyn Sink) {
        let family = &catalogue::MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS;
        let mut known = self.feeds.hold();
        sweep(&mut known);
        let feeds: Vec<_> = known.iter().map(|(key, feed)| (key.clone(), Arc::clone(feed))).collect();
        // No lock is held while the sink writes.
        drop(known);
        for ((exchange, symbol), feed) in feeds {
            let ticks = feed.updated_at.load(Relaxed);
            let stamp = feed.stamp.hold().stamp(ticks, 0, translation);
            if let Some(stamp) = stamp.filter(|_| ticks != 0) {
                sink.gauge(family, &[exchange, &symbol], stamp.wall.as_secs_f64());
            }
        }
        sink.counter(&catalogue::LABEL_OVERFLOW_TOTAL, &[family.name, "symbol"], self.overflow.value());
    }
}

/// Lets go of what was removed, or never updated, and has no handle.
fn sweep(feeds: &mut BTreeMap<Key, Arc<Feed>>) {
    let is_updated = |feed: &Feed| feed.updated_at.load(Relaxed) != 0;
    // Whoever takes a place holds the feed before the lock is released; what was said by whoever held it last is seen.
    feeds.retain(|_, feed| is_updated(feed) || Arc::get_mut(feed).is_none() || is_updated(feed));
}

/// The market data of a symbol at an exchange; from [`Metrics::market_data`](crate::Metrics::market_data). An alert on
/// its age is the first to know that a stream is silent.
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
pub struct MarketDataFeed {
    core: Arc<Core>,
    exchange: &'static str,
    symbol: Arc<str>,
    /// None where the bound on symbols was reached; a place may come free.
    feed: Option<Arc<Feed>>,
}

impl MarketDataFeed {
    pub(crate) fn new(core: Arc<Core>, exchange: &'static str, symbol: &str) -> Self {
        let symbol = Arc::from(symbol);
        let feed = core.market_data.feed(exchange, &symbol);
        Self { core, exchange, symbol, feed }
    }

    /// Says that it was updated now. On a handle that is kept this is one reading of the clock and one store; it brings
    /// a removed series back.
    ///
    /// Symbols beyond [`Settings::label_bounds`](crate::Settings::label_bounds) have no series: one for several would
    /// hide each that is stale behind one that is not. They are counted in `label_overflow_total`.
    pub fn updated(&self) {
        // The tick 0 stands for none.
        let now = self.core.clock.ticks().max(1);
        if let Some(feed) = &self.feed {
            feed.updated_at.store(now, Relaxed);
        } else if let Some(feed) = self.core.market_data.feed(self.exchange, &self.symbol) {
            feed.updated_at.store(now, Relaxed);
        } else {
            self.core.market_data.overflow.add(1);
        }
    }

    /// Takes the series away, since nobody subscribes to it any more: otherwise it would be stale for ever. Its place is
    /// free once the last handle is dropped.
    pub fn remove(&self) {
        // It may have moved in since this handle found no place.
        let moved_in = || self.core.market_data.standing_feed(self.exchange, &self.symbol);
        if let Some(feed) = self.feed.clone().or_else(moved_in) {
            feed.updated_at.store(0, Relaxed);
        }
    }
}
