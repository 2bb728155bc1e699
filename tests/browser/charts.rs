//! The numbers that the charts draw.

use std::thread;
use std::time::{Duration, Instant};

use bot_metrics::labels::{Exchange, Operation};
use bot_metrics::server::Server;
use bot_metrics::testing::Samples;
use bot_metrics::{Metrics, Outcome as Ended};
use libtest_mimic::Failed;
use thirtyfour::Key;

use crate::browser::Browser;
use crate::{Outcome, serve};

const CARD: &str = "document.querySelector('[data-operation=place_order]')";
/// A step of the history lasts 5 s.
const CALLING: Duration = Duration::from_secs(11);

/// Makes calls of some milliseconds, every fifth of which is rejected, until `CALLING` is over.
fn call(metrics: &Metrics) {
    let operation = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    let start = Instant::now();
    for number in 1.. {
        if start.elapsed() > CALLING {
            break;
        }
        let call = operation.start();
        thread::sleep(Duration::from_millis(30));
        call.finish(if number % 5 == 0 { Ended::Rejected } else { Ended::Ok });
    }
}

/// A browser whose charts have all calls of `call`.
fn opened() -> Result<(Metrics, Server, Browser), Failed> {
    let (metrics, server) = serve()?;
    let _ = metrics.exchange_call(Exchange::Binance, Operation::PlaceOrder);
    let browser = Browser::open(&server.url())?;
    call(&metrics);
    browser.wait_until(&format!("{CARD}?.parts.charts.calls?.data[0].length >= 2"))?;
    // The step in which the calls ended is over when the one after it has begun.
    browser.wait_until(&format!("{CARD}.parts.charts.calls.data.at(-1).at(-1) === 0"))?;
    Ok((metrics, server, browser))
}

/// Rows of what a chart draws; a gap has no number.
fn drawn(browser: &Browser, chart: &str) -> Result<Vec<Vec<Option<f64>>>, Failed> {
    let data = browser.run(&format!("return {CARD}.parts.charts.{chart}.data"))?;
    Ok(serde_json::from_value(data)?)
}

pub(crate) fn numbers() -> Outcome {
    let (metrics, _server, browser) = opened()?;
    let samples = Samples::of(&metrics);
    let exported = |outcome| {
        let labels = [("operation", "place_order"), ("outcome", outcome)];
        samples.value("bytelyst_bot_exchange_api_requests_total", &labels).unwrap_or_default()
    };

    let calls = drawn(&browser, "calls")?;
    let seconds: Vec<Option<f64>> = serde_json::from_value(browser.run("return state.history.seconds")?)?;
    let counted = |stack: &[Option<f64>]| -> f64 {
        stack.iter().zip(&seconds).filter_map(|(rate, seconds)| Some((*rate)? * (*seconds)?)).sum()
    };
    // The stacks from the highest to the lowest; each includes those after it, and has a bar where its own kind occurred.
    let [_, bot, exchange, refused, limited, ok] = &calls[..] else {
        return Err(format!("{} series", calls.len()).into());
    };
    let all: Vec<_> = refused.iter().zip(ok).map(|(refused, ok)| refused.or(*ok)).collect();
    assert_eq!(counted(&all).round(), exported("ok") + exported("rejected"));
    assert_eq!(counted(ok).round(), exported("ok"));
    assert!(exported("rejected") > 0.0);
    assert!([bot, exchange, limited].into_iter().flatten().all(Option::is_none), "{calls:?}");

    let (lowest, highest) = buckets(&samples);
    let latency = drawn(&browser, "latency")?;
    let shown: Vec<f64> = latency[1..].iter().flatten().copied().flatten().collect();
    assert!(!shown.is_empty() && shown.iter().all(|shown| (lowest..=highest).contains(shown)), "{shown:?}");
    ink(&browser)?;
    browser.check_for_errors()
}

/// The bounds of the buckets in which all calls of the exposition are.
fn buckets(samples: &Samples) -> (f64, f64) {
    let name = "bytelyst_bot_exchange_api_latency_seconds_bucket";
    let mut buckets: Vec<(f64, f64)> = samples
        .iter()
        .filter(|(series, _)| series.name == name && series.labels["operation"] == "place_order")
        .map(|(series, count)| (series.labels["le"].parse().unwrap_or(f64::INFINITY), count))
        .collect();
    buckets.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let most = buckets.iter().fold(0.0, |most: f64, (_, count)| most.max(*count));
    let below = buckets.iter().rev().find(|(_, count)| *count == 0.0).map_or(0.0, |(bound, _)| *bound);
    let above = buckets.iter().find(|(_, count)| *count == most).map_or(0.0, |(bound, _)| *bound);
    (below, above)
}

/// The bar of the step with the most calls has the colour of its outcome, up to its height and no further.
fn ink(browser: &Browser) -> Outcome {
    let script = format!(
        "const chart = {CARD}.parts.charts.calls;
         const [times, , , all, , ok] = chart.data;
         const row = all.indexOf(Math.max(...all));
         const x = Math.round(chart.valToPos(times[row], 'x', true)) - 2;
         const pixel = (value) => [...chart.ctx.getImageData(x, Math.round(chart.valToPos(value, 'y', true)), 1, 1).data];
         const hex = (part) => part.toString(16).padStart(2, '0');
         const colour = ([red, green, blue]) => '#' + hex(red) + hex(green) + hex(blue);
         return [colour(pixel(ok[row] / 2)), colour(pixel((ok[row] + all[row]) / 2)), pixel(all[row] * 1.04)[3]];"
    );
    let found = browser.run(&script)?;
    let [ok, refused] = ["ok", "refused"].map(|kind| browser.text(&format!("colour('outcome-{kind}')")));
    assert_eq!(found, serde_json::json!([ok?, refused?, 0]));
    Ok(())
}

pub(crate) fn keys() -> Outcome {
    let (_metrics, _server, browser) = opened()?;
    browser.run(&format!("{CARD}.querySelector('.charts').focus()"))?;
    let value = || browser.text(&format!("{CARD}.querySelector('.charts').getAttribute('aria-valuetext')"));
    let shown = || browser.text(&format!("{CARD}.querySelector('.heading').innerText"));
    assert!(shown()?.contains("last "), "{}", shown()?);
    browser.press(Key::Home)?;
    let first = value()?;
    assert!(first.contains("p50 ") && first.contains("/s ok"), "{first}");
    let row = "{CARD}.parts.charts.row".replace("{CARD}", CARD);
    assert_eq!(browser.text(&row)?, "0");
    browser.press(Key::Right)?;
    assert_eq!(browser.text(&row)?, "1");
    assert!(value()? != first && shown()?.contains("at "), "{}", shown()?);
    // The figures are those of that step.
    let figures =
        browser.text(&format!("{CARD}.querySelector('.figures').innerText.replace(/\\s+/g, ' ')"))?;
    let p50 = browser.text(&format!("formatDuration({CARD}.parts.charts.latency.data[1][1])"))?;
    assert!(figures.contains(&format!("p50 {p50}")), "{figures}");
    browser.press(Key::Escape)?;
    assert!(shown()?.contains("last "), "{}", shown()?);
    browser.check_for_errors()
}
