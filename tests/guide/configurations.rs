//! The configurations in the guide. `tests/servers` gives those of Prometheus to promtool.

use bot_metrics_tests::pages::blocks;
use serde_json::Value;

#[test]
fn every_configuration_in_yaml_is_legal() {
    let configurations = blocks(&["yaml"]);
    assert!(configurations.len() >= 5, "{}", configurations.len());
    for block in configurations {
        let parsed = serde_saphyr::from_str::<Value>(&block.text);
        assert!(parsed.is_ok_and(|value| value.is_object()), "{block:?}");
    }
}
