//! The client of the exchange: one function per operation, each of which makes exactly one attempt, from before the
//! request to the decoded answer. Callers decide whether to wait or retry.

mod error;
mod messages;

use std::sync::Arc;
use std::time::Duration;

use bot_metrics::prelude::*;
use bot_metrics_examples::clock::Clock;
use bot_metrics_examples::market::Symbol;
use bot_metrics_examples::signature::signed_query;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;

pub(crate) use error::ApiError;
pub(crate) use messages::{
    AccountReport, AccountTrade, CancelReport, ExchangeInfo, NewOrder, OrderKind, OrderReport, RemoteStatus,
    ServerTime, Ticker,
};

use crate::profile::Profile;
use crate::throttle::Throttle;

/// Longer than any useful answer takes, and shorter than the age at which a loop counts as stalled. The exchange does not
/// execute a request that arrives later.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(3);

type Query<'a> = &'a [(&'a str, &'a str)];

/// A client of the exchange; with a profile it trades on that profile's account.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Arc<str>,
    account: Option<&'static Profile>,
    throttle: Arc<Throttle>,
}

impl Client {
    /// A client without a key, for the public operations.
    pub(crate) fn new(url: &str, throttle: Arc<Throttle>) -> Result<Self, ApiError> {
        // Requests to the loopback exchange must not go through a proxy from the environment.
        let http = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build()?;
        Ok(Self { http, base: url.trim_end_matches('/').into(), account: None, throttle })
    }

    /// A copy of the client that signs its requests for this profile's account.
    pub(crate) fn with_account(&self, profile: &'static Profile) -> Self {
        Self { account: Some(profile), ..self.clone() }
    }

    /// The base URL of the exchange.
    pub(crate) fn url(&self) -> &str {
        &self.base
    }

    /// The exchange's clock.
    #[exchange_call(op = "get_server_time")]
    pub(crate) async fn get_server_time(&self) -> Result<ServerTime, ApiError> {
        self.attempt(Method::GET, "time", &[]).await
    }

    /// The exchange's limits.
    #[exchange_call(op = "get_exchange_info")]
    pub(crate) async fn get_exchange_info(&self) -> Result<ExchangeInfo, ApiError> {
        self.attempt(Method::GET, "exchangeInfo", &[]).await
    }

    /// The best bid and ask of every market.
    #[exchange_call(op = "get_ticker")]
    pub(crate) async fn get_ticker(&self) -> Result<Vec<Ticker>, ApiError> {
        self.attempt(Method::GET, "ticker/bookTicker", &[]).await
    }

    /// Places an order.
    #[exchange_call(op = "place_order")]
    pub(crate) async fn place_order(&self, order: &NewOrder) -> Result<OrderReport, ApiError> {
        let (price, quantity) = (order.price.to_string(), order.quantity.to_string());
        let mut query = vec![
            ("symbol", order.symbol.as_str()),
            ("side", order.side.as_str()),
            ("price", &price),
            ("quantity", &quantity),
            ("newClientOrderId", &order.client_id),
            ("newOrderRespType", "RESULT"),
        ];
        match order.kind {
            OrderKind::Limit => query.extend([("type", "LIMIT"), ("timeInForce", "GTC")]),
            OrderKind::PostOnly => query.push(("type", "LIMIT_MAKER")),
        }
        self.attempt(Method::POST, "order", &query).await
    }

    /// Cancels an order.
    #[exchange_call(op = "cancel_order")]
    pub(crate) async fn cancel_order(
        &self,
        symbol: Symbol,
        client_id: &str,
    ) -> Result<CancelReport, ApiError> {
        let query = [("symbol", symbol.as_str()), ("origClientOrderId", client_id)];
        self.attempt(Method::DELETE, "order", &query).await
    }

    /// Cancels all orders of a market.
    #[exchange_call(op = "cancel_all_orders")]
    pub(crate) async fn cancel_all_orders(&self, symbol: Symbol) -> Result<Vec<CancelReport>, ApiError> {
        self.attempt(Method::DELETE, "openOrders", &[("symbol", symbol.as_str())]).await
    }

    /// One order, open or not.
    #[exchange_call(op = "get_order")]
    pub(crate) async fn get_order(&self, symbol: Symbol, client_id: &str) -> Result<OrderReport, ApiError> {
        let query = [("symbol", symbol.as_str()), ("origClientOrderId", client_id)];
        self.attempt(Method::GET, "order", &query).await
    }

    /// All open orders of the account.
    #[exchange_call(op = "get_open_orders")]
    pub(crate) async fn get_open_orders(&self) -> Result<Vec<OrderReport>, ApiError> {
        self.attempt(Method::GET, "openOrders", &[]).await
    }

    /// The balances of the account.
    #[exchange_call(op = "get_account")]
    pub(crate) async fn get_account(&self) -> Result<AccountReport, ApiError> {
        self.attempt(Method::GET, "account", &[]).await
    }

    /// The account's trades from `first` on, oldest first; without it the newest.
    #[exchange_call(op = "get_trades")]
    pub(crate) async fn get_trades(
        &self,
        symbol: Symbol,
        first: Option<u64>,
    ) -> Result<Vec<AccountTrade>, ApiError> {
        let first = first.map(|first| first.to_string());
        let mut query = vec![("symbol", symbol.as_str())];
        query.extend(first.as_deref().map(|first| ("fromId", first)));
        self.attempt(Method::GET, "myTrades", &query).await
    }

    async fn attempt<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        query: Query<'_>,
    ) -> Result<T, ApiError> {
        let url = format!("{}/api/v3/{path}", self.base);
        let request = match self.account {
            Some(Profile { api_key, secret, .. }) => {
                let window = TIMEOUT.as_millis().to_string();
                let query = [query, &[("recvWindow", &window)]].concat();
                let query = signed_query(secret, &query, Clock::system().now());
                self.http.request(method, format!("{url}?{query}")).header("X-MBX-APIKEY", *api_key)
            }
            None => self.http.request(method, url).query(query),
        };
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        self.note_used_weight(&headers);
        let body = response.bytes().await;
        if status.is_success() {
            let body = body?;
            return serde_json::from_slice(&body).map_err(|error| ApiError::Decode(error.to_string()));
        }
        // The status identifies the error even if its body breaks off.
        let error = ApiError::from_answer(status, &headers, &body.unwrap_or_default());
        if let Some(retry_after) = error.retry_after() {
            self.throttle.hold_back(retry_after, error.class());
        }
        Err(error)
    }

    fn note_used_weight(&self, headers: &HeaderMap) {
        let used = headers.get("X-MBX-USED-WEIGHT-1M").and_then(|value| value.to_str().ok()?.parse().ok());
        if let Some(used) = used {
            self.throttle.note_used_weight(used);
        }
    }
}
