//! The end: what is under way is finished, what is unknown is settled, and every order is taken back.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use crate::bot::Bot;
use crate::desk::{Desk, Standing};
use crate::error::BotError;
use crate::journal::Event;

/// How long cycles that are under way may take to finish: with [`FAREWELL`], whoever ends the bot waits two seconds at
/// most. Most answers come within a tenth of a second; a cycle that takes longer than this hangs, and is cut.
const LAST_CYCLES: Duration = Duration::from_millis(700);

/// How long taking back all orders may take.
const FAREWELL: Duration = Duration::from_millis(1_200);

/// Why the bot ends.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The time it was given is over.
    TimeIsUp,
    /// Somebody sent a signal.
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

/// Tells everything that works that the end has begun. Clones share one word.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shutdown {
    begun: Arc<watch::Sender<bool>>,
}

impl Shutdown {
    /// From now on nothing new is begun.
    pub(crate) fn begin(&self) {
        self.begun.send_replace(true);
    }

    /// Whether the end has begun.
    pub(crate) fn has_begun(&self) -> bool {
        *self.begun.borrow()
    }

    /// Waits for `next`; `false` when the end begins before.
    pub(crate) async fn allows<T>(&self, next: impl Future<Output = T>) -> bool {
        let mut begun = self.begun.subscribe();
        tokio::select! {
            biased;
            // The sender lives in `self`, so the channel cannot close while this waits.
            _ = begun.wait_for(|begun| *begun) => false,
            _ = next => true,
        }
    }
}

impl Bot {
    /// Lets the loops finish their cycles, then leaves no order behind, as far as the exchange lets it.
    pub(crate) async fn wind_up(&self, mut loops: JoinSet<()>) {
        self.shutdown.begin();
        let last_cycles = async { while loops.join_next().await.is_some() {} };
        // What hangs is cut.
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
    /// Takes all orders back. Waits as long as the exchange asks, if that is over before the deadline.
    async fn wind_up(self: &Arc<Self>, deadline: Instant) -> Result<(), BotError> {
        // Once this returns, no cut cycle touches the orders any more.
        self.set_standing(Standing::Retired).await;
        let unanswered = self.orders().give_up_waiting();
        for symbol in unanswered {
            self.record(Some(symbol), Event::OrderUnknown("the end came before the answer".to_owned()));
        }
        while self.orders().open_count() > 0 {
            let outcome = self.cancel_everything().await;
            match self.held_back() {
                Some(left) if outcome.is_err() && Instant::now() + left < deadline => sleep(left).await,
                _ => return outcome,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use bot_metrics_examples::fault::Fault;
    use bot_metrics_examples::market::{Side, Symbol};

    use super::*;
    use crate::api::{NewOrder, OrderKind};
    use crate::order_database::OrderState;
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
        assert_eq!((tally.placed, tally.cancelled, desk.orders().open_count()), (1, 1, 0));
        assert_eq!(rehearsal.events("ORDER_UNKNOWN"), 2);
    }

    #[tokio::test]
    async fn a_cancellation_cut_off_from_its_answer_is_found_out() {
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
    async fn an_order_of_somebody_else_is_not_counted() {
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
    async fn a_trading_cycle_that_is_told_to_stop_begins_nothing() {
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
        rehearsal.bot.throttle.hold_back(Duration::from_millis(200));
        rehearsal.bot.wind_up(JoinSet::new()).await;
        assert!(matches!(desk.orders().state("mine"), Some(OrderState::Closed { .. })));
    }

    #[tokio::test]
    async fn where_nothing_stands_nothing_is_asked() {
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
