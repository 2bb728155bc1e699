//! The files in `examples/generated` are those that this bot writes. `BLESS=1` rewrites them.

use std::path::Path;
use std::{env, fs};

use bot_metrics::{Mode, Settings, operations};

const FILES: [(&str, &str); 6] = [
    ("rules.yml", "rules"),
    ("rule-tests.yml", "rule-tests"),
    ("runbook.md", "runbook"),
    ("dashboard.json", "dashboard"),
    ("prometheus.yml", "scrape-config"),
    ("alertmanager.yml", "alertmanager"),
];

#[test]
fn the_generated_files_are_up_to_date() {
    let settings = crate::metrics::of(Settings::new(Mode::Paper));
    for (file, command) in FILES {
        let output = operations::run([command], &settings);
        assert_eq!(output.errors, "");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("generated").join(file);
        if env::var_os("BLESS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &output.text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == output.text,
            "examples/generated/{file} is stale: run `BLESS=1 cargo test -p bot-metrics-examples --bin paper-bot generated`"
        );
    }
}
