//! Keeps a profile's quotes on one market at their target prices.

use std::sync::Arc;

use bot_metrics_examples::fault::Fault;
use bot_metrics_examples::market::{Asset, Symbol, Touch};
use rust_decimal::Decimal;
use tokio::task::JoinSet;

use crate::api::{ApiError, NewOrder};
use crate::desk::Desk;
use crate::error::BotError;
use crate::journal::Event;
use crate::own_orders::End;
use crate::shutdown::Shutdown;
use crate::strategy::{Quote, plan, quotes};
use crate::trading::all;

/// The exchange's error code for cancelling an unknown order.
pub(crate) const UNKNOWN_ORDER: i32 = -2011;

impl Desk {
    /// Books new trades, then moves the quotes of one market to their target prices; without a fresh `touch` it cancels
    /// them. Starts nothing once the shutdown has begun.
    pub(crate) async fn tend(
        self: &Arc<Self>,
        symbol: Symbol,
        touch: Option<Touch>,
        shutdown: &Shutdown,
    ) -> Result<(), BotError> {
        let Some(_at_work) = self.at_work().await else { return Ok(()) };
        let outcome = self.move_quotes(symbol, touch, shutdown).await;
        self.publish();
        outcome
    }

    async fn move_quotes(
        self: &Arc<Self>,
        symbol: Symbol,
        touch: Option<Touch>,
        shutdown: &Shutdown,
    ) -> Result<(), BotError> {
        let unsettled = self.orders().unsettled(symbol);
        self.settle(symbol, unsettled).await?;
        self.collect_fills(symbol).await?;
        if !self.orders().unsettled(symbol).is_empty() {
            // An order may still arrive; another one beside it would double the quote.
            return Ok(());
        }
        if self.faults.is_on(Fault::IdleStrategy) {
            return Ok(());
        }
        let wanted = touch.map(|touch| self.wanted_quotes(symbol, &touch)).unwrap_or_default();
        let plan = plan(self.profile, &self.orders().open_orders(symbol), wanted);
        for client_id in plan.cancel.into_iter().take_while(|_| !shutdown.has_begun()) {
            self.cancel(symbol, &client_id).await?;
        }
        if shutdown.has_begun() {
            return Ok(());
        }
        self.place(symbol, plan.place).await
    }

    /// Places both quotes at the same time, since an order may take the exchange seconds. Places none while the database
    /// cannot be written: an order that is not in it would be lost if the bot were killed.
    async fn place(self: &Arc<Self>, symbol: Symbol, quotes: Vec<Quote>) -> Result<(), BotError> {
        if quotes.is_empty() {
            return Ok(());
        }
        self.database.flushed().await?;
        let mut placing = JoinSet::new();
        for quote in quotes {
            let (desk, order) = (Arc::clone(self), self.new_order(symbol, quote));
            placing.spawn(async move { desk.submit(order).await });
        }
        all(placing).await
    }

    /// The profile's target quotes: none before its account is known or while its capital is overdrawn.
    fn wanted_quotes(&self, symbol: Symbol, touch: &Touch) -> Vec<Quote> {
        match self.view() {
            Some(view) if view.capital.available() >= Decimal::ZERO => {
                let account = &view.account;
                quotes(self.profile, symbol, touch, account.total(symbol.base()), account.total(Asset::Usdt))
            }
            _ => Vec::new(),
        }
    }

    fn new_order(&self, symbol: Symbol, quote: Quote) -> NewOrder {
        let Quote { side, price, quantity } = quote;
        NewOrder { client_id: self.new_client_id(), symbol, side, kind: self.profile.kind, price, quantity }
    }

    /// Places one order and records the outcome. A rejection is an answer, not an error. Neither is a missing answer:
    /// the next cycle queries the order before it places another one.
    pub(crate) async fn submit(&self, order: NewOrder) -> Result<(), BotError> {
        let (client_id, symbol) = (&order.client_id, order.symbol);
        self.orders().sent(&order);
        if let Err(error) = self.database.flushed().await {
            self.orders().closed(client_id, End::NotSent);
            return Err(error.into());
        }
        match self.call(self.api.place_order(&order)).await {
            Ok(report) => {
                self.book_opened(symbol, client_id, report.order_id);
                Ok(())
            }
            Err(BotError::Api(ApiError::Rejected { code, msg })) => {
                self.orders().closed(client_id, End::Rejected);
                self.record(Some(symbol), Event::OrderRejected(format!("{msg} ({code})")));
                Ok(())
            }
            Err(BotError::Api(error)) if error.leaves_unknown() => {
                self.orders().unknown(client_id);
                self.record(Some(symbol), Event::OrderUnknown(error.to_string()));
                Ok(())
            }
            Err(error) => {
                if let BotError::Api(error) = &error {
                    self.orders().closed(client_id, End::Refused);
                    self.record(Some(symbol), Event::OrderFailed(error.to_string()));
                } else {
                    self.orders().closed(client_id, End::NotSent);
                }
                Err(error)
            }
        }
    }

    /// Cancels one order. An order that the exchange no longer knows has been filled, which its trades will show.
    pub(crate) async fn cancel(&self, symbol: Symbol, client_id: &str) -> Result<(), BotError> {
        if !self.orders().cancelling(client_id) {
            // Another loop has booked its last trade since it was chosen.
            return Ok(());
        }
        match self.call(self.api.cancel_order(symbol, client_id)).await {
            Ok(_) => {
                self.book_closed(symbol, client_id, End::Cancelled);
                Ok(())
            }
            Err(BotError::Api(error)) if error.leaves_unknown() => {
                self.orders().unknown(client_id);
                self.record(Some(symbol), Event::OrderUnknown(error.to_string()));
                Err(error.into())
            }
            Err(error) => {
                self.orders().not_cancelled(client_id);
                if matches!(error, BotError::Api(ApiError::Rejected { code: UNKNOWN_ORDER, .. })) {
                    return Ok(());
                }
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests;
