//! The page for every reader: with the keyboard alone, with a screen reader, on a phone.

use std::path::PathBuf;
use std::time::Duration;

use bot_metrics::labels::{EventType, Exchange, Operation, Severity, Subsystem};
use bot_metrics::{Capital, Metrics, Mode, Outcome as Ended, Settings};
use bot_metrics_tests::{paper_bot, workspace};
use serde_json::{Value, json};
use thirtyfour::Key;

use crate::browser::{Browser, DESKTOP, PHONE};
use crate::{Outcome, serve};

/// Something in every part of the page, some of it bad.
fn fill(metrics: &Metrics) {
    metrics.subsystem(Subsystem::Trading).start().finish(Ended::Ok);
    metrics.subsystem(Subsystem::Monitor).start().finish(Ended::Error);
    metrics.subsystem(Subsystem::Reconciliation).pause("market closed");
    metrics.profile("maker").update(Capital { allocated: 1.0, positions: 2.0, ..Capital::default() });
    metrics.profile("taker").update(Capital { allocated: 1.0, ..Capital::default() });
    for (operation, outcome) in [(Operation::PlaceOrder, Ended::Ok), (Operation::GetTicker, Ended::Timeout)] {
        metrics.exchange_call(Exchange::Binance, operation).start().finish(outcome);
    }
    metrics.market_data(Exchange::Binance, "BTCUSDT").updated();
    for severity in [Severity::Info, Severity::Warning, Severity::Error, Severity::Critical] {
        metrics.event(severity, EventType::CircuitBreaker).text("it happened").record();
    }
}

const IS_SHOWN: &str = "document.querySelectorAll('#events tr').length === 4 && document.querySelectorAll('.charts canvas').length === 4";

pub(crate) fn filter() -> Outcome {
    let (metrics, server) = serve()?;
    fill(&metrics);
    let browser = Browser::open(&server.url())?;
    browser.wait_until(IS_SHOWN)?;
    browser.run("document.querySelector('button[data-severity=INFO]').focus()")?;
    browser.press(Key::Space)?;
    browser.wait_until("document.querySelectorAll('#events tr').length === 3")?;
    let pressed = "document.querySelector('button[data-severity=INFO]').getAttribute('aria-pressed')";
    assert_eq!(browser.text(pressed)?, "false");
    assert!(!browser.text("byId('events').innerText")?.contains("INFO"));
    // It stays so with later answers.
    for severity in [Severity::Info, Severity::Error] {
        metrics.event(severity, EventType::Started).text("later").record();
    }
    browser.wait_until("document.querySelectorAll('#events tr').length === 4")?;
    assert!(!browser.text("byId('events').innerText")?.contains("INFO"));
    browser.press(Key::Enter)?;
    browser.wait_until("document.querySelectorAll('#events tr').length === 6")?;
    browser.check_for_errors()
}

pub(crate) fn keyboard() -> Outcome {
    let (metrics, server) = serve()?;
    fill(&metrics);
    let browser = Browser::open(&server.url())?;
    browser.wait_until(IS_SHOWN)?;
    let expected: usize = browser
        .text("[...document.querySelectorAll('a[href], button, input, [tabindex=\"0\"]')].filter((element) => element.checkVisibility()).length")?
        .parse()?;
    browser.run("window.reached = new Set()")?;
    for _ in 0..expected {
        browser.press(Key::Tab)?;
        let is_visible = browser.run(
            "const element = document.activeElement;
             window.reached.add(element);
             return element !== document.body && getComputedStyle(element).outlineStyle !== 'none';",
        )?;
        let focused = browser.text("document.activeElement.outerHTML.slice(0, 120)")?;
        assert_eq!(is_visible, json!(true), "no visible focus: {focused}");
    }
    assert_eq!(browser.text("window.reached.size")?, expected.to_string());
    browser.check_for_errors()
}

pub(crate) fn announcement() -> Outcome {
    let (metrics, server) = serve()?;
    let trading = metrics.subsystem(Subsystem::Trading).with_max_age(Duration::from_secs(2))?;
    let browser = Browser::open(&server.url())?;
    browser.wait_until("byId('announcement').textContent")?;
    browser.run(
        "window.spoken = [];
         new MutationObserver(() => window.spoken.push(byId('announcement').textContent))
             .observe(byId('announcement'), {childList: true, characterData: true, subtree: true});",
    )?;
    let _run = trading.start();
    browser.wait_until("window.spoken.some((text) => /hang/.test(text))")?;
    // Its text counts the seconds, which are no news.
    let text = browser.text("byId('verdict-text').textContent")?;
    browser.wait_until(&format!("byId('verdict-text').textContent !== {}", json!(text)))?;
    browser.wait_until(&format!("byId('verdict-text').textContent !== {}", json!(text)))?;
    assert_eq!(browser.text("window.spoken.filter((text) => /hang/.test(text)).length")?, "1");
    assert_eq!(browser.text("byId('announcement').getAttribute('aria-live')")?, "polite");
    browser.check_for_errors()
}

/// Chromium's measure: the moved part of the window times the distance, summed up. At most 0.1 counts as good.
pub(crate) fn steady() -> Outcome {
    let bot = paper_bot::start(&["--duration", "60s"]);
    let browser = Browser::open(bot.url())?;
    browser.wait_until("document.querySelectorAll('.charts canvas').length >= 4 && document.querySelector('.beat[data-outcome=ok]')")?;
    browser.run("window.shift = 0; window.began = state.status.sequence")?;
    browser.wait_until("state.history.sequence.length >= 3 && state.status.sequence >= window.began + 8")?;
    let shift: f64 = serde_json::from_value(browser.run("return window.shift")?)?;
    assert!(shift < 0.02, "the layout moves by {shift}");
    browser.check_for_errors()
}

pub(crate) fn phone() -> Outcome {
    let (metrics, server) = serve()?;
    fill(&metrics);
    let browser = Browser::start()?;
    browser.show(PHONE)?;
    for page in ["", "/catalogue"] {
        browser.goto(&format!("{}{page}", server.url()))?;
        let is_shown = if page.is_empty() { IS_SHOWN } else { "document.querySelector('#families tr')" };
        browser.wait_until(is_shown)?;
        let width: u32 = browser.text("document.documentElement.scrollWidth")?.parse()?;
        assert_eq!(width, PHONE.width, "the page is wider than the phone");
        browser.check_for_errors()?;
    }
    Ok(())
}

pub(crate) fn empty() -> Outcome {
    let (_metrics, server) = serve()?;
    let browser = Browser::open(&server.url())?;
    browser.wait_until("state.status")?;
    let text = browser.text("document.body.innerText")?;
    for hint in [
        "#[timed_subsystem]",
        "#[capital_check]",
        "#[reconciliation]",
        "#[exchange_call]",
        "No event with a text",
    ] {
        assert!(text.contains(hint), "{hint}\n{text}");
    }
    assert_eq!(browser.text("byId('verdict').dataset.level")?, "waiting");
    browser.check_for_errors()
}

/// The source of axe-core, which finds faults of accessibility.
pub(crate) fn axe_core() -> Option<PathBuf> {
    let path = workspace::root().join("target/axe-core/package/axe.min.js");
    path.exists().then_some(path)
}

pub(crate) fn axe() -> Outcome {
    let source = std::fs::read_to_string(axe_core().ok_or("axe-core is gone")?)?;
    let (metrics, server) = serve()?;
    fill(&metrics);
    let live = Settings::new(Mode::Live).build()?;
    fill(&live);
    let live_server = live.serve("127.0.0.1:0")?;
    let browser = Browser::start()?;
    for scheme in ["light", "dark"] {
        browser.prefer(scheme)?;
        for window in [DESKTOP, PHONE] {
            browser.show(window)?;
            for (url, is_shown) in [
                (server.url(), IS_SHOWN),
                (live_server.url(), IS_SHOWN),
                (server.url() + "/catalogue", "document.querySelector('#families tr')"),
            ] {
                browser.goto(&url)?;
                browser.wait_until(is_shown)?;
                // Not as an element of the page, which its policy would block.
                browser.cdp("Runtime.evaluate", json!({ "expression": source }))?;
                let check = json!({
                    "expression": "axe.run().then((result) => result.violations.map(({id, impact, nodes}) =>
                        [id, impact, nodes.map(({html, any}) => [html, any.map(({message}) => message)])]))",
                    "awaitPromise": true,
                    "returnByValue": true,
                });
                let found = browser.cdp("Runtime.evaluate", check)?;
                let found =
                    found.pointer("/result/value").and_then(Value::as_array).ok_or("axe has no result")?;
                assert!(found.is_empty(), "{url} in the {scheme}: {found:#?}");
            }
        }
    }
    Ok(())
}
