//! A bot's own label values are found from every module, and those of two crates do not mix.

use std::process::Command;

use crate::package::{Packages, source};

#[test]
fn own_label_values_are_found_beside_other_items_of_the_same_name() {
    let mut packages = Packages::new("vocabulary");
    packages.add("library", "2024", "", &[("lib.rs", source("vocabulary/library.rs"))]);
    for edition in ["2021", "2024"] {
        let bot = format!("bot-{edition}");
        let dependencies = "library = { path = \"../library\" }\n";
        packages.add(&bot, edition, dependencies, &[("main.rs", source("vocabulary/bot.rs"))]);
    }
    let built = packages.cargo(&["build", "--workspace"]);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    for edition in ["2021", "2024"] {
        let output = Command::new(Packages::built("debug", &format!("bot-{edition}"))).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        let expected = [
            "binance get_ticker",
            "my_broker cancel_order",
            "my_broker get_fees",
            "my_broker place_order",
            "paper get_order",
            "archiving",
            "auditing",
            "hedging",
            "pricing",
            "quoting",
            "reporting",
            "routing",
            "trading",
        ];
        assert_eq!(told.lines().collect::<Vec<_>>(), expected, "{output:?}");
    }
}

#[test]
fn paths_and_arguments_need_no_module_in_scope() {
    let mut packages = Packages::new("paths");
    packages.add("paths", "2024", "", &[("main.rs", source("vocabulary/paths.rs"))]);
    let built = packages.cargo(&["build", "--workspace"]);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let output = Command::new(Packages::built("debug", "paths")).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let expected = [
        "INFO STARTED",
        "monitor",
        "bybit get_trades",
        "bybit xfer",
        "deribit xfer",
        "kraken get_ticker",
        "okx get_fees",
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), expected, "{output:?}");
}
