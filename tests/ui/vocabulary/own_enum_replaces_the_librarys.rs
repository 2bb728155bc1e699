use bot_metrics::prelude::*;

mod labels {
    pub use bot_metrics::labels::*;

    #[derive(Clone, Copy, bot_metrics::LabelValue)]
    pub enum Operation {
        GetFees,
        #[label(extends)]
        Account(AccountOperation),
    }

    #[derive(Clone, Copy, bot_metrics::LabelValue)]
    pub enum AccountOperation {
        GetLimits,
    }
}

#[exchange_call(op = "place_order")]
fn place() {}

#[exchange_call(op = "get_limit")]
fn limits() {}

#[timed_subsystem("trading")]
fn trade() {}

fn main() {}
