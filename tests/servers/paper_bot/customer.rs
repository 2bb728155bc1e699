//! The bot's accounts as their owner sees them: signed requests to the exchange.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use bot_metrics_examples::clock::Clock;
use bot_metrics_examples::market::Asset;
use bot_metrics_examples::signature::signed_query;
use rust_decimal::Decimal;
use serde_json::Value;

/// The bot's profiles, each of which has an account.
pub(crate) const PROFILES: [&str; 2] = ["maker-tight", "maker-wide"];

/// The API key of a profile's account.
pub(crate) fn api_key(profile: &str) -> String {
    format!("paper-{profile}")
}

/// The key with which requests of a profile's account are signed.
pub(crate) fn secret(profile: &str) -> String {
    format!("secret of {profile}")
}

/// Amounts by asset, those locked by open orders included.
pub(crate) type Balances = BTreeMap<Asset, Decimal>;

/// The owner of a profile's account.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    pub(crate) profile: &'static str,
    exchange: String,
}

impl Customer {
    /// The owner of the account of `profile` at the exchange with this URL.
    pub(crate) fn new(exchange: &str, profile: &'static str) -> Self {
        Self { profile, exchange: exchange.to_owned() }
    }

    /// The answer to a signed GET request.
    pub(crate) fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let request = ureq::get(self.url(path, parameters));
        answer(request.header("X-MBX-APIKEY", api_key(self.profile)).call())
    }

    /// The answer to a signed DELETE request, or the exchange's refusal.
    pub(crate) fn delete(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, ureq::Error> {
        let request = ureq::delete(self.url(path, parameters));
        request.header("X-MBX-APIKEY", api_key(self.profile)).call().map(|ok| answer(Ok(ok)))
    }

    /// The answer to a signed POST request.
    pub(crate) fn post(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let request = ureq::post(self.url(path, parameters));
        answer(request.header("X-MBX-APIKEY", api_key(self.profile)).send_empty())
    }

    /// The open orders of all markets.
    pub(crate) fn open_orders(&self) -> Vec<Value> {
        list(self.get("openOrders", &[]))
    }

    /// The balances of the account.
    pub(crate) fn balances(&self) -> Balances {
        let account = self.get("account", &[]);
        let balances = list(account["balances"].clone());
        let total = |balance: &Value| amount(balance, "free") + amount(balance, "locked");
        let asset = |balance: &Value| text(balance, "asset").parse::<Asset>().expect("an asset");
        balances.iter().map(|balance| (asset(balance), total(balance))).collect()
    }

    fn url(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let query = signed_query(&secret(self.profile), parameters, Clock::system().now());
        format!("{}/api/v3/{path}?{query}", self.exchange)
    }
}

fn answer(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Value {
    let text = answer.and_then(|mut answer| answer.body_mut().read_to_string());
    serde_json::from_str(&text.expect("the exchange answers")).expect("JSON")
}

/// The elements of an array.
pub(crate) fn list(answer: Value) -> Vec<Value> {
    match answer {
        Value::Array(elements) => elements,
        other => panic!("not a list: {other}"),
    }
}

/// A text field of an answer.
pub(crate) fn text<'a>(answer: &'a Value, field: &str) -> &'a str {
    answer[field].as_str().unwrap_or_else(|| panic!("no text {field} in {answer}"))
}

/// A whole number of an answer.
pub(crate) fn number(answer: &Value, field: &str) -> u64 {
    answer[field].as_u64().unwrap_or_else(|| panic!("no number {field} in {answer}"))
}

/// An amount of an answer, which is written as text.
pub(crate) fn amount(answer: &Value, field: &str) -> Decimal {
    Decimal::from_str(text(answer, field)).expect("a number").normalize()
}
