//! Parameters of a request, parsed as Binance does.

use std::collections::BTreeMap;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use rust_decimal::Decimal;

use super::order::{Execution, NewOrder};
use super::refusal::Refusal;
use super::venue::OrderReference;
use crate::market::{Side, Symbol};

/// The legal ranges of values, in Binance's words.
const DECIMAL: &str = r"^([0-9]{1,20})(\.[0-9]{1,20})?$";
const INTEGER: &str = "^[0-9]{1,20}$";
const CLIENT_ID: &str = "^[a-zA-Z0-9-_]{1,36}$";

/// The parameters of the query string and of a form in the body. If a name is in both, the query string counts.
#[derive(Debug, Clone)]
pub(super) struct Params {
    values: BTreeMap<String, String>,
    /// What the client signed: the query string and the body without the signature.
    signed: String,
}

/// `Floor` reads them before the request is executed.
impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get().cloned().ok_or(Refusal::Internal)
    }
}

impl Params {
    /// Reads the query string and a form in the body.
    pub(super) fn read(query: &str, body: &str) -> Result<Self, Refusal> {
        let mut values = form(query)?;
        for (name, value) in form(body)? {
            values.entry(name).or_insert(value);
        }
        if let Some(name) = values.iter().find(|(_, value)| value.is_empty()).map(|(name, _)| name) {
            return Err(Refusal::EmptyParameter(name.clone()));
        }
        Ok(Self { values, signed: unsigned(query) + &unsigned(body) })
    }

    /// The text that the client signed.
    pub(super) fn signed(&self) -> &str {
        &self.signed
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    pub(super) fn text(&self, name: &'static str) -> Result<&str, Refusal> {
        self.values.get(name).map(String::as_str).ok_or(Refusal::MissingParameter(name))
    }

    pub(super) fn optional<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, Refusal> {
        let value = self.values.get(name);
        value.map(|value| value.parse().map_err(|_| Refusal::illegal(name, INTEGER))).transpose()
    }

    pub(super) fn integer(&self, name: &'static str) -> Result<u64, Refusal> {
        self.text(name)?.parse().map_err(|_| Refusal::illegal(name, INTEGER))
    }

    fn decimal(&self, name: &'static str) -> Result<Decimal, Refusal> {
        let number = self.text(name)?;
        if number.bytes().any(|byte| !byte.is_ascii_digit() && byte != b'.') {
            return Err(Refusal::illegal(name, DECIMAL));
        }
        let number = Decimal::from_str_exact(number).map_err(|_| Refusal::illegal(name, DECIMAL))?;
        if number.normalize().scale() > 8 { Err(Refusal::TooPrecise(name)) } else { Ok(number) }
    }

    pub(super) fn symbol(&self) -> Result<Symbol, Refusal> {
        self.text("symbol")?.parse().map_err(|_| Refusal::BadSymbol)
    }

    pub(super) fn optional_symbol(&self) -> Result<Option<Symbol>, Refusal> {
        self.has("symbol").then(|| self.symbol()).transpose()
    }

    /// The maximum number of rows of the answer: 500 unless given, at most 1,000.
    pub(super) fn limit(&self) -> Result<usize, Refusal> {
        Ok(self.optional("limit")?.unwrap_or(500).clamp(1, 1_000))
    }

    pub(super) fn order_reference(&self) -> Result<OrderReference, Refusal> {
        match self.optional("orderId")? {
            Some(id) => Ok(OrderReference::Id(id)),
            None => self
                .text("origClientOrderId")
                .map(|client_id| OrderReference::ClientId(client_id.to_owned()))
                .map_err(|_| Refusal::NoOrderReference),
        }
    }

    pub(super) fn new_order(&self) -> Result<NewOrder, Refusal> {
        let symbol = self.symbol()?;
        let side = self.text("side")?.parse::<Side>().map_err(|_| Refusal::BadSide)?;
        let execution = self.execution()?;
        let quantity = self.decimal("quantity")?;
        let client_id = self.has("newClientOrderId").then(|| self.client_id()).transpose()?;
        Ok(NewOrder { symbol, side, execution, quantity, client_id })
    }

    fn client_id(&self) -> Result<String, Refusal> {
        let id = self.text("newClientOrderId")?;
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if id.len() > 36 || !id.bytes().all(legal) {
            return Err(Refusal::illegal("newClientOrderId", CLIENT_ID));
        }
        Ok(id.to_owned())
    }

    fn execution(&self) -> Result<Execution, Refusal> {
        match self.text("type")? {
            "MARKET" => match ["price", "timeInForce"].into_iter().find(|name| self.has(name)) {
                Some(name) => Err(Refusal::UnwantedParameter(name)),
                None => Ok(Execution::Market),
            },
            "LIMIT_MAKER" if self.has("timeInForce") => Err(Refusal::UnwantedParameter("timeInForce")),
            "LIMIT_MAKER" => Ok(Execution::LimitMaker(self.decimal("price")?)),
            "LIMIT" => {
                let price = self.decimal("price")?;
                match self.text("timeInForce")? {
                    "GTC" => Ok(Execution::Limit(price)),
                    "IOC" => Ok(Execution::ImmediateOrCancel(price)),
                    "FOK" => Ok(Execution::FillOrKill(price)),
                    _ => Err(Refusal::BadTimeInForce),
                }
            }
            _ => Err(Refusal::BadOrderType),
        }
    }

    /// How much the answer to a new order says.
    pub(super) fn detail(&self, execution: Execution) -> Result<Detail, Refusal> {
        match self.values.get("newOrderRespType").map(String::as_str) {
            Some("ACK") => Ok(Detail::Ack),
            Some("RESULT") => Ok(Detail::Result),
            Some("FULL") => Ok(Detail::Full),
            Some(_) => Err(Refusal::illegal("newOrderRespType", "ACK, RESULT, FULL")),
            None if matches!(execution, Execution::LimitMaker(_)) => Ok(Detail::Ack),
            None => Ok(Detail::Full),
        }
    }
}

/// How much the answer to a new order says: `newOrderRespType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    Ack,
    Result,
    Full,
}

/// A name that is there twice is refused, since only one of its values could count.
fn form(text: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let mut values = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        if values.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(Refusal::DuplicateParameter);
        }
    }
    Ok(values)
}

fn unsigned(text: &str) -> String {
    text.split('&').filter(|pair| !pair.starts_with("signature=")).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_and_body_are_signed_one_after_the_other() {
        let params = Params::read("symbol=BTCUSDT&side=BUY", "price=1&signature=abc&side=SELL").unwrap();
        assert_eq!(params.signed(), "symbol=BTCUSDT&side=BUYprice=1&side=SELL");
        assert_eq!(params.text("side"), Ok("BUY"), "the query string counts");
        assert_eq!(params.text("signature"), Ok("abc"));
    }

    #[test]
    fn a_name_may_come_once_and_not_empty() {
        assert_eq!(Params::read("a=1&a=2", "").unwrap_err(), Refusal::DuplicateParameter);
        assert_eq!(Params::read("a=", "").unwrap_err(), Refusal::EmptyParameter("a".to_owned()));
    }
}
