//! The faults that are active, shared by the exchange and the bot.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::{Fault, FaultWindow};

/// Switches faults on and off. Clones share the state.
#[derive(Debug, Clone)]
pub struct Switchboard {
    /// The number of active windows per fault: overlapping windows of one fault must not end each other.
    open: Arc<watch::Sender<[u32; Fault::ALL.len()]>>,
}

impl Default for Switchboard {
    fn default() -> Self {
        Self { open: Arc::new(watch::Sender::default()) }
    }
}

impl Switchboard {
    /// Whether `fault` is active.
    #[must_use]
    pub fn is_on(&self, fault: Fault) -> bool {
        self.open.borrow()[fault as usize] > 0
    }

    /// Begins `fault`; every call must be matched by an [`end`](Self::end).
    pub fn begin(&self, fault: Fault) {
        self.open.send_modify(|open| open[fault as usize] += 1);
    }

    /// Ends one [`begin`](Self::begin).
    pub fn end(&self, fault: Fault) {
        self.open.send_modify(|open| open[fault as usize] = open[fault as usize].saturating_sub(1));
    }

    /// Returns once `fault` is on (`true`) or off (`false`); at once if it already is.
    pub async fn until(&self, fault: Fault, on: bool) {
        let mut open = self.open.subscribe();
        // `self` owns the sender, so the channel cannot close during the wait.
        let _ = open.wait_for(|open| (open[fault as usize] > 0) == on).await;
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

    #[test]
    fn overlapping_windows_keep_a_fault_on_until_the_last_ends() {
        let board = Switchboard::default();
        board.begin(Fault::RateLimit);
        board.begin(Fault::RateLimit);
        board.end(Fault::RateLimit);
        assert!(board.is_on(Fault::RateLimit));
        assert!(!board.is_on(Fault::HangTrading));
        board.end(Fault::RateLimit);
        assert!(!board.is_on(Fault::RateLimit));
        board.end(Fault::RateLimit);
        board.begin(Fault::RateLimit);
        assert!(board.is_on(Fault::RateLimit), "a surplus end must not cancel the next beginning");
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
