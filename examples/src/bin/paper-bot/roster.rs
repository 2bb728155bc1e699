//! Which profiles trade, and how one of them stops and comes back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bot_metrics_examples::fault::Fault;

use crate::bot::Bot;
use crate::desk::{Desk, Standing};
use crate::journal::Event;
use crate::profile::MAKER_WIDE;

/// How long to wait before the orders of a stopped profile are cancelled again.
const RETRY: Duration = Duration::from_secs(1);

/// All profiles, and those that trade.
#[derive(Debug)]
pub(crate) struct Roster {
    all: Vec<Arc<Desk>>,
    active: Mutex<Vec<Arc<Desk>>>,
}

impl Roster {
    /// All of them trade.
    pub(crate) fn new(all: Vec<Arc<Desk>>) -> Self {
        Self { active: Mutex::new(all.clone()), all }
    }

    /// Every profile, stopped ones included.
    pub(crate) fn all(&self) -> &[Arc<Desk>] {
        &self.all
    }

    /// The profiles that trade.
    pub(crate) fn active(&self) -> Vec<Arc<Desk>> {
        self.list().clone()
    }

    fn list(&self) -> MutexGuard<'_, Vec<Arc<Desk>>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bot {
    /// [`Fault::RemoveProfile`]: an operator who stops one profile, and starts it again when the fault ends.
    pub(crate) async fn obey_operator(self: Arc<Self>) {
        let Some(desk) = self.roster.all().iter().find(|desk| desk.profile == &MAKER_WIDE) else { return };
        let operator = async {
            loop {
                self.faults.until(Fault::RemoveProfile, true).await;
                self.stop_profile(desk).await;
                self.faults.until(Fault::RemoveProfile, false).await;
                self.start_profile(desk).await;
            }
        };
        let _: bool = self.shutdown.allows(operator).await;
    }

    /// Takes a profile off the roster, waits until no loop is busy with it, and cancels its orders.
    pub(crate) async fn stop_profile(&self, desk: &Arc<Desk>) {
        self.roster.list().retain(|active| !Arc::ptr_eq(active, desk));
        desk.set_standing(Standing::Retired).await;
        while desk.cancel_everything().await.is_err() {
            tokio::time::sleep(RETRY).await;
        }
        self.metrics.profile(desk.profile.id).remove();
        desk.forget_view();
        desk.record(None, Event::ProfileStopped);
    }

    /// Puts a profile back on the roster.
    pub(crate) async fn start_profile(&self, desk: &Arc<Desk>) {
        desk.set_standing(Standing::AtWork).await;
        self.roster.list().push(Arc::clone(desk));
        desk.record(None, Event::ProfileStarted);
    }
}
