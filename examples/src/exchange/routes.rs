//! The paths of the API, and the checks that every request passes first.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::disruption::{Disruption, Disruptions};
use super::order_count::{ORDER_LIMITS, OrderCounts};
use super::owner::Owner;
use super::params::Params;
use super::refusal::Refusal;
use super::server::{BODY_TIMEOUT, Floor, LostReply, locked};
use super::weight::weight_of;
use super::wire::{self, BookTicker, Cancelled, OrderState, Placed, TradeBody};
use crate::market::Symbol;

const USED_WEIGHT: HeaderName = HeaderName::from_static("x-mbx-used-weight-1m");

/// In bytes: far more than any request needs.
const LONGEST_BODY: usize = 16 * 1024;

/// The wait that [`Disruption::RateLimit`] asks for.
const RATE_LIMIT_DISRUPTION_WAIT: Duration = Duration::from_secs(2);

/// The wait that [`Disruption::Ban`] asks for.
const BAN_DISRUPTION_WAIT: Duration = Duration::from_secs(5);

/// The additional delay of [`Disruption::SlowOrders`].
const SLOW: Duration = Duration::from_secs(2);

type Exchange = State<Arc<Floor>>;
type Answer<T = Value> = Result<Json<T>, Refusal>;

pub(super) fn router(floor: Arc<Floor>) -> Router {
    Router::new()
        .route("/api/v3/ping", get(async || Json(json!({}))))
        .route("/api/v3/time", get(time))
        .route("/api/v3/exchangeInfo", get(exchange_info))
        .route("/api/v3/ticker/bookTicker", get(book_ticker))
        .route("/api/v3/depth", get(depth))
        .route("/api/v3/order", get(order).post(place).delete(cancel))
        .route("/api/v3/openOrders", get(open_orders).delete(cancel_all))
        .route("/api/v3/account", get(account))
        .route("/api/v3/allOrders", get(all_orders))
        .route("/api/v3/myTrades", get(my_trades))
        .fallback(async || Refusal::NoSuchEndpoint)
        .method_not_allowed_fallback(async || Refusal::NoSuchEndpoint)
        .layer(middleware::from_fn_with_state(Arc::clone(&floor), admit))
        .with_state(floor)
}

/// Half of the delay passes before the request is executed and half after, so that the request of a client that gives
/// up may have been executed.
async fn admit(State(floor): Exchange, request: Request, next: Next) -> Response {
    floor.disruptions.until(Disruption::NoAnswer, false).await;
    let places = request.method() == Method::POST && request.uri().path() == "/api/v3/order";
    let is_slow = places && floor.disruptions.is_on(Disruption::SlowOrders);
    let slow = if is_slow { SLOW } else { Duration::ZERO };
    let half = (floor.delay() + slow) / 2;
    sleep(half).await;
    let mut response = match read(request).await.and_then(|(request, params)| charge(&floor, request, params))
    {
        Ok(request) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    let used = locked(&floor.weight).used();
    response.headers_mut().insert(USED_WEIGHT, HeaderValue::from(used));
    sleep(half).await;
    if places && response.status().is_success() && floor.disruptions.is_on(Disruption::LostReply) {
        response.extensions_mut().insert(LostReply);
    }
    response
}

/// Reads the parameters. If a part of the body is left, the connection is closed after the answer.
async fn read(request: Request) -> Result<(Request, Result<Params, Refusal>), Refusal> {
    let (parts, body) = request.into_parts();
    let body = timeout(BODY_TIMEOUT, to_bytes(body, LONGEST_BODY)).await.map_err(|_| Refusal::SlowBody)?;
    let body = body.map_err(|_| Refusal::TooManyParameters)?;
    let body = String::from_utf8(body.into()).map_err(|_| Refusal::TooManyParameters)?;
    let params = Params::read(parts.uri.query().unwrap_or_default(), &body);
    Ok((Request::from_parts(parts, Body::empty()), params))
}

/// A timer has a resolution of one millisecond, so no delay must skip it.
async fn sleep(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}

/// Charges the weight, also of a request whose parameters are refused.
fn charge(floor: &Floor, mut request: Request, params: Result<Params, Refusal>) -> Result<Request, Refusal> {
    let path = request.uri().path();
    let has_symbol = params.as_ref().is_ok_and(|params| params.has("symbol"));
    locked(&floor.weight).charge(weight_of(request.method(), path, has_symbol), floor.clock.now())?;
    let lists_orders = request.method() == Method::GET && path == "/api/v3/openOrders";
    refuse_on_purpose(&floor.disruptions, lists_orders)?;
    request.extensions_mut().insert(params?);
    Ok(request)
}

fn refuse_on_purpose(disruptions: &Disruptions, lists_orders: bool) -> Result<(), Refusal> {
    if disruptions.is_on(Disruption::Ban) {
        Err(Refusal::Banned { retry_after: BAN_DISRUPTION_WAIT })
    } else if disruptions.is_on(Disruption::RateLimit) {
        Err(Refusal::TooManyRequests { retry_after: RATE_LIMIT_DISRUPTION_WAIT })
    } else if disruptions.is_on(Disruption::ServerError)
        || lists_orders && disruptions.is_on(Disruption::HideOpenOrders)
    {
        Err(Refusal::Internal)
    } else {
        Ok(())
    }
}

async fn time(State(floor): Exchange) -> Json<Value> {
    Json(json!({ "serverTime": wire::millis(floor.time()) }))
}

async fn exchange_info(State(floor): Exchange) -> Json<Value> {
    let is_halted = floor.disruptions.is_on(Disruption::HaltMarkets);
    Json(wire::exchange_info(floor.weight_limit, floor.time(), is_halted))
}

async fn book_ticker(State(floor): Exchange, params: Params) -> Result<Response, Refusal> {
    let wanted = params.optional_symbol()?;
    floor.trade(|venue, _| {
        let ticker = |symbol| BookTicker::new(symbol, venue.touch(symbol));
        Ok(match wanted {
            Some(symbol) => Json(ticker(symbol)).into_response(),
            None => Json(Symbol::ALL.map(ticker)).into_response(),
        })
    })
}

async fn depth(State(floor): Exchange, params: Params) -> Answer {
    let symbol = params.symbol()?;
    floor.trade(|venue, _| Ok(Json(wire::depth(venue.events(), venue.touch(symbol)))))
}

async fn place(
    State(floor): Exchange,
    Owner(key): Owner,
    params: Params,
) -> Result<(HeaderMap, Json<Placed>), Refusal> {
    let new = params.new_order()?;
    let detail = params.detail(new.execution)?;
    if floor.disruptions.is_on(Disruption::HaltMarkets) {
        return Err(Refusal::MarketClosed);
    }
    floor.count_orders(&key, OrderCounts::check)?;
    let placed = floor.trade(|venue, now| {
        let order = venue.place(&key, &new, now)?;
        Ok(Placed::new(&order, venue.account(&key)?.trades(), detail))
    })?;
    let counts = floor.count_orders(&key, OrderCounts::accepted);
    let names = ORDER_LIMITS.map(|limit| HeaderName::from_static(limit.header));
    Ok((names.into_iter().zip(counts.map(HeaderValue::from)).collect(), Json(placed)))
}

async fn order(State(floor): Exchange, Owner(key): Owner, params: Params) -> Answer<OrderState> {
    let (symbol, reference) = (params.symbol()?, params.order_reference()?);
    floor.trade(|venue, _| Ok(Json(OrderState::new(venue.order(&key, symbol, &reference)?))))
}

async fn cancel(State(floor): Exchange, Owner(key): Owner, params: Params) -> Answer<Cancelled> {
    let (symbol, reference) = (params.symbol()?, params.order_reference()?);
    floor.trade(|venue, now| Ok(Json(Cancelled::new(&venue.cancel(&key, symbol, &reference, now)?))))
}

async fn open_orders(State(floor): Exchange, Owner(key): Owner, params: Params) -> Answer<Vec<OrderState>> {
    let wanted = params.optional_symbol()?;
    floor.trade(|venue, _| {
        let open = venue.account(&key)?.open_orders();
        Ok(Json(
            open.filter(|order| wanted.is_none_or(|symbol| symbol == order.symbol))
                .map(OrderState::new)
                .collect(),
        ))
    })
}

async fn cancel_all(State(floor): Exchange, Owner(key): Owner, params: Params) -> Answer<Vec<Cancelled>> {
    let symbol = params.symbol()?;
    floor.trade(|venue, now| {
        Ok(Json(venue.cancel_all(&key, symbol, now)?.iter().map(Cancelled::new).collect()))
    })
}

async fn account(State(floor): Exchange, Owner(key): Owner) -> Answer {
    floor.trade(|venue, now| Ok(Json(wire::account(venue.account(&key)?, now))))
}

/// Open and remembered orders in the order of their ids, from `orderId` on; the newest if it is absent.
async fn all_orders(State(floor): Exchange, Owner(key): Owner, params: Params) -> Answer<Vec<OrderState>> {
    let (symbol, limit) = (params.symbol()?, params.limit()?);
    let first: Option<u64> = params.optional("orderId")?;
    floor.trade(|venue, _| {
        let account = venue.account(&key)?;
        let mut orders: Vec<_> = account.closed_orders().chain(account.open_orders()).collect();
        orders.retain(|order| order.symbol == symbol && first.is_none_or(|first| order.id >= first));
        orders.sort_unstable_by_key(|order| order.id);
        let skipped = if first.is_some() { 0 } else { orders.len().saturating_sub(limit) };
        Ok(Json(orders.into_iter().skip(skipped).take(limit).map(OrderState::new).collect()))
    })
}

/// From `fromId` on, oldest first; the newest trades if it is absent.
async fn my_trades(State(floor): Exchange, Owner(key): Owner, params: Params) -> Answer<Vec<TradeBody>> {
    let symbol = params.symbol()?;
    let limit = params.limit()?;
    let first: Option<u64> = params.optional("fromId")?;
    let order_id: Option<u64> = params.optional("orderId")?;
    floor.trade(|venue, _| {
        let trades = venue.account(&key)?.trades().filter(|trade| {
            trade.symbol == symbol
                && first.is_none_or(|first| trade.id >= first)
                && order_id.is_none_or(|id| trade.order_id == id)
        });
        let trades: Vec<_> = trades.map(TradeBody::new).collect();
        let skipped = if first.is_some() { 0 } else { trades.len().saturating_sub(limit) };
        Ok(Json(trades.into_iter().skip(skipped).take(limit).collect()))
    })
}
