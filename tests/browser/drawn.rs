//! The numbers that the charts draw, compared with those of `/metrics`.

use bot_metrics::Outcome as Ended;
use bot_metrics::testing::Samples;
use libtest_mimic::Failed;
use serde_json::json;

use crate::Outcome;
use crate::browser::{Browser, Window};
use crate::charts::{CARD, Calls, Charted, STEP};

/// The kinds of outcomes, from the bottom of a bar to its top.
const KINDS: [&[&str]; 5] = [
    &["ok"],
    &["rate_limited", "banned"],
    &["rejected", "auth"],
    &["server_error", "timeout", "transport", "decode"],
    &["cancelled", "panic", "error"],
];

const CALLS: [Calls<'static>; 4] = [
    &[(Ended::Ok, 3, 60), (Ended::Ok, 40, 30), (Ended::Ok, 180, 9), (Ended::Rejected, 20, 25)],
    &[
        (Ended::Ok, 8, 20),
        (Ended::RateLimited, 20, 9),
        (Ended::Rejected, 20, 9),
        (Ended::Timeout, 90, 9),
        (Ended::Error, 90, 9),
    ],
    &[],
    &[(Ended::Banned, 1, 4), (Ended::Auth, 2, 3), (Ended::Decode, 300, 2), (Ended::Cancelled, 30, 5)],
];

/// Wide enough for bars that do not touch each other.
const WIDE: Window = Window { width: 6_000, height: 900, is_phone: false };

pub(crate) fn numbers() -> Outcome {
    let charted = Charted::open()?;
    let (browser, url) = (&charted.browser, charted.server.url());
    let mut before = scraped(&url)?;
    for calls in CALLS {
        charted.step(calls)?;
        let after = scraped(&url)?;
        compare(browser, &before, &after)?;
        before = after;
    }
    browser.show(WIDE)?;
    browser
        .run("document.body.style.maxWidth = 'none'; byId('operations').style.gridTemplateColumns = '1fr'")?;
    browser.wait_until(&format!("{CARD}.parts.charts.calls.width > 5_000"))?;
    // The drawing follows within a frame.
    browser.run("return new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 100)))")?;
    for row in [-4, -3, -1] {
        ink(browser, row)?;
    }
    browser.check_for_errors()
}

fn scraped(url: &str) -> Result<Samples, Failed> {
    let page = ureq::get(format!("{url}/metrics")).call()?.body_mut().read_to_string()?;
    Ok(Samples::parse(&page)?)
}

/// The newest step of the charts has what `/metrics` counted between two scrapes.
fn compare(browser: &Browser, before: &Samples, after: &Samples) -> Outcome {
    let name = "bytelyst_bot_exchange_api_requests_total";
    let counted = |samples: &Samples, outcome: &&str| samples.sum(name, &[("outcome", outcome)]);
    let mut stacked = 0.0;
    let stack = |(index, outcomes): (usize, &&[&str])| {
        let grown: f64 =
            outcomes.iter().map(|outcome| counted(after, outcome) - counted(before, outcome)).sum();
        stacked += grown / STEP.as_secs_f64();
        // Only the lowest kind has a bar without calls, of no height.
        (grown > 0.0 || index == 0).then_some(stacked)
    };
    let expected: Vec<_> = KINDS.iter().enumerate().map(stack).collect();
    let drawn: Vec<_> = newest(browser, "calls")?.into_iter().rev().collect();
    assert_same(&drawn, &expected, |_| 1e-9);

    let buckets = buckets(before, after);
    let expected = [0.5, 0.9, 0.99].map(|part| quantile(part, &buckets));
    // A resolution of 1 ms, or of two digits.
    assert_same(&newest(browser, "latency")?, &expected, |seconds| {
        if seconds < 0.01 { seconds * 0.05 } else { 0.000_51 }
    });
    Ok(())
}

/// The newest row of a chart, without its time; a gap has no number.
fn newest(browser: &Browser, chart: &str) -> Result<Vec<Option<f64>>, Failed> {
    let row = browser
        .run(&format!("return {CARD}.parts.charts.{chart}.data.slice(1).map((column) => column.at(-1))"))?;
    Ok(serde_json::from_value(row)?)
}

#[track_caller]
fn assert_same(drawn: &[Option<f64>], expected: &[Option<f64>], tolerance: impl Fn(f64) -> f64) {
    let is_same = |(drawn, expected): (&Option<f64>, &Option<f64>)| match (drawn, expected) {
        (Some(drawn), Some(expected)) => (drawn - expected).abs() <= tolerance(*expected),
        (None, None) => true,
        _ => false,
    };
    assert!(
        drawn.len() == expected.len() && drawn.iter().zip(expected).all(is_same),
        "{drawn:?} is drawn, {expected:?} expected"
    );
}

/// The upper bounds of the latency's buckets, each with the number of calls up to it, between two scrapes.
fn buckets(before: &Samples, after: &Samples) -> Vec<(f64, f64)> {
    let name = "bytelyst_bot_exchange_api_latency_seconds_bucket";
    let all = after.matching(name, &[("operation", "place_order")]);
    let mut buckets: Vec<_> = all
        .map(|(series, count)| {
            let bound = &*series.labels["le"];
            (bound.parse().unwrap_or(f64::INFINITY), count - before.sum(name, &[("le", bound)]))
        })
        .collect();
    buckets.sort_by(|(one, _): &(f64, f64), (other, _)| one.total_cmp(other));
    buckets
}

/// As `histogram_quantile` computes it.
fn quantile(part: f64, buckets: &[(f64, f64)]) -> Option<f64> {
    let rank = part * buckets.last().map(|(_, all)| *all).filter(|all| *all > 0.0)?;
    let index = buckets.iter().position(|(_, count)| *count >= rank)?;
    let (lower, below) = index.checked_sub(1).map_or((0.0, 0.0), |previous| buckets[previous]);
    let (upper, count) = buckets[index];
    Some(lower + (upper - lower) * (rank - below) / (count - below))
}

/// The bar of a step has the colour of each kind of outcome up to its height and none above, and the line of the median
/// has its colour at its height.
fn ink(browser: &Browser, row: i32) -> Outcome {
    let script = format!(
        "const {{ calls, latency }} = {CARD}.parts.charts;
         const hex = ([red, green, blue]) => '#' + [red, green, blue].map((part) => part.toString(16).padStart(2, '0')).join('');
         const pixel = (chart, x, y) => [...chart.ctx.getImageData(x, Math.round(y), 1, 1).data];
         const x = Math.round(calls.valToPos(calls.data[0].at({row}), 'x', true)) - 5;
         const stacks = calls.data.slice(1).map((column) => column.at({row})).reverse();
         const wrong = [];
         let below = 0;
         stacks.forEach((stack, index) => {{
             if (stack === null || stack === below) return;
             const found = hex(pixel(calls, x, calls.valToPos((below + stack) / 2, 'y', true)));
             const wanted = colour('outcome-' + OUTCOME_KINDS[index].kind);
             if (found !== wanted) wrong.push([OUTCOME_KINDS[index].kind, found, wanted]);
             below = stack;
         }});
         if (pixel(calls, x, calls.valToPos(below, 'y', true) - 3)[3] !== 0) wrong.push('above the bar');
         const at = [latency.valToPos(latency.data[0].at({row}), 'x', true), latency.valToPos(latency.data[1].at({row}), 'y', true)];
         const near = [-1, 0, 1].flatMap((x) => [-2, -1, 0, 1, 2].map((y) => hex(pixel(latency, Math.round(at[0]) + x, at[1] + y))));
         if (!near.includes(colour('latency'))) wrong.push(['latency', near]);
         return wrong;"
    );
    assert_eq!(browser.run(&script)?, json!([]), "row {row}");
    Ok(())
}
