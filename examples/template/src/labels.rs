//! The label values of this bot. An enum here replaces the library's enum of the same name; `Exchange` also keeps its
//! values.

pub use bot_metrics::labels::*;

use bot_metrics::LabelValue;

#[derive(Clone, Copy, Debug, LabelValue)]
pub enum Exchange {
    #[label(extends)]
    Common(bot_metrics::labels::Exchange),
    MyExchange,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, LabelValue)]
pub enum Side {
    Buy,
    Sell,
}
