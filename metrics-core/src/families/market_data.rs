//! Market data: the time of each symbol's last update.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU64, AtomicUsize};

use crate::catalogue;
use crate::clock::{Clock, Latch, Timeline, Translation};
use crate::labels::bounds::{DEFAULT_SERIES, LabelBounds};
use crate::lock::{self, Lock};
use crate::storage::{CounterWords, ENABLED, Sink, record_outside};

/// An exchange and a symbol.
type FeedKey = (&'static str, Arc<str>);

/// The market data of an instance, limited to the number of symbols in the settings.
#[derive(Debug)]
pub(crate) struct MarketData {
    bound: AtomicUsize,
    feeds: Lock<Feeds>,
    /// Incremented when a series becomes free: until then a handle over the limit need not look again.
    changes: AtomicU64,
    overflow: CounterWords,
}

/// Every feed.
#[derive(Debug, Default)]
struct Feeds {
    by_key: BTreeMap<FeedKey, Arc<Feed>>,
    /// The number of feeds of each symbol.
    symbols: BTreeMap<Arc<str>, usize>,
}

/// The feed of one symbol at one exchange.
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
            overflow: CounterWords::new(),
        }
    }

    /// Sets the limit on symbols; existing feeds stay.
    pub(crate) fn set_bound(&self, symbols: usize) {
        self.bound.store(symbols, Relaxed);
        self.change();
    }

    /// Records that a series became free. A thread that reads the new number sees everything done before.
    fn change(&self) {
        self.changes.fetch_add(1, Release);
    }

    fn changes(&self) -> u64 {
        self.changes.load(Acquire)
    }

    fn feed(&self, exchange: &'static str, symbol: &Arc<str>) -> Option<Arc<Feed>> {
        let key = (exchange, Arc::clone(symbol));
        let mut feeds = self.feeds.lock();
        if let Some(feed) = feeds.by_key.get(&key) {
            return Some(Arc::clone(feed));
        }
        feeds.have_room(symbol, self.bound.load(Relaxed)).then(|| feeds.insert(key))
    }

    fn standing_feed(&self, exchange: &'static str, symbol: &Arc<str>) -> Option<Arc<Feed>> {
        self.feeds.lock().by_key.get(&(exchange, Arc::clone(symbol))).cloned()
    }

    /// Releases a feed that a handle held, and its capacity if that was the last handle and the series is gone.
    fn let_go(&self, exchange: &'static str, symbol: &Arc<str>, feed: Arc<Feed>) {
        if feed.is_updated() {
            return;
        }
        let mut feeds = self.feeds.lock();
        drop(feed);
        if feeds.release(&(exchange, Arc::clone(symbol))) {
            self.change();
        }
    }

    pub(crate) fn collect(&self, translation: &Translation, namespace: &str, sink: &mut dyn Sink) {
        let family = &catalogue::MARKET_DATA_LAST_UPDATE_TIMESTAMP_SECONDS;
        let mut known = self.feeds.lock();
        // Feeds that one handle removed while another was dropped.
        if known.sweep() {
            self.change();
        }
        let feeds: Vec<_> = known.by_key.iter().map(|(key, feed)| (key.clone(), Arc::clone(feed))).collect();
        // No lock is held while the sink writes.
        drop(known);
        for ((exchange, symbol), feed) in feeds {
            let ticks = feed.updated_at.load(Relaxed);
            let stamp = feed.stamp.lock().stamp(ticks, 0, translation);
            if let Some(stamp) = stamp.filter(|_| ticks != 0) {
                sink.gauge(family, &[exchange, &symbol], stamp.wall.as_secs_f64());
            }
        }
        let labels = &[&*family.full_name(namespace), "symbol"];
        sink.counter(&catalogue::LABEL_OVERFLOW_TOTAL, labels, self.overflow.value());
    }
}

impl Feeds {
    fn have_room(&self, symbol: &Arc<str>, bound: usize) -> bool {
        let has_symbol = self.symbols.len() < bound || self.symbols.contains_key(symbol);
        has_symbol && self.by_key.len() < DEFAULT_SERIES
    }

    fn insert(&mut self, key: FeedKey) -> Arc<Feed> {
        let feed = Arc::new(Feed::default());
        *self.symbols.entry(Arc::clone(&key.1)).or_insert(0) += 1;
        self.by_key.insert(key, Arc::clone(&feed));
        feed
    }

    /// Removes a feed, if it is not needed; returns whether it did.
    fn release(&mut self, key: &FeedKey) -> bool {
        let is_free = self.by_key.get_mut(key).is_some_and(|feed| !Feed::is_needed(feed));
        if is_free {
            self.by_key.remove(key);
            let (_, symbol) = key;
            if let Some(feeds) = self.symbols.get_mut(symbol) {
                *feeds -= 1;
                if *feeds == 0 {
                    self.symbols.remove(symbol);
                }
            }
        }
        is_free
    }

    /// Removes all feeds that are not needed; returns whether there were any.
    fn sweep(&mut self) -> bool {
        let gone = self.by_key.iter().filter(|(_, feed)| !feed.is_updated());
        let gone: Vec<_> = gone.map(|(key, _)| key.clone()).collect();
        gone.iter().fold(false, |any, key| self.release(key) | any)
    }
}

impl Feed {
    fn is_updated(&self) -> bool {
        self.updated_at.load(Relaxed) != 0
    }

    /// Whether it has a series or a handle; it has neither if it was removed, or never updated, and the last handle
    /// is dropped.
    fn is_needed(feed: &mut Arc<Self>) -> bool {
        // A thread that gets a feed holds it before the lock is released; the updates of its last holder are visible.
        feed.is_updated() || Arc::get_mut(feed).is_none() || feed.is_updated()
    }
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
#[derive(Debug)]
pub struct MarketDataHandle {
    market_data: Arc<MarketData>,
    clock: Clock,
    timeline: Arc<Timeline>,
    exchange: &'static str,
    symbol: Arc<str>,
    /// `None` if the limit on symbols was reached; a series may become free.
    feed: Option<Arc<Feed>>,
    /// The series that became free.
    moved_in: lock::Once<Arc<Feed>>,
    /// The number of changes before the last unsuccessful look-up.
    asked_at: AtomicU64,
}

impl MarketDataHandle {
    pub(crate) fn new(
        market_data: Arc<MarketData>,
        clock: Clock,
        timeline: Arc<Timeline>,
        exchange: &'static str,
        symbol: &str,
    ) -> Self {
        let (symbol, changes) = (Arc::from(symbol), market_data.changes());
        // An allocator that requests a handle under a lock gets one that looks again with its next update.
        let asked = lock::outside(|| market_data.feed(exchange, &symbol));
        let asked_at = AtomicU64::new(if asked.is_some() { changes } else { changes.wrapping_sub(1) });
        Self {
            market_data,
            clock,
            timeline,
            exchange,
            symbol,
            feed: asked.flatten(),
            moved_in: lock::Once::new(),
            asked_at,
        }
    }

    /// Records an update at the current time. On a kept handle this is one clock reading and one store, plus at most
    /// a hundred comparisons of the clocks per second in total; it revives a removed series.
    ///
    /// Symbols over [`Settings::symbol_limit`](crate::Settings::symbol_limit) have no series, because one for several
    /// would hide a stale one behind one that is not. They are counted in `label_overflow_total`.
    pub fn updated(&self) {
        if !ENABLED {
            return;
        }
        // The tick 0 means no update.
        match self.feed() {
            Some(feed) => {
                let now = self.clock.ticks().max(1);
                self.timeline.compare_if_due(&self.clock, now);
                feed.updated_at.store(now, Relaxed);
            }
            None => self.market_data.overflow.add(1),
        }
    }

    fn feed(&self) -> Option<&Arc<Feed>> {
        self.feed.as_ref().or_else(|| self.moved_in.get()).or_else(|| self.ask_again())
    }

    /// Called for a symbol over the limit.
    fn ask_again(&self) -> Option<&Arc<Feed>> {
        let market_data = &self.market_data;
        let changes = market_data.changes();
        // An allocator under a lock looks another time.
        if changes == self.asked_at.load(Relaxed) || lock::is_inside() {
            return None;
        }
        let feed = market_data.feed(self.exchange, &self.symbol);
        self.asked_at.store(changes, Relaxed);
        feed.map(|feed| self.moved_in.get_or_init(|| feed))
    }

    /// Removes the series when the symbol is no longer subscribed; otherwise it would be stale for ever. Its capacity
    /// is free once the last handle is dropped.
    pub fn remove(&self) {
        let remove = || {
            // Another handle may have got a feed since this one found none.
            let standing = || self.market_data.standing_feed(self.exchange, &self.symbol);
            if let Some(feed) = self.feed.clone().or_else(standing) {
                feed.updated_at.store(0, Relaxed);
                self.market_data.let_go(self.exchange, &self.symbol, feed);
            }
        };
        let _ = record_outside(remove);
    }
}

impl Clone for MarketDataHandle {
    fn clone(&self) -> Self {
        Self {
            market_data: Arc::clone(&self.market_data),
            clock: self.clock.clone(),
            timeline: Arc::clone(&self.timeline),
            exchange: self.exchange,
            symbol: Arc::clone(&self.symbol),
            feed: self.feed.as_ref().or_else(|| self.moved_in.get()).cloned(),
            moved_in: lock::Once::new(),
            asked_at: AtomicU64::new(self.asked_at.load(Relaxed)),
        }
    }
}

impl Drop for MarketDataHandle {
    fn drop(&mut self) {
        let moved_in = std::mem::replace(&mut self.moved_in, lock::Once::new());
        // If it is dropped by an allocator under a lock, the next scrape releases the feed.
        if let Some(feed) = self.feed.take().or_else(|| moved_in.into_inner())
            && !lock::is_inside()
        {
            self.market_data.let_go(self.exchange, &self.symbol, feed);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::labels::Exchange;
    use crate::{Mode, Settings};

    #[test]
    fn a_handle_over_the_limit_looks_again_once_for_each_free_series() {
        let metrics = Settings::new(Mode::Paper).build().expect("settings that are allowed");
        let handle = |symbol| metrics.market_data(Exchange::Binance, symbol);
        let (stays, goes, blank) = (handle("stays"), handle("goes"), handle("blank"));
        let market_data = &stays.market_data;
        market_data.set_bound(3);
        stays.updated();
        goes.updated();
        let late = handle("late");
        let before = market_data.changes();
        let change = || market_data.changes() - before;
        // No series becomes free.
        drop((handle("stays"), stays.clone(), late.clone(), handle("other"), blank.clone()));
        goes.remove();
        late.updated();
        assert_eq!((change(), late.feed().is_some()), (0, false));
        drop(goes);
        assert_eq!((change(), late.feed().is_some()), (1, true));
        let later = handle("later");
        drop(blank);
        assert_eq!((change(), later.feed().is_some()), (2, true), "never updated");
        // Two exchanges of one symbol count once.
        let other = metrics.market_data(Exchange::Kraken, "later");
        assert!(other.feed().is_some());
        drop(later);
        assert!(handle("latest").feed().is_none());
        drop(other);
        assert!(handle("latest").feed().is_some());
    }
}
