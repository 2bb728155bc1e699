use bot_metrics::labels::{EventType, Exchange, Operation, RateLimit, Severity, Subsystem};
use bot_metrics::testing::{Samples, instance, steered};
use bot_metrics::{Capital, Families, Metrics, Mode, Outcome, ReconciliationReport, Settings};

/// An instance in which every family has a series.
fn full(settings: Settings) -> Metrics {
    let (settings, _) = steered(settings);
    let metrics = settings.build().expect("legal");
    metrics.subsystem(Subsystem::Trading).start().finish(Outcome::Ok);
    metrics.exchange_call(Exchange::Kraken, Operation::GetTicker).start().finish(Outcome::Ok);
    metrics.rate_limit(Exchange::Kraken, RateLimit::Requests).set_used(1.0, 2.0);
    metrics.event(Severity::Info, EventType::Started).record();
    metrics.profile("maker").update(Capital { allocated: 1.0, ..Capital::default() });
    metrics.reconciliation().commit(ReconciliationReport::new());
    metrics
}

#[test]
fn every_series_carries_the_default_labels() {
    let metrics = full(Settings::new(Mode::Live).app("desk"));
    let samples = Samples::of(&metrics);
    assert!(samples.iter().count() > 50);
    for (series, _) in samples.iter() {
        for (name, value) in [("app", "desk"), ("env", "development"), ("mode", "live")] {
            assert_eq!(series.labels.get(name).map(String::as_str), Some(value), "{series:?}");
        }
        assert!(series.name.starts_with("bytelyst_bot_"), "{series:?}");
    }
}

#[test]
fn every_family_of_the_catalogue_is_exported_once() {
    let text = full(Settings::new(Mode::Paper)).exposition();
    for family in bot_metrics::catalogue::FAMILIES {
        let header = format!("# TYPE bytelyst_bot_{} {}\n", family.name, family.kind.as_str());
        assert_eq!(text.matches(&header).count(), 1, "{header}");
    }
    assert_eq!(text.matches("# TYPE").count(), bot_metrics::catalogue::FAMILIES.len());
    assert!(text.ends_with('\n') && !text.contains('\r'));
}

#[test]
fn the_seed_alone_has_nine_families() {
    let text = full(Settings::new(Mode::Paper).families(Families::SeedOnly)).exposition();
    assert_eq!(text.matches("# TYPE").count(), 9, "{text}");
}

#[test]
fn a_namespace_of_ones_own_names_every_family() {
    let text = full(Settings::new(Mode::Paper).namespace("desk")).exposition();
    assert!(
        text.lines().filter(|line| !line.starts_with('#')).all(|line| line.starts_with("desk_")),
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
