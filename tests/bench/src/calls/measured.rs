//! measured: enums as labels index a dense table, so that a look-up is the recommended use.

use std::sync::LazyLock;

use measured::metric::histogram::Thresholds;
use measured::{CounterVec, FixedCardinalityLabel, HistogramVec, LabelGroup};

use super::{BOUNDS, timed};
use crate::{Contender, contender};

#[derive(Clone, Copy, FixedCardinalityLabel)]
enum Exchange {
    Binance,
    Bybit,
}

#[derive(Clone, Copy, FixedCardinalityLabel)]
enum Operation {
    PlaceOrder,
    CancelOrder,
}

#[derive(Clone, Copy, FixedCardinalityLabel)]
enum Outcome {
    Ok,
    Error,
}

#[derive(Clone, Copy, LabelGroup)]
#[label(set = CallSet)]
struct Call {
    exchange: Exchange,
    operation: Operation,
}

#[derive(Clone, Copy, LabelGroup)]
#[label(set = EndedSet)]
struct Ended {
    exchange: Exchange,
    operation: Operation,
    outcome: Outcome,
}

static SECONDS: LazyLock<HistogramVec<CallSet, 11>> =
    LazyLock::new(|| HistogramVec::with_metadata(Thresholds::with_buckets(BOUNDS)));
static CALLS: LazyLock<CounterVec<EndedSet>> = LazyLock::new(CounterVec::default);

fn call(exchange: Exchange, operation: Operation, n: u64) -> Result<u64, u64> {
    timed(n, |duration, failed| {
        SECONDS.observe_duration(Call { exchange, operation }, duration);
        let outcome = if failed { Outcome::Error } else { Outcome::Ok };
        CALLS.inc(Ended { exchange, operation, outcome });
    })
}

pub(super) fn contenders() -> Vec<Contender> {
    vec![contender!(
        "measured",
        Function,
        |n| call(Exchange::Binance, Operation::PlaceOrder, n),
        call(Exchange::Bybit, Operation::CancelOrder, n),
    )]
}
