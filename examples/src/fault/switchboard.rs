//! The faults that are active, shared by the exchange and the bot.

use tokio::time::{Instant, sleep, sleep_until};

use super::{Fault, FaultWindow};
use crate::exchange::Disruptions;
use crate::switches::Switches;

/// Switches faults on and off. Clones share the state.
#[derive(Debug, Clone, Default)]
pub struct Switchboard {
    faults: Switches<Fault>,
    exchange: Disruptions,
}

impl Switchboard {
    /// What the paper exchange does wrong, for its settings.
    #[must_use]
    pub fn disruptions(&self) -> Disruptions {
        self.exchange.clone()
    }

    /// Whether `fault` is active.
    #[must_use]
    pub fn is_on(&self, fault: Fault) -> bool {
        self.faults.is_on(fault)
    }

    /// Begins `fault`; every call must be matched by an [`end`](Self::end).
    pub fn begin(&self, fault: Fault) {
        self.faults.begin(fault);
        if let Some(disruption) = fault.disruption() {
            self.exchange.begin(disruption);
        }
    }

    /// Ends one [`begin`](Self::begin).
    pub fn end(&self, fault: Fault) {
        self.faults.end(fault);
        if let Some(disruption) = fault.disruption() {
            self.exchange.end(disruption);
        }
    }

    /// Returns once `fault` is on (`true`) or off (`false`); at once if it already is.
    pub async fn until(&self, fault: Fault, on: bool) {
        self.faults.until(fault, on).await;
    }

    /// Runs one window, counted from `start`, and calls `announce` when the fault begins (`true`) and ends (`false`).
    pub async fn play(&self, window: FaultWindow, start: Instant, announce: impl Fn(Fault, bool)) {
        sleep_until(start + window.after).await;
        self.begin(window.fault);
        announce(window.fault, true);
        if let Some(lasts) = window.lasts {
            sleep(lasts).await;
            self.end(window.fault);
            announce(window.fault, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::exchange::Disruption;

    #[test]
    fn a_fault_of_the_exchange_is_its_disruption() {
        let board = Switchboard::default();
        let disruptions = board.disruptions();
        board.begin(Fault::HaltMarkets);
        assert!(board.is_on(Fault::HaltMarkets) && disruptions.is_on(Disruption::HaltMarkets));
        board.end(Fault::HaltMarkets);
        assert!(!board.is_on(Fault::HaltMarkets) && !disruptions.is_on(Disruption::HaltMarkets));
    }

    #[tokio::test]
    async fn a_window_is_run_to_its_end() {
        let board = Switchboard::default();
        let window = "hang-trading@20ms+40ms".parse().unwrap();
        let player = tokio::spawn({
            let board = board.clone();
            async move { board.play(window, Instant::now(), |_, _| ()).await }
        });
        assert!(!board.is_on(Fault::HangTrading));
        timeout(Duration::from_secs(5), board.until(Fault::HangTrading, true)).await.unwrap();
        timeout(Duration::from_secs(5), board.until(Fault::HangTrading, false)).await.unwrap();
        player.await.unwrap();
        assert!(!board.is_on(Fault::HangTrading));
    }
}
