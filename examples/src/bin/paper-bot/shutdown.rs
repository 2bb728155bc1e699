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
                self.journal.say(format_args!("{profile}: {open} orders may be left open: {trouble}"));
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
