//! The words and figures of the page, which a reader should understand without its documentation.

use std::time::Duration;

use bot_metrics::labels::{self, EventType, Exchange, RateLimit, Severity, Subsystem};
use bot_metrics::prelude::LabelValue;
use bot_metrics::testing::{ManualClock, with_manual_clock};
use bot_metrics::{Capital, Metrics, Mode, Outcome as Ended, ReconciliationReport, Settings};
use bot_metrics_tests::paper_bot;
use libtest_mimic::Failed;
use serde_json::json;

use crate::browser::{Browser, PHONE};
use crate::charts::CARD;
use crate::{Outcome, serve};

pub(crate) fn ages() -> Outcome {
    let (metrics, server) = serve()?;
    let trading = metrics.subsystem(Subsystem::Trading);
    let browser = Browser::open(&server.url())?;
    let says = |text: &str| {
        format!("document.querySelector('[data-subsystem=trading] .age')?.textContent.startsWith('{text} ')")
    };
    browser.wait_until(&says("started"))?;
    trading.start().finish(Ended::Ok);
    browser.wait_until(&says("last success"))?;
    trading.pause("market closed");
    browser.wait_until(
        "document.querySelector('[data-subsystem=trading] .age').textContent.endsWith('no limit')",
    )?;
    trading.resume();
    browser.wait_until(&says("resumed"))?;
    trading.start().finish(Ended::Skipped);
    browser.wait_until(&says("last skip"))?;
    browser.check_for_errors()
}

/// The page is given what a bot with such names would answer.
pub(crate) fn digits() -> Outcome {
    let (_metrics, server) = serve()?;
    let browser = Browser::open(&server.url())?;
    browser.wait_until("state.status")?;
    let shown = browser.run(
        "const status = structuredClone(state.status);
         const invalid = ['fill_p50', 'fill_p99'].map((metric) => ({ metric, count: 1 }));
         showNotes({ ...status.notes, invalid_observations: invalid });
         const reasons = [0, 1, 2].map((desk) => ({
             level: 'warning', kind: 'calls_fail', exchange: `desk${desk}`, subject: 'get_order', text: `4 of 4 at desk${desk} failed`, since: null,
         }));
         showVerdict({ ...status, verdict: { level: 'warning', text: 'bad', reasons } });
         return [byId('notes').childElementCount, byId('reasons').innerText];",
    )?;
    assert_eq!(shown[0], json!(2));
    let reasons = shown[1].as_str().unwrap_or_default();
    assert!(reasons.contains("desk1") && reasons.contains("desk2"), "{reasons}");
    Ok(())
}

/// The page is given what a bot under several faults would answer, and one whose status lacks the later fields.
pub(crate) fn following() -> Outcome {
    let (metrics, server) = serve()?;
    metrics.exchange_call(Exchange::Okx, labels::Operation::PlaceOrder).start().finish(Ended::Ok);
    metrics.rate_limit(Exchange::Okx, RateLimit::Orders).set_used(1.0, 10.0);
    metrics.profile("maker").update(Capital { allocated: 10.0, ..Capital::default() });
    let browser = Browser::open(&server.url())?;
    browser.wait_until("state.status?.profiles.length === 1")?;
    let shown = browser.run(
        "const status = structuredClone(state.status);
         const reason = (subject, kind, consequences) => ({
             level: 'warning', kind, exchange: 'okx', subject, text: `${kind} ${subject}`, since: null, consequences,
         });
         const failed = ['get_order', 'get_ticker'].map((operation) => reason(operation, 'refused'));
         const reasons = ['auth', 'banned'].map((outcome) => reason(outcome, 'refused', [...failed, reason('monitor', 'failing')]));
         showVerdict({ ...status, verdict: { level: 'warning', text: 'bad', reasons } });
         const texts = [byId('consequences').innerText, byId('reasons').innerText];
         const money = moneyAnswer({ profiles: [], verdict: { reasons: [reason('place_order', 'orders_unknown')] } });
         const near = describeReading({ at: 0, quantiles: { p50: 0.004, p90: 0.005, p99: 0.2, resolution: 0.005 } });
         const refused = { ...status, operations: [], verdict: { reasons: [reason('', 'refused')] } };
         const laterFields = ['places_orders', 'recent_failed', 'recent_outcomes', 'refused_seconds', 'is_used', 'since', 'consequences',
             'resolution', 'latency_resolution', 'orders_placed', 'order_age_seconds', 'allocated'];
         const older = JSON.parse(JSON.stringify(status, (field, value) => laterFields.includes(field) ? undefined : value));
         show({ ...older, since: 0 }, true);
         return [...texts, money.level, money.text, near, exchangeAnswer(refused).level, document.body.innerText];",
    )?;
    let shown: Vec<_> = (0..7).map(|index| shown[index].as_str().unwrap_or_default()).collect();
    assert_eq!(shown[0], "failing monitor; refused get_order; refused get_ticker");
    assert_eq!(shown[1].replace('\n', " ").trim(), format!("refused banned {}", shown[0]));
    assert_eq!(shown[2..4], ["critical", "orders may be open"]);
    assert!(shown[4].contains("p50 ≤ 5 ms, p90 ≤ 5 ms, p99 200 ms"), "{}", shown[4]);
    assert_eq!(shown[5], "warning");
    for part in ["NaN", "undefined", "refuses calls", "last order"] {
        assert!(!shown[6].contains(part), "{part}: {}", shown[6]);
    }
    browser.check_for_errors()
}

/// A label enum with more operations than the history has charts.
#[derive(Clone, Copy, LabelValue)]
#[rustfmt::skip]
enum Operation { A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T, U, V, W, X, Y, Z, Aa, Bb, Cc, Dd, Ee, Ff, Gg, Hh, Ii }

impl Operation {
    #[rustfmt::skip]
    const ALL: [Self; 35] = {
        use Operation::{A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T, U, V, W, X, Y, Z, Aa, Bb, Cc, Dd, Ee, Ff, Gg, Hh, Ii};
        [A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T, U, V, W, X, Y, Z, Aa, Bb, Cc, Dd, Ee, Ff, Gg, Hh, Ii]
    };
}

pub(crate) fn left_out() -> Outcome {
    let (metrics, clock, _server, browser) = opened()?;
    for operation in Operation::ALL {
        metrics.exchange_call(Exchange::Okx, operation).start().finish(Ended::Ok);
    }
    let says = |text: &str| format!("byId('notes').innerText.includes('{text}')");
    pass(&clock, &browser, &says("3 exchange operations have no chart"))?;
    assert_eq!(browser.text("byId('notes-panel').hidden")?, "false");
    browser.check_for_errors()
}

pub(crate) fn symbols() -> Outcome {
    let (metrics, server) = serve()?;
    let browser = Browser::open(&server.url())?;
    let [bitcoin, ether] =
        ["BTCUSDT", "ETHUSDT"].map(|symbol| metrics.market_data(Exchange::Binance, symbol));
    let shown = "[...byId('market-data').children].map((entry) => entry.innerText.split(' ')[0]).join()";
    for updated in [[&bitcoin, &ether], [&ether, &bitcoin], [&bitcoin, &ether]] {
        for symbol in updated {
            std::thread::sleep(Duration::from_millis(20));
            symbol.updated();
        }
        browser.run("window.seen = state.status?.now ?? 0")?;
        browser.wait_until(
            "state.status && state.status.now > window.seen && byId('market-data').childElementCount === 2",
        )?;
        assert_eq!(browser.text(shown)?, "BTCUSDT,ETHUSDT");
    }
    browser.check_for_errors()
}

/// A bot with a manual clock, and a page that shows it.
pub(crate) fn opened() -> Result<(Metrics, ManualClock, bot_metrics::server::Server, Browser), Failed> {
    let (settings, clock) = with_manual_clock(Settings::new(Mode::Paper));
    let metrics = settings.build()?;
    let server = metrics.serve("127.0.0.1:0")?;
    let browser = Browser::open(&server.url())?;
    browser.wait_until("state.status")?;
    Ok((metrics, clock, server, browser))
}

/// Lets the time of the bot pass, a second every second or more, until the page shows something.
pub(crate) fn pass(clock: &ManualClock, browser: &Browser, expression: &str) -> Outcome {
    for _ in 0..60 {
        clock.advance(Duration::from_secs(1));
        std::thread::sleep(Duration::from_millis(1_100));
        if browser.text(&format!("Boolean({expression})"))? == "true" {
            return Ok(());
        }
    }
    Err(format!("{expression} did not become true:\n{}", browser.text("document.body.innerText")?).into())
}

pub(crate) fn stale() -> Outcome {
    let (metrics, clock, _server, browser) = opened()?;
    let capital = Capital { allocated: 1_234.5, positions: 1_000.0, ..Capital::default() };
    metrics.profile("maker").update(capital);
    metrics.market_data(Exchange::Okx, "OLD").updated();
    let call = metrics.exchange_call(Exchange::Okx, labels::Operation::PlaceOrder);
    for _ in 0..6 {
        let call = call.start();
        clock.advance(Duration::from_millis(50));
        call.finish(Ended::Ok);
        clock.advance(Duration::from_millis(950));
        std::thread::sleep(Duration::from_millis(1_100));
    }
    browser.wait_until("document.querySelector('[data-profile=maker][data-stale=no]')")?;
    let maker = browser.text("document.querySelector('[data-profile=maker]').innerText")?;
    assert!(maker.contains("available 234.50 of 1\u{202f}234.50"), "{maker}");

    clock.advance(Duration::from_secs(20));
    pass(
        &clock,
        &browser,
        "document.querySelector('[data-profile=maker][data-stale=yes] .used small')?.textContent.endsWith(' s old')",
    )?;
    metrics.market_data(Exchange::Okx, "NEW").updated();
    browser.wait_until("byId('market-data').childElementCount === 2")?;
    let symbols = "[...byId('market-data').children].map(({ innerText, dataset }) => `${innerText.split(' ')[0]} ${dataset.stale}`).join()";
    assert_eq!(browser.text(symbols)?, "OLD yes,NEW no");
    // No call ended within the window: its quantiles are those of the last step that had one.
    clock.advance(Duration::from_mins(1));
    let old = format!("[...{CARD}.querySelectorAll('.figures [data-stale=yes]')]");
    pass(&clock, &browser, &format!("{old}.length === 3"))?;
    let p50 = browser.text(&format!("{old}[0].innerText.replaceAll('\\n', ' ')"))?;
    let when = browser.text(&format!("{CARD}.querySelector('.when').innerText"))?;
    assert!(p50.starts_with("p50 ") && p50.ends_with(" ms"), "{p50}");
    assert!(when.starts_with("last call ") && when.ends_with(" s ago"), "{when}");
    browser.check_for_errors()
}

pub(crate) fn reconciliation() -> Outcome {
    let (metrics, server) = serve()?;
    let browser = Browser::open(&server.url())?;
    let is_hidden = "byId('reconciliation-panel').hidden";
    browser.wait_until(&format!("state.status && !{is_hidden}"))?;
    metrics.subsystem(Subsystem::Trading).start().finish(Ended::Ok);
    browser.wait_until(is_hidden)?;
    metrics.reconciliation().commit(ReconciliationReport::new());
    browser.wait_until(&format!("!{is_hidden} && byId('no-reconciliation').hidden"))?;
    browser.check_for_errors()
}

pub(crate) fn resolution() -> Outcome {
    let (metrics, clock, _server, browser) = opened()?;
    let trading = metrics.subsystem(Subsystem::Trading);
    let figures =
        "document.querySelector('[data-subsystem=trading] .figures')?.innerText.replaceAll('\\n', ' ') ?? ''";
    for (cycle, shown) in [(10, "p50 ≤ 100 ms p99 ≤ 100 ms"), (800, "p50 ≤ 100 ms p99 9")] {
        let run = trading.start();
        clock.advance(Duration::from_millis(cycle));
        run.finish(Ended::Ok);
        pass(&clock, &browser, &format!("({figures}).includes('{shown}')"))?;
    }
    browser.check_for_errors()
}

pub(crate) fn overdrawn() -> Outcome {
    let (metrics, clock, _server, browser) = opened()?;
    let capital = Capital { allocated: 10.0, positions: 11.0, ..Capital::default() };
    let orders = "document.querySelector('[data-profile=maker] .orders')?.textContent";
    metrics.profile("maker").update(capital);
    browser.wait_until(&format!("{orders} === 'no order recorded'"))?;
    // The first sampling dates no order.
    pass(&clock, &browser, "state.status.now > state.status.started + 4")?;
    metrics.event(Severity::Info, EventType::OrderPlaced).profile("maker").record();
    pass(
        &clock,
        &browser,
        "/still places orders, the last \\d+ s ago/.test(byId('verdict-text').textContent)",
    )?;
    assert!(browser.text(orders)?.starts_with("last order "), "{}", browser.text(orders)?);
    browser.check_for_errors()
}

pub(crate) fn refused() -> Outcome {
    let (metrics, clock, _server, browser) = opened()?;
    let weight = metrics.rate_limit(Exchange::Okx, RateLimit::RequestWeight);
    weight.set_used(6.0, 100.0);
    let meter = "document.querySelector('.meter')?.innerText.replaceAll('\\n', ' ')";
    browser.wait_until(&format!(
        "{meter} === 'limit of okx: request weight 6 % used, as the exchange counts'"
    ))?;
    pass(&clock, &browser, "state.status.window_seconds !== null")?;
    metrics.exchange_call(Exchange::Okx, labels::Operation::GetOrder).start().finish(Ended::RateLimited);
    pass(
        &clock,
        &browser,
        &format!("/counts; it refused calls in the last .* nevertheless$/.test({meter})"),
    )?;
    weight.set_refused_for(Duration::from_secs(30));
    browser
        .wait_until(&format!("/counts; it refuses calls until \\d+:\\d+:\\d+, for 30 s$/.test({meter})"))?;
    assert_eq!(browser.text("document.querySelector('.meter').dataset.risk")?, "high");
    let text = browser.text("byId('verdict-text').textContent")?;
    assert!(text.contains("rate limited for 30 s more"), "{text}");
    browser.check_for_errors()
}

pub(crate) fn beginning() -> Outcome {
    let (metrics, clock, _server, browser) = opened()?;
    let capital = |positions| Capital { allocated: 10.0, positions, ..Capital::default() };
    metrics.profile("over").update(Capital { reported_available: Some(1.0), ..capital(12.0) });
    clock.advance(Duration::from_secs(10));
    metrics.profile("broke").update(capital(11.0));
    clock.advance(Duration::from_secs(30));
    browser.wait_until("byId('verdict').dataset.level === 'critical'")?;
    let local = |offset: f64| browser.text(&format!("formatTime(state.status.now - {offset})"));
    let [broke, over] = [local(30.0)?, local(40.0)?];
    assert_eq!(browser.text("byId('verdict-since').innerText")?, format!("since {broke}, 30 s"));
    let reasons = browser.text("byId('reasons').innerText")?;
    assert_eq!(reasons, format!("over uses 120 % of its allocated capital since {over}, 40 s"));
    browser.check_for_errors()
}

pub(crate) fn first_screen() -> Outcome {
    let bot = paper_bot::start(&[]);
    let browser = Browser::start()?;
    browser.show(PHONE)?;
    browser.goto(bot.url())?;
    browser.wait_until("document.querySelectorAll('[data-answer]').length === 4 && document.querySelectorAll('.profile').length === 2")?;
    browser
        .wait_until("/ orders.s$/.test(document.querySelector('[data-answer=Trading] strong').innerText)")?;
    let answers = browser.text("byId('glance').innerText.replaceAll('\\n', ' ')")?;
    for part in ["Trading", "3 of 3 fresh", "all calls served", "none below zero"] {
        assert!(answers.contains(part), "{answers}");
    }
    let lowest = "Math.max(...[...document.querySelectorAll('#glance, .light')].map((element) => element.getBoundingClientRect().bottom))";
    let lowest: f64 = browser.text(lowest)?.parse()?;
    assert!(
        lowest <= f64::from(PHONE.height),
        "the first screen ends at {}, the lights at {lowest}",
        PHONE.height
    );
    browser.check_for_errors()
}
