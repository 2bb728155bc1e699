//! prometheus-client: label sets looked up at each call, or metrics kept by hand.

use std::sync::LazyLock;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

use super::{BOUNDS, timed};
use crate::{Contender, contender};

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelValue)]
enum Exchange {
    Binance,
    Bybit,
}

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelValue)]
enum Operation {
    PlaceOrder,
}

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelValue)]
enum Outcome {
    Ok,
    Error,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Call {
    exchange: Exchange,
    operation: Operation,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Ended {
    exchange: Exchange,
    operation: Operation,
    outcome: Outcome,
}

static SECONDS: LazyLock<Family<Call, Histogram>> =
    LazyLock::new(|| Family::new_with_constructor(|| Histogram::new(BOUNDS)));
static CALLS: LazyLock<Family<Ended, Counter>> = LazyLock::new(Family::default);

struct Kept {
    seconds: Histogram,
    outcomes: [Counter; 2],
}

static KEPT: LazyLock<[Kept; 2]> = LazyLock::new(|| {
    [Exchange::Binance, Exchange::Bybit].map(|exchange| Kept {
        seconds: SECONDS.get_or_create_owned(&Call { exchange, operation: Operation::PlaceOrder }),
        outcomes: [Outcome::Ok, Outcome::Error].map(|outcome| {
            CALLS.get_or_create_owned(&Ended { exchange, operation: Operation::PlaceOrder, outcome })
        }),
    })
});

fn kept(kept: usize, n: u64) -> Result<u64, u64> {
    timed(n, |duration, failed| {
        let kept = &KEPT[kept];
        kept.seconds.observe(duration.as_secs_f64());
        kept.outcomes[usize::from(failed)].inc();
    })
}

fn looked_up(exchange: Exchange, n: u64) -> Result<u64, u64> {
    timed(n, |duration, failed| {
        let operation = Operation::PlaceOrder;
        SECONDS.get_or_create(&Call { exchange, operation }).observe(duration.as_secs_f64());
        let outcome = if failed { Outcome::Error } else { Outcome::Ok };
        CALLS.get_or_create(&Ended { exchange, operation, outcome }).inc();
    })
}

pub(super) fn contenders() -> Vec<Contender> {
    vec![
        contender!("prometheus-client, kept by hand", Function, |n| kept(0, n), kept(1, n)),
        contender!(
            "prometheus-client, labels looked up",
            Function,
            |n| looked_up(Exchange::Binance, n),
            looked_up(Exchange::Bybit, n),
        ),
    ]
}
