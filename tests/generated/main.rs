//! Generated parts of committed files are up to date. `BLESS=1` rewrites them.

use bot_metrics::catalogue::{FAMILIES, Family};
use bot_metrics::linked::LinkedCatalogue;
use bot_metrics::prelude::*;
use bot_metrics_tests::workspace::{assert_generated, read};

#[test]
fn the_readmes_table_of_metrics() {
    assert_generated("README.md", "metrics", &bot_metrics::catalogue::markdown("bytelyst_bot"));
}

#[test]
fn the_readmes_table_of_features() {
    assert_generated("README.md", "features", &read("metrics-core/docs/features.md"));
}

#[test]
fn the_quickstart_is_shown_as_it_is() {
    let source = read("examples/src/bin/quickstart.rs");
    let (_, code) = source.split_once("\n\n").expect("a comment above the code");
    for page in ["README.md", "metrics-core/docs/guide/first_bot.md"] {
        assert_generated(page, "quickstart", &format!("```rust,no_run\n{code}```\n"));
    }
}

#[test]
fn the_guides_list_of_outcomes() {
    let outcomes: Vec<_> = Outcome::VALUES.iter().map(|outcome| format!("`{outcome}`")).collect();
    let list = outcomes.join(", ") + "\n";
    assert_generated("metrics-core/docs/guide/concepts.md", "outcomes", &list);
}

#[test]
fn the_guides_table_of_label_values() {
    fn row<L: LabelValue>(name: &str) -> String {
        let values: Vec<_> = L::VALUES.iter().map(|value| format!("`{value}`")).collect();
        format!("| `{name}` | {} |\n", values.join(", "))
    }
    let table = ["| type | values |\n| --- | --- |\n".to_owned()].into_iter().chain([
        row::<labels::Subsystem>("Subsystem"),
        row::<labels::Operation>("Operation"),
        row::<labels::Exchange>("Exchange"),
        row::<labels::EventType>("EventType"),
        row::<labels::Severity>("Severity"),
        row::<labels::Source>("Source"),
        row::<labels::RateLimit>("RateLimit"),
    ]);
    assert_generated("metrics-core/docs/guide/own_labels.md", "labels", &table.collect::<String>());
}

/// A function with each attribute that records to families of the library.
#[expect(dead_code, reason = "a call site is linked even if its function is never called")]
mod annotated {
    use bot_metrics::prelude::*;

    #[timed_subsystem("trading")]
    fn cycle() {}

    #[exchange_call(op = "get_ticker")]
    fn call() {}

    #[operational_event(type = "STARTED", severity = "INFO")]
    fn event() {}

    #[capital_check(profile = "maker")]
    fn check() -> Capital {
        Capital::default()
    }

    #[reconciliation]
    fn reconcile() -> ReconciliationReport {
        ReconciliationReport::new()
    }
}

/// A HELP text, which has no Markdown, as Markdown.
fn with_names_in_code(help: &str) -> String {
    let word = |word: &str| {
        let name = word.trim_end_matches([',', ';', '.']);
        if name.contains('_') { word.replace(name, &format!("`{name}`")) } else { word.to_owned() }
    };
    help.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_page_of_an_attribute_lists_its_metrics() {
    let linked = LinkedCatalogue::of(&Settings::new(Mode::Paper));
    assert_eq!(linked.functions.len(), 5, "{:?}", linked.functions);
    for function in &linked.functions {
        let is_recorded = |family: &&&Family| {
            function.families.iter().any(|name| *name == family.full_name(&linked.namespace))
        };
        let row = |family: &&Family| {
            let labels: Vec<_> = family.labels.iter().map(|label| format!("`{label}`")).collect();
            let labels = if labels.is_empty() { "–".to_owned() } else { labels.join(", ") };
            let help = with_names_in_code(family.help);
            format!("| `{}` | {} | {labels} | {help} |\n", family.name, family.kind.as_str())
        };
        let head = "| metric | kind | labels | meaning |\n| --- | --- | --- | --- |\n".to_owned();
        let table: String = [head].into_iter().chain(FAMILIES.iter().filter(is_recorded).map(row)).collect();
        assert_generated(&format!("metrics-core/docs/{}.md", function.attribute), "metrics", &table);
    }
}
