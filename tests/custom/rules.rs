//! The rules of a binary that has families of its own, and neither subsystems nor a reconciliation.

use bot_metrics::{Mode, Settings, operations};

fn text(command: &str) -> String {
    let output = operations::run([command], &Settings::new(Mode::Paper));
    assert_eq!((output.code, output.errors.as_str()), (0, ""), "{command}");
    output.text
}

#[test]
fn a_binary_without_a_reconciliation_gets_nothing_about_one() {
    for command in ["list", "reference", "rules", "rule-tests", "runbook", "alertmanager"] {
        let text = text(command);
        for name in ["reconciliation_", "BotReconciliation"] {
            assert!(!text.contains(name), "{command}: {name}");
        }
    }
    assert!(text("rules").contains("alert: BotDown\n"));
}
