//! The traffic lights of the loops, and the risk.

use std::time::Duration;

use bot_metrics::labels::{Exchange, RateLimit, Subsystem};
use bot_metrics::{Capital, Outcome as Ended};

use crate::browser::Browser;
use crate::{Outcome, serve};

const LIMIT: Duration = Duration::from_secs(1);

fn is_in(subsystem: &str, state: &str) -> String {
    format!("document.querySelector('[data-subsystem={subsystem}][data-state={state}]')")
}

/// The red, green and blue parts of the colour of a loop's light.
fn light(browser: &Browser, subsystem: &str) -> Result<Vec<u32>, libtest_mimic::Failed> {
    let colour = browser.text(&format!(
        "getComputedStyle(document.querySelector('[data-subsystem={subsystem}] .light .shape')).color"
    ))?;
    let parts = colour.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok());
    Ok(parts.collect())
}

pub(crate) fn hung() -> Outcome {
    let (metrics, server) = serve()?;
    let trading = metrics.subsystem(Subsystem::Trading).with_max_age(LIMIT)?;
    let browser = Browser::open(&server.url())?;
    // A limit of a second is soon over on a busy machine, so the loop runs until its light is seen.
    let run_until = |expression: &str| -> Outcome {
        while browser.text(&format!("Boolean({expression})"))? != "true" {
            trading.start().finish(Ended::Ok);
        }
        Ok(())
    };
    run_until(&is_in("trading", "fresh"))?;
    let green = light(&browser, "trading")?;
    assert!(green[1] > green[0] && green[1] > green[2], "not green: {green:?}");

    let run = trading.start();
    browser.wait_until(&is_in("trading", "hung"))?;
    let red = light(&browser, "trading")?;
    assert!(red[0] > 2 * red[1] && red[0] > 2 * red[2], "not red: {red:?}");
    assert_eq!(browser.text("document.querySelector('[data-subsystem=trading] .state').innerText")?, "hung");
    browser.wait_until("byId('verdict').dataset.level === 'critical'")?;
    browser.wait_until("/trading.*hang/i.test(byId('verdict-text').innerText)")?;
    browser.wait_until("/running for/.test(document.querySelector('[data-subsystem=trading]').innerText)")?;

    run.finish(Ended::Ok);
    run_until(&is_in("trading", "fresh"))?;
    assert_eq!(light(&browser, "trading")?, green);
    browser.check_for_errors()
}

pub(crate) fn states() -> Outcome {
    let (metrics, server) = serve()?;
    let [trading, monitor, reconciliation] =
        [Subsystem::Trading, Subsystem::Monitor, Subsystem::Reconciliation]
            .map(|subsystem| metrics.subsystem(subsystem));
    let browser = Browser::open(&server.url())?;
    browser.wait_until(&is_in("trading", "waiting"))?;
    trading.start().finish(Ended::Error);
    browser.wait_until(&is_in("trading", "failing"))?;
    monitor.pause("market <b>closed</b>");
    browser.wait_until(&is_in("monitor", "paused"))?;
    let text = browser.text("document.querySelector('[data-subsystem=monitor]').innerText")?;
    assert!(text.contains("paused: market <b>closed</b>"), "{text}");
    reconciliation.start().finish(Ended::Ok);
    browser.wait_until(&is_in("reconciliation", "fresh"))?;
    let words = "[...document.querySelectorAll('.loop')].map((loop) => loop.querySelector('.state').innerText).join()";
    let mut shown: Vec<_> = browser.text(words)?.split(',').map(str::to_owned).collect();
    shown.sort();
    assert_eq!(shown, ["failing", "fresh", "paused"]);
    browser.check_for_errors()
}

pub(crate) fn risk() -> Outcome {
    let (metrics, server) = serve()?;
    let maker = metrics.profile("maker");
    let half = Capital { allocated: 100.0, positions: 50.0, ..Capital::default() };
    maker.update(half);
    metrics.profile("idle").update(Capital { positions: 1.0, ..Capital::default() });
    metrics.rate_limit(Exchange::Binance, RateLimit::Requests).set_used(95.0, 100.0);
    let browser = Browser::open(&server.url())?;
    let maker_has =
        |text: &str| format!("document.querySelector('[data-profile=maker]').innerText.includes('{text}')");
    browser
        .wait_until(&format!("document.querySelector('[data-profile=maker]') && {}", maker_has("50.0 %")))?;
    assert!(
        !browser.text("document.querySelector('[data-profile=maker]').innerText")?.contains("below zero\n")
    );
    browser.wait_until("document.querySelector('[data-profile=idle]').innerText.includes('∞ %')")?;
    browser.wait_until("document.querySelector('.meter[data-risk=high]').innerText.includes('95 %')")?;

    maker.update(Capital { open_orders: 92.0, ..half });
    browser.wait_until("document.querySelector('[data-profile=maker][data-risk=high]')")?;
    for text in ["142.0 %", "capital below zero", "fell below zero once"] {
        browser.wait_until(&maker_has(text))?;
    }
    // The bar reaches beyond the line of 100 %.
    browser.wait_until(
        "document.querySelector('[data-profile=maker] .bar-fill').getBoundingClientRect().right
            > document.querySelector('[data-profile=maker] .limit-line').getBoundingClientRect().right",
    )?;
    maker.update(half);
    browser.wait_until("document.querySelector('[data-profile=maker][data-risk=normal]')")?;
    browser.wait_until(&maker_has("fell below zero once"))?;
    browser.check_for_errors()
}
