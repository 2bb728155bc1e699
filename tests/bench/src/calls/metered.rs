//! metered: an attribute on methods, with its metrics in a field.

use std::hint::black_box;
use std::sync::LazyLock;

use metered::{ErrorCount, InFlight, ResponseTime, metered};

use super::ready;
use crate::{Contender, contender};

#[derive(Default, Debug)]
struct Api {
    metrics: ApiMetrics,
}

#[metered(registry = ApiMetrics)]
impl Api {
    #[measure([ErrorCount, InFlight, ResponseTime])]
    #[inline(never)]
    fn call(&self, n: u64) -> Result<u64, u64> {
        if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
    }

    #[measure([ErrorCount, InFlight, ResponseTime])]
    async fn future(&self, n: u64) -> Result<u64, u64> {
        if black_box(n) == u64::MAX { Err(n) } else { Ok(n) }
    }
}

static APIS: LazyLock<[Api; 2]> = LazyLock::new(Default::default);

pub(super) fn contenders() -> Vec<Contender> {
    vec![
        contender!("metered", Function, |n| APIS[0].call(n), APIS[1].call(n)),
        contender!("metered, future", Future, |n| ready(APIS[0].future(n)), ready(APIS[1].future(n))),
    ]
}
