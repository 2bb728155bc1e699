//! A bot that no longer answers.

use std::time::Duration;

use bot_metrics::labels::{EventType, Severity};
use bot_metrics::testing::with_manual_clock;
use bot_metrics::{Mode, Settings};
use bot_metrics_tests::paper_bot;
use serde_json::json;

use crate::browser::Browser;
use crate::{Outcome, serve};

/// Notes when the page says that the bot is lost, by its own clock, which does not depend on when the test looks.
const WATCH: &str = "
    window.lost = null;
    new MutationObserver(() => {
        if (byId('verdict').dataset.level === 'lost') window.lost ??= performance.now() - state.answeredAt;
    }).observe(byId('verdict'), {attributes: true});";

pub(crate) fn stopped() -> Outcome {
    let mut bot = paper_bot::start(&[]);
    let browser = Browser::open(bot.url())?;
    browser.wait_until("state.status && byId('verdict').dataset.level !== 'unknown'")?;
    browser.run(WATCH)?;
    // A bot whose process does not run accepts connections, and never answers.
    bot.signal(libc::SIGSTOP);
    announced(&browser)?;
    bot.signal(libc::SIGCONT);
    browser.wait_until(
        "byId('verdict').dataset.level !== 'lost' && !document.body.classList.contains('lost')",
    )?;

    browser.run(WATCH)?;
    assert!(bot.terminate().status.success());
    announced(&browser)?;
    browser.check_for_errors()
}

/// The bot stopped after its last answer, so that the time since then is at least that since it stopped.
fn announced(browser: &Browser) -> Outcome {
    browser.wait_until("window.lost !== null")?;
    let silence: f64 = serde_json::from_value(browser.run("return window.lost")?)?;
    assert!(silence < 3_000.0, "it was announced after {silence} ms");
    let text = browser.text("byId('verdict').innerText")?;
    assert!(text.starts_with("The bot does not answer since "), "{text}");
    assert!(text.contains("last known state"), "{text}");
    let spoken = browser.text("byId('announcement').textContent")?;
    assert!(spoken.starts_with("The bot does not answer since "), "{spoken}");
    Ok(())
}

/// A browser stops a page that is hidden for long.
pub(crate) fn stopped_page() -> Outcome {
    let (_metrics, server) = serve()?;
    let browser = Browser::open(&server.url())?;
    browser.wait_until("state.status && byId('verdict').dataset.level !== 'unknown'")?;
    browser.run(WATCH)?;
    for _ in 0..3 {
        browser.cdp("Page.setWebLifecycleState", json!({ "state": "frozen" }))?;
        // Not a multiple of the interval between two questions.
        std::thread::sleep(Duration::from_millis(5_300));
        browser.cdp("Page.setWebLifecycleState", json!({ "state": "active" }))?;
        browser.run("window.awoke = performance.now()")?;
        browser.wait_until("state.answeredAt > window.awoke")?;
        assert_eq!(browser.run("return window.lost")?, json!(null));
    }
    // The bot's death is announced all the same.
    drop(server);
    announced(&browser)?;
    browser.check_for_errors()
}

/// Lets the clocks of the page jump by eight hours, as on a machine that slept: on some systems both, on others the wall
/// clock alone. The machine of the test cannot sleep.
const SLEEP: &str = "
    window.realFetch = window.fetch;
    const slept = { steady: 0, wall: 0 };
    const [steady, wall] = [performance.now.bind(performance), Date.now];
    performance.now = () => steady() + slept.steady;
    Date.now = () => wall() + slept.wall;
    window.sleep = (isSteadyClockRunning) => {
        const duration = 8 * 3600 * 1000;
        slept.wall += duration;
        if (isSteadyClockRunning) slept.steady += duration;
        window.awoke = performance.now();
    };
    // The last question before the sleep fails.
    window.failAndSleep = (isSteadyClockRunning) => {
        window.fetch = () => {
            window.fetch = window.realFetch;
            setTimeout(() => window.sleep(isSteadyClockRunning));
            return Promise.reject(new TypeError('offline'));
        };
    };";

pub(crate) fn slept() -> Outcome {
    let (_metrics, server) = serve()?;
    let browser = Browser::open(&server.url())?;
    browser.wait_until("state.status && byId('verdict').dataset.level !== 'unknown'")?;
    browser.run(WATCH)?;
    browser.run(SLEEP)?;
    for falls_asleep in ["sleep(true)", "sleep(false)", "failAndSleep(true)", "failAndSleep(false)"] {
        browser.run(&format!("window.awoke = null; window.{falls_asleep}"))?;
        browser.wait_until("window.awoke !== null && state.answeredAt > window.awoke")?;
        assert_eq!(browser.run("return window.lost")?, json!(null), "{falls_asleep}");
    }
    // A network that is not there yet is a silence since then, not since before the sleep.
    for steady in ["true", "false"] {
        browser.run(&format!(
            "window.fetch = () => Promise.reject(new TypeError('offline')); window.sleep({steady})"
        ))?;
        browser.wait_until("byId('verdict').dataset.level === 'lost'")?;
        let text = browser.text("byId('verdict-text').textContent")?;
        let seconds: Option<f64> =
            text.rsplit(", for ").next().and_then(|age| age.strip_suffix(" s")?.parse().ok());
        assert!(seconds.is_some_and(|seconds| seconds < 60.0), "{text}");
        let began = browser.text("formatTime(Date.now() / 1000 - silenceSeconds())")?;
        assert!(text.contains(&began[..5]), "{text}, and not {began}");
        browser.run("window.fetch = window.realFetch")?;
        browser.wait_until("byId('verdict').dataset.level !== 'lost'")?;
    }
    Ok(())
}

pub(crate) fn clock_set() -> Outcome {
    let (settings, clock) = with_manual_clock(Settings::new(Mode::Paper));
    let metrics = settings.build()?;
    let server = metrics.serve("127.0.0.1:0")?;
    let event = |text: &str| metrics.event(Severity::Info, EventType::Started).text(text).record();
    let has = |text: &str| format!("byId('events').innerText.includes('{text}')");
    event("before");
    let browser = Browser::open(&server.url())?;
    browser.wait_until(&has("before"))?;
    // Once the event is settled, later answers leave it out.
    clock.advance(Duration::from_secs(5));
    browser.wait_until("state.status.sequence > 0")?;
    browser.run("window.started = state.status.started")?;
    for hours in [1, -1] {
        let now: f64 = serde_json::from_value(browser.run("return state.status.now")?)?;
        clock.set_wall(Duration::from_secs_f64(now + 3_600.0 * f64::from(hours)));
        clock.advance(Duration::from_secs(5));
        browser.wait_until("Math.abs(state.status.started - window.started) > 3000 || window.hasMoved")?;
        browser.run("window.hasMoved = true")?;
        event(&format!("after {hours}"));
        browser.wait_until(&has(&format!("after {hours}")))?;
        assert_eq!(browser.text(&has("before"))?, "true", "after {hours}");
    }
    let rows = "state.history.at.length > 0 && state.history.at.every((at, row, all) => row === 0 || at > all[row - 1])";
    browser.wait_until(rows)?;
    browser.check_for_errors()
}

pub(crate) fn restarted() -> Outcome {
    let start = |address: &str, text: &str| -> Result<_, libtest_mimic::Failed> {
        let metrics = Settings::new(Mode::Paper).build()?;
        metrics.event(Severity::Info, EventType::Started).text(text).record();
        let server = metrics.serve(address)?;
        Ok((metrics, server))
    };
    let has = |text: &str| format!("byId('events').innerText.includes('{text}')");
    let (metrics, server) = start("127.0.0.1:0", "the first bot")?;
    let address = server.local_addr();
    let browser = Browser::open(&server.url())?;
    browser.wait_until(&has("the first bot"))?;
    drop((metrics, server));
    let _second = start(&address.to_string(), "the second bot")?;
    browser.wait_until(&has("the second bot"))?;
    assert_eq!(browser.text(&has("the first bot"))?, "false");
    browser.check_for_errors()
}
