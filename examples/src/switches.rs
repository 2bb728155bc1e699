//! Switches that several owners can hold on at the same time.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

/// A set of switches, one per value of `S`; all are off at first. Clones share the state.
#[derive(Debug, Clone)]
pub struct Switches<S> {
    /// The number of owners that hold each switch on: two that overlap must not end each other.
    holders: Arc<watch::Sender<BTreeMap<S, u32>>>,
}

impl<S> Default for Switches<S> {
    fn default() -> Self {
        Self { holders: Arc::new(watch::Sender::new(BTreeMap::new())) }
    }
}

impl<S: Copy + Ord> Switches<S> {
    /// Whether `switch` is on.
    #[must_use]
    pub fn is_on(&self, switch: S) -> bool {
        self.holders.borrow().contains_key(&switch)
    }

    /// Switches `switch` on; every call must be matched by an [`end`](Self::end).
    pub fn begin(&self, switch: S) {
        self.holders.send_modify(|holders| *holders.entry(switch).or_default() += 1);
    }

    /// Ends one [`begin`](Self::begin).
    pub fn end(&self, switch: S) {
        self.holders.send_modify(|holders| {
            if let Some(count) = holders.get_mut(&switch) {
                *count -= 1;
            }
            holders.retain(|_, count| *count > 0);
        });
    }

    /// Returns once `switch` is on (`true`) or off (`false`); at once if it already is.
    pub async fn until(&self, switch: S, on: bool) {
        let mut holders = self.holders.subscribe();
        // `self` owns the sender, so the channel cannot close during the wait.
        let _ = holders.wait_for(|holders| holders.contains_key(&switch) == on).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_owners_keep_a_switch_on_until_the_last_ends() {
        let switches = Switches::default();
        switches.begin('a');
        switches.begin('a');
        switches.end('a');
        assert!(switches.is_on('a'));
        assert!(!switches.is_on('b'));
        switches.end('a');
        assert!(!switches.is_on('a'));
        switches.end('a');
        switches.begin('a');
        assert!(switches.is_on('a'), "a surplus end must not cancel the next beginning");
    }
}
