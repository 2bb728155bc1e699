//! The limits of new orders: how many an account may place within seconds and within a day.

use std::time::Duration;

use super::refusal::Refusal;

/// A limit of new orders, with the words that Binance has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderLimit {
    /// The length of its window.
    pub window: Duration,
    /// The orders of one account that are allowed in a window.
    pub most: u32,
    /// The unit of the window in `exchangeInfo`.
    pub(super) interval: &'static str,
    /// The window in that unit.
    pub(super) interval_num: u32,
    /// The header with the orders placed in the current window.
    pub(super) header: &'static str,
}

/// Four times Binance's limits, as with [`WEIGHT_LIMIT`](super::WEIGHT_LIMIT).
pub const ORDER_LIMITS: [OrderLimit; 2] = [
    OrderLimit {
        window: Duration::from_secs(10),
        most: 400,
        interval: "SECOND",
        interval_num: 10,
        header: "x-mbx-order-count-10s",
    },
    OrderLimit {
        window: Duration::from_hours(24),
        most: 800_000,
        interval: "DAY",
        interval_num: 1,
        header: "x-mbx-order-count-1d",
    },
];

/// Counts the accepted orders of one account.
#[derive(Debug, Default)]
pub struct OrderCounts {
    /// For each limit the number of the current window, and the orders in it.
    windows: [(u64, u32); ORDER_LIMITS.len()],
}

impl OrderCounts {
    /// Checks whether the account may place an order at `now`.
    ///
    /// # Errors
    /// [`Refusal::TooManyOrders`] at a limit.
    pub fn check(&mut self, now: Duration) -> Result<(), Refusal> {
        self.advance(now);
        for (limit, (_, used)) in ORDER_LIMITS.iter().zip(self.windows) {
            if used >= limit.most {
                let (most, interval_num, interval) = (limit.most, limit.interval_num, limit.interval);
                return Err(Refusal::TooManyOrders { most, interval_num, interval });
            }
        }
        Ok(())
    }

    /// Counts an order that was accepted at `now`, and returns the count of each limit's current window.
    pub fn accepted(&mut self, now: Duration) -> [u32; ORDER_LIMITS.len()] {
        self.advance(now);
        self.windows.each_mut().map(|(_, used)| {
            *used = used.saturating_add(1);
            *used
        })
    }

    fn advance(&mut self, now: Duration) {
        for (limit, window) in ORDER_LIMITS.iter().zip(&mut self.windows) {
            let current = now.as_secs() / limit.window.as_secs();
            if window.0 != current {
                *window = (current, 0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Duration = Duration::from_hours(484_140);

    #[test]
    fn each_window_holds_its_limit_and_the_next_starts_over() {
        let mut counts = OrderCounts::default();
        let [short, day] = ORDER_LIMITS;
        for count in 1..=short.most {
            assert_eq!(counts.check(NOON), Ok(()));
            assert_eq!(counts.accepted(NOON), [count; 2]);
        }
        let refusal = counts.check(NOON + Duration::from_secs(9)).unwrap_err();
        assert_eq!(refusal.code(), -1015);
        assert_eq!(refusal.to_string(), "Too many new orders; current limit is 400 orders per 10 SECOND.");
        let mut now = NOON + short.window;
        assert_eq!(counts.accepted(now), [1, short.most + 1], "the day goes on");
        for _ in 0..day.most - short.most - 1 {
            now += Duration::from_millis(50);
            counts.accepted(now);
        }
        assert_eq!(
            counts.check(now + short.window).unwrap_err().to_string(),
            "Too many new orders; current limit is 800000 orders per 1 DAY."
        );
        assert_eq!(counts.check(NOON + day.window), Ok(()));
    }
}
