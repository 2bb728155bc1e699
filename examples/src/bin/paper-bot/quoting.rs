//! Keeps a profile's quotes on one market at their target prices.

use std::sync::Arc;

use bot_metrics_examples::fault::Fault;
use bot_metrics_examples::market::{Asset, Symbol, Touch};
use rust_decimal::Decimal;
use tokio::task::JoinSet;

use crate::api::{ApiError, CancelReport, NewOrder, OrderReport, RemoteStatus};
use crate::desk::Desk;
use crate::error::BotError;
use crate::journal::Event;
use crate::own_orders::{End, Fill};
use crate::shutdown::Shutdown;
use crate::strategy::{Quote, plan, quotes};
use crate::trading::all;

/// The exchange's error code for cancelling an unknown order.
const UNKNOWN_ORDER: i32 = -2011;
/// The exchange's error code for querying an unknown order.
pub(crate) const NO_SUCH_ORDER: i32 = -2013;

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

    /// Places both quotes at the same time, since an order may take the exchange seconds.
    async fn place(self: &Arc<Self>, symbol: Symbol, quotes: Vec<Quote>) -> Result<(), BotError> {
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
        // An order that is not in the database would be lost if the bot were killed now.
        if let Err(error) = self.database.flushed().await {
            self.orders().closed(client_id, End::NotSent);
            return Err(error.into());
        }
        match self.call(self.api.place_order(&order)).await {
            Ok(report) => {
                self.orders().opened(client_id, report.order_id);
                self.record_order(symbol, Event::OrderPlaced, client_id);
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
        self.orders().cancelling(client_id);
        match self.call(self.api.cancel_order(symbol, client_id)).await {
            Ok(_) => {
                self.orders().closed(client_id, End::Cancelled);
                self.record_order(symbol, Event::OrderCancelled, client_id);
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
        let Some(state) = self.orders().state(client_id) else {
            self.tell_foreign_cancelled(symbol, client_id);
            return;
        };
        if state.order_id().is_none() {
            self.orders().opened(client_id, order.order_id);
            self.record_order(symbol, Event::OrderPlaced, client_id);
        }
        self.orders().closed(client_id, End::Cancelled);
        self.record_order(symbol, Event::OrderCancelled, client_id);
    }

    /// Records an order's event with the order's terms.
    fn record_order(&self, symbol: Symbol, event: fn(String) -> Event, client_id: &str) {
        let terms = self.orders().terms(client_id);
        self.record(Some(symbol), event(terms));
    }

    /// Queries the state of orders. One that the exchange does not know stays unknown as long as it may arrive.
    async fn settle(&self, symbol: Symbol, client_ids: Vec<String>) -> Result<(), BotError> {
        for client_id in client_ids {
            match self.call(self.api.get_order(symbol, &client_id)).await {
                Ok(report) => self.book_found(symbol, &report),
                Err(BotError::Api(ApiError::Rejected { code: NO_SUCH_ORDER, .. })) => {
                    let mut orders = self.orders();
                    if !orders.may_arrive(&client_id) {
                        orders.not_found(&client_id);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Books an order that was in an unknown state and exists. If it is filled, its trades will show that.
    fn book_found(&self, symbol: Symbol, report: &OrderReport) {
        let client_id = &report.client_order_id;
        let was_known = self.orders().state(client_id).is_some_and(|state| state.order_id().is_some());
        self.orders().opened(client_id, report.order_id);
        if !was_known && report.status != RemoteStatus::Ended {
            self.record_order(symbol, Event::OrderPlaced, client_id);
        }
        match report.status {
            RemoteStatus::Canceled => {
                self.orders().closed(client_id, End::Cancelled);
                self.record_order(symbol, Event::OrderCancelled, client_id);
            }
            RemoteStatus::Ended => self.orders().closed(client_id, End::Expired),
            RemoteStatus::New | RemoteStatus::PartiallyFilled | RemoteStatus::Filled => {}
        }
    }

    /// Books all trades since the last query. The first query determines where to begin.
    pub(crate) async fn collect_fills(&self, symbol: Symbol) -> Result<(), BotError> {
        let known = self.orders().next_trade(symbol);
        let next = if let Some(next) = known { next } else { self.find_first_trade(symbol).await? };
        let trades = self.call(self.api.get_trades(symbol, Some(next))).await?;
        for trade in &trades {
            let fill = self.orders().filled(symbol, trade);
            match fill {
                Some(Fill::Partial(terms)) => self.record(Some(symbol), Event::OrderPartlyFilled(terms)),
                Some(Fill::Complete(terms)) => self.record(Some(symbol), Event::OrderFilled(terms)),
                // It may belong to the order that the exchange has not confirmed yet, and is looked at again.
                None if self.orders().has_unconfirmed(symbol) => return Ok(()),
                None => self.orders().set_next_trade(symbol, trade.id + 1),
            }
        }
        Ok(())
    }

    async fn find_first_trade(&self, symbol: Symbol) -> Result<u64, BotError> {
        let trades = self.call(self.api.get_trades(symbol, None)).await?;
        let newest = trades.last().map_or(0, |last| last.id + 1);
        let mut orders = self.orders();
        let first = orders.first_trade(symbol, newest);
        orders.set_next_trade(symbol, first);
        Ok(first)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;
    use std::time::Duration;

    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::get;
    use bot_metrics::prelude::*;
    use bot_metrics_examples::fault::Fault;
    use bot_metrics_examples::market::Side;

    use super::*;
    use crate::api::{Client, OrderKind};
    use crate::database::Database;
    use crate::own_orders::{LATEST_ARRIVAL, OrderState};
    use crate::rehearsal::Rehearsal;
    use crate::throttle::Throttle;

    fn order(client_id: &str, price: u32) -> NewOrder {
        let (symbol, side, kind) = (Symbol::EthUsdt, Side::Buy, OrderKind::PostOnly);
        NewOrder {
            client_id: client_id.to_owned(),
            symbol,
            side,
            kind,
            price: price.into(),
            quantity: 1.into(),
        }
    }

    #[tokio::test]
    async fn every_outcome_of_placing_is_recorded() {
        let rehearsal = Rehearsal::start().await;
        let desk = rehearsal.desk();
        desk.submit(order("stands", 1_000)).await.unwrap();
        desk.submit(order("takes", 9_000)).await.unwrap();
        rehearsal.faults.begin(Fault::RateLimit);
        let refused = desk.submit(order("refused", 1_000)).await;
        assert!(matches!(refused, Err(BotError::Api(ApiError::RateLimited { .. }))), "{refused:?}");
        rehearsal.faults.end(Fault::RateLimit);
        let held_back = desk.submit(order("held back", 1_000)).await;
        assert!(
            matches!(held_back, Err(BotError::HeldBack { .. })),
            "the wait outlives the fault: {held_back:?}"
        );

        let tally = rehearsal.bot.journal.tally(Some(desk.profile.id));
        assert_eq!((tally.placed, tally.rejected, tally.errors), (1, 1, 1));
        assert!(matches!(desk.orders().state("stands"), Some(OrderState::Open { .. })));
        for client_id in ["takes", "refused", "held back"] {
            assert!(matches!(desk.orders().state(client_id), Some(OrderState::Closed { .. })), "{client_id}");
        }
    }

    /// A desk on an exchange that accepts each order but answers with this status and body, and knows the order when
    /// queried.
    async fn desk_that_is_answered(rehearsal: &Rehearsal, status: u16, body: &'static str) -> Desk {
        let answer = (StatusCode::from_u16(status).unwrap(), body);
        let known = r#"{"orderId": 7, "clientOrderId": "placed", "origQty": "1", "executedQty": "0", "status": "NEW"}"#;
        let router = Router::new().route("/api/v3/order", get(known).post(answer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        desk_at(rehearsal, &url)
    }

    /// A desk on an exchange whose answer breaks off within its body.
    fn desk_whose_answer_breaks_off(rehearsal: &Rehearsal, status: &'static str) -> Desk {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let _ = connection.read(&mut [0; 4_096]).unwrap();
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 100\r\n\r\n{{\"code\":");
            connection.write_all(answer.as_bytes()).unwrap();
        });
        desk_at(rehearsal, &url)
    }

    fn desk_at(rehearsal: &Rehearsal, url: &str) -> Desk {
        let bot = &rehearsal.bot;
        let metrics = Settings::new(Mode::Paper).build().unwrap();
        let gauge = metrics.rate_limit(labels::Exchange::Paper, labels::RateLimit::RequestWeight);
        let throttle = Arc::new(Throttle::new(gauge));
        let api = Client::new(url, Arc::clone(&throttle)).unwrap();
        let profile = rehearsal.desk().profile;
        let (database, mut stored) = Database::open(None).unwrap();
        let stored = (database, stored.take(profile.id));
        Desk::new(profile, api, rehearsal.faults.clone(), Arc::clone(&bot.journal), throttle, stored)
    }

    #[tokio::test]
    async fn an_order_that_may_have_been_placed_is_never_counted_as_rejected_but_queried() {
        let rehearsal = Rehearsal::start().await;
        let cases = [
            (400, r#"{"code":-1007,"msg":"Timeout waiting for response from backend server."}"#),
            (400, r#"{"code":-1006,"msg":"An unexpected response was received."}"#),
            (400, r#"{"code":-1000,"msg":"An unknown error occurred."}"#),
            (408, ""),
            (408, r#"{"code":-2010,"msg":"no money"}"#),
            (400, "<html>"),
            (503, r#"{"code":-2010,"msg":"no money"}"#),
        ];
        for (count, (status, body)) in (1..).zip(cases) {
            let desk = desk_that_is_answered(&rehearsal, status, body).await;
            desk.submit(order("placed", 1_000)).await.unwrap();
            assert!(
                matches!(desk.orders().state("placed"), Some(OrderState::Unknown { .. })),
                "{status} {body}"
            );
            assert_eq!(rehearsal.events("ORDER_UNKNOWN"), count, "{status} {body}");
            assert_eq!(rehearsal.events("ORDER_REJECTED") + rehearsal.events("ORDER_FAILURE"), 0);
            let unsettled = desk.orders().unsettled(Symbol::EthUsdt);
            desk.settle(Symbol::EthUsdt, unsettled).await.unwrap();
            assert!(matches!(desk.orders().state("placed"), Some(OrderState::Open { order_id: 7 })));
        }
        assert_eq!(rehearsal.count("exchange_api_requests_total", "outcome=\"timeout\""), 3);
        assert_eq!(rehearsal.count("exchange_api_requests_total", "outcome=\"rejected\""), 0);
    }

    /// The status has the same meaning as the missing body.
    #[tokio::test]
    async fn a_refusal_whose_body_breaks_off_is_classified_by_its_status() {
        let rehearsal = Rehearsal::start().await;
        for (status, outcome) in
            [("403 Forbidden", "banned"), ("418 Banned", "banned"), ("429 Too Many", "rate_limited")]
        {
            let of_outcome = format!("outcome=\"{outcome}\"");
            let before = rehearsal.count("exchange_api_requests_total", &of_outcome);
            let desk = desk_whose_answer_breaks_off(&rehearsal, status);
            let refused = desk.submit(order("placed", 1_000)).await;
            assert!(desk.held_back().is_some(), "{status}: {refused:?}");
            assert_eq!(rehearsal.count("exchange_api_requests_total", &of_outcome), before + 1, "{status}");
        }
        let desk = desk_whose_answer_breaks_off(&rehearsal, "400 Bad Request");
        desk.submit(order("placed", 1_000)).await.unwrap();
        assert!(matches!(desk.orders().state("placed"), Some(OrderState::Unknown { .. })));
    }

    #[tokio::test]
    async fn a_firewall_s_answer_counts_as_a_ban() {
        let rehearsal = Rehearsal::start().await;
        let desk = desk_that_is_answered(&rehearsal, 403, "<html>Forbidden</html>").await;
        let refused = desk.submit(order("placed", 1_000)).await;
        assert!(matches!(refused, Err(BotError::Api(ApiError::Banned { .. }))), "{refused:?}");
        assert_eq!((rehearsal.events("BANNED"), rehearsal.events("ORDER_UNKNOWN")), (1, 0));
        assert_eq!(rehearsal.count("exchange_api_requests_total", "outcome=\"banned\""), 1);
        assert!(
            desk.held_back().is_some_and(|left| left > Duration::from_mins(1)),
            "otherwise it would ask for ever"
        );
    }

    #[tokio::test]
    async fn the_state_of_an_unanswered_order_is_queried() {
        let rehearsal = Rehearsal::start().await;
        let desk = rehearsal.desk();
        for (client_id, arrives) in [("arrived", true), ("lost", false)] {
            let order = order(client_id, 1_000);
            desk.orders().sent(&order);
            if arrives {
                desk.api.place_order(&order).await.unwrap();
            }
            desk.orders().unknown(client_id);
        }
        let unsettled = desk.orders().unsettled(Symbol::EthUsdt);
        desk.settle(Symbol::EthUsdt, unsettled).await.unwrap();
        assert_eq!(rehearsal.bot.journal.tally(Some(desk.profile.id)).placed, 1);
        assert!(matches!(desk.orders().state("arrived"), Some(OrderState::Open { .. })));
        let lost = desk.orders().state("lost");
        assert_eq!(lost, Some(OrderState::Unknown { order_id: None }), "it may still arrive");
        rehearsal.bot.trading_cycle().await.unwrap();
        let open = desk.orders().open_orders(Symbol::EthUsdt).len();
        assert_eq!(open, 1, "no quote is placed beside an order in an unknown state");
        tokio::time::sleep(LATEST_ARRIVAL).await;
        let unsettled = desk.orders().unsettled(Symbol::EthUsdt);
        desk.settle(Symbol::EthUsdt, unsettled).await.unwrap();
        assert!(matches!(desk.orders().state("lost"), Some(OrderState::Closed { .. })));
    }

    #[tokio::test]
    async fn the_trades_of_an_order_that_is_not_confirmed_yet_are_booked_later() {
        let rehearsal = Rehearsal::start().await;
        let desk = rehearsal.desk();
        desk.collect_fills(Symbol::EthUsdt).await.unwrap();
        let taker =
            NewOrder { kind: OrderKind::Limit, quantity: Decimal::new(1, 2), ..order("taker", 9_000) };
        desk.orders().sent(&taker);
        let report = desk.api.place_order(&taker).await.unwrap();
        desk.collect_fills(Symbol::EthUsdt).await.unwrap();
        assert_eq!(rehearsal.bot.journal.tally(Some(desk.profile.id)).executions, 0, "no id, no trades");
        assert_eq!(rehearsal.bot.reconcile().await.unwrap(), crate::reconciliation::Report::default());
        desk.orders().opened("taker", report.order_id);
        desk.collect_fills(Symbol::EthUsdt).await.unwrap();
        assert_eq!(rehearsal.bot.journal.tally(Some(desk.profile.id)).filled, 1);
    }

    #[tokio::test]
    async fn cancelling_a_filled_order_waits_for_its_trades() {
        let rehearsal = Rehearsal::start().await;
        let desk = rehearsal.desk();
        rehearsal.bot.trading_cycle().await.unwrap();
        let order = desk.orders().open_orders(Symbol::EthUsdt)[0].clone();
        desk.api.cancel_order(Symbol::EthUsdt, &order.client_id).await.unwrap();
        desk.cancel(Symbol::EthUsdt, &order.client_id).await.unwrap();
        assert!(matches!(desk.orders().state(&order.client_id), Some(OrderState::Open { .. })));
    }

    #[tokio::test]
    async fn a_stopped_profile_has_no_orders_and_trades_no_more() {
        let rehearsal = Rehearsal::start().await;
        let desk = rehearsal.desk();
        rehearsal.bot.trading_cycle().await.unwrap();
        rehearsal.bot.stop_profile(&desk).await;
        rehearsal.bot.trading_cycle().await.unwrap();
        assert_eq!(desk.api.get_open_orders().await.unwrap(), []);
        assert_eq!(rehearsal.bot.roster.active().len(), 1);
        rehearsal.bot.start_profile(&desk).await;
        rehearsal.bot.monitor_cycle().await.unwrap();
        rehearsal.bot.trading_cycle().await.unwrap();
        assert!(!desk.api.get_open_orders().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn an_overdrawn_profile_cancels_its_quotes_until_it_recovers() {
        let rehearsal = Rehearsal::start().await;
        let desk = rehearsal.desk();
        rehearsal.bot.trading_cycle().await.unwrap();
        rehearsal.faults.begin(Fault::NegativeCapital);
        let capital = desk.check_capital(&rehearsal.bot.market).await.unwrap();
        assert!(capital.available() < Decimal::ZERO, "{capital:?}");
        rehearsal.bot.trading_cycle().await.unwrap();
        assert_eq!(desk.api.get_open_orders().await.unwrap(), []);
        let capital = desk.check_capital(&rehearsal.bot.market).await.unwrap();
        assert!(capital.available() < Decimal::ZERO, "the coins alone are too much: {capital:?}");
        rehearsal.faults.end(Fault::NegativeCapital);
        rehearsal.bot.monitor_cycle().await.unwrap();
        rehearsal.bot.trading_cycle().await.unwrap();
        assert!(!desk.api.get_open_orders().await.unwrap().is_empty());
    }
}
