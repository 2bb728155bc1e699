use std::io::{self, Write};
use std::sync::LazyLock;
use std::time::Duration;

use bot_metrics::labels::{EventType, Exchange, Operation, Severity, Subsystem};
use bot_metrics::testing::{Samples, instance, with_manual_clock};
use bot_metrics::{Capital, Families, Metrics, Mode, Outcome, Settings};
use tokio::runtime::{Builder, Runtime};

use crate::{capital, events, exchange, market_data, reconciliation, subsystem};

/// A runtime that runs only what a test spawns.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("it starts"));

/// An instance with a manual clock and a series in every family that can have one there.
fn full(settings: Settings) -> Metrics {
    filled(with_manual_clock(settings).0)
}

fn filled(settings: Settings) -> Metrics {
    let metrics = settings.build().expect("legal");
    metrics.watch_tokio(RUNTIME.handle());
    subsystem::record(&metrics);
    exchange::record(&metrics);
    events::record(&metrics);
    market_data::record(&metrics);
    capital::record(&metrics);
    reconciliation::record(&metrics);
    metrics
}

#[test]
fn every_series_carries_the_default_labels() {
    let metrics = filled(Settings::new(Mode::Live).app("desk"));
    let samples = Samples::of(&metrics);
    assert!(samples.iter().count() > 50);
    for (series, _) in samples.iter() {
        for (name, value) in [("app", "desk"), ("env", "development"), ("mode", "live")] {
            assert_eq!(series.labels.get(name).map(String::as_str), Some(value), "{series:?}");
        }
        let is_standard = series.name.starts_with("process_");
        assert!(is_standard || series.name.starts_with("bytelyst_bot_"), "{series:?}");
    }
}

#[test]
fn every_family_of_the_catalogue_is_exported_once() {
    let metrics = filled(Settings::new(Mode::Paper).default_labels_in_target_info());
    assert!(!metrics.exposition().contains("scrape_duration_seconds"), "it describes the previous scrape");
    let text = metrics.exposition();
    for family in bot_metrics::catalogue::FAMILIES {
        let header = format!("# TYPE {} {}\n", family.full_name("bytelyst_bot"), family.kind.as_str());
        assert_eq!(text.matches(&header).count(), 1, "{header}");
    }
    assert_eq!(text.matches("# TYPE").count(), bot_metrics::catalogue::FAMILIES.len());
    assert!(text.ends_with('\n') && !text.contains('\r'));
}

#[test]
fn the_core_catalogue_has_nine_families() {
    let text = full(Settings::new(Mode::Paper).families(Families::CoreOnly)).exposition();
    assert_eq!(text.matches("# TYPE").count(), 9, "{text}");
}

#[test]
fn an_own_namespace_names_every_family() {
    let text = full(Settings::new(Mode::Paper).namespace("desk")).exposition();
    assert!(
        text.lines().filter(|line| !line.starts_with(['#', 'p'])).all(|line| line.starts_with("desk_")),
        "{text}"
    );
}

#[test]
fn equal_input_gives_equal_bytes() {
    assert_eq!(full(Settings::new(Mode::Paper)).exposition(), full(Settings::new(Mode::Paper)).exposition());
}

#[test]
fn instances_do_not_disturb_each_other() {
    let ((one, _), (other, _)) = (instance(), instance());
    one.event(Severity::Info, EventType::Started).record();
    assert_eq!(Samples::of(&other).matching("bytelyst_bot_operational_events_total", &[]).count(), 0);
}

#[test]
fn the_process_has_its_standard_metrics_with_the_default_labels() {
    let samples = Samples::of(&filled(Settings::new(Mode::Live).app("desk")));
    let value =
        |name| samples.value(name, &[("app", "desk"), ("mode", "live")]).unwrap_or_else(|| panic!("{name}"));
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs_f64();
    let started = value("process_start_time_seconds");
    // To the second, because the boot time has that resolution.
    assert!(now - 3_600.0 < started && started <= now + 2.0, "{started} and it is {now}");
    assert!(value("process_cpu_seconds_total") >= 0.0 && value("process_threads") >= 1.0);
    assert!(value("process_open_fds") >= 3.0 && value("process_max_fds") > value("process_open_fds"));
    let (resident, virtual_size) =
        (value("process_resident_memory_bytes"), value("process_virtual_memory_bytes"));
    assert!(1e6 < resident && resident < virtual_size, "{resident} of {virtual_size}");
}

#[test]
fn a_scrape_exports_the_duration_of_the_previous_one() {
    let metrics = filled(Settings::new(Mode::Paper));
    let took = || Samples::of(&metrics).value("bytelyst_bot_scrape_duration_seconds", &[]);
    assert_eq!(took(), None);
    assert!(took().is_some_and(|seconds| 0.0 < seconds && seconds < 60.0));
}

/// Takes a long time for each piece, and stops accepting after some pieces.
struct Slow {
    pieces: usize,
}

impl Write for Slow {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        std::thread::sleep(Duration::from_secs(1));
        self.pieces = self.pieces.checked_sub(1).ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_slow_or_incomplete_reader_does_not_change_the_scrape_duration() {
    let metrics = filled(Settings::new(Mode::Paper).profile_limit(1).symbol_limit(1_000));
    for n in 0..1_000 {
        metrics.event(Severity::Info, EventType::Started).symbol(&n.to_string()).record();
    }
    let took = || Samples::of(&metrics).value("bytelyst_bot_scrape_duration_seconds", &[]);
    assert!(metrics.write_exposition(&mut Slow { pieces: 1 }).is_err());
    assert_eq!(took(), None);
    assert!(metrics.write_exposition(&mut Slow { pieces: usize::MAX }).is_ok());
    assert!(took().is_some_and(|seconds| seconds < 1.0));
}

/// Calls `on_first` at the first piece, like a reader that blocks there.
struct Blocking<F> {
    on_first: Option<F>,
    text: Vec<u8>,
}

impl<F: FnOnce()> Write for Blocking<F> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if let Some(on_first) = self.on_first.take() {
            on_first();
        }
        self.text.extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_blocks_gets_ages_and_timestamps_of_the_start_of_the_exposition() {
    let (settings, clock) =
        with_manual_clock(Settings::new(Mode::Paper).profile_limit(1).symbol_limit(1_000));
    let metrics = settings.build().expect("legal");
    for n in 0..1_000 {
        metrics.event(Severity::Info, EventType::Started).symbol(&n.to_string()).record();
    }
    let trading = metrics.subsystem(Subsystem::Trading);
    let market_data = metrics.market_data(Exchange::Kraken, "XBTUSD");
    let works = || {
        trading.start().finish(Outcome::Ok);
        market_data.updated();
    };
    works();
    clock.advance(Duration::from_secs(5));
    let momentary = |text: &str| {
        let names = ["subsystem_", "market_data_last_update"].map(|name| format!("bytelyst_bot_{name}"));
        let lines = text.lines().filter(|line| names.iter().any(|name| line.starts_with(name)));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let expected = momentary(&metrics.exposition());
    let on_first = || {
        clock.advance(Duration::from_secs(90));
        works();
    };
    let mut out = Blocking { on_first: Some(on_first), text: Vec::new() };
    metrics.write_exposition(&mut out).expect("it takes everything");
    assert!(out.on_first.is_none() && out.text.len() > 128 * 1024, "the reader blocked in the middle");
    assert_eq!(momentary(&String::from_utf8(out.text).expect("text")), expected);
}

#[test]
fn a_switch_puts_the_default_labels_on_target_info_alone() {
    let metrics = filled(Settings::new(Mode::Live).app("desk").default_labels_in_target_info());
    let samples = Samples::of(&metrics);
    let identity = [("app", "desk"), ("env", "development"), ("mode", "live")];
    assert_eq!(samples.value("target_info", &identity), Some(1.0));
    for (series, _) in samples.iter().filter(|(series, _)| series.name != "target_info") {
        assert!(identity.iter().all(|(name, _)| !series.labels.contains_key(*name)), "{series:?}");
    }
    assert_eq!(samples.value("process_threads", &[]).map(|threads| threads >= 1.0), Some(true));
    let inline = full(Settings::new(Mode::Live));
    assert!(!inline.exposition().contains("target_info{"));
}

#[test]
fn a_task_that_blocks_its_worker_shows_in_the_schedulers_lag() {
    let runtime = Builder::new_current_thread().enable_time().build().expect("it starts");
    let (metrics, _) = bot_metrics::testing::instance();
    let lag = |suffix: &str, labels: &[(&str, &str)]| {
        let name = format!("bytelyst_bot_tokio_scheduler_lag_seconds_{suffix}");
        Samples::of(&metrics).value(&name, labels)
    };
    assert_eq!(lag("count", &[]), None, "nobody watches");
    metrics.watch_tokio(runtime.handle());
    assert_eq!(lag("count", &[]), Some(0.0));
    runtime.block_on(async {
        tokio::task::yield_now().await;
        std::thread::sleep(Duration::from_millis(400));
        while lag("count", &[]) == Some(0.0) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(lag("sum", &[]).is_some_and(|seconds| seconds >= 0.25), "it was due after 0.1 s");
    assert_eq!(
        lag("bucket", &[("le", "0.1")]).zip(lag("count", &[])).map(|(below, all)| below < all),
        Some(true)
    );
}

#[test]
fn a_live_bot_is_exported_as_live_although_the_extensions_are_off_and_the_labels_in_target_info() {
    let settings = Settings::new(Mode::Live).families(Families::CoreOnly).default_labels_in_target_info();
    let metrics = settings.build().expect("settings that are allowed");
    assert!(metrics.exposition().contains("mode=\"live\""), "{}", metrics.exposition());
}

/// A bot's own types contain handles, derive `Debug` and are logged.
#[test]
fn every_public_type_can_be_printed_after_use() {
    let (metrics, _) = bot_metrics::testing::instance();
    let subsystem = metrics.subsystem(Subsystem::Trading);
    let call = metrics.exchange_call(Exchange::Okx, Operation::Subscribe);
    let profile = metrics.profile("maker");
    subsystem.start().finish(Outcome::Ok);
    call.start().finish(Outcome::Ok);
    profile.update(Capital { allocated: 1.0, ..Capital::default() });
    let texts = [
        format!("{subsystem:?}"),
        format!("{:?}", subsystem.start()),
        format!("{call:?}"),
        format!("{:?}", call.start()),
        format!("{profile:?}"),
        format!("{:?}", metrics.market_data(Exchange::Okx, "BTCUSDT")),
        format!("{metrics:?}"),
        format!("{:?}", bot_metrics::call_sites()),
    ];
    assert!(texts.iter().all(|text| !text.is_empty()));
}
