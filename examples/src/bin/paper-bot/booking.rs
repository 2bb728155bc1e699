//! Books what the exchange reports of a profile's orders: their states and their trades.

use std::sync::Arc;

use bot_metrics_examples::market::Symbol;
use tokio::task::JoinSet;

use crate::api::{ApiError, CancelReport, OrderReport, RemoteStatus};
use crate::desk::Desk;
use crate::error::BotError;
use crate::journal::Event;
use crate::own_orders::{Booking, End};
use crate::quoting::UNKNOWN_ORDER;
use crate::trading::all;

/// The exchange's error code for querying an unknown order.
pub(crate) const NO_SUCH_ORDER: i32 = -2013;

impl Desk {
    /// Cancels all orders on all markets concurrently and books the trades until then.
    pub(crate) async fn cancel_everything(self: &Arc<Self>) -> Result<(), BotError> {
        let mut markets = JoinSet::new();
        for symbol in Symbol::ALL {
            let desk = Arc::clone(self);
            markets.spawn(async move { desk.clear(symbol).await });
        }
        all(markets).await
    }

    /// Cancels all orders of one market. Orders in an unknown state are settled before, so that their trades are
    /// booked, and after, when nothing can change any more.
    async fn clear(&self, symbol: Symbol) -> Result<(), BotError> {
        let unsettled = self.orders().unsettled(symbol);
        self.settle(symbol, unsettled).await?;
        match self.call(self.api.cancel_all_orders(symbol)).await {
            Ok(cancelled) => cancelled.iter().for_each(|order| self.book_cancelled(symbol, order)),
            Err(BotError::Api(ApiError::Rejected { code: UNKNOWN_ORDER, .. })) => {}
            Err(error) => return Err(error),
        }
        self.collect_fills(symbol).await?;
        let not_closed = self.orders().not_closed(symbol);
        self.settle(symbol, not_closed).await
    }

    /// Books a cancellation. An order that the exchange had not confirmed before was evidently placed.
    fn book_cancelled(&self, symbol: Symbol, order: &CancelReport) {
        let client_id = &order.orig_client_order_id;
        if self.orders().get(client_id).is_none() {
            self.tell_foreign_cancelled(symbol, client_id);
            return;
        }
        self.book_opened(symbol, client_id, order.order_id);
        self.book_closed(symbol, client_id, End::Cancelled);
    }

    /// Books that the exchange has accepted an order.
    pub(crate) fn book_opened(&self, symbol: Symbol, client_id: &str, order_id: u64) {
        let placed = self.orders().opened(client_id, order_id);
        if let Some(terms) = placed {
            self.record(Some(symbol), Event::OrderPlaced(terms));
        }
    }

    /// Books the end of an order at the exchange. Trades that have not been booked yet still find it.
    pub(crate) fn book_closed(&self, symbol: Symbol, client_id: &str, ended: End) {
        let closed = self.orders().closed(client_id, ended);
        if let Some(terms) = closed.filter(|_| ended == End::Cancelled) {
            self.record(Some(symbol), Event::OrderCancelled(terms));
        }
    }

    /// Queries the state of orders. One that the exchange does not know stays unknown as long as it may arrive.
    pub(crate) async fn settle(&self, symbol: Symbol, client_ids: Vec<String>) -> Result<(), BotError> {
        for client_id in client_ids {
            // The order may arrive while the answer, that it is not known, is on its way.
            let may_arrive = self.orders().may_arrive(&client_id);
            match self.call(self.api.get_order(symbol, &client_id)).await {
                Ok(report) => self.book_found(symbol, &report),
                Err(BotError::Api(ApiError::Rejected { code: NO_SUCH_ORDER, .. })) => {
                    if !may_arrive {
                        self.orders().closed(&client_id, End::NotFound);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Books an order that was in an unknown state and exists.
    fn book_found(&self, symbol: Symbol, report: &OrderReport) {
        let client_id = &report.client_order_id;
        if report.was_placed() {
            self.book_opened(symbol, client_id, report.order_id);
        }
        match report.status.ended() {
            Some(ended) => self.book_closed(symbol, client_id, ended),
            None if report.status == RemoteStatus::Filled => self.orders().close_if_filled(client_id),
            None => {}
        }
    }

    /// Books all trades since the last query. The first query determines where to begin.
    pub(crate) async fn collect_fills(&self, symbol: Symbol) -> Result<(), BotError> {
        let known = self.orders().next_trade(symbol);
        let next = if let Some(next) = known { next } else { self.find_first_trade(symbol).await? };
        let trades = self.call(self.api.get_trades(symbol, Some(next))).await?;
        for trade in &trades {
            let booking = self.orders().book(symbol, trade);
            match booking {
                Booking::Partial(terms) => self.record(Some(symbol), Event::OrderPartlyFilled(terms)),
                Booking::Complete(terms) => self.record(Some(symbol), Event::OrderFilled(terms)),
                Booking::Passed => {}
                Booking::Waits => return Ok(()),
            }
        }
        Ok(())
    }

    async fn find_first_trade(&self, symbol: Symbol) -> Result<u64, BotError> {
        let trades = self.call(self.api.get_trades(symbol, None)).await?;
        let newest = trades.last().map_or(0, |last| last.id + 1);
        Ok(self.orders().begin_trades(symbol, newest))
    }
}

#[cfg(test)]
mod tests;
