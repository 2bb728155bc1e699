//! Faults for demonstrations: they change the behaviour of the exchange or the bot, never a metric.

mod random;
mod schedule;
mod switchboard;

use std::fmt;
use std::str::FromStr;

pub use random::RandomFaults;
pub use schedule::{FaultWindow, WindowError};
pub use switchboard::Switchboard;

use crate::exchange::Disruption;

/// The component whose behaviour a fault changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// The bot: works with any exchange.
    Bot,
    /// The paper exchange, which does this wrong: needs the one in this process.
    Exchange(Disruption),
}

/// Takes one row per fault: its description, its name on the command line, its component, and the metric that shows it.
macro_rules! faults {
    ($(#[doc = $description:literal] $fault:ident: $name:literal, $component:expr, $metric:literal;)+) => {
        /// A fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $(#[doc = $description] $fault,)+
        }

        impl Fault {
            /// Every fault, in the order of its declaration.
            pub const ALL: &[Self] = &[$(Self::$fault),+];

            /// The name on the command line.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$fault => $name,)+
                }
            }

            /// What happens, in one line.
            #[must_use]
            pub fn description(self) -> &'static str {
                match self {
                    $(Self::$fault => $description.trim(),)+
                }
            }

            /// The component whose behaviour the fault changes.
            #[must_use]
            pub const fn component(self) -> Component {
                match self {
                    $(Self::$fault => $component,)+
                }
            }

            /// The metric that shows the fault first, without its namespace.
            ///
            /// ```
            /// use bot_metrics_examples::fault::Fault;
            ///
            /// assert_eq!(Fault::HangTrading.metric(), r#"subsystem_alive{subsystem="trading"}"#);
            /// ```
            #[must_use]
            pub const fn metric(self) -> &'static str {
                match self {
                    $(Self::$fault => $metric,)+
                }
            }
        }
    };
}

faults! {
    /// The trading cycle waits for an answer that never comes.
    HangTrading: "hang-trading", Component::Bot, r#"subsystem_alive{subsystem="trading"}"#;
    /// Every trading cycle ends in an error.
    FailTrading: "fail-trading", Component::Bot, r#"subsystem_runs_total{subsystem="trading",outcome="error"}"#;
    /// Every cycle of the monitor panics.
    PanicMonitor: "panic-monitor", Component::Bot, r#"subsystem_runs_total{subsystem="monitor",outcome="panic"}"#;
    /// The strategy does nothing: trading cycles succeed, but no order is placed or cancelled.
    IdleStrategy: "idle-strategy", Component::Bot, r#"operational_events_total{type="ORDER_PLACED"}"#;
    /// The exchange answers 429 with Retry-After to everything.
    RateLimit: "rate-limit", Component::Exchange(Disruption::RateLimit),
        r#"exchange_api_requests_total{outcome="rate_limited"}"#;
    /// The exchange answers 418 with Retry-After to everything: the address is banned.
    Banned: "banned", Component::Exchange(Disruption::Ban), r#"exchange_api_requests_total{outcome="banned"}"#;
    /// The exchange answers 503 to everything and executes nothing.
    ServerError: "server-error", Component::Exchange(Disruption::ServerError),
        r#"exchange_api_requests_total{outcome="server_error"}"#;
    /// The exchange answers nothing, so every call times out.
    Timeout: "timeout", Component::Exchange(Disruption::NoAnswer),
        r#"exchange_api_requests_total{outcome="timeout"}"#;
    /// The exchange accepts new orders, but its answers are lost.
    LostReply: "lost-reply", Component::Exchange(Disruption::LostReply),
        r#"operational_events_total{type="ORDER_UNKNOWN"}"#;
    /// The exchange takes seconds to accept an order.
    SlowExchange: "slow-exchange", Component::Exchange(Disruption::SlowOrders),
        r#"exchange_api_latency_seconds{operation="place_order"}"#;
    /// The clocks of bot and exchange differ, so the exchange refuses signed requests with -1021.
    ClockSkew: "clock-skew", Component::Exchange(Disruption::ClockSkew),
        r#"exchange_api_requests_total{outcome="auth"}"#;
    /// The exchange halts its markets: quotes continue, but no order is accepted.
    HaltMarkets: "halt-markets", Component::Exchange(Disruption::HaltMarkets),
        r#"subsystem_paused{subsystem="trading"}"#;
    /// The exchange's quotes stop; everything else works.
    StaleMarketData: "stale-market-data", Component::Exchange(Disruption::StopQuotes),
        "market_data_last_update_timestamp_seconds";
    /// The exchange fails to list open orders; everything else works.
    BlindReconciliation: "blind-reconciliation", Component::Exchange(Disruption::HideOpenOrders),
        r#"subsystem_runs_total{subsystem="reconciliation",outcome="server_error"}"#;
    /// One account has an open order that the bot did not place.
    OrphanOrder: "orphan-order", Component::Exchange(Disruption::OrphanOrder),
        r#"reconciliation_missing_items_count{source="db"}"#;
    /// The exchange forgets one of the bot's open orders, once.
    GhostOrder: "ghost-order", Component::Exchange(Disruption::GhostOrder),
        r#"reconciliation_mismatches_by_kind_total{kind="missing",source="exchange"}"#;
    /// One profile's allocation is cut below its holdings, so its available capital falls below zero.
    NegativeCapital: "negative-capital", Component::Bot, "capital_below_zero";
    /// One profile's allocation is cut below its holdings, although its account has free funds.
    OverAllocated: "over-allocated", Component::Bot, "profile_utilization_percent";
    /// One profile cancels its orders and is removed.
    RemoveProfile: "remove-profile", Component::Bot, "profile_utilization_percent";
}

impl Fault {
    /// What the paper exchange does wrong during the fault; `None` for a fault of the bot.
    #[must_use]
    pub const fn disruption(self) -> Option<Disruption> {
        match self.component() {
            Component::Exchange(disruption) => Some(disruption),
            Component::Bot => None,
        }
    }

    /// Every fault in one line each: its name and its description.
    ///
    /// ```
    /// let list = bot_metrics_examples::fault::Fault::list();
    /// assert!(list.starts_with("hang-trading          The trading cycle waits"));
    /// ```
    #[must_use]
    pub fn list() -> String {
        let lines = Self::ALL.iter().map(|fault| format!("{fault:<22}{}", fault.description()));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The fault whose name resembles `name` most.
    fn nearest(name: &str) -> Self {
        let resemblance = |fault: &Self| strsim::jaro_winkler(fault.as_str(), name);
        let nearest = Self::ALL.iter().max_by(|a, b| resemblance(a).total_cmp(&resemblance(b)));
        nearest.copied().unwrap_or(Self::HangTrading)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The error of an unknown fault name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown fault `{name}`; did you mean `{nearest}`? `--fault list` prints all of them")]
pub struct UnknownFault {
    name: String,
    nearest: Fault,
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        let found = Self::ALL.iter().copied().find(|fault| fault.as_str() == name);
        found.ok_or_else(|| UnknownFault { name: name.to_owned(), nearest: Self::nearest(name) })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_disruptions_are_distinct_and_every_line_fits_a_terminal() {
        let names: BTreeSet<_> = Fault::ALL.iter().map(|fault| fault.as_str()).collect();
        let disruptions: BTreeSet<_> = Fault::ALL.iter().filter_map(|fault| fault.disruption()).collect();
        let of_bot = Fault::ALL.iter().filter(|fault| fault.component() == Component::Bot).count();
        assert_eq!(names.len(), Fault::ALL.len());
        assert_eq!(disruptions.len() + of_bot, Fault::ALL.len());
        for line in Fault::list().lines() {
            assert!(line.len() <= 120, "{line}");
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        for (name, nearest) in [
            ("hang", Fault::HangTrading),
            ("hang-tradin", Fault::HangTrading),
            ("foreign-order", Fault::OrphanOrder),
            ("ban", Fault::Banned),
            ("stale-data", Fault::StaleMarketData),
            ("Timeout", Fault::Timeout),
        ] {
            let error = name.parse::<Fault>().unwrap_err();
            assert_eq!(error, UnknownFault { name: name.to_owned(), nearest });
        }
    }
}
