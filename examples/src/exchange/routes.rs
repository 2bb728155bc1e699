//! The paths of the API, and the checks that every request passes first.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, extract::FromRequestParts};
use serde_json::{Value, json};

use super::disruption::{Disruption, Disruptions};
use super::params::Params;
use super::refusal::Refusal;
use super::server::{Floor, LostReply, locked};
use super::weight::weight_of;
use super::wire::{self, BookTicker, Cancelled, OrderState, Placed, TradeBody};
use crate::market::Symbol;

const API_KEY: HeaderName = HeaderName::from_static("x-mbx-apikey");
const USED_WEIGHT: HeaderName = HeaderName::from_static("x-mbx-used-weight-1m");

/// The wait that [`Disruption::RateLimit`] asks for.
const RATE_LIMIT_DISRUPTION_WAIT: Duration = Duration::from_secs(2);

/// The wait that [`Disruption::Ban`] asks for.
const BAN_DISRUPTION_WAIT: Duration = Duration::from_secs(5);

/// The additional delay of [`Disruption::SlowAnswers`].
const SLOW: Duration = Duration::from_millis(1_500);

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
    let slow = if floor.disruptions.is_on(Disruption::SlowAnswers) { SLOW } else { Duration::ZERO };
    let half = (floor.delay() + slow) / 2;
    sleep(half).await;
    let places = request.method() == Method::POST && request.uri().path() == "/api/v3/order";
    let mut response = match charge(&floor, &request) {
        Ok(()) => next.run(request).await,
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

/// A timer has a resolution of one millisecond, so no delay must skip it.
async fn sleep(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}

fn charge(floor: &Floor, request: &Request) -> Result<(), Refusal> {
    let path = request.uri().path();
    let has_symbol =
        request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("symbol=")));
    let weight = weight_of(request.method(), path, has_symbol);
    locked(&floor.weight).charge(weight, floor.clock.now())?;
    let lists_orders = request.method() == Method::GET && path == "/api/v3/openOrders";
    refuse_on_purpose(&floor.disruptions, lists_orders, request.headers().contains_key(API_KEY))
}

fn refuse_on_purpose(disruptions: &Disruptions, lists_orders: bool, has_key: bool) -> Result<(), Refusal> {
    let refusals = [
        (Disruption::Ban, true, Refusal::Banned { retry_after: BAN_DISRUPTION_WAIT }),
        (Disruption::RateLimit, true, Refusal::TooManyRequests { retry_after: RATE_LIMIT_DISRUPTION_WAIT }),
        (Disruption::ServerError, true, Refusal::Internal),
        (Disruption::HideOpenOrders, lists_orders, Refusal::Internal),
        (Disruption::ClockSkew, has_key, Refusal::OutsideWindow),
    ];
    let refusal =
        refusals.into_iter().find(|(disruption, applies, _)| *applies && disruptions.is_on(*disruption));
    refusal.map_or(Ok(()), |(_, _, refusal)| Err(refusal))
}

/// The account's key. The venue checks whether the account exists.
struct ApiKey(String);

impl<S: Sync> FromRequestParts<S> for ApiKey {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let named = |headers: &HeaderMap| Some(headers.get(API_KEY)?.to_str().ok()?.to_owned());
        named(&parts.headers).map(Self).ok_or(Refusal::NoApiKey)
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

async fn place(State(floor): Exchange, ApiKey(key): ApiKey, params: Params) -> Answer<Placed> {
    let new = params.new_order()?;
    if floor.disruptions.is_on(Disruption::HaltMarkets) {
        return Err(Refusal::MarketClosed);
    }
    floor.trade(|venue, now| {
        let order = venue.place(&key, &new, now)?;
        Ok(Json(Placed::new(&order, venue.account(&key)?.trades())))
    })
}

async fn order(State(floor): Exchange, ApiKey(key): ApiKey, params: Params) -> Answer<OrderState> {
    let (symbol, reference) = (params.symbol()?, params.order_reference()?);
    floor.trade(|venue, _| Ok(Json(OrderState::new(venue.order(&key, symbol, &reference)?))))
}

async fn cancel(State(floor): Exchange, ApiKey(key): ApiKey, params: Params) -> Answer<Cancelled> {
    let (symbol, reference) = (params.symbol()?, params.order_reference()?);
    floor.trade(|venue, now| Ok(Json(Cancelled::new(&venue.cancel(&key, symbol, &reference, now)?))))
}

async fn open_orders(State(floor): Exchange, ApiKey(key): ApiKey, params: Params) -> Answer<Vec<OrderState>> {
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

async fn cancel_all(State(floor): Exchange, ApiKey(key): ApiKey, params: Params) -> Answer<Vec<Cancelled>> {
    let symbol = params.symbol()?;
    floor.trade(|venue, now| {
        Ok(Json(venue.cancel_all(&key, symbol, now)?.iter().map(Cancelled::new).collect()))
    })
}

async fn account(State(floor): Exchange, ApiKey(key): ApiKey) -> Answer {
    floor.trade(|venue, now| Ok(Json(wire::account(venue.account(&key)?, now))))
}

/// From `fromId` on, oldest first; the newest trades if it is absent.
async fn my_trades(State(floor): Exchange, ApiKey(key): ApiKey, params: Params) -> Answer<Vec<TradeBody>> {
    let symbol = params.symbol()?;
    let limit = params.limit(500, 1_000)?;
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
