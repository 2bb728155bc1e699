//! The table of annotated functions, for which this process has some.

use std::io;

use bot_metrics::labels;
use bot_metrics::{Mode, Settings, exchange_call};

use crate::Outcome;
use crate::browser::Browser;

#[exchange_call(op = "get_ticker", exchange = "kraken")]
fn called_function() -> Result<(), io::Error> {
    Ok(())
}

#[exchange_call(op = "get_trades", exchange = "kraken")]
fn uncalled_function() -> Result<(), io::Error> {
    Ok(())
}

pub(crate) fn search() -> Outcome {
    let metrics = Settings::new(Mode::Paper).install()?;
    let server = metrics.serve("127.0.0.1:0")?;
    called_function()?;
    // The compiler does not know that it is live.
    if !metrics.settings().is_paper() {
        uncalled_function()?;
    }
    let browser = Browser::open(&format!("{}/catalogue", server.url()))?;
    browser.wait_until("document.querySelectorAll('#functions tr').length >= 2")?;
    let row = |name: &str| {
        browser.text(&format!(
            "[...document.querySelectorAll('#functions tr')].find((row) => row.innerText.includes('{name}')).innerText"
        ))
    };
    let called = row("catalogue::called_function").or_else(|_| row("called_function"))?;
    assert!(called.contains("catalogue.rs:") && called.contains("kraken"), "{called}");
    let uncalled = row("uncalled_function")?;
    assert!(uncalled.contains("never called since start"), "{uncalled}");

    browser.run("const search = byId('search'); search.focus(); search.value = 'UNCALLED kraken'; search.dispatchEvent(new Event('input'))")?;
    assert_eq!(browser.text("document.querySelectorAll('#functions tr').length")?, "1");
    browser.run("const search = byId('search'); search.value = ''; search.dispatchEvent(new Event('input')); byId('only-uncalled').click()")?;
    let shown = browser.text("byId('functions').innerText")?;
    assert!(shown.contains("uncalled_function") && !shown.contains(" called_function"), "{shown}");
    browser.check_for_errors()
}
