use bot_metrics::assert_metric;
use bot_metrics::testing::Samples;
use bot_metrics_tests::demo::{Running, command, run};
use bot_metrics_tests::workspace;

const REQUESTS: &str = "bytelyst_bot_exchange_api_requests_total";
const RUNS: &str = "bytelyst_bot_subsystem_runs_total";

fn runs(samples: &Samples, subsystem: &str) -> f64 {
    samples.sum(RUNS, &[("subsystem", subsystem), ("outcome", "ok")])
}

#[test]
fn quickstart_serves_the_metrics_that_the_readme_shows() {
    let mut command = command("quickstart", &[]);
    command.env("PAPER_TRADING", "true").env("METRICS_ADDR", "127.0.0.1:0");
    let bot = Running::spawn_as_is(&mut command, "status page: ");
    let samples = bot.wait_until("two cycles ran", |samples| runs(samples, "trading") >= 2.0);
    assert_metric!(samples, "bytelyst_bot_subsystem_alive{subsystem='trading',app='my-bot'}", 1);
    assert_metric!(samples, "bytelyst_bot_exchange_api_latency_seconds_sum{operation='place_order'}", 0.08..);
    assert_eq!(samples.matching(RUNS, &[("outcome", "ok")]).count(), 1, "no other loop is linked");
    assert_eq!(bot.get("/").0, 200, "the page");

    let served = bot.scrape_text().replace(",app=\"my-bot\",env=\"development\",mode=\"paper\"", "");
    let served: Vec<_> = served.lines().filter_map(|line| line.rsplit_once(' ')).collect();
    let readme = workspace::read("README.md");
    let shown = readme.split_once("| grep -v '^#'\n").and_then(|(_, rest)| rest.split_once("```"));
    let shown: Vec<_> = shown.expect("the output of a scrape").0.lines().collect();
    assert_eq!(shown.len(), 10, "{shown:?}");
    for line in shown {
        let (series, shown) = line.rsplit_once(' ').expect("a series and its value");
        let value = served.iter().find(|(name, _)| *name == series).expect(series).1;
        assert_eq!(value == "0", shown == "0", "{line}, not {value}");
    }
}

#[test]
fn quickstart_says_what_is_missing_in_its_environment() {
    let ended = run(&mut command("quickstart", &[]));
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(ended.stderr.starts_with("Error: PAPER_TRADING is not set: expected true"), "{}", ended.stderr);
}

#[test]
fn own_metrics_serves_its_own_families_and_labels_beside_the_librarys() {
    let bot = Running::start("own-metrics", &[]);
    let samples = bot.wait_until("two cycles ran", |samples| runs(samples, "signals") >= 2.0);
    for trend in ["rising", "falling", "flat"] {
        let selector =
            format!("bytelyst_bot_signals_total{{trend='{trend}',mode='paper',env='development'}}");
        assert_metric!(samples, &selector, 0..);
    }
    let cycles = samples.sum("bytelyst_bot_signals_total", &[]) / 3.0;
    assert!(cycles >= 2.0 && cycles.fract() == 0.0, "three symbols in each cycle, {cycles}");
    for symbol in ["BTCUSDT", "ETHUSDT", "SOLUSDT"] {
        assert_metric!(samples, &format!("bytelyst_bot_mid_price{{symbol='{symbol}'}}"), 10.0..1_000_000.0);
        let count = format!("bytelyst_bot_spread_basis_points_count{{symbol='{symbol}'}}");
        assert_metric!(samples, &count, cycles);
    }
    assert_metric!(samples, "bytelyst_bot_spread_basis_points_bucket{symbol='BTCUSDT',le='10'}", cycles);
}

#[test]
fn axum_service_serves_its_metrics_beside_its_own_pages() {
    let bot = Running::start("axum-service", &[]);
    for _ in 0..3 {
        let (status, quote) = bot.get("/quote/ETHUSDT");
        assert_eq!(status, 200);
        assert!(quote.contains("\"symbol\":\"ETHUSDT\""), "{quote}");
    }
    assert_eq!(bot.get("/quote/DOGEUSDT").0, 404);
    assert_eq!(bot.get("/nothing").0, 404);
    let (status, page) = bot.get("/status/");
    assert!(status == 200 && page.contains("<html"), "{page}");
    let (status, data) = bot.get("/status/status.json");
    assert!(status == 200 && data.contains("\"verdict\""), "{data}");
    let samples = bot.scrape();
    let calls = |outcome: &str| format!("{REQUESTS}{{operation='get_ticker',outcome='{outcome}'}}");
    assert_metric!(samples, &calls("ok"), 3);
    assert_metric!(samples, &calls("rejected"), 1, "the exchange knows no such symbol");

    let answer = ureq::get(format!("{}/metrics", bot.url())).call().expect("it answers");
    let content_type = answer.headers()["content-type"].to_str().expect("text");
    assert_eq!(content_type, bot_metrics::CONTENT_TYPE);
}

#[test]
fn grid_bot_trades_on_two_exchanges_with_separate_labels() {
    let bot = Running::start("grid-bot", &[]);
    let placed = |samples: &Samples, exchange| {
        let labels = [("exchange", exchange), ("operation", "place_order"), ("outcome", "ok")];
        samples.sum(REQUESTS, &labels)
    };
    let samples = bot.wait_until("both grids are laid", |samples| {
        ["paper_east", "paper_west"].iter().all(|exchange| placed(samples, exchange) >= 10.0)
    });
    for exchange in ["paper_east", "paper_west"] {
        let events = format!(
            "bytelyst_bot_operational_events_total{{type='ORDER_PLACED',profile_id='{exchange}',symbol='BTCUSDT'}}"
        );
        assert_metric!(samples, &events, placed(&samples, exchange));
        let utilization = format!("bytelyst_bot_profile_utilization_percent{{profile_id='{exchange}'}}");
        assert_metric!(samples, &utilization, 10.0..100.0);
        let violations =
            format!("bytelyst_bot_capital_invariant_violations_total{{profile_id='{exchange}'}}");
        assert_metric!(samples, &violations, 0);
    }
    let ended = bot.terminate();
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    for exchange in ["paper_east", "paper_west"] {
        let line = ended.stdout.lines().find_map(|line| line.strip_prefix(&format!("{exchange}: ")));
        let cancelled: u32 = line.and_then(|line| line.split(' ').next()?.parse().ok()).expect("it says so");
        assert!(cancelled >= 8, "{}", ended.stdout);
    }
}

#[test]
fn backtest_simulates_the_whole_recording_and_says_where_its_metrics_are() {
    let ended = run(&mut command("backtest", &[]));
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    let simulated: f64 = ended.stdout.split(' ').next().and_then(|text| text.parse().ok()).expect("seconds");
    assert!((184.0..190.0).contains(&simulated), "{}", ended.stdout);
    assert!(ended.stdout.contains("no Pushgateway given"), "{}", ended.stdout);
    assert_eq!(
        run(&mut command("backtest", &[])).stdout.split(',').nth(1),
        ended.stdout.split(',').nth(1),
        "repeatable"
    );
}

#[test]
fn backtest_reports_a_missing_gateway() {
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a free port");
    let url = format!("http://{port}");
    let ended = run(&mut command("backtest", &["--push", &url]));
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert_eq!(
        ended.stderr,
        format!(
            "backtest: cannot push metrics to {url}: connection refused; is a Pushgateway running there?\n"
        )
    );
    assert!(ended.stdout.contains("simulated"), "{}", ended.stdout);
    let ended = run(&mut command("backtest", &["--push", "127.0.0.1:9091"]));
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(ended.stderr.contains("for example http://127.0.0.1:9091"), "{}", ended.stderr);
    assert_eq!(ended.stdout, "", "before anything is simulated");
}
