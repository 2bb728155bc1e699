//! A bot that no longer answers.

use bot_metrics::labels::{EventType, Severity};
use bot_metrics::{Mode, Settings};
use bot_metrics_tests::paper_bot;

use crate::Outcome;
use crate::browser::Browser;

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
