//! Market data: when each symbol's was last updated.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU64, AtomicUsize};

use crate::catalogue;
use crate::clock::{Latch, Translation};
use crate::lock::{self, Lock};
use crate::registry::Core;
use crate::settings::{DEFAULT_SERIES, LabelBounds};
use crate::storage::{Sink, Tally};

/// An exchange and a symbol.
type Key = (&'static str, Arc<str>);

/// The market data of an instance, of at most as many symbols as the settings allow.
#[derive(Debug)]
pub(crate) struct MarketData {
    bound: AtomicUsize,
    feeds: Lock<BTreeMap<Key, Arc<Feed>>>,
    /// Grows where a place may have come free: until then whoever found none need not ask again.
    changes: AtomicU64,
    overflow: Tally,
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
            bound: AtomicUsize::new(LabelBounds::DEFAULT.symbols),
            feeds: Lock::default(),
            changes: AtomicU64::new(0),
            overflow: Tally::new(),
        }
    }

    /// Bounds the symbols from here on; who has a place keeps it.
    pub(crate) fn set_bound(&self, symbols: usize) {
        self.bound.store(symbols, Relaxed);
        self.change();
    }

    /// Says that a place may have come free. Whoever sees the new number sees what was done before.
    fn change(&self) {
        self.changes.fetch_add(1, Release);
    }

    fn changes(&self) -> u64 {
        self.changes.load(Acquire)
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
        has_symbol && feeds.len() < DEFAULT_SERIES
    }

    pub(crate) fn collect(&self, translation: &Translation, namespace: &str, sink: &mut dyn Sink) {
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
        let labels = &[&*family.full_name(namespace), "symbol"];
        sink.counter(&catalogue::LABEL_OVERFLOW_TOTAL, labels, self.overflow.value());
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
#[derive(Debug)]
pub struct MarketDataFeed {
    core: Arc<Core>,
    exchange: &'static str,
    symbol: Arc<str>,
    /// None where the bound on symbols was reached; a place may come free.
    feed: Option<Arc<Feed>>,
    /// The place that came free.
    moved_in: lock::Once<Arc<Feed>>,
    /// The changes that there were before none was found.
    asked_at: AtomicU64,
}

impl MarketDataFeed {
    pub(crate) fn new(core: Arc<Core>, exchange: &'static str, symbol: &str) -> Self {
        let (symbol, asked_at) = (Arc::from(symbol), AtomicU64::new(core.market_data.changes()));
        let feed = core.market_data.feed(exchange, &symbol);
        Self { core, exchange, symbol, feed, moved_in: lock::Once::new(), asked_at }
    }

    /// Says that it was updated now. On a handle that is kept this is one reading of the clock and one store; it brings
    /// a removed series back.
    ///
    /// Symbols beyond [`Settings::label_bounds`](crate::Settings::label_bounds) have no series: one for several would
    /// hide each that is stale behind one that is not. They are counted in `label_overflow_total`.
    pub fn updated(&self) {
        // The tick 0 stands for none.
        match self.feed() {
            Some(feed) => feed.updated_at.store(self.core.clock.ticks().max(1), Relaxed),
            None => self.core.market_data.overflow.add(1),
        }
    }

    fn feed(&self) -> Option<&Arc<Feed>> {
        self.feed.as_ref().or_else(|| self.moved_in.get()).or_else(|| self.ask_again())
    }

    /// For a symbol that found no place.
    fn ask_again(&self) -> Option<&Arc<Feed>> {
        let market_data = &self.core.market_data;
        let changes = market_data.changes();
        if changes == self.asked_at.load(Relaxed) {
            return None;
        }
        let feed = market_data.feed(self.exchange, &self.symbol);
        self.asked_at.store(changes, Relaxed);
        feed.map(|feed| self.moved_in.get_or_make(|| feed))
    }

    /// Takes the series away, since nobody subscribes to it any more: otherwise it would be stale for ever. Its place is
    /// free once the last handle is dropped.
    pub fn remove(&self) {
        // Another handle may have found a place since this one found none.
        let standing = || self.core.market_data.standing_feed(self.exchange, &self.symbol);
        if let Some(feed) = self.feed.clone().or_else(standing) {
            feed.updated_at.store(0, Relaxed);
            drop(feed);
            self.core.market_data.change();
        }
    }
}

impl Clone for MarketDataFeed {
    fn clone(&self) -> Self {
        Self {
            core: Arc::clone(&self.core),
            exchange: self.exchange,
            symbol: Arc::clone(&self.symbol),
            feed: self.feed.as_ref().or_else(|| self.moved_in.get()).cloned(),
            moved_in: lock::Once::new(),
            asked_at: AtomicU64::new(self.asked_at.load(Relaxed)),
        }
    }
}

impl Drop for MarketDataFeed {
    fn drop(&mut self) {
        let moved_in = std::mem::replace(&mut self.moved_in, lock::Once::new());
        if let Some(feed) = self.feed.take().or_else(|| moved_in.into_inner()) {
            // The last one's place is free if the series was removed; whoever asks from here on finds it.
            drop(feed);
            self.core.market_data.change();
        }
    }
}
