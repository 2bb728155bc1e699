//! The request-weight limit: the weight of each call, the limit per minute, and the ban after repeated violations.

use std::time::Duration;

use axum::http::Method;

use super::refusal::Refusal;

const WINDOW: Duration = Duration::from_mins(1);

/// The weight allowed per minute: four times Binance's 6,000, since a replay at the default speed of 10 makes a bot
/// send more requests.
pub const WEIGHT_LIMIT: u32 = 24_000;

/// The number of refused requests before the address is banned.
const FORGIVEN: u32 = 50;

/// Binance's shortest and longest ban. Each ban is twice as long as the one before.
const BAN: Duration = Duration::from_mins(2);
const LONGEST_BAN: Duration = Duration::from_hours(72);

/// The time after the end of a ban without another one until the next ban is again the shortest.
const PROBATION: Duration = Duration::from_hours(24);

/// Counts the weight of all requests; there is only one loopback address, hence one counter.
#[derive(Debug)]
pub struct WeightMeter {
    limit: u32,
    minute: u64,
    used: u32,
    refused: u32,
    bans: u32,
    banned_until: Duration,
}

impl WeightMeter {
    /// A meter that allows `limit` per minute.
    #[must_use]
    pub const fn new(limit: u32) -> Self {
        Self { limit, minute: 0, used: 0, refused: 0, bans: 0, banned_until: Duration::ZERO }
    }

    /// Charges a request that arrives at `now` and returns the weight used in this minute.
    ///
    /// # Errors
    /// [`Refusal::TooManyRequests`] over the limit, [`Refusal::Banned`] if requests continue.
    pub fn charge(&mut self, weight: u32, now: Duration) -> Result<u32, Refusal> {
        let minute = now.as_secs() / WINDOW.as_secs();
        if minute != self.minute {
            (self.minute, self.used, self.refused) = (minute, 0, 0);
        }
        if let Some(retry_after) = self.banned_until.checked_sub(now).filter(|left| !left.is_zero()) {
            return Err(Refusal::Banned { retry_after });
        }
        self.used = self.used.saturating_add(weight);
        if self.used <= self.limit {
            return Ok(self.used);
        }
        self.refused += 1;
        if self.refused > FORGIVEN {
            if now > self.banned_until + PROBATION {
                self.bans = 0;
            }
            let retry_after = BAN.saturating_mul(2_u32.saturating_pow(self.bans)).min(LONGEST_BAN);
            self.bans += 1;
            self.banned_until = now + retry_after;
            return Err(Refusal::Banned { retry_after });
        }
        let retry_after = Duration::from_secs((minute + 1) * WINDOW.as_secs()).saturating_sub(now);
        Err(Refusal::TooManyRequests { retry_after })
    }

    /// The weight used in the current minute.
    #[must_use]
    pub const fn used(&self) -> u32 {
        self.used
    }
}

/// Binance's weight of a call.
#[must_use]
pub fn weight_of(method: &Method, path: &str, has_symbol: bool) -> u32 {
    match (method, path, has_symbol) {
        (
            &Method::GET,
            "/api/v3/exchangeInfo" | "/api/v3/account" | "/api/v3/allOrders" | "/api/v3/myTrades",
            _,
        ) => 20,
        (&Method::GET, "/api/v3/openOrders", false) => 80,
        (&Method::GET, "/api/v3/openOrders", true) => 6,
        (&Method::GET, "/api/v3/depth", _) => 5,
        (&Method::GET, "/api/v3/order", _) | (&Method::GET, "/api/v3/ticker/bookTicker", false) => 4,
        (&Method::GET, "/api/v3/ticker/bookTicker", true) => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Duration = Duration::from_hours(484_140);

    #[test]
    fn a_minute_holds_its_limit_and_the_next_starts_over() {
        let mut meter = WeightMeter::new(100);
        assert_eq!(meter.charge(60, NOON), Ok(60));
        assert_eq!(meter.charge(40, NOON + Duration::from_secs(1)), Ok(100));
        let late = NOON + Duration::from_millis(59_500);
        let retry_after = Duration::from_millis(500);
        assert_eq!(meter.charge(1, late), Err(Refusal::TooManyRequests { retry_after }));
        assert_eq!(meter.charge(7, NOON + WINDOW), Ok(7));
    }

    #[test]
    fn repeated_violations_are_banned_and_the_ban_ends() {
        let mut meter = WeightMeter::new(0);
        for _ in 0..FORGIVEN {
            assert!(matches!(meter.charge(1, NOON), Err(Refusal::TooManyRequests { .. })));
        }
        assert_eq!(meter.charge(1, NOON), Err(Refusal::Banned { retry_after: BAN }));
        let retry_after = Duration::from_secs(1);
        assert_eq!(
            meter.charge(0, NOON + BAN.saturating_sub(retry_after)),
            Err(Refusal::Banned { retry_after })
        );
        assert_eq!(meter.charge(0, NOON + BAN), Ok(0));
        assert_eq!(next_ban(&mut meter, NOON + BAN), BAN * 2, "longer");
    }

    #[test]
    fn a_day_after_the_last_ban_the_next_is_short_again() {
        let mut meter = WeightMeter::new(0);
        let mut now = NOON;
        for expected in [BAN, BAN * 2, BAN * 4] {
            let ban = next_ban(&mut meter, now);
            assert_eq!(ban, expected);
            now += ban;
        }
        assert_eq!(next_ban(&mut meter, now + PROBATION + Duration::from_secs(1)), BAN);
    }

    /// Sends requests over the limit until they are banned.
    fn next_ban(meter: &mut WeightMeter, now: Duration) -> Duration {
        for _ in 0..FORGIVEN {
            assert!(matches!(meter.charge(1, now), Err(Refusal::TooManyRequests { .. })));
        }
        match meter.charge(1, now) {
            Err(Refusal::Banned { retry_after }) => retry_after,
            other => panic!("not banned: {other:?}"),
        }
    }
}
