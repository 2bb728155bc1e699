//! hotpath: durations only, sent in batches to a thread that sums them up.

use std::hint::black_box;
use std::sync::OnceLock;

use super::ready;
use crate::{Contender, contender};

#[hotpath::measure]
#[inline(never)]
fn call(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

#[hotpath::measure]
#[inline(never)]
fn other_call(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

#[hotpath::measure]
async fn future(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

#[hotpath::measure]
async fn other_future(n: u64) -> Result<u64, u64> {
    if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
}

/// It measures while this lives; dropping it would print a report.
static GUARD: OnceLock<hotpath::HotpathGuard> = OnceLock::new();

pub(super) fn contenders() -> Vec<Contender> {
    GUARD.get_or_init(|| hotpath::HotpathGuardBuilder::new("calls").build());
    vec![
        contender!("hotpath", Function, |n| call(n), other_call(n)),
        contender!("hotpath, future", Future, |n| ready(future(n)), ready(other_future(n))),
    ]
}
