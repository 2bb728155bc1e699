//! metriken: statics, which need no look-up; shared by all threads, or sharded by thread.

use metriken::{AtomicCounterHistogram, Counter, ShardedCounterGroup, ShardedCounterHistogram, metric};

use super::timed;
use crate::{Contender, contender};

macro_rules! labelled {
    ($exchange:literal: $atomic:ident, $ok:ident, $errors:ident, $sharded:ident, $outcomes:ident) => {
        #[metric(name = "seconds", metadata = { exchange = $exchange })]
        static $atomic: AtomicCounterHistogram = AtomicCounterHistogram::new(7, 64);
        #[metric(name = "ok", metadata = { exchange = $exchange })]
        static $ok: Counter = Counter::new();
        #[metric(name = "errors", metadata = { exchange = $exchange })]
        static $errors: Counter = Counter::new();
        #[metric(name = "sharded_seconds", metadata = { exchange = $exchange })]
        static $sharded: ShardedCounterHistogram = ShardedCounterHistogram::new(7, 64);
        #[metric(name = "outcomes", metadata = { exchange = $exchange })]
        static $outcomes: ShardedCounterGroup = ShardedCounterGroup::new(2);
    };
}

labelled!("binance": SECONDS, OK, ERRORS, SHARDED, OUTCOMES);
labelled!("bybit": OTHER_SECONDS, OTHER_OK, OTHER_ERRORS, OTHER_SHARDED, OTHER_OUTCOMES);

fn atomic(
    n: u64,
    seconds: &'static AtomicCounterHistogram,
    outcomes: [&'static Counter; 2],
) -> Result<u64, u64> {
    timed(n, |duration, failed| {
        let _ = seconds.increment(duration.as_nanos() as u64);
        outcomes[usize::from(failed)].increment();
    })
}

fn sharded(
    n: u64,
    seconds: &'static ShardedCounterHistogram,
    outcomes: &'static ShardedCounterGroup,
) -> Result<u64, u64> {
    timed(n, |duration, failed| {
        let _ = seconds.increment(duration.as_nanos() as u64);
        outcomes.increment(usize::from(failed));
    })
}

pub(super) fn contenders() -> Vec<Contender> {
    vec![
        contender!(
            "metriken, statics",
            Function,
            |n| atomic(n, &SECONDS, [&OK, &ERRORS]),
            atomic(n, &OTHER_SECONDS, [&OTHER_OK, &OTHER_ERRORS]),
        ),
        contender!(
            "metriken, sharded statics",
            Function,
            |n| sharded(n, &SHARDED, &OUTCOMES),
            sharded(n, &OTHER_SHARDED, &OTHER_OUTCOMES),
        ),
    ]
}
