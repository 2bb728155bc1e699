//! The three loops of the bot.
//!
//! Its reconciliation compares ids alone. A bot with a real exchange has to ask for the state of an order before it
//! reports it: one that is on its way, or was filled in the meantime, is missing among the open orders too.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bot_metrics::prelude::*;
use bot_metrics::{Symbol, metrics};

use crate::exchange::{ApiError, Exchange};
use crate::labels;

pub const PROFILE: &str = "maker";
const SYMBOL: &str = "BTCUSDT";
const ALLOCATED: f64 = 1_200.0;

metrics! {
    /// Signals that the strategy gave.
    counter signals_total { side: labels::Side, symbol: Symbol }
}

#[derive(Debug, Default)]
pub struct Bot {
    pub exchange: Exchange,
    /// The ids of the orders that this bot believes to be open.
    orders: Mutex<BTreeSet<u64>>,
}

impl Bot {
    #[timed_subsystem("trading", every = "2s")]
    pub async fn trading_cycle(&self) -> Result<(), ApiError> {
        let price = self.exchange.get_ticker(SYMBOL).await?;
        let side = if price < 103.0 { labels::Side::Buy } else { labels::Side::Sell };
        signals_total(side, SYMBOL).increment();
        let order = self.exchange.place_order(SYMBOL, side, price).await?;
        self.orders().insert(order.id);
        Ok(())
    }

    #[timed_subsystem("monitor", every = "5s")]
    #[capital_check(profile = PROFILE)]
    pub async fn monitor_cycle(&self) -> Result<Capital, ApiError> {
        let open = self.exchange.get_open_orders().await?;
        let open_orders = open.iter().map(|order| order.value).sum();
        Ok(Capital { allocated: ALLOCATED, open_orders, ..Capital::default() })
    }

    #[timed_subsystem("reconciliation", every = "10s")]
    #[reconciliation]
    pub async fn reconciliation_cycle(&self) -> Result<ReconciliationReport, ApiError> {
        // An order that is placed while the answer is on its way may be missing in it.
        let before = self.orders().clone();
        let open = self.exchange.get_open_orders().await?;
        let theirs: BTreeSet<_> = open.iter().map(|order| order.id).collect();
        let mut ours = self.orders();
        let mut report = ReconciliationReport::new();
        for id in before.difference(&theirs) {
            report = report.missing(labels::Source::Exchange, format!("order {id}"));
            ours.remove(id);
        }
        for id in theirs {
            if ours.insert(id) {
                report = report.missing(labels::Source::Db, format!("order {id}"));
            }
        }
        Ok(report)
    }

    fn orders(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
