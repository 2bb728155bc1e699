//! Faults for demonstrations: they change the behaviour of the exchange or the bot, never a metric.

mod schedule;
mod switchboard;

use std::fmt;
use std::str::FromStr;

pub use schedule::{FaultWindow, WindowError};
pub use switchboard::Switchboard;

use crate::exchange::Disruption;

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The bot's trading cycle waits for an answer that never comes.
    HangTrading,
    /// The exchange answers 429 with `Retry-After` to everything.
    RateLimit,
    /// The exchange fails to list open orders; every other call works.
    BlindReconciliation,
    /// One profile's allocation is cut below its current holdings.
    NegativeCapital,
    /// The bot stops one profile and removes it.
    RemoveProfile,
    /// A manual trade on one profile's account: the exchange has an order that the bot did not place.
    ForeignOrder,
    /// The exchange halts its markets: quotes continue, but orders are not accepted.
    HaltMarkets,
}

/// The component whose behaviour a fault changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seat {
    /// The bot: works with any exchange.
    Bot,
    /// The paper exchange: needs the one in this process.
    Exchange,
}

impl Fault {
    /// Every fault, in the order of its declaration.
    pub const ALL: [Self; 7] = [
        Self::HangTrading,
        Self::RateLimit,
        Self::BlindReconciliation,
        Self::NegativeCapital,
        Self::RemoveProfile,
        Self::ForeignOrder,
        Self::HaltMarkets,
    ];

    /// The name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HangTrading => "hang-trading",
            Self::RateLimit => "rate-limit",
            Self::BlindReconciliation => "blind-reconciliation",
            Self::NegativeCapital => "negative-capital",
            Self::RemoveProfile => "remove-profile",
            Self::ForeignOrder => "foreign-order",
            Self::HaltMarkets => "halt-markets",
        }
    }

    /// The component whose behaviour the fault changes.
    #[must_use]
    pub const fn seat(self) -> Seat {
        if self.disruption().is_some() { Seat::Exchange } else { Seat::Bot }
    }

    /// What the paper exchange does wrong during the fault; `None` for a fault of the bot.
    #[must_use]
    pub const fn disruption(self) -> Option<Disruption> {
        match self {
            Self::RateLimit => Some(Disruption::RateLimit),
            Self::BlindReconciliation => Some(Disruption::HideOpenOrders),
            Self::ForeignOrder => Some(Disruption::OrphanOrder),
            Self::HaltMarkets => Some(Disruption::HaltMarkets),
            Self::HangTrading | Self::NegativeCapital | Self::RemoveProfile => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The error of an unknown fault name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown fault `{name}`; known: {}", Fault::ALL.map(Fault::as_str).join(", "))]
pub struct UnknownFault {
    name: String,
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        Self::ALL
            .into_iter()
            .find(|fault| fault.as_str() == name)
            .ok_or_else(|| UnknownFault { name: name.to_owned() })
    }
}
