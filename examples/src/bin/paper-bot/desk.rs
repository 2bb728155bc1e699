//! A trading profile with its account and its orders.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bot_metrics_examples::clock::Clock;
use bot_metrics_examples::fault::Switchboard;
use bot_metrics_examples::market::Symbol;
use rust_decimal::Decimal;
use tokio::sync::{RwLock, RwLockReadGuard};

use crate::api::{ApiError, Client};
use crate::capital::AccountView;
use crate::database::Database;
use crate::error::BotError;
use crate::journal::{Event, Journal, JournalEntry};
use crate::own_orders::OwnOrders;
use crate::profile::Profile;
use crate::tables::StoredProfile;
use crate::throttle::Throttle;

/// Whether a profile trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProfileState {
    Trading,
    Stopped,
}

/// The value of an account at the first query and at the last one, in dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Equity {
    first: Decimal,
    last: Decimal,
}

/// A trading profile.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) profile: &'static Profile,
    pub(crate) api: Client,
    pub(crate) faults: Switchboard,
    journal: Arc<Journal>,
    throttle: Arc<Throttle>,
    pub(crate) database: Database,
    orders: Mutex<OwnOrders>,
    view: Mutex<Option<AccountView>>,
    equity: Mutex<Option<Equity>>,
    state: RwLock<ProfileState>,
    next_client_id: AtomicU64,
    first_client_id: u128,
}

impl Desk {
    /// Creates a desk that uses the given client, which has the profile's key.
    pub(crate) fn new(
        profile: &'static Profile,
        api: Client,
        faults: Switchboard,
        journal: Arc<Journal>,
        throttle: Arc<Throttle>,
        (database, stored): (Database, StoredProfile),
    ) -> Self {
        Self {
            profile,
            api,
            faults,
            journal,
            throttle,
            orders: Mutex::new(OwnOrders::new(profile.id, database.clone(), stored)),
            database,
            view: Mutex::default(),
            equity: Mutex::default(),
            state: RwLock::new(ProfileState::Trading),
            next_client_id: AtomicU64::new(0),
            first_client_id: Clock::system().now().as_millis(),
        }
    }

    /// Sends a request as the [throttle](Throttle::call) allows. Every failure goes to the journal.
    pub(crate) async fn call<T>(
        &self,
        request: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, BotError> {
        self.throttle.call(request, |event| self.record(None, event)).await
    }

    /// The rest of the wait that the exchange asked for; `None` when there is none.
    pub(crate) fn held_back(&self) -> Option<Duration> {
        self.throttle.left()
    }

    /// Keeps the profile from being stopped while the guard lives; `None` when it is stopped already.
    pub(crate) async fn at_work(&self) -> Option<RwLockReadGuard<'_, ProfileState>> {
        let state = self.state.read().await;
        (*state == ProfileState::Trading).then_some(state)
    }

    /// Stops or starts the profile, as soon as no loop is busy with it.
    pub(crate) async fn set_state(&self, state: ProfileState) {
        *self.state.write().await = state;
    }

    /// Records an event of this profile in the journal.
    pub(crate) fn record(&self, symbol: Option<Symbol>, event: Event) {
        self.journal.record(&JournalEntry { profile: Some(self.profile.id), symbol, event });
    }

    /// Reports that an order that the bot did not place was cancelled together with its own.
    pub(crate) fn tell_foreign_cancelled(&self, symbol: Symbol, client_id: &str) {
        let profile = self.profile.id;
        self.journal.say(format_args!(
            "{profile} {symbol}: order {client_id}, which the bot never placed, is cancelled with the others"
        ));
    }

    /// The profile's orders. Never held across an await.
    pub(crate) fn orders(&self) -> MutexGuard<'_, OwnOrders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The result of the last query of the account.
    pub(crate) fn view(&self) -> Option<AccountView> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stores the result of a query and returns the previous one.
    pub(crate) fn set_view(&self, view: AccountView) -> Option<AccountView> {
        let last = view.equity;
        let mut equity = self.equity.lock().unwrap_or_else(PoisonError::into_inner);
        let first = equity.map_or(last, |equity| equity.first);
        *equity = Some(Equity { first, last });
        self.view.lock().unwrap_or_else(PoisonError::into_inner).replace(view)
    }

    /// Discards the last query because the profile stops and its figures will become stale. The next query counts as
    /// the first one, as for the profile's metrics. The profit is kept.
    pub(crate) fn forget_view(&self) {
        *self.view.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The profile's profit or loss at the prices of the last query, in dollars; `None` before the first.
    pub(crate) fn profit(&self) -> Option<Decimal> {
        let equity = *self.equity.lock().unwrap_or_else(PoisonError::into_inner);
        equity.map(|Equity { first, last }| last - first)
    }

    /// A client id for a new order that no other run of the bot has used.
    pub(crate) fn new_client_id(&self) -> String {
        let number = self.next_client_id.fetch_add(1, Ordering::Relaxed);
        format!("{}-{}-{number}", self.profile.id, self.first_client_id)
    }
}
