//! A bot that is restarted.

use bot_metrics_tests::paper_bot::start_at;

use crate::Outcome;
use crate::process::free_port;
use crate::prometheus::Prometheus;

const VIOLATIONS: &str = "bytelyst_bot_capital_invariant_violations_total{profile_id=\"maker-tight\"}";
const PROFILES: [&str; 2] = ["maker-tight", "maker-wide"];

/// Two processes in sequence under one target, compared with the counts that each of them printed.
pub(crate) fn seen_by_increase() -> Outcome {
    let port = free_port();
    let arguments = ["--drain", "50s", "--fault", "negative-capital@15s"];
    let placed = |profile: &str| {
        format!("bytelyst_bot_operational_events_total{{type=\"ORDER_PLACED\",profile_id=\"{profile}\"}}")
    };
    let mut prometheus = None;
    let mut told = [0.0; 2];
    for process in 1..=2 {
        let mut bot = start_at(port, &arguments);
        let prometheus = match &prometheus {
            Some(standing) => standing,
            None => prometheus.insert(Prometheus::scraping(bot.url())?),
        };
        // The first violation of this process, which the series of the previous one does not contain.
        let seen = format!("increase({VIOLATIONS}[1h]) > {}.5", process - 1);
        prometheus.wait_for(&seen, |found| found.len() == 1)?;
        for profile in PROFILES {
            // More than the next process can place before its first scrape, so that the restart is seen as a counter
            // reset.
            prometheus.wait_for(&format!("sum({}) > 20", placed(profile)), |found| found.len() == 1)?;
        }
        bot.signal(libc::SIGTERM);
        let ended = bot.wait();
        if !ended.stdout.ends_with("the last values were scraped\n") || ended.status.code() != Some(0) {
            return Err(format!("{ended:?}").into());
        }
        for (told, profile) in told.iter_mut().zip(PROFILES) {
            #[expect(clippy::cast_precision_loss, reason = "a few orders")]
            let placed = ended.count(profile, "placed") as f64;
            *told += placed;
        }
    }
    let prometheus = prometheus.ok_or("it was started with the first bot")?;
    match prometheus.increases(VIOLATIONS)?.as_slice() {
        [one] if one.first == 0.0 && (one.increase - 2.0).abs() < 0.01 => {}
        other => return Err(format!("one violation in each process, but {other:?}").into()),
    }
    for (told, profile) in told.into_iter().zip(PROFILES) {
        let series = prometheus.increases(&placed(profile))?;
        // The orders that the first process had placed before its first scrape are in the first sample.
        let found: f64 = series.iter().map(|series| series.first + series.increase).sum();
        if (found - told).abs() > 0.1 {
            return Err(format!("{profile}: {told} placed in two processes, but {series:?}").into());
        }
    }
    Ok(())
}
