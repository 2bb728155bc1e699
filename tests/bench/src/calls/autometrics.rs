//! autometrics over prometheus: an attribute.

use std::hint::black_box;

use autometrics::autometrics;
use autometrics::settings::AutometricsSettings;

use super::ready;
use crate::{Contender, contender};

#[autometrics(track_concurrency)]
#[inline(never)]
fn call(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

#[autometrics(track_concurrency)]
#[inline(never)]
fn other_call(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

#[autometrics(track_concurrency)]
async fn future(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

#[autometrics(track_concurrency)]
async fn other_future(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

pub(super) fn contenders() -> Vec<Contender> {
    AutometricsSettings::builder().init();
    vec![
        contender!("autometrics", Function, |n| call(n), other_call(n)),
        contender!("autometrics, future", Future, |n| ready(future(n)), ready(other_future(n))),
    ]
}
