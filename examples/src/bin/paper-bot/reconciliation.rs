//! Compares the bot's database of orders with the exchange.

use std::collections::{BTreeMap, BTreeSet};

use bot_metrics::prelude::*;

use crate::api::{ApiError, OrderReport};
use crate::booking::NO_SUCH_ORDER;
use crate::bot::Bot;
use crate::desk::Desk;
use crate::error::BotError;
use crate::journal::{Event, JournalEntry};
use crate::own_orders::{End, OrderState, OwnOrder};

/// How the two sides disagree on an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MismatchKind {
    /// It is open at the exchange and missing from the database.
    Orphan,
    /// It is open in the database and missing from the exchange.
    Ghost,
    /// It is closed in the database and open at the exchange.
    Status,
    /// Its quantities differ.
    Quantity,
    /// Its executed quantities differ.
    Executed,
}

/// One order on which the two sides disagree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mismatch {
    /// How the two sides disagree.
    pub(crate) kind: MismatchKind,
    /// The order's profile.
    pub(crate) profile: &'static str,
    /// The order's client id; with the other two it identifies the mismatch in every report.
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
        match self.kind {
            MismatchKind::Orphan => {
                format!("order {client_id} is open at the exchange and is missing from the database")
            }
            MismatchKind::Ghost => {
                format!("order {client_id} is in the database and missing from the exchange")
            }
            MismatchKind::Status => {
                format!("order {client_id} is open at the exchange and is closed in the database")
            }
            MismatchKind::Quantity => {
                format!("order {client_id} has another quantity at the exchange than in the database")
            }
            MismatchKind::Executed => {
                format!(
                    "order {client_id} has another executed quantity at the exchange than in the database"
                )
            }
        }
    }
}

impl Desk {
    /// Compares the database with the exchange's list of open orders. Trading continues meanwhile, so only entries
    /// that the database has both before and after fetching the list count.
    pub(crate) async fn compare_orders(&self) -> Result<Vec<Mismatch>, BotError> {
        let before = self.stored_orders().await?;
        let listed = self.call(self.api.get_open_orders()).await?;
        self.book_executed(&listed).await?;
        let after = self.stored_orders().await?;
        let found = listed.iter().filter_map(|order| Some((compare(&before, order, &after)?, order)));
        let mut mismatches: Vec<_> =
            found.map(|(kind, order)| self.mismatch(kind, order.client_order_id.clone())).collect();
        for client_id in suspects(&before, &listed, &after) {
            if self.is_ghost(&client_id).await? {
                mismatches.push(self.mismatch(MismatchKind::Ghost, client_id));
            }
        }
        Ok(mismatches)
    }

    async fn stored_orders(&self) -> Result<Orders, BotError> {
        let orders = self.database.orders(self.profile.id).await?;
        Ok(orders.into_iter().map(|order| (order.client_id.clone(), order)).collect())
    }

    /// Books the trades of orders that the exchange has executed further than the bot knows.
    async fn book_executed(&self, listed: &[OrderReport]) -> Result<(), BotError> {
        let is_behind = |order: &OwnOrder| {
            let report = listed.iter().find(|report| report.client_order_id == order.client_id);
            report.is_some_and(|report| report.executed_qty > order.executed)
        };
        let symbols: BTreeSet<_> =
            self.orders().all().filter(|order| is_behind(order)).map(|order| order.symbol).collect();
        for symbol in symbols {
            self.collect_fills(symbol).await?;
        }
        Ok(())
    }

    fn mismatch(&self, kind: MismatchKind, client_id: String) -> Mismatch {
        Mismatch { kind, profile: self.profile.id, client_id }
    }

    /// Queries an order that is not listed, since it may have just been filled. A ghost is closed as the exchange says that
    /// it ended, once its trades until then are booked.
    async fn is_ghost(&self, client_id: &str) -> Result<bool, BotError> {
        let order = self.orders().get(client_id).map(|order| order.symbol);
        let Some(symbol) = order else { return Ok(false) };
        let ended = match self.call(self.api.get_order(symbol, client_id)).await {
            Ok(report) => report.status.ended(),
            Err(BotError::Api(ApiError::Rejected { code: NO_SUCH_ORDER, .. })) => Some(End::NotFound),
            Err(error) => return Err(error),
        };
        let Some(ended) = ended else { return Ok(false) };
        self.collect_fills(symbol).await?;
        let is_ghost = matches!(self.orders().state(client_id), Some(OrderState::Open { .. }));
        if is_ghost {
            self.book_closed(symbol, client_id, ended);
        }
        Ok(is_ghost)
    }
}

type Orders = BTreeMap<String, OwnOrder>;

/// How the database, before and after the list was fetched, disagrees with a listed order.
fn compare(before: &Orders, listed: &OrderReport, after: &Orders) -> Option<MismatchKind> {
    let client_id = &listed.client_order_id;
    let Some(own) = before.get(client_id) else {
        return (!after.contains_key(client_id)).then_some(MismatchKind::Orphan);
    };
    let later = after.get(client_id).unwrap_or(own);
    if matches!(own.state, OrderState::Closed { .. }) {
        Some(MismatchKind::Status)
    } else if own.quantity != listed.orig_qty {
        Some(MismatchKind::Quantity)
    } else if [before, after].into_iter().any(|orders| awaits_confirmation(orders, own)) {
        None
    } else if own.executed > listed.executed_qty || later.executed < listed.executed_qty {
        Some(MismatchKind::Executed)
    } else {
        None
    }
}

/// Whether trades of the order's market may be unbooked because an order there has no id yet.
fn awaits_confirmation(orders: &Orders, own: &OwnOrder) -> bool {
    orders.values().any(|order| order.symbol == own.symbol && order.state.is_unconfirmed())
}

/// Orders that are open in the database before and after but are not listed.
fn suspects(before: &Orders, listed: &[OrderReport], after: &Orders) -> Vec<String> {
    let listed: BTreeSet<_> = listed.iter().map(|order| &order.client_order_id).collect();
    let is_open = |orders: &Orders, client_id: &String| {
        orders.get(client_id).is_some_and(|order| matches!(order.state, OrderState::Open { .. }))
    };
    let is_suspect = |client_id: &&String| {
        is_open(before, client_id) && is_open(after, client_id) && !listed.contains(client_id)
    };
    before.keys().filter(is_suspect).cloned().collect()
}

#[cfg(test)]
mod tests;
