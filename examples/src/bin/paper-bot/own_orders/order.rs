//! An order of the bot and its states.

use std::time::Duration;

use bot_metrics_examples::market::{Side, Symbol};
use rust_decimal::Decimal;

/// An order the bot has sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnOrder {
    pub(crate) client_id: String,
    pub(crate) symbol: Symbol,
    pub(crate) side: Side,
    pub(crate) price: Decimal,
    pub(crate) quantity: Decimal,
    pub(crate) executed: Decimal,
    pub(crate) state: OrderState,
    /// Just before it was sent, since the Unix epoch.
    pub(crate) sent_at: Duration,
}

impl OwnOrder {
    /// Whether everything was executed.
    pub(super) fn is_filled(&self) -> bool {
        self.executed >= self.quantity
    }

    /// Side, quantity and price, for the journal.
    pub(super) fn terms(&self) -> String {
        format!("{} {} at {}", self.side, self.quantity.normalize(), self.price.normalize())
    }
}

/// The state of one of the bot's orders, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderState {
    /// Sent but not answered yet.
    Sent,
    /// No answer came to the order or to its cancellation, so it may be open or not.
    Unknown {
        /// The exchange's id of the order, if known.
        order_id: Option<u64>,
    },
    /// Open at the exchange.
    Open {
        /// The exchange's id of the order.
        order_id: u64,
    },
    /// A cancellation was sent but not answered yet.
    Cancelling {
        /// The exchange's id of the order.
        order_id: u64,
    },
    /// No longer open.
    Closed {
        /// The exchange's id of the order, if it had one.
        order_id: Option<u64>,
        /// How it ended.
        ended: End,
    },
}

/// How an order ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Completely executed.
    Filled,
    /// Cancelled by the bot or its operator.
    Cancelled,
    /// Ended by the exchange in another way.
    Expired,
    /// The exchange rejected the order.
    Rejected,
    /// The exchange refused the request, whatever it contained.
    Refused,
    /// It was not sent.
    NotSent,
    /// The exchange does not know it.
    NotFound,
}

impl End {
    const ALL: [Self; 7] = [
        Self::Filled,
        Self::Cancelled,
        Self::Expired,
        Self::Rejected,
        Self::Refused,
        Self::NotSent,
        Self::NotFound,
    ];

    /// The name in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Filled => "filled",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Refused => "refused",
            Self::NotSent => "not_sent",
            Self::NotFound => "not_found",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.as_str() == name)
    }
}

impl OrderState {
    /// The exchange's id of the order, once known.
    pub(crate) const fn order_id(self) -> Option<u64> {
        match self {
            Self::Sent => None,
            Self::Open { order_id } | Self::Cancelling { order_id } => Some(order_id),
            Self::Unknown { order_id } | Self::Closed { order_id, .. } => order_id,
        }
    }

    /// Whether the exchange may have the order although it has not confirmed it.
    pub(crate) const fn is_unconfirmed(self) -> bool {
        matches!(self, Self::Sent | Self::Unknown { order_id: None })
    }

    /// How the order ended; `None` while it may be open.
    pub(crate) const fn ended(self) -> Option<End> {
        match self {
            Self::Closed { ended, .. } => Some(ended),
            _ => None,
        }
    }

    /// The name in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Unknown { .. } => "unknown",
            Self::Open { .. } => "open",
            Self::Cancelling { .. } => "cancelling",
            Self::Closed { .. } => "closed",
        }
    }

    /// The state with this name; `None` if there is none, or if it needs an id or an end.
    pub(crate) fn parse(name: &str, order_id: Option<u64>, ended: Option<&str>) -> Option<Self> {
        match name {
            "sent" => Some(Self::Sent),
            "unknown" => Some(Self::Unknown { order_id }),
            "open" => order_id.map(|order_id| Self::Open { order_id }),
            "cancelling" => order_id.map(|order_id| Self::Cancelling { order_id }),
            "closed" => End::parse(ended?).map(|ended| Self::Closed { order_id, ended }),
            _ => None,
        }
    }
}
