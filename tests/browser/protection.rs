//! The pages of a bot that trades live money.

use bot_metrics::{Mode, Settings};
use serde_json::json;

use crate::Outcome;
use crate::browser::Browser;

pub(crate) fn live_in_development() -> Outcome {
    let metrics = Settings::new(Mode::Live).build()?;
    let server = metrics.serve("127.0.0.1:0")?;
    let browser = Browser::open(&server.url())?;
    browser.wait_until("state.status && !byId('live-in-development').hidden")?;
    let alarm = browser.text("byId('live-in-development').innerText")?;
    assert!(alarm.contains("Live money in a development environment"), "{alarm}");
    let colour = browser.text("getComputedStyle(byId('live-in-development')).backgroundColor")?;
    assert_eq!(colour, "rgb(179, 70, 0)");
    assert_eq!(browser.text("byId('banner').innerText")?, "DEVELOPMENT, LIVE money");

    let (_paper, server) = crate::serve()?;
    browser.goto(&server.url())?;
    browser.wait_until("state.status")?;
    assert_eq!(browser.text("byId('live-in-development').hidden")?, "true");
    assert_eq!(browser.text("byId('banner').innerText")?, "DEVELOPMENT, paper money");
    browser.check_for_errors()
}

/// A proxy on the bot's machine, as which the browser poses here, does not make its clients local ones.
pub(crate) fn explanation() -> Outcome {
    let metrics = Settings::new(Mode::Live).build()?;
    let server = metrics.serve("127.0.0.1:0")?;
    let browser = Browser::start()?;
    browser.cdp("Network.enable", json!({}))?;
    browser.cdp("Network.setExtraHTTPHeaders", json!({ "headers": { "X-Forwarded-For": "203.0.113.9" } }))?;
    let port = server.local_addr().port();
    for page in ["", "/catalogue"] {
        browser.goto(&format!("{}{page}", server.url()))?;
        let text = browser.text("document.body.innerText")?;
        for way in [
            &format!("ssh -N -L {port}:localhost:{port} USER@127.0.0.1"),
            "METRICS_WEB_CONFIG",
            "trust_clients",
        ] {
            assert!(text.contains(way), "{way}\n{text}");
        }
    }
    let status = browser.run("return fetch('/status.json').then((answer) => answer.status)")?;
    assert_eq!(status, json!(403));
    Ok(())
}
