//! One call, bare and measured by each contender, with one module per crate.
//!
//! Other crates record the duration and, where they can, the outcome; this library also records the calls in flight
//! and the last run. All histograms that have bounds have the same ones.

mod floor;
mod ours;

#[cfg(feature = "peers")]
mod autometrics;
#[cfg(feature = "peers")]
mod foundations;
#[cfg(feature = "peers")]
mod hotpath;
#[cfg(feature = "peers")]
mod measured;
#[cfg(feature = "peers")]
mod metered;
#[cfg(feature = "peers")]
mod metrics;
#[cfg(feature = "peers")]
mod metriken;
#[cfg(feature = "peers")]
mod opentelemetry;
#[cfg(feature = "peers")]
mod prometheus;
#[cfg(feature = "peers")]
mod prometheus_client;
#[cfg(feature = "peers")]
mod prometric;

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::Contender;

pub use floor::{BARE, BARE_FUTURE, TWO_TIME_STAMPS};

/// The bounds of every histogram, in seconds.
pub const BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// All contenders, the lower limit first.
pub fn contenders() -> Vec<Contender> {
    let mut all = floor::contenders();
    all.extend(ours::contenders());
    #[cfg(feature = "peers")]
    for peer in [
        hotpath::contenders(),
        metriken::contenders(),
        metered::contenders(),
        prometheus_client::contenders(),
        prometheus::contenders(),
        measured::contenders(),
        metrics::contenders(),
        opentelemetry::contenders(),
        foundations::contenders(),
        prometric::contenders(),
        autometrics::contenders(),
    ] {
        all.extend(peer);
    }
    all
}

/// The measured function, which fails for a single number.
#[inline(never)]
fn bare(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

#[inline(never)]
async fn bare_async(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

/// Calls it, and passes its duration and whether it failed to `record`.
#[inline(always)]
fn timed(n: u64, record: impl FnOnce(Duration, bool)) -> Result<u64, u64> {
    let start = Instant::now();
    let result = bare(n);
    record(start.elapsed(), result.is_err());
    result
}

/// Polls a future that is ready at once.
#[inline(never)]
fn ready<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("nothing waits"),
    }
}
