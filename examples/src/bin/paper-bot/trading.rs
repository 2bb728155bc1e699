//! The trading loop's cycle.

use std::sync::Arc;

use bot_metrics::prelude::*;
use bot_metrics_examples::fault::Fault;
use bot_metrics_examples::market::Symbol;
use tokio::task::JoinSet;

use crate::bot::Bot;
use crate::error::BotError;

impl Bot {
    /// One cycle: fetches the market and updates every profile's quotes on it.
    #[timed_subsystem("trading", max_age = "5s")]
    pub(crate) async fn trading_cycle(&self) -> Result<(), BotError> {
        self.hang_if_asked().await;
        self.refresh_market_data().await?;
        self.fail_if_asked()?;
        self.tend_quotes().await
    }

    /// [`Fault::HangTrading`]: waits as if an answer never came, for as long as the fault lasts.
    async fn hang_if_asked(&self) {
        self.faults.until(Fault::HangTrading, false).await;
    }

    /// [`Fault::FailTrading`]: fails as if the strategy had found an error.
    fn fail_if_asked(&self) -> Result<(), BotError> {
        let fault = Fault::FailTrading;
        if self.faults.is_on(fault) { Err(BotError::Injected(fault)) } else { Ok(()) }
    }

    /// Fetches the best bid and ask of every market.
    pub(crate) async fn refresh_market_data(&self) -> Result<(), BotError> {
        let tickers = self.call(self.public.get_ticker()).await?;
        self.market.update(&tickers);
        Ok(())
    }

    /// Updates all profiles and markets concurrently.
    async fn tend_quotes(&self) -> Result<(), BotError> {
        let mut turns = JoinSet::new();
        for desk in self.roster.active() {
            for symbol in Symbol::ALL {
                let (desk, touch) = (Arc::clone(&desk), self.market.fresh_touch(symbol)?);
                let shutdown = self.shutdown.clone();
                turns.spawn(async move { desk.tend(symbol, touch, &shutdown).await });
            }
        }
        all(turns).await
    }
}

/// Waits for all turns, then reports the first error.
pub(crate) async fn all(mut turns: JoinSet<Result<(), BotError>>) -> Result<(), BotError> {
    let mut outcome = Ok(());
    while let Some(turn) = turns.join_next().await {
        outcome = outcome.and(turn.unwrap_or(Err(BotError::Panicked)));
    }
    outcome
}
