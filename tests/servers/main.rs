//! Tests of the paper bot as a process, and against the programs that read the library's output. The latter run if the
//! programs are installed, are reported as ignored otherwise, and fail if the programs are missing although `CI` is set.

mod broken_pages;
mod dashboard;
mod desk;
mod doctor;
mod exemplars;
mod fault_alerts;
mod formats;
mod generated;
mod gzip;
mod mutated_rules;
mod paper_bot;
mod prometheus;
mod promtool;
mod pushgateway;
mod queries;
mod restart;
mod rules;
mod scenarios;
mod schema;
mod security;
mod victoria_metrics;

use bot_metrics_tests::process::{self, needing, succeeds};
use libtest_mimic::{Arguments, Failed, Trial};

type Outcome = Result<(), Failed>;

fn main() {
    let mut arguments = Arguments::from_args();
    // Most of the tests wait.
    arguments.test_threads = arguments.test_threads.or(Some(3));
    let promtool = |name, test| trial("promtool", name, test);
    let prometheus = |name, test| trial("prometheus", name, test);
    let pushgateway = |name, test| trial("prometheus-pushgateway", name, test);
    let victoria_metrics = |name, test| trial("victoria-metrics", name, test);
    let mut tests = vec![
        // The two that take longest.
        prometheus(
            "each_fault_fires_its_alerts_and_no_others_until_it_ends",
            fault_alerts::as_the_table_says,
        ),
        promtool("promtool_accepts_the_rules_and_their_scenarios", rules::tested),
        promtool("promtool_check_metrics_remarks_on_one_name", promtool::check_metrics),
        prometheus("broken_pages_are_accepted_as_the_table_says", broken_pages::accepted),
        promtool("promtool_has_no_remark_on_a_bots_own_families", promtool::check_own_metrics),
        promtool("promtool_accepts_rules_with_names_that_have_to_be_escaped", rules::escaped),
        promtool("promtool_accepts_the_configuration_and_rules_of_any_time_scale", rules::configured),
        promtool("promtool_accepts_the_scrape_configurations_of_the_guide", promtool::check_configurations),
        promtool("the_scenarios_notice_faults_in_the_rules", mutated_rules::noticed)
            .with_ignored_flag(!process::is_long()),
        trial("amtool", "amtool_accepts_the_configuration_and_routes_the_alerts", rules::delivered),
        trial("vmalert", "vmalert_reads_the_rules", rules::read_by_vmalert),
        Trial::test("a_second_parser_reads_each_expression", rules::parsed),
        Trial::test("each_selector_of_a_rule_names_the_job", rules::of_one_job),
        Trial::test("a_second_parser_reads_each_query_of_the_dashboard", dashboard::parsed),
        prometheus("each_query_of_the_dashboard_has_data_while_the_bot_has_faults", dashboard::has_data),
        needing(
            "node with typescript and @grafana/schema (see .ci/run)",
            schema::is_here(),
            "the_dashboard_satisfies_grafanas_schema",
            schema::satisfied,
        ),
        prometheus("doctor_finds_no_violation_in_a_bot_that_is_well_nor_in_its_prometheus", doctor::content),
        python("generated_pages_of_all_formats_are_parsed_equal", formats::parsed_equal),
        prometheus("generated_pages_of_all_formats_are_stored_equal", formats::stored_by_prometheus),
        pushgateway("generated_pages_are_stored_by_a_gateway", formats::stored_by_pushgateway),
        victoria_metrics(
            "generated_pages_are_stored_by_victoria_metrics",
            formats::stored_by_victoria_metrics,
        ),
        prometheus("exemplars_of_both_formats_come_back_from_prometheus", exemplars::come_back),
        prometheus("prometheus_scrapes_with_gzip", gzip::scraped),
        prometheus("the_first_capital_violation_is_seen_by_increase", queries::first_violation),
        prometheus("the_seeds_queries_get_sensible_answers", queries::seeds_queries),
        prometheus(
            "increase_is_right_across_a_restart_and_sees_the_first_event_after_it",
            restart::seen_by_increase,
        ),
        prometheus("sigterm_loses_no_increment", queries::nothing_is_lost),
        promtool("the_documented_web_configuration_is_accepted_and_works", security::documented_file),
        prometheus("prometheus_scrapes_with_passwords_tokens_and_certificates", security::every_way),
        pushgateway("a_backtest_is_on_the_gateway_when_it_has_ended", pushgateway::backtest),
        pushgateway("groups_have_the_labels_that_were_given", pushgateway::groups),
        pushgateway("pushing_replaces_adding_keeps_deleting_removes", pushgateway::methods),
        pushgateway("a_gateway_that_hangs_or_is_gone_is_told_in_time", pushgateway::trouble),
    ];
    tests.extend(paper_bot::trials());
    libtest_mimic::run(&arguments, tests).exit();
}

/// A test that needs `program`.
fn trial(program: &'static str, name: &str, test: fn() -> Outcome) -> Trial {
    needing(program, succeeds(program, &["--version"]), name, test)
}

/// A test that needs Python with its packages for these formats, and promtool.
fn python(name: &str, test: fn() -> Outcome) -> Trial {
    let imports = "import google.protobuf, prometheus_client.openmetrics.parser";
    let what = "python3 with the packages prometheus-client and protobuf";
    needing(what, succeeds("python3", &["-c", imports]), name, test)
}
