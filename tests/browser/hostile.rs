//! Texts that would be HTML or a script if the page let them.

use bot_metrics::labels::{EventType, Exchange, Severity, Subsystem};
use bot_metrics::{Capital, Mode, Settings};
use serde_json::json;

use crate::Outcome;
use crate::browser::Browser;

const SCRIPT: &str = "<script>window.owned = 1</script>";
const IMAGE: &str = "<img src=x onerror=window.owned=1>";
const CLOSING: &str = "</script><b id=owned>\"'&amp;`";

pub(crate) fn texts() -> Outcome {
    let metrics = Settings::new(Mode::Paper).app(SCRIPT).version(IMAGE).revision(CLOSING).build()?;
    let server = metrics.serve("127.0.0.1:0")?;
    for (profile, symbol, text) in
        [(SCRIPT, IMAGE, CLOSING), (IMAGE, CLOSING, SCRIPT), (CLOSING, SCRIPT, IMAGE)]
    {
        metrics.profile(profile).update(Capital { allocated: 1.0, ..Capital::default() });
        metrics
            .event(Severity::Error, EventType::OrderRejected)
            .profile(profile)
            .symbol(symbol)
            .text(text)
            .record();
        metrics.market_data(Exchange::Binance, symbol).updated();
    }
    metrics.subsystem(Subsystem::Trading).pause(SCRIPT);
    let browser = Browser::open(&server.url())?;
    browser.wait_until("document.querySelectorAll('#events tr').length === 3")?;
    assert_eq!(browser.text("byId('app').textContent")?, SCRIPT);
    let text = browser.text("document.body.innerText")?;
    for hostile in [SCRIPT, IMAGE, CLOSING] {
        let event = format!(
            "[...document.querySelectorAll('#events td')].filter((cell) => cell.textContent === {}).length",
            json!(hostile)
        );
        assert_eq!(browser.text(&event)?, "3", "{hostile}");
        assert!(text.contains(hostile), "{hostile}\n{text}");
    }
    let made = "document.querySelectorAll('img, #owned, b, script:not([nonce])').length + Number('owned' in window && !(window.owned instanceof Element))";
    assert_eq!(browser.text(made)?, "0");
    browser.check_for_errors()
}

/// The other tests find no violation; this one shows that they would.
pub(crate) fn policy() -> Outcome {
    let (_metrics, server) = crate::serve()?;
    let browser = Browser::open(&server.url())?;
    browser.wait_until("state.status")?;
    browser.check_for_errors()?;
    browser.run(
        "const script = document.createElement('script');
         script.textContent = 'window.owned = 1';
         document.body.append(script);
         const image = document.createElement('img');
         image.src = 'http://example.com/x.png';
         document.body.append(image);
         document.body.setAttribute('onclick', 'window.owned = 1');
         document.body.click();",
    )?;
    browser.wait_until("window.violations.length >= 3")?;
    assert_eq!(browser.text("'owned' in window")?, "false");
    assert!(browser.check_for_errors().is_err());
    Ok(())
}
