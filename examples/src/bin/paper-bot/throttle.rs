//! The exchange's limits as the bot observes them. They count by address, so all clients share one throttle.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bot_metrics::{ErrorClass, RateLimitHandle};

use crate::api::ApiError;
use crate::error::BotError;
use crate::journal::Event;

/// The last known state of the exchange's limits.
#[derive(Debug)]
pub(crate) struct Throttle {
    weight: RateLimitHandle,
    hold: Mutex<Option<Hold>>,
    /// 0 until the exchange has sent its limit.
    weight_limit: AtomicU32,
}

/// A pause that the exchange asked for.
#[derive(Debug, Clone, Copy)]
struct Hold {
    until: Instant,
    /// The class of the answer.
    class: ErrorClass,
}

impl Throttle {
    /// A throttle without known limits, which records its updates in the gauge.
    pub(crate) fn new(weight: RateLimitHandle) -> Self {
        Self { weight, hold: Mutex::default(), weight_limit: AtomicU32::new(0) }
    }

    /// Whether a request may be sent now.
    pub(crate) fn admit(&self) -> Result<(), BotError> {
        self.hold().map_or(Ok(()), |(left, class)| Err(BotError::HeldBack { left, class }))
    }

    /// The rest of the wait that the exchange asked for; `None` when it is over.
    pub(crate) fn left(&self) -> Option<Duration> {
        self.hold().map(|(left, _)| left)
    }

    fn hold(&self) -> Option<(Duration, ErrorClass)> {
        let hold = (*self.hold.lock().unwrap_or_else(PoisonError::into_inner))?;
        let left = hold.until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some((left, hold.class))
    }

    /// Sends a request unless the exchange asked for a pause, and reports a failure.
    pub(crate) async fn call<T>(
        &self,
        request: impl Future<Output = Result<T, ApiError>>,
        tell: impl FnOnce(Event),
    ) -> Result<T, BotError> {
        self.admit()?;
        request.await.map_err(|error| {
            if let Some(event) = Event::of_failed_call(&error) {
                tell(event);
            }
            error.into()
        })
    }

    /// Stops sending for as long as the exchange asked; the longest wait counts.
    pub(crate) fn hold_back(&self, retry_after: Duration, class: ErrorClass) {
        self.weight.set_refused_for(retry_after);
        let until = Instant::now() + retry_after;
        let mut hold = self.hold.lock().unwrap_or_else(PoisonError::into_inner);
        if hold.is_none_or(|hold| hold.until < until) {
            *hold = Some(Hold { until, class });
        }
    }

    /// The exchange's own count of the weight used in this minute.
    pub(crate) fn note_used_weight(&self, used: u32) {
        let limit = self.weight_limit.load(Ordering::Relaxed);
        if limit > 0 {
            self.weight.set_used(used.into(), limit.into());
        }
    }

    /// Sets the weight allowed per minute.
    pub(crate) fn set_weight_limit(&self, limit: u32) {
        self.weight_limit.store(limit, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use bot_metrics::labels::{Exchange, RateLimit};
    use bot_metrics::{Mode, Settings, assert_metric};

    use super::*;

    fn throttle() -> Throttle {
        let metrics = Settings::new(Mode::Paper).build().unwrap();
        Throttle::new(metrics.rate_limit(Exchange::Paper, RateLimit::RequestWeight))
    }

    #[test]
    fn the_longest_wait_counts() {
        let throttle = throttle();
        assert!(throttle.admit().is_ok());
        throttle.hold_back(Duration::from_mins(1), ErrorClass::Banned);
        throttle.hold_back(Duration::from_millis(1), ErrorClass::RateLimited);
        let Err(BotError::HeldBack { left, class }) = throttle.admit() else { panic!("not held back") };
        assert!(left > Duration::from_secs(50), "{left:?}");
        assert_eq!(class, ErrorClass::Banned, "a pause has the class of the answer that asked for it");
    }

    #[test]
    fn the_status_says_for_how_long_the_exchange_refuses_requests() {
        let metrics = Settings::new(Mode::Paper).build().unwrap();
        let throttle = Throttle::new(metrics.rate_limit(Exchange::Paper, RateLimit::RequestWeight));
        throttle.hold_back(Duration::from_mins(1), ErrorClass::RateLimited);
        let limits = metrics.status().rate_limits;
        assert!(limits[0].refused_seconds.is_some_and(|rest| rest > 50.0), "{limits:?}");
    }

    #[test]
    fn a_wait_ends() {
        let throttle = throttle();
        throttle.hold_back(Duration::from_millis(5), ErrorClass::RateLimited);
        assert!(throttle.admit().is_err());
        std::thread::sleep(Duration::from_millis(6));
        assert!(throttle.admit().is_ok());
    }

    #[test]
    fn the_ratio_needs_a_limit_and_is_updated_by_the_next_answer() {
        let metrics = Settings::new(Mode::Paper).build().unwrap();
        let throttle = Throttle::new(metrics.rate_limit(Exchange::Paper, RateLimit::RequestWeight));
        throttle.note_used_weight(600);
        let ratio = "bytelyst_bot_exchange_rate_limit_used_ratio{exchange='paper'}";
        assert_metric!(metrics, ratio, bot_metrics::testing::ABSENT);
        throttle.set_weight_limit(2_400);
        throttle.note_used_weight(1_200);
        assert_metric!(metrics, ratio, 0.5);
    }
}
