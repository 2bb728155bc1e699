//! The shutdown: finishes the cycles in progress, settles unknown orders, and cancels all orders.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use crate::bot::Bot;
use crate::desk::{Desk, ProfileState};
use crate::error::BotError;
use crate::journal::Event;

/// The time that cycles in progress have to finish; with [`FAREWELL`], the shutdown takes two seconds at most. Most
/// answers come within a tenth of a second; a cycle that takes longer than this hangs and is dropped.
const LAST_CYCLES: Duration = Duration::from_millis(700);

/// The time for cancelling all orders.
const FAREWELL: Duration = Duration::from_millis(1_200);

/// The pause before orders are looked for that were still under way to the exchange.
const ARRIVALS_EVERY: Duration = Duration::from_millis(200);

/// The reason for the shutdown.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The given duration is over.
    TimeIsUp,
    /// A signal was received.
    Told,
    /// One of its loops panicked.
    Died(JoinError),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimeIsUp => "time is up",
            Self::Told => "told to stop",
            Self::Died(_) => "a loop died",
        })
    }
}

/// Announces the shutdown to all tasks. Clones share one state.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shutdown {
    begun: Arc<watch::Sender<bool>>,
}

impl Shutdown {
    /// Begins the shutdown: tasks start nothing new.
    pub(crate) fn begin(&self) {
        self.begun.send_replace(true);
    }

    /// Whether the shutdown has begun.
    pub(crate) fn has_begun(&self) -> bool {
        *self.begun.borrow()
    }

    /// Waits for `next`; returns `false` if the shutdown begins first.
    pub(crate) async fn allows<T>(&self, next: impl Future<Output = T>) -> bool {
        let mut begun = self.begun.subscribe();
        tokio::select! {
            biased;
            // `self` owns the sender, so the channel cannot close during the wait.
            _ = begun.wait_for(|begun| *begun) => false,
            _ = next => true,
        }
    }
}

impl Bot {
    /// Lets the loops finish their cycles, then cancels all orders as far as the exchange permits.
    pub(crate) async fn wind_up(&self, mut loops: JoinSet<()>) {
        self.shutdown.begin();
        let last_cycles = async { while loops.join_next().await.is_some() {} };
        // Cycles that hang are dropped.
        let _ = timeout(LAST_CYCLES, last_cycles).await;
        loops.shutdown().await;
        let deadline = Instant::now() + FAREWELL;
        let mut farewells = JoinSet::new();
        for desk in self.roster.all().iter().cloned() {
            farewells.spawn(async move {
                let outcome = timeout(FAREWELL, desk.wind_up(deadline)).await;
                (desk, outcome)
            });
        }
        for (desk, outcome) in farewells.join_all().await {
            let trouble = match outcome {
                Ok(Ok(())) => "not cancelled yet".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "no answer in time".to_owned(),
            };
            let open = desk.orders().open_count();
            if open > 0 {
                let profile = desk.profile.id;
                self.journal.say(format_args!("{profile}: {open} of its orders may be left open: {trouble}"));
            }
        }
    }
}

impl Desk {
    /// Cancels all orders. Waits as long as the exchange asks, if that ends before the deadline.
    async fn wind_up(self: &Arc<Self>, deadline: Instant) -> Result<(), BotError> {
        // From here on no dropped cycle can change the orders.
        self.set_state(ProfileState::Stopped).await;
        let unanswered = self.orders().give_up_waiting();
        for symbol in unanswered {
            self.record(
                Some(symbol),
                Event::OrderUnknown("the bot stopped before the answer arrived".to_owned()),
            );
        }
        while self.orders().open_count() > 0 {
            let outcome = self.cancel_everything().await;
            let wait = match &outcome {
                Ok(()) => Some(ARRIVALS_EVERY),
                Err(_) => self.held_back(),
            };
            match wait {
                Some(wait) if Instant::now() + wait < deadline => sleep(wait).await,
                _ => return outcome,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use bot_metrics::ErrorClass;
    use bot_metrics_examples::fault::Fault;
    use bot_metrics_examples::market::{Side, Symbol};

    use super::*;
    use crate::api::{NewOrder, OrderKind};
    use crate::own_orders::OrderState;
    use crate::rehearsal::Rehearsal;

    fn resting_order(client_id: &str) -> NewOrder {
        NewOrder {
            client_id: client_id.to_owned(),
            symbol: Symbol::EthUsdt,
            side: Side::Buy,
            kind: OrderKind::PostOnly,
            price: 1_000.into(),
            quantity: 1.into(),
        }
    }

    #[tokio::test]
    async fn an_order_cut_off_from_its_answer_is_unknown_then_placed_and_cancelled() {
        let rehearsal = Rehearsal::start().await;
        let desk = rehearsal.desk();
        for (client_id, arrives) in [("arrived", true), ("lost", false)] {
            desk.orders().sent(&resting_order(client_id));
            if arrives {
                desk.api.place_order(&resting_order(client_id)).await.unwrap();
            }
        }
        rehearsal.bot.wind_up(JoinSet::new()).await;
        assert_eq!(desk.api.get_open_orders().await.unwrap(), []);
        let tally = rehearsal.bot.journal.tally(Some(desk.profile.id));
        assert_eq!((tally.placed, tally.cancelled), (1, 1));
        let left = desk.orders().not_closed(Symbol::EthUsdt);
        assert_eq!(left, ["lost"], "it may still arrive after the end");
        assert_eq!(rehearsal.events("ORDER_UNKNOWN"), 2);
    }

    #[tokio::test]
    async fn a_cancellation_cut_off_from_its_answer_is_queried() {
        let rehearsal = Rehearsal::start().await;
        let desk = rehearsal.desk();
        for (client_id, arrives) in [("arrived", true), ("lost", false)] {
            desk.submit(resting_order(client_id)).await.unwrap();
            desk.orders().cancelling(client_id);
            if arrives {
                desk.api.cancel_order(Symbol::EthUsdt, client_id).await.unwrap();
            }
        }
        rehearsal.bot.wind_up(JoinSet::new()).await;
        let tally = rehearsal.bot.journal.tally(Some(desk.profile.id));
        assert_eq!((tally.placed, tally.cancelled, desk.orders().open_count()), (2, 2, 0));
    }

    #[tokio::test]
    async fn an_order_that_the_bot_did_not_place_is_not_counted() {
        let rehearsal = Rehearsal::start().await;
        let desk = rehearsal.desk();
        desk.submit(resting_order("mine")).await.unwrap();
        desk.api.place_order(&resting_order("by-hand")).await.unwrap();
        rehearsal.bot.wind_up(JoinSet::new()).await;
        assert_eq!(rehearsal.bot.journal.tally(Some(desk.profile.id)).cancelled, 1);
    }

    #[tokio::test]
    async fn a_cycle_may_finish_but_not_hang() {
        let rehearsal = Rehearsal::start().await;
        let (done, finished) = tokio::sync::oneshot::channel();
        let mut loops = JoinSet::new();
        loops.spawn(async move {
            sleep(Duration::from_millis(50)).await;
            let _ = done.send(());
        });
        loops.spawn(pending());
        let start = Instant::now();
        rehearsal.bot.wind_up(loops).await;
        assert!(start.elapsed() < LAST_CYCLES + FAREWELL, "{:?}", start.elapsed());
        assert_eq!(finished.await, Ok(()));
    }

    #[tokio::test]
    async fn a_trading_cycle_starts_nothing_after_the_shutdown_begins() {
        let rehearsal = Rehearsal::start().await;
        rehearsal.bot.shutdown.begin();
        rehearsal.bot.trading_cycle().await.unwrap();
        assert_eq!(rehearsal.desk().orders().open_count(), 0);
    }

    #[tokio::test]
    async fn a_short_wait_is_waited_out() {
        let rehearsal = Rehearsal::start().await;
        let desk = rehearsal.desk();
        desk.submit(resting_order("mine")).await.unwrap();
        rehearsal.bot.throttle.hold_back(Duration::from_millis(200), ErrorClass::RateLimited);
        rehearsal.bot.wind_up(JoinSet::new()).await;
        assert!(matches!(desk.orders().state("mine"), Some(OrderState::Closed { .. })));
    }

    #[tokio::test]
    async fn without_open_orders_no_request_is_sent() {
        let rehearsal = Rehearsal::start().await;
        rehearsal.faults.begin(Fault::RateLimit);
        rehearsal.bot.wind_up(JoinSet::new()).await;
        assert_eq!(rehearsal.events("RATE_LIMITED"), 0);
    }

    #[tokio::test]
    async fn a_long_wait_is_not_waited_for() {
        let rehearsal = Rehearsal::start().await;
        let desk = rehearsal.desk();
        desk.submit(resting_order("mine")).await.unwrap();
        rehearsal.faults.begin(Fault::RateLimit);
        let start = Instant::now();
        rehearsal.bot.wind_up(JoinSet::new()).await;
        assert!(start.elapsed() < FAREWELL, "{:?}", start.elapsed());
        assert_eq!(desk.orders().open_count(), 1);
        assert!(rehearsal.events("RATE_LIMITED") > 0);
        assert_eq!(rehearsal.events("API_FAILURE"), 0);
    }
}
