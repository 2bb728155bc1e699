//! A paper exchange: Binance's spot REST API over loopback HTTP, driven by a recorded market.
//!
//! It answers `GET /api/v3/ping`, `time`, `exchangeInfo`, `ticker/bookTicker`, `depth`; `POST`, `GET` and
//! `DELETE` `/api/v3/order`; `GET` and `DELETE` `/api/v3/openOrders`; `GET` `/api/v3/account` and `myTrades`;
//! with Binance's error codes, request weights, 429 and 418.
//!
//! Its limits: the header `X-MBX-APIKEY` alone names the account, nothing is signed, so it must stay on
//! loopback; depth is one level; there are no fees; three order types (LIMIT, `LIMIT_MAKER`, MARKET), good
//! till cancelled or immediate; an account remembers its last 10,000 closed orders and trades.

mod account;
mod delay;
mod disruption;
mod order;
mod params;
mod refusal;
mod replay;
mod routes;
mod server;
mod tampering;
mod venue;
mod weight;
mod wire;

pub use account::{Account, Balance};
pub use delay::Delays;
pub use disruption::{Disruption, Disruptions};
pub use order::{Execution, NewOrder, Order, OrderStatus, Trade};
pub use refusal::Refusal;
pub use replay::Replay;
pub use server::{ExchangeSettings, PaperExchange};
pub use venue::{OrderReference, Venue};
pub use weight::{WEIGHT_LIMIT, WeightMeter, weight_of};
