//! A running exchange with one market that moves only when a test advances its clock, and a client of it.

use std::sync::Arc;
use std::time::Duration;

use bot_metrics_examples::clock::Clock;
use bot_metrics_examples::exchange::{AccountSettings, Disruptions, ExchangeSettings, PaperExchange};
use bot_metrics_examples::market::Asset;
use bot_metrics_examples::recording::Recording;
use bot_metrics_examples::signature::signed_query;
use reqwest::{Method, Response, StatusCode};
use rust_decimal::Decimal;
use serde_json::Value;

/// At 10 s BTC trades at 99, at 20 s the round starts over.
const MARKET: &str = "\
received_us,exchange_us,symbol,kind,side,price,quantity,ask_price,ask_quantity
0,0,BTCUSDT,quote,,100,1,100.01,2
0,0,ETHUSDT,quote,,10,1,10.01,2
0,0,SOLUSDT,quote,,1,1,1.01,2
10000000,9900000,BTCUSDT,trade,sell,99,0.3,,
20000000,20000000,BTCUSDT,quote,,100,1,100.01,2";

/// The exchange's clock at the start of a test.
pub(crate) const START: Duration = Duration::from_hours(484_140);

fn account(api_key: &str, funds: Vec<(Asset, Decimal)>) -> AccountSettings {
    AccountSettings { api_key: api_key.to_owned(), secret: secret(api_key), funds }
}

/// The secret of an API key.
pub(crate) fn secret(api_key: &str) -> String {
    api_key.chars().rev().collect()
}

pub(crate) fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).unwrap().to_str().unwrap()
}

pub(crate) struct Session {
    pub(crate) clock: Clock,
    pub(crate) disruptions: Disruptions,
    exchange: PaperExchange,
    http: reqwest::Client,
}

impl Session {
    pub(crate) async fn start() -> Self {
        Self::with_settings(|settings| settings).await
    }

    pub(crate) async fn with_settings(change: impl FnOnce(ExchangeSettings) -> ExchangeSettings) -> Self {
        let recording = Arc::new(Recording::read("market.csv", MARKET.as_bytes()).unwrap());
        let clock = Clock::manual(START);
        let disruptions = Disruptions::default();
        let settings = ExchangeSettings {
            accounts: vec![
                account("alice", vec![(Asset::Usdt, 1_000.into()), (Asset::Btc, 2.into())]),
                account("bob", vec![(Asset::Usdt, 1.into())]),
            ],
            clock: clock.clone(),
            request_clock: clock.clone(),
            disruptions: disruptions.clone(),
            ..ExchangeSettings::new(recording)
        };
        let exchange = PaperExchange::start(change(settings)).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
        Self { clock, disruptions, exchange, http }
    }

    /// The exchange's host and port.
    pub(crate) fn address(&self) -> String {
        self.exchange.url().trim_start_matches("http://").to_owned()
    }

    pub(crate) async fn send(&self, method: &str, path: &str, key: Option<&str>) -> Response {
        self.attempt(method, path, key).await.unwrap()
    }

    /// A request, which need not be answered.
    pub(crate) async fn attempt(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
    ) -> reqwest::Result<Response> {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = match key {
            Some(key) => self.request(method, &self.signed(path, key)).header("X-MBX-APIKEY", key),
            None => self.request(method, path),
        };
        request.send().await
    }

    /// A request as it is, without key and signature.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}/api/v3/{path}", self.exchange.url()))
    }

    /// The path with a signed query string.
    pub(crate) fn signed(&self, path: &str, key: &str) -> String {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parameters: Vec<_> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        format!("{path}?{}", signed_query(&secret(key), &parameters, self.clock.now()))
    }

    /// A request with alice's key, which must succeed.
    pub(crate) async fn ok(&self, method: &str, path: &str) -> Value {
        let response = self.send(method, path, Some("alice")).await;
        let status = response.status();
        let body = response.text().await.unwrap();
        assert_eq!(status, StatusCode::OK, "{method} {path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// A request that must fail: its status, code and message.
    pub(crate) async fn refused(&self, method: &str, path: &str, key: Option<&str>) -> (u16, i64, String) {
        let response = self.send(method, path, key).await;
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        (status, body["code"].as_i64().unwrap(), body["msg"].as_str().unwrap().to_owned())
    }
}
