//! The trading profiles, and how one of them is stopped and restarted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bot_metrics_examples::fault::Fault;

use crate::bot::Bot;
use crate::desk::{Desk, ProfileState};
use crate::journal::Event;
use crate::profile::MAKER_WIDE;

/// The pause before cancelling the orders of a stopped profile is retried.
const RETRY: Duration = Duration::from_secs(1);

/// All profiles, and those that are trading.
#[derive(Debug)]
pub(crate) struct Roster {
    all: Vec<Arc<Desk>>,
    active: Mutex<Vec<Arc<Desk>>>,
}

impl Roster {
    /// A roster on which all profiles are trading.
    pub(crate) fn new(all: Vec<Arc<Desk>>) -> Self {
        Self { active: Mutex::new(all.clone()), all }
    }

    /// Every profile, including stopped ones.
    pub(crate) fn all(&self) -> &[Arc<Desk>] {
        &self.all
    }

    /// The profiles that are trading.
    pub(crate) fn active(&self) -> Vec<Arc<Desk>> {
        self.list().clone()
    }

    fn list(&self) -> MutexGuard<'_, Vec<Arc<Desk>>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bot {
    /// [`Fault::RemoveProfile`]: stops one profile, and starts it again when the fault ends.
    pub(crate) async fn stop_and_start_a_profile(self: Arc<Self>) {
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

    /// Removes a profile from the roster, waits until no loop is busy with it, and cancels its orders.
    pub(crate) async fn stop_profile(&self, desk: &Arc<Desk>) {
        self.roster.list().retain(|active| !Arc::ptr_eq(active, desk));
        desk.set_state(ProfileState::Stopped).await;
        // One pass may leave an order that was still under way to the exchange.
        while desk.cancel_everything().await.is_err() || desk.orders().open_count() > 0 {
            tokio::time::sleep(RETRY).await;
        }
        self.metrics.profile(desk.profile.id).remove();
        desk.forget_view();
        desk.record(None, Event::ProfileStopped);
    }

    /// Returns a profile to the roster.
    pub(crate) async fn start_profile(&self, desk: &Arc<Desk>) {
        desk.set_state(ProfileState::Trading).await;
        self.roster.list().push(Arc::clone(desk));
        desk.record(None, Event::ProfileStarted);
    }
}
