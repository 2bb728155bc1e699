use bot_metrics::testing::{Samples, instance};
use bot_metrics::{assert_metric, prometheus};
use prometheus::{
    Encoder, HistogramOpts, IntCounter, Registry, TextEncoder, register_gauge_vec, register_histogram_vec,
    register_int_counter,
};

/// The metrics in the global registry of a bot that uses the crate.
fn existing_bot() -> IntCounter {
    let fills = register_int_counter!("mybot_fills_total", "Fills.").expect("a new name");
    let inventory = register_gauge_vec!("mybot_inventory", "Coins held.", &["asset"]).expect("a new name");
    inventory.with_label_values(&["BTC"]).set(0.5);
    let options = HistogramOpts::new("mybot_order_size_dollars", "Order sizes.").buckets(vec![10.0, 100.0]);
    let sizes = register_histogram_vec!(options, &["side"]).expect("a new name");
    sizes.with_label_values(&["buy\"\\\n"]).observe(50.0);
    fills.inc_by(3);
    fills
}

#[test]
fn a_bot_with_the_crate_keeps_its_metrics_on_the_same_endpoint() {
    let fills = existing_bot();
    let mut old = Vec::new();
    TextEncoder::new().encode(&prometheus::gather(), &mut old).expect("legal");
    let old = Samples::parse(&String::from_utf8(old).expect("UTF-8")).expect("legal");

    let (metrics, _) = instance();
    let before = Samples::of(&metrics);
    metrics.add_registry(prometheus::default_registry().clone());
    let server = metrics.serve("127.0.0.1:0").expect("a free port");
    let scrape = || {
        let url = format!("http://{}/metrics", server.local_addr());
        let text = ureq::get(url).call().expect("it answers").body_mut().read_to_string().expect("text");
        Samples::parse(&text).expect("legal, and no series twice")
    };
    let mut kept = 0;
    let samples = scrape();
    for (series, value) in old.iter().filter(|(series, _)| series.name.starts_with("mybot_")) {
        let found = samples.iter().find(|(found, _)| *found == series);
        assert_eq!(found.map(|(_, value)| value), Some(value), "{series}, with its own labels alone");
        kept += 1;
    }
    assert_eq!(kept, 1 + 1 + 5);
    for (series, _) in before.iter() {
        assert!(
            samples.iter().any(|(found, _)| found == series),
            "{series} is the library's, and still exported"
        );
    }

    fills.inc();
    assert_metric!(scrape(), "mybot_fills_total", 4);
    assert_eq!(prometheus::gather().iter().filter(|family| family.name().starts_with("mybot_")).count(), 3);
}

#[test]
fn own_collectors_and_registries_are_served_too() {
    let (metrics, _) = instance();
    let counter = IntCounter::new("mybot_restarts_total", "Restarts.").expect("a legal name");
    metrics.register(Box::new(counter.clone())).expect("a new name");
    let registry = Registry::new();
    let other = IntCounter::new("mybot_reloads_total", "Reloads.").expect("a legal name");
    registry.register(Box::new(other.clone())).expect("a new name");
    metrics.add_registry(registry);
    counter.inc();
    other.inc_by(2);
    assert_metric!(metrics, "mybot_restarts_total", 1);
    assert_metric!(metrics, "mybot_reloads_total", 2);
}

/// The reverse: another exporter serves the registry that contains the library's families.
#[test]
fn an_existing_exporter_gathers_the_librarys_families_from_the_shared_registry() {
    let (metrics, _) = instance();
    metrics.event(bot_metrics::labels::Severity::Info, bot_metrics::labels::EventType::Started).record();
    let mut text = Vec::new();
    TextEncoder::new().encode(&metrics.registry().gather(), &mut text).expect("legal");
    let samples = Samples::parse(&String::from_utf8(text).expect("UTF-8")).expect("legal");
    assert_metric!(samples, "bytelyst_bot_operational_events_total{type='STARTED',mode='paper'}", 1);
}
