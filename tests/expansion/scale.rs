//! Deep nesting and thousands of functions compile with attributes if they compile without.

use std::fmt::Write as _;
use std::process::Command;

use crate::package::Packages;

/// Set to run the long version, with ten times as many functions.
const LONG: &str = "BOT_METRICS_LONG_TESTS";

#[test]
fn thousands_of_functions_and_deep_nesting_compile() {
    let functions = if std::env::var_os(LONG).is_some() { 10_000 } else { 1_000 };
    let mut packages = Packages::new("scale");
    packages.add("many", "2024", "", &[("lib.rs", many(functions))]);
    packages.add("deep", "2024", "", &[("lib.rs", deep(500))]);
    packages.add("nested", "2024", "", &[("lib.rs", nested(levels()))]);
    packages.add("stacked", "2024", "", &[("lib.rs", stacked(24))]);
    let found = packages.diagnostics(&["check"]);
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        ["deep/deep", "many/many", "nested/nested", "stacked/stacked"]
    );
    assert!(found.values().all(Vec::is_empty), "{found:#?}");
}

/// How many nested futures must compile: one level less from Rust 1.97 on, as without attributes.
fn levels() -> usize {
    let version = Command::new("rustc").arg("--version").output().expect("cargo found it");
    let version = String::from_utf8(version.stdout).expect("ASCII");
    let minor: u32 = version.split('.').nth(1).and_then(|minor| minor.parse().ok()).expect("rustc 1.x.y");
    if minor < 97 { 14 } else { 13 }
}

/// Half of them asynchronous.
fn many(functions: usize) -> String {
    let mut source = "//! Many.\nuse bot_metrics::prelude::*;\n".to_owned();
    for index in 0..functions / 2 {
        write!(
            source,
            "/// At once.\n#[exchange_call(op = \"get_order\")]\n\
             pub fn call_{index}(text: &str) -> Result<u32, std::num::ParseIntError> {{\n\
             \x20   let value: u32 = text.parse()?;\n    Ok(value + {index})\n}}\n\
             /// Later.\n#[exchange_call(op = \"get_order\")]\n\
             pub async fn wait_{index}(text: &str) -> Result<u32, std::num::ParseIntError> {{\n\
             \x20   std::future::ready(()).await;\n    let value: u32 = text.parse()?;\n    Ok(value + {index})\n}}\n"
        )
        .unwrap();
    }
    source
}

fn deep(blocks: usize) -> String {
    let (open, close) = ("{ ".repeat(blocks), " }".repeat(blocks));
    format!(
        "//! Deep.\n#![allow(unused_braces)]\nuse bot_metrics::prelude::*;\n\
         /// At once.\n#[exchange_call(op = \"get_order\")]\n\
         pub fn call() -> Result<u8, String> {{ {open} Ok(1) {close} }}\n\
         /// Later.\n#[exchange_call(op = \"get_order\")]\n\
         pub async fn wait() -> Result<u8, String> {{ std::future::ready(()).await; {open} Ok(1) {close} }}\n"
    )
}

/// Asynchronous functions that call each other, each with three events and a call, spawned under the default
/// recursion limit. Without attributes, 33 levels compile with Rust 1.95 and 32 with 1.97; with one
/// attribute or with four, 14 and 13.
fn nested(levels: usize) -> String {
    let mut source = "//! Nested.\nuse bot_metrics::prelude::*;\n".to_owned();
    for level in 0..levels {
        let inner = if level + 1 < levels {
            format!("level_{}(symbol).await", level + 1)
        } else {
            "std::future::ready(Ok(())).await".to_owned()
        };
        write!(
            source,
            "#[operational_event(type = \"ORDER_FAILURE\", severity = \"ERROR\", on = err, symbol = symbol)]\n\
             #[operational_event(type = \"STARTED\", severity = \"INFO\", on = ok)]\n\
             #[operational_event(type = \"STOPPED\", severity = \"INFO\", on = cancelled)]\n\
             #[exchange_call(op = \"place_order\")]\n\
             async fn level_{level}(symbol: &str) -> Result<(), String> {{ {inner} }}\n"
        )
        .unwrap();
    }
    source
        + "/// Boxes it as `tokio::spawn` does.\n\
           pub fn spawn<F: Future + Send + 'static>(future: F) -> Box<dyn Future<Output = F::Output> + Send> {\n\
           \x20   Box::new(future)\n}\n\
           /// Spawns.\npub fn start() { drop(spawn(level_0(\"BTC-USD\"))); }\n"
}

fn stacked(attributes: usize) -> String {
    let attributes = "#[exchange_call(op = \"get_order\")]\n".repeat(attributes);
    format!(
        "//! Stacked.\nuse bot_metrics::prelude::*;\n/// At once.\n{attributes}\
         pub fn call(text: String) -> Result<String, u8> {{ Ok(text) }}\n"
    )
}
