//! The charts: the reader moves along them by keys. What they draw is tested in `drawn`.

use std::time::Duration;

use bot_metrics::labels::{Exchange, Operation};
use bot_metrics::server::Server;
use bot_metrics::testing::{ManualClock, with_manual_clock};
use bot_metrics::{ExchangeCallHandle, Metrics, Mode, Outcome as Ended, Settings};
use libtest_mimic::Failed;
use thirtyfour::Key;

use crate::Outcome;
use crate::browser::Browser;

pub(crate) const CARD: &str = "document.querySelector('[data-operation=place_order]')";
/// The length of a step of the history.
pub(crate) const STEP: Duration = Duration::from_secs(5);

/// Calls of a step: their outcome, their duration in milliseconds, and their number.
pub(crate) type Calls<'a> = &'a [(Ended, u64, u32)];

/// A page that shows a bot with a manual clock.
pub(crate) struct Charted {
    pub(crate) browser: Browser,
    pub(crate) server: Server,
    metrics: Metrics,
    clock: ManualClock,
    operation: ExchangeCallHandle,
}

impl Charted {
    /// The page after the first step, before which one call has ended.
    pub(crate) fn open() -> Result<Self, Failed> {
        let (settings, clock) = with_manual_clock(Settings::new(Mode::Paper));
        let metrics = settings.build()?;
        let operation = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
        operation.start().finish(Ended::Ok);
        let server = metrics.serve("127.0.0.1:0")?;
        let browser = Browser::open(&server.url())?;
        browser.wait_until(&format!("{CARD}?.parts.charts.calls"))?;
        let charted = Self { browser, server, metrics, clock, operation };
        // The first sampling only begins a step, and it is not known when that is.
        for _ in 0..10 {
            charted.clock.advance(STEP);
            std::thread::sleep(Duration::from_millis(2_500));
            if charted.browser.text(&charted.has_newest())? == "true" {
                return Ok(charted);
            }
        }
        Err("the server does not sample the bot".into())
    }

    /// Makes these calls, which must take less than 4 s, so that no earlier sampling ends a step; then waits until the
    /// charts have the step.
    pub(crate) fn step(&self, calls: Calls<'_>) -> Outcome {
        let mut left = STEP;
        for &(outcome, ms, number) in calls {
            for _ in 0..number {
                let call = self.operation.start();
                self.clock.advance(Duration::from_millis(ms));
                left -= Duration::from_millis(ms);
                call.finish(outcome);
            }
        }
        self.clock.advance(left);
        self.browser.wait_until(&self.has_newest())
    }

    /// Whether the charts have a step that ends at the time of the bot.
    fn has_newest(&self) -> String {
        let now = self.metrics.status().now;
        format!("Math.abs({CARD}.parts.charts.calls.data[0].at(-1) - {now}) < 0.01")
    }
}

pub(crate) fn keys() -> Outcome {
    let charted = Charted::open()?;
    charted.step(&[(Ended::Ok, 20, 50), (Ended::Rejected, 20, 10)])?;
    charted.step(&[(Ended::Ok, 60, 20)])?;
    let browser = &charted.browser;
    browser.run(&format!("{CARD}.querySelector('.charts').focus()"))?;
    let value = || browser.text(&format!("{CARD}.querySelector('.charts').getAttribute('aria-valuetext')"));
    let shown = || browser.text(&format!("{CARD}.querySelector('.heading').innerText"));
    assert!(shown()?.contains("last "), "{}", shown()?);
    let row = || browser.text(&format!("{CARD}.parts.charts.row"));
    browser.press(Key::Home)?;
    assert_eq!(row()?, "0");
    browser.press(Key::End)?;
    let last: usize = row()?.parse()?;
    let newest = value()?;
    assert!(newest.contains("p50 ") && newest.ends_with("; 4/s ok"), "{newest}");
    browser.press(Key::Left)?;
    assert_eq!(row()?, (last - 1).to_string());
    assert!(value()?.ends_with("; 10/s ok, 2/s rejected, not authorised"), "{}", value()?);
    assert!(shown()?.contains("at "), "{}", shown()?);
    // The figures are those of that step.
    let figures =
        browser.text(&format!("{CARD}.querySelector('.figures').innerText.replace(/\\s+/g, ' ')"))?;
    let p50 = browser.text(&format!("formatDuration({CARD}.parts.charts.latency.data[1].at(-2))"))?;
    assert!(figures.contains(&format!("calls 12/s p50 {p50} ")), "{figures}");
    browser.press(Key::Escape)?;
    assert!(shown()?.contains("last "), "{}", shown()?);
    browser.check_for_errors()
}
