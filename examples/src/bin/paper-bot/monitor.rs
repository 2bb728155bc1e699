//! The monitor loop's cycle: state of the exchange, capital of every profile, age of the market data.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bot_metrics::prelude::*;
use bot_metrics_examples::fault::Fault;
use bot_metrics_examples::market::Symbol;
use tokio::task::JoinSet;

use crate::bot::Bot;
use crate::error::BotError;
use crate::journal::{Event, JournalEntry};
use crate::market_data::MarketData;
use crate::trading::all;

impl Bot {
    /// One cycle, which performs all checks at the same time, so that one that takes long does not delay the others.
    #[timed_subsystem("monitor", max_age = "5s")]
    pub(crate) async fn monitor_cycle(self: &Arc<Self>) -> Result<(), BotError> {
        self.panic_if_asked();
        self.check_market_data();
        let mut checks = JoinSet::new();
        let bot = Arc::clone(self);
        checks.spawn(async move { bot.look_at_exchange().await });
        for desk in self.roster.active() {
            let bot = Arc::clone(self);
            checks.spawn(async move {
                let Some(_at_work) = desk.at_work().await else { return Ok(()) };
                desk.check_capital(&bot.market).await.map(drop)
            });
        }
        all(checks).await
    }

    /// [`Fault::PanicMonitor`]: panics as a programming error would.
    fn panic_if_asked(&self) {
        assert!(!self.faults.is_on(Fault::PanicMonitor), "the fault {} is active", Fault::PanicMonitor);
    }

    /// Records in the journal when a market's data becomes stale.
    fn check_market_data(&self) {
        let ages = Symbol::ALL.into_iter().filter_map(|symbol| Some((symbol, self.market.age(symbol)?)));
        let stale: Vec<_> = ages.filter(|(_, age)| *age > MarketData::STALE).collect();
        let known = self.set_stale_markets(stale.iter().map(|(symbol, _)| *symbol).collect::<BTreeSet<_>>());
        for (symbol, age) in stale.into_iter().filter(|(symbol, _)| !known.contains(symbol)) {
            let event = Event::StaleMarketData { age };
            self.journal.record(&JournalEntry { profile: None, symbol: Some(symbol), event });
        }
    }

    /// Fetches the exchange's limit and whether its markets are halted.
    pub(crate) async fn look_at_exchange(&self) -> Result<(), BotError> {
        let info = self.call(self.public.get_exchange_info()).await?;
        if let Some(limit) = info.weight_limit() {
            self.throttle.set_weight_limit(limit);
        }
        self.set_halted(info.is_halted());
        Ok(())
    }

    /// Pauses trading while the exchange accepts no orders, since a loop that waits for the exchange is not stalled.
    fn set_halted(&self, is_halted: bool) {
        let was_halted = self.halted.swap(is_halted, Relaxed);
        let trading = self.metrics.subsystem(labels::Subsystem::Trading);
        match (was_halted, is_halted) {
            (false, true) => {
                trading.pause("the exchange has halted its markets");
                self.tell(Event::TradingHalted);
            }
            (true, false) => {
                trading.resume();
                self.tell(Event::TradingResumed);
            }
            _ => {}
        }
    }

    /// Whether trading waits for the exchange.
    pub(crate) fn is_halted(&self) -> bool {
        self.halted.load(Relaxed)
    }
}
