//! The attributes as users write them, and an own family with an open label.

use std::hint::black_box;

use bot_metrics::prelude::*;
use bot_metrics::{Symbol, metrics};

use super::{ready, timed};
use crate::{Contender, contender};

#[exchange_call(op = "place_order", exchange = "binance")]
#[inline(never)]
fn exchange_call(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

#[exchange_call(op = "place_order", exchange = "bybit")]
#[inline(never)]
fn other_exchange_call(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

#[timed_subsystem("trading", every = "5s")]
#[inline(never)]
fn timed_subsystem(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

#[timed_subsystem("monitor", every = "5s")]
#[inline(never)]
fn other_timed_subsystem(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

#[exchange_call(op = "get_ticker", exchange = exchange)]
#[inline(never)]
fn picked(exchange: labels::Exchange, n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

#[exchange_call(op = "get_balances", exchange = "binance")]
#[inline(never)]
fn fails(n: u64) -> Result<u64, u64> {
    Err(black_box(n))
}

#[exchange_call(op = "get_balances", exchange = "bybit")]
#[inline(never)]
fn other_fails(n: u64) -> Result<u64, u64> {
    Err(black_box(n))
}

#[exchange_call(op = "cancel_order", exchange = "binance")]
async fn exchange_call_async(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

#[exchange_call(op = "cancel_order", exchange = "bybit")]
async fn other_exchange_call_async(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

#[operational_event(type = "ORDER_PLACED", severity = "INFO", symbol = symbol)]
#[inline(never)]
fn event(symbol: &str, n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

metrics! {
    /// Time of calls by symbol.
    histogram call_seconds { symbol: Symbol }
        buckets(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
}

fn open_label(symbol: &str, n: u64) -> Result<u64, u64> {
    timed(n, |duration, _| call_seconds(symbol).observe_duration(duration))
}

pub(super) fn contenders() -> Vec<Contender> {
    vec![
        contender!("#[exchange_call]", Function, |n| exchange_call(n), other_exchange_call(n)),
        contender!("#[timed_subsystem]", Function, |n| timed_subsystem(n), other_timed_subsystem(n)),
        contender!(
            "#[exchange_call], exchange picked at run time",
            Function,
            |n| picked(black_box(labels::Exchange::Okx), n),
            picked(black_box(labels::Exchange::Bybit), n),
        ),
        contender!("#[exchange_call] of a function that fails", Function, |n| fails(n), other_fails(n)),
        contender!(
            "#[exchange_call] of a future",
            Future,
            |n| ready(exchange_call_async(n)),
            ready(other_exchange_call_async(n)),
        ),
        contender!(
            "#[operational_event], open label",
            Function,
            |n| event(black_box("BTCUSDT"), n),
            event(black_box("ETHUSDT"), n),
        ),
        contender!(
            "`metrics!` histogram, open label looked up",
            Function,
            |n| open_label(black_box("BTCUSDT"), n),
            open_label(black_box("ETHUSDT"), n),
        ),
    ]
}
