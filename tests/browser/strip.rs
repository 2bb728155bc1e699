//! The strip of a loop's last cycles.

use std::time::Duration;

use bot_metrics::Outcome as Ended;
use bot_metrics::labels::Subsystem;

use crate::Outcome;
use crate::plain::{opened, pass};

const STRIP: &str = "document.querySelector('[data-subsystem=trading] .beats')";

/// The numbers of green ticks and of ticks that the silence replaces.
fn ticks() -> String {
    format!(
        "[{STRIP}.querySelectorAll('[data-outcome=ok]:not([hidden])').length, {STRIP}.querySelectorAll('.beat[hidden]').length].join()"
    )
}

pub(crate) fn hanging() -> Outcome {
    let (metrics, clock, _server, browser) = opened()?;
    let trading = metrics.subsystem(Subsystem::Trading).with_max_age(Duration::from_secs(5))?;
    let cycle = || {
        trading.start().finish(Ended::Ok);
        clock.advance(Duration::from_secs(1));
        std::thread::sleep(Duration::from_millis(1_100));
    };
    (0..6).for_each(|_| cycle());
    browser.wait_until(&format!("{STRIP}?.querySelectorAll('[data-outcome=ok]').length >= 3"))?;
    assert_eq!(browser.text(&format!("{STRIP}.querySelector('.silence').hidden"))?, "true");

    let run = trading.start();
    clock.advance(Duration::from_secs(40));
    pass(&clock, &browser, "document.querySelector('[data-subsystem=trading][data-state=hung]')")?;
    let shown = browser.text(&ticks())?;
    let counts: Vec<u32> = shown.split(',').filter_map(|count| count.parse().ok()).collect();
    let [green, missing] = counts[..] else { return Err(shown.into()) };
    assert!((3..=7).contains(&green) && (38..=50).contains(&missing), "{shown}");
    let share: f64 = browser
        .text(&format!("{STRIP}.querySelector('.silence').offsetWidth / {STRIP}.offsetWidth"))?
        .parse()?;
    assert!((0.5..0.85).contains(&share), "the silence takes {share} of the strip");
    let axis = browser.text(&format!("{STRIP}.parentElement.innerText"))?;
    assert!(axis.contains("no cycle for 4"), "{axis}");
    let label = browser.text(&format!("{STRIP}.getAttribute('aria-label')"))?;
    assert!(label.starts_with("no cycle for 4") && label.contains("before, last "), "{label}");

    clock.advance(Duration::from_mins(10));
    browser.wait_until(&format!("{} === '0,60'", ticks()))?;
    run.finish(Ended::Ok);
    pass(&clock, &browser, &format!("{STRIP}.querySelector('.silence').hidden"))?;
    browser.check_for_errors()
}
