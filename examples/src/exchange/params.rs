//! Parameters of a request, parsed as Binance does.

use std::collections::BTreeMap;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use rust_decimal::Decimal;

use super::order::{Execution, NewOrder};
use super::refusal::Refusal;
use super::venue::OrderReference;
use crate::market::{Side, Symbol};

/// Binance's limit for a client order id.
const LONGEST_CLIENT_ID: usize = 36;

/// The query string.
#[derive(Debug)]
pub(super) struct Params(BTreeMap<String, String>);

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let query = Query::try_from_uri(&parts.uri).map_err(|_| Refusal::IllegalParameter("query"))?;
        Ok(Self(query.0))
    }
}

impl Params {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn mandatory<T: FromStr>(&self, name: &'static str) -> Result<T, Refusal> {
        self.text(name).and_then(|value| value.parse().ok()).ok_or(Refusal::MissingParameter(name))
    }

    pub(super) fn optional<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, Refusal> {
        self.text(name).map(|value| value.parse().map_err(|_| Refusal::IllegalParameter(name))).transpose()
    }

    pub(super) fn symbol(&self) -> Result<Symbol, Refusal> {
        self.optional_symbol()?.ok_or(Refusal::MissingParameter("symbol"))
    }

    pub(super) fn optional_symbol(&self) -> Result<Option<Symbol>, Refusal> {
        self.text("symbol").map(|name| name.parse().map_err(|_| Refusal::BadSymbol)).transpose()
    }

    /// The maximum number of rows of the answer.
    pub(super) fn limit(&self, usual: usize, most: usize) -> Result<usize, Refusal> {
        Ok(self.optional("limit")?.unwrap_or(usual).clamp(1, most))
    }

    pub(super) fn order_reference(&self) -> Result<OrderReference, Refusal> {
        match self.optional("orderId")? {
            Some(id) => Ok(OrderReference::Id(id)),
            None => self
                .text("origClientOrderId")
                .map(|client_id| OrderReference::ClientId(client_id.to_owned()))
                .ok_or(Refusal::NoOrderReference),
        }
    }

    pub(super) fn new_order(&self) -> Result<NewOrder, Refusal> {
        let symbol = self.symbol()?;
        let side = self.text("side").ok_or(Refusal::MissingParameter("side"))?;
        let side = side.parse::<Side>().map_err(|_| Refusal::BadSide)?;
        let execution = self.execution()?;
        let quantity = self.mandatory("quantity")?;
        let client_id = self.text("newClientOrderId").map(str::to_owned);
        if client_id.as_ref().is_some_and(|client_id| client_id.len() > LONGEST_CLIENT_ID) {
            return Err(Refusal::IllegalParameter("newClientOrderId"));
        }
        Ok(NewOrder { symbol, side, execution, quantity, client_id })
    }

    fn execution(&self) -> Result<Execution, Refusal> {
        match self.text("type").ok_or(Refusal::MissingParameter("type"))? {
            "MARKET" => Ok(Execution::Market),
            "LIMIT_MAKER" => Ok(Execution::LimitMaker(self.mandatory::<Decimal>("price")?)),
            "LIMIT" => {
                let price = self.mandatory::<Decimal>("price")?;
                match self.text("timeInForce").ok_or(Refusal::MissingParameter("timeInForce"))? {
                    "GTC" => Ok(Execution::Limit(price)),
                    "IOC" => Ok(Execution::ImmediateOrCancel(price)),
                    _ => Err(Refusal::BadTimeInForce),
                }
            }
            _ => Err(Refusal::BadOrderType),
        }
    }
}
