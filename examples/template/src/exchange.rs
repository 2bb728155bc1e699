//! The calls to the exchange. This one answers by itself; send your requests instead.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bot_metrics::prelude::*;

use crate::labels;

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("the exchange rejected the order: {0}")]
    Rejected(&'static str),
    #[error("the exchange answered with the status {0}")]
    Status(u16),
}

impl ClassifyError for ApiError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Rejected(_) => ErrorClass::Rejected,
            Self::Status(status) => ErrorClass::of_status(*status),
        }
    }
}

/// An order that rests at the exchange.
#[derive(Clone, Debug)]
pub struct Order {
    pub id: u64,
    pub value: f64,
}

#[derive(Debug, Default)]
pub struct Exchange {
    requests: AtomicU64,
    open: Mutex<Vec<Order>>,
}

#[exchange_call] // each method's name is its operation; the exchange is that of the settings
impl Exchange {
    pub async fn get_ticker(&self, _symbol: &str) -> Result<f64, ApiError> {
        let request = self.answer().await?;
        Ok(100.0 + (request % 7) as f64)
    }

    pub async fn get_open_orders(&self) -> Result<Vec<Order>, ApiError> {
        self.answer().await?;
        Ok(self.open().clone())
    }

    // After a rejection the order is known not to exist. After the ends of `ORDER_UNKNOWN` it may be open; `other` is
    // an error without a class.
    #[operational_event(type = "ORDER_PLACED", severity = "INFO", symbol = symbol)]
    #[operational_event(
        type = "ORDER_REJECTED", severity = "WARNING",
        on = [rejected, rate_limited, banned, auth], symbol = symbol
    )]
    #[operational_event(
        type = "ORDER_UNKNOWN", severity = "ERROR",
        on = [timeout, transport, server_error, decode, other, cancelled, panic], symbol = symbol
    )]
    pub async fn place_order(&self, symbol: &str, side: labels::Side, value: f64) -> Result<Order, ApiError> {
        let id = self.answer().await?;
        let mut open = self.open();
        if open.iter().map(|order| order.value).sum::<f64>() + value > 1_000.0 {
            open.clear(); // filled, without a notice to the bot: its reconciliation finds that
            return Err(ApiError::Rejected("insufficient balance"));
        }
        println!("{symbol}: order {id} to {} for {value:.2}", side.as_str());
        let order = Order { id, value };
        open.push(order.clone());
        Ok(order)
    }

    /// Answers after 20 to 60 ms, one time in fifty with an error, and returns the number of the request.
    #[exchange_call(skip)] // a part of the calls above
    async fn answer(&self) -> Result<u64, ApiError> {
        let request = self.requests.fetch_add(1, Relaxed) + 1;
        tokio::time::sleep(Duration::from_millis(20 + request * 17 % 40)).await;
        if request.is_multiple_of(50) { Err(ApiError::Status(503)) } else { Ok(request) }
    }

    #[exchange_call(skip)]
    fn open(&self) -> std::sync::MutexGuard<'_, Vec<Order>> {
        self.open.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
