//! The monitor loop's cycle: capital of every profile, age of the market data.

use std::collections::BTreeSet;
use std::time::Duration;

use bot_metrics::prelude::*;
use bot_metrics_examples::market::Symbol;

use crate::bot::Bot;
use crate::error::BotError;
use crate::journal::{Event, JournalEntry};

/// Five turns of the trading loop, which fetches the data.
const STALE: Duration = Duration::from_secs(5);

impl Bot {
    /// One cycle: checks all that can be checked before it reports an error.
    #[timed_subsystem("monitor", max_age = "5s")]
    pub(crate) async fn monitor_cycle(&self) -> Result<(), BotError> {
        self.check_market_data();
        let mut outcome = self.learn_weight_limit().await;
        for desk in self.roster.active() {
            let Some(_at_work) = desk.at_work().await else { continue };
            outcome = outcome.and(desk.check_capital(&self.market).await.map(drop));
        }
        outcome
    }

    /// Tells the journal when a market's data turns stale.
    fn check_market_data(&self) {
        let ages = Symbol::ALL.into_iter().filter_map(|symbol| Some((symbol, self.market.age(symbol)?)));
        let stale: Vec<_> = ages.filter(|(_, age)| *age > STALE).collect();
        let known = self.set_stale_markets(stale.iter().map(|(symbol, _)| *symbol).collect::<BTreeSet<_>>());
        for (symbol, age) in stale.into_iter().filter(|(symbol, _)| !known.contains(symbol)) {
            let event = Event::StaleMarketData { age };
            self.journal.record(&JournalEntry { profile: None, symbol: Some(symbol), event });
        }
    }

    /// Asks for the exchange's limit until it has told it once.
    pub(crate) async fn learn_weight_limit(&self) -> Result<(), BotError> {
        if self.throttle.used_ratio().is_none() {
            let info = self.call(self.public.get_exchange_info()).await?;
            if let Some(limit) = info.weight_limit() {
                self.throttle.set_weight_limit(limit);
            }
        }
        Ok(())
    }
}
