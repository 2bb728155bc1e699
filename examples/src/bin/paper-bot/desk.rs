//! One profile at work: its account, its orders and what it knows about them.

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
use crate::error::BotError;
use crate::journal::{Event, Journal, JournalEntry};
use crate::order_database::OrderDatabase;
use crate::profile::Profile;
use crate::throttle::Throttle;

/// Whether a profile trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    AtWork,
    Retired,
}

/// What an account was worth at the first look and at the last one, in dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Equity {
    first: Decimal,
    last: Decimal,
}

/// One profile at work.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) profile: &'static Profile,
    pub(crate) api: Client,
    pub(crate) faults: Switchboard,
    journal: Arc<Journal>,
    throttle: Arc<Throttle>,
    orders: Mutex<OrderDatabase>,
    view: Mutex<Option<AccountView>>,
    equity: Mutex<Option<Equity>>,
    standing: RwLock<Standing>,
    next_client_id: AtomicU64,
    first_client_id: u64,
}

impl Desk {
    /// A desk that works with the given client, which has the profile's key.
    pub(crate) fn new(
        profile: &'static Profile,
        api: Client,
        faults: Switchboard,
        journal: Arc<Journal>,
        throttle: Arc<Throttle>,
    ) -> Self {
        Self {
            profile,
            api,
            faults,
            journal,
            throttle,
            orders: Mutex::default(),
            view: Mutex::default(),
            equity: Mutex::default(),
            standing: RwLock::new(Standing::AtWork),
            next_client_id: AtomicU64::new(0),
            first_client_id: Clock::system().now().as_secs(),
        }
    }

    /// Sends a request as the [throttle](Throttle::call) allows. Every failure goes to the journal.
    pub(crate) async fn call<T>(
        &self,
        request: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, BotError> {
        self.throttle.call(request, |event| self.record(None, event)).await
    }

    /// How much longer the exchange wants to be left alone; `None` when it does not.
    pub(crate) fn held_back(&self) -> Option<Duration> {
        self.throttle.left()
    }

    /// Keeps the profile from being retired while the guard lives; `None` when it is retired already.
    pub(crate) async fn at_work(&self) -> Option<RwLockReadGuard<'_, Standing>> {
        let standing = self.standing.read().await;
        (*standing == Standing::AtWork).then_some(standing)
    }

    /// Retires the profile or puts it back to work, once nobody is busy with it.
    pub(crate) async fn set_standing(&self, standing: Standing) {
        *self.standing.write().await = standing;
    }

    /// Tells the journal what happened to this profile.
    pub(crate) fn record(&self, symbol: Option<Symbol>, event: Event) {
        self.journal.record(&JournalEntry { profile: Some(self.profile.id), symbol, event });
    }

    /// Tells the operator that an order of somebody else was taken back with the bot's own.
    pub(crate) fn tell_foreign_cancelled(&self, symbol: Symbol, client_id: &str) {
        let profile = self.profile.id;
        self.journal.say(format_args!(
            "{profile} {symbol}: order {client_id}, which the bot never placed, is cancelled with the others"
        ));
    }

    /// The profile's orders. Never held across an await.
    pub(crate) fn orders(&self) -> MutexGuard<'_, OrderDatabase> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the last look at the account showed.
    pub(crate) fn view(&self) -> Option<AccountView> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what the account showed and returns what it showed before.
    pub(crate) fn set_view(&self, view: AccountView) -> Option<AccountView> {
        let last = view.equity;
        let mut equity = self.equity.lock().unwrap_or_else(PoisonError::into_inner);
        let first = equity.map_or(last, |equity| equity.first);
        *equity = Some(Equity { first, last });
        self.view.lock().unwrap_or_else(PoisonError::into_inner).replace(view)
    }

    /// The profile stops, so what its account showed soon says nothing; the next look is a first one, as it is for its
    /// metrics. What it has won or lost stays known.
    pub(crate) fn forget_view(&self) {
        *self.view.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What the profile has won or lost, at the prices of the last look, in dollars; `None` before the first.
    pub(crate) fn profit(&self) -> Option<Decimal> {
        let equity = *self.equity.lock().unwrap_or_else(PoisonError::into_inner);
        equity.map(|Equity { first, last }| last - first)
    }

    /// A name for a new order that no other run of the bot has used.
    pub(crate) fn new_client_id(&self) -> String {
        let number = self.next_client_id.fetch_add(1, Ordering::Relaxed);
        format!("{}-{}-{number}", self.profile.id, self.first_client_id)
    }
}
