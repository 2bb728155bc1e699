//! The process-wide instance: recordings of attributes before and after `install`, in a separate process.

use std::process::Command;

use bot_metrics::labels::Subsystem;
use bot_metrics::prelude::*;
use bot_metrics::testing::{Samples, report_missing_install_at_once};
use bot_metrics::{Error, call_sites};

#[timed_subsystem("trading", every = "5s")]
fn trading_cycle() {}

#[exchange_call(op = "place_order")]
fn place_order(fails: bool) -> Result<(), std::io::Error> {
    if fails { Err(std::io::Error::other("on purpose")) } else { Ok(()) }
}

/// Not called but linked.
#[expect(dead_code, reason = "that is the point")]
#[exchange_call(op = "get_ticker", exchange = "kraken")]
fn never_called() {}

#[exchange_call(op = "cancel_order", exchange = exchange)]
fn cancel_order(exchange: labels::Exchange) -> bool {
    exchange == labels::Exchange::Okx
}

/// The only profile of this process, which is never checked.
#[expect(dead_code, reason = "that is the point")]
#[capital_check(profile = "maker")]
fn check_capital() -> Capital {
    Capital::default()
}

const BINANCE: &[(&str, &str)] = &[("exchange", "binance"), ("operation", "place_order")];

fn requests(samples: &Samples, labels: &[(&str, &str)], outcome: &str) -> Option<f64> {
    samples.value("bytelyst_bot_exchange_api_requests_total", &[labels, &[("outcome", outcome)]].concat())
}

/// `install` succeeds once per process; a second call returns the first instance.
#[test]
fn install_exports_every_linked_site_and_keeps_what_was_recorded_before() -> Result<(), Error> {
    assert!(Metrics::installed().is_none());
    let (independent, _) = bot_metrics::testing::instance();
    place_order(false).expect("it succeeds");
    trading_cycle();

    // It is unknown which exchange `place_order` calls.
    let refused = Settings::new(Mode::Paper).app("refused").install().expect_err("no exchange").to_string();
    assert!(refused.contains("place_order"), "{refused}");
    assert!(Metrics::installed().is_none(), "it leaves no trace");

    let settings = || Settings::new(Mode::Paper).exchange(labels::Exchange::Binance);
    let (metrics, line) = (settings().install()?, line!());
    let samples = Samples::of(&metrics);
    assert_eq!(requests(&samples, BINANCE, "ok"), Some(1.0), "recorded before install");
    assert_eq!(requests(&samples, BINANCE, "error"), Some(0.0));
    let invalid_capital =
        [("severity", "ERROR"), ("type", "INVALID_CAPITAL"), ("profile_id", ""), ("symbol", "")];
    let events = samples.value("bytelyst_bot_operational_events_total", &invalid_capital);
    assert_eq!(events, Some(0.0), "the event of a capital check is exported before its first profile");
    let trading = [("subsystem", "trading")];
    assert_eq!(samples.value("bytelyst_bot_subsystem_duration_seconds_count", &trading), Some(1.0));
    assert_eq!(
        samples.value("bytelyst_bot_subsystem_max_age_seconds", &trading),
        Some(15.0),
        "three periods"
    );
    let kraken = [("exchange", "kraken"), ("operation", "get_ticker")];
    assert_eq!(samples.value("bytelyst_bot_exchange_api_latency_seconds_count", &kraken), Some(0.0));
    let default = [("exchange", "binance"), ("operation", "cancel_order")];
    assert_eq!(
        requests(&samples, &default, "ok"),
        Some(0.0),
        "for sites whose exchange is chosen at run time, the settings' exchange"
    );

    assert!(place_order(true).is_err());
    assert!(cancel_order(labels::Exchange::Okx));
    metrics
        .exchange_call(labels::Exchange::Binance, labels::Operation::PlaceOrder)
        .start()
        .finish(Outcome::Ok);
    let samples = Samples::of(&metrics);
    assert_eq!(requests(&samples, BINANCE, "error"), Some(1.0));
    assert_eq!(requests(&samples, BINANCE, "ok"), Some(2.0), "a handle and an attribute share the series");
    assert_eq!(requests(&samples, &[("exchange", "okx"), ("operation", "cancel_order")], "ok"), Some(1.0));

    settings().install()?;
    let refused =
        settings().app("another").disable(Subsystem::Monitor).install().expect_err("other settings");
    assert_eq!(
        refused.to_string(),
        format!(
            "the metrics of this process are installed already at {}:{line}, with app \
             bytelyst-trading-bot-service, not another, and disabled subsystems none, not monitor: call `install` once",
            file!()
        )
    );

    let sites = call_sites();
    let functions: Vec<_> = sites.iter().map(|site| site.function).collect();
    assert_eq!(
        functions,
        ["trading_cycle", "place_order", "never_called", "cancel_order", "check_capital"],
        "in the file's order"
    );
    assert!(sites[0].file.ends_with("process_wide/main.rs") && sites[0].module == "process_wide");
    let total = Samples::of(&independent).sum("bytelyst_bot_exchange_api_requests_total", &[]);
    assert_eq!(total, 0.0, "attributes do not record to a separate instance");
    Ok(())
}

/// The variable that turns this test's process into a bot.
const BOT: &str = "BOT_METRICS_TEST_BOT";

/// In a separate process, since `install` succeeds once.
#[test]
fn recordings_before_and_after_install_are_not_reported() -> Result<(), Error> {
    if std::env::var_os(BOT).is_some() {
        trading_cycle();
        let _metrics = Settings::new(Mode::Paper).exchange(labels::Exchange::Binance).install()?;
        report_missing_install_at_once();
        for _ in 0..3 {
            trading_cycle();
            assert!(place_order(false).is_ok());
        }
        return Ok(());
    }
    let test = "recordings_before_and_after_install_are_not_reported";
    let mut bot = Command::new(std::env::current_exe().expect("a path"));
    let bot = bot.args(["--exact", test, "--nocapture"]).env(BOT, "1").output().expect("it runs");
    assert!(bot.status.success(), "{bot:?}");
    assert_eq!(String::from_utf8_lossy(&bot.stderr), "");
    Ok(())
}
