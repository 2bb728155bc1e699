//! A paper exchange: Binance's spot REST API over loopback HTTP, driven by a recorded market.
//!
//! It answers `GET /api/v3/ping`, `time`, `exchangeInfo`, `ticker/bookTicker`, `depth`; `POST`, `GET` and
//! `DELETE` `/api/v3/order`; `GET` and `DELETE` `/api/v3/openOrders`; `GET` `/api/v3/account`, `allOrders` and
//! `myTrades`; with Binance's signatures, filters, fees, error codes, request weights, order counts, 429 and 418.
//!
//! Its limits: depth is one level; three order types (LIMIT, `LIMIT_MAKER`, MARKET), good till cancelled, immediate
//! or all at once; parameters that Binance does not know are ignored; an account remembers its last 1,000 closed
//! orders and trades.

mod account;
mod delay;
mod disruption;
mod order;
mod order_count;
mod owner;
mod params;
mod refusal;
mod replay;
mod routes;
mod server;
mod tampering;
mod venue;
mod weight;
mod wire;

pub use account::{Account, Balance, MAKER_FEE, TAKER_FEE};
pub use delay::Delays;
pub use disruption::{Disruption, Disruptions};
pub use order::{Execution, NewOrder, Order, OrderStatus, Trade};
pub use order_count::{ORDER_LIMITS, OrderCounts, OrderLimit};
pub use refusal::Refusal;
pub use replay::Replay;
pub use server::{AccountSettings, ExchangeSettings, PaperExchange};
pub use venue::{OrderReference, Venue};
pub use weight::{WEIGHT_LIMIT, WeightMeter, weight_of};
