//! Compares the bot's database of orders with the exchange.

use std::collections::{BTreeMap, BTreeSet};

use bot_metrics::prelude::*;

use crate::api::{ApiError, OrderReport, RemoteStatus};
use crate::bot::Bot;
use crate::desk::Desk;
use crate::error::BotError;
use crate::journal::{Event, JournalEntry};
use crate::order_database::{OrderState, OwnOrder};
use crate::quoting::NO_SUCH_ORDER;

/// The side on which an order is missing although the other side has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MissingFrom {
    /// The exchange has an order that the bot does not know: an orphan.
    Database,
    /// The bot has an order that the exchange does not know: a ghost.
    Exchange,
}

/// One order on which the two sides disagree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mismatch {
    /// The side on which it is missing.
    pub(crate) missing_from: MissingFrom,
    /// The order's profile.
    pub(crate) profile: &'static str,
    /// The order's client id; with the profile it identifies the mismatch in every report.
    pub(crate) client_id: String,
}

/// The outcome of one complete comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Every disagreement, sorted.
    pub(crate) mismatches: BTreeSet<Mismatch>,
}

impl Bot {
    /// One cycle, which compares both sides and records mismatches that the previous cycle did not have.
    #[timed_subsystem("reconciliation", max_age = "15s")]
    #[reconciliation]
    pub(crate) async fn reconciliation_cycle(&self) -> Result<ReconciliationReport, BotError> {
        let report = self.reconcile().await?;
        let known = self.set_last_report(report.clone());
        for mismatch in report.mismatches.difference(&known.mismatches) {
            self.journal.record(&JournalEntry {
                profile: Some(mismatch.profile),
                symbol: None,
                event: Event::ReconciliationMismatch(mismatch.describe()),
            });
        }
        Ok((&report).into())
    }

    /// Compares all profiles. If one of them cannot be compared there is no report, because a partial one would look
    /// like a recovery.
    pub(crate) async fn reconcile(&self) -> Result<Report, BotError> {
        let mut report = Report::default();
        for desk in self.roster.active() {
            let Some(_at_work) = desk.at_work().await else { continue };
            report.mismatches.extend(desk.compare_orders().await?);
        }
        Ok(report)
    }
}

impl Mismatch {
    fn describe(&self) -> String {
        let client_id = &self.client_id;
        match self.missing_from {
            MissingFrom::Database => {
                format!("order {client_id} is open at the exchange and is missing from the database")
            }
            MissingFrom::Exchange => {
                format!("order {client_id} is in the database and missing from the exchange")
            }
        }
    }
}

impl Desk {
    /// Compares the database with the exchange's list of open orders. Trading continues meanwhile, so only entries
    /// that the database has both before and after fetching the list count.
    async fn compare_orders(&self) -> Result<Vec<Mismatch>, BotError> {
        let before = states(self.orders().all());
        let listed = self.call(self.api.get_open_orders()).await?;
        let after = states(self.orders().all());
        let mut mismatches = Vec::new();
        for client_id in orphans(&before, &listed, &after) {
            mismatches.push(self.mismatch(MissingFrom::Database, client_id));
        }
        for client_id in suspects(&before, &listed, &after) {
            if self.is_ghost(&client_id).await? {
                mismatches.push(self.mismatch(MissingFrom::Exchange, client_id));
            }
        }
        Ok(mismatches)
    }

    fn mismatch(&self, missing_from: MissingFrom, client_id: String) -> Mismatch {
        Mismatch { missing_from, profile: self.profile.id, client_id }
    }

    /// Queries an order that is not listed, since it may have just been filled. A ghost is removed from the database.
    async fn is_ghost(&self, client_id: &str) -> Result<bool, BotError> {
        let order = self.orders().all().find(|order| order.client_id == client_id).map(|order| order.symbol);
        let Some(symbol) = order else { return Ok(false) };
        let is_gone = match self.call(self.api.get_order(symbol, client_id)).await {
            Ok(report) => matches!(report.status, RemoteStatus::Canceled | RemoteStatus::Ended),
            Err(BotError::Api(ApiError::Rejected { code: NO_SUCH_ORDER, .. })) => true,
            Err(error) => return Err(error),
        };
        let mut orders = self.orders();
        let is_ghost = is_gone && matches!(orders.state(client_id), Some(OrderState::Open { .. }));
        if is_ghost {
            orders.closed(client_id);
        }
        Ok(is_ghost)
    }
}

type States = BTreeMap<String, OrderState>;

fn states<'a>(orders: impl Iterator<Item = &'a OwnOrder>) -> States {
    orders.map(|order| (order.client_id.clone(), order.state)).collect()
}

/// Listed orders that the database never had, or had as closed before the list was fetched.
fn orphans(before: &States, listed: &[OrderReport], after: &States) -> Vec<String> {
    let is_orphan = |client_id: &&String| match before.get(*client_id) {
        Some(state) => matches!(state, OrderState::Closed { .. }),
        None => !after.contains_key(*client_id),
    };
    listed.iter().map(|order| &order.client_order_id).filter(is_orphan).cloned().collect()
}

/// Orders that are open in the database before and after but are not listed.
fn suspects(before: &States, listed: &[OrderReport], after: &States) -> Vec<String> {
    let listed: BTreeSet<_> = listed.iter().map(|order| &order.client_order_id).collect();
    let stands =
        |states: &States, client_id: &String| matches!(states.get(client_id), Some(OrderState::Open { .. }));
    let is_suspect = |client_id: &&String| {
        stands(before, client_id) && stands(after, client_id) && !listed.contains(client_id)
    };
    before.keys().filter(is_suspect).cloned().collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bot_metrics_examples::fault::Fault;
    use bot_metrics_examples::market::{Side, Symbol};

    use super::*;
    use crate::api::{NewOrder, OrderKind};
    use crate::rehearsal::Rehearsal;

    const SENT: OrderState = OrderState::Sent;
    const OPEN: OrderState = OrderState::Open { order_id: 1 };
    const CANCELLING: OrderState = OrderState::Cancelling { order_id: 1 };
    const UNKNOWN: OrderState = OrderState::Unknown { order_id: None };
    const CLOSED: OrderState = OrderState::Closed { order_id: Some(1) };

    fn is_orphan(before: Option<OrderState>, is_listed: bool, after: Option<OrderState>) -> bool {
        !compare(orphans, before, is_listed, after).is_empty()
    }

    fn is_suspect(before: Option<OrderState>, is_listed: bool, after: Option<OrderState>) -> bool {
        !compare(suspects, before, is_listed, after).is_empty()
    }

    fn compare(
        find: fn(&States, &[OrderReport], &States) -> Vec<String>,
        before: Option<OrderState>,
        is_listed: bool,
        after: Option<OrderState>,
    ) -> Vec<String> {
        let states =
            |state: Option<OrderState>| state.map(|state| ("x".to_owned(), state)).into_iter().collect();
        let listed = OrderReport { order_id: 1, client_order_id: "x".to_owned(), status: RemoteStatus::New };
        let listed = if is_listed { vec![listed] } else { vec![] };
        find(&states(before), &listed, &states(after))
    }

    #[tokio::test]
    async fn a_bot_left_alone_agrees_with_the_exchange() {
        let rehearsal = Rehearsal::start().await;
        rehearsal.bot.trading_cycle().await.unwrap();
        assert!(rehearsal.desk().orders().open_count() > 0);
        assert_eq!(rehearsal.bot.reconcile().await.unwrap(), Report::default());
    }

    #[tokio::test]
    async fn filled_orders_are_no_ghosts() {
        let rehearsal = Rehearsal::start().await;
        rehearsal.bot.trading_cycle().await.unwrap();
        rehearsal.clock.advance(Duration::from_mins(1));
        let open = rehearsal.desk().api.get_open_orders().await.unwrap().len();
        assert!(open < rehearsal.desk().orders().open_count(), "nothing was filled in a minute");
        assert_eq!(rehearsal.bot.reconcile().await.unwrap(), Report::default());
    }

    #[tokio::test]
    async fn a_ghost_is_reported_once_and_an_orphan_as_long_as_it_is_open() {
        let rehearsal = Rehearsal::start().await;
        rehearsal.bot.trading_cycle().await.unwrap();
        let desk = rehearsal.desk();
        let ghost = desk.orders().open_orders(Symbol::BtcUsdt)[0].client_id.clone();
        desk.api.cancel_order(Symbol::BtcUsdt, &ghost).await.unwrap();
        let orphan = NewOrder {
            client_id: "by-hand".to_owned(),
            symbol: Symbol::EthUsdt,
            side: Side::Buy,
            kind: OrderKind::Limit,
            price: 1_000.into(),
            quantity: 1.into(),
        };
        desk.api.place_order(&orphan).await.unwrap();

        let ghost = desk.mismatch(MissingFrom::Exchange, ghost);
        let orphan = desk.mismatch(MissingFrom::Database, "by-hand".to_owned());
        assert_eq!(
            rehearsal.bot.reconcile().await.unwrap().mismatches,
            BTreeSet::from([ghost, orphan.clone()])
        );
        assert_eq!(rehearsal.bot.reconcile().await.unwrap().mismatches, BTreeSet::from([orphan]));
    }

    #[tokio::test]
    async fn without_a_list_there_is_no_report() {
        let rehearsal = Rehearsal::start().await;
        rehearsal.faults.begin(Fault::BlindReconciliation);
        let outcome = rehearsal.bot.reconcile().await;
        assert!(matches!(outcome, Err(BotError::Api(ApiError::Server { .. }))), "{outcome:?}");
        rehearsal.bot.trading_cycle().await.unwrap();
        rehearsal.bot.monitor_cycle().await.unwrap();
    }

    #[test]
    fn an_orphan_is_listed_but_not_in_the_database() {
        assert!(is_orphan(None, true, None));
        assert!(is_orphan(Some(CLOSED), true, Some(CLOSED)));
        for (before, after) in [
            (Some(OPEN), Some(OPEN)),
            (None, Some(SENT)),
            (None, Some(CLOSED)),
            (Some(OPEN), Some(CLOSED)),
            (Some(UNKNOWN), Some(UNKNOWN)),
        ] {
            assert!(!is_orphan(before, true, after), "{before:?} {after:?}");
        }
        assert!(!is_orphan(None, false, None));
    }

    #[test]
    fn a_suspect_is_open_before_and_after_but_not_listed() {
        assert!(is_suspect(Some(OPEN), false, Some(OPEN)));
        for (before, is_listed, after) in [
            (Some(OPEN), true, Some(OPEN)),
            (Some(OPEN), false, Some(CLOSED)),
            (Some(OPEN), false, Some(CANCELLING)),
            (Some(CANCELLING), false, Some(OPEN)),
            (Some(SENT), false, Some(OPEN)),
            (None, false, Some(OPEN)),
        ] {
            assert!(!is_suspect(before, is_listed, after), "{before:?} {is_listed} {after:?}");
        }
    }
}
