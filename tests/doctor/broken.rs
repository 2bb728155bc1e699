//! Ten ways in which an endpoint can be broken, and some more.

use std::time::{Duration, SystemTime};

use super::{Answer, Endpoint, Finding, bot, doctor, findings, new_findings};

/// Checks that this answer has one finding more than the bot's own page.
#[track_caller]
fn one(answer: &Answer, level: &str, check: &str, text: &str, advice: &str) {
    let (found, code) = new_findings(answer, &[]);
    let [finding] = &found[..] else { panic!("not one finding: {found:#?}") };
    assert_is(finding, level, check, text, advice);
    assert_eq!(code, u8::from(level == "violation"));
}

#[track_caller]
fn assert_is(finding: &Finding, level: &str, check: &str, text: &str, advice: &str) {
    assert_eq!((finding.level.as_str(), finding.check.as_str()), (level, check), "{finding:?}");
    assert!(finding.text.contains(text), "{finding:?}");
    assert!(finding.advice.contains(advice), "{finding:?}");
}

#[test]
fn wrong_type() {
    let page = bot::page_with("subsystem_alive gauge", "subsystem_alive counter");
    let text = "bytelyst_bot_subsystem_alive: the type is counter, expected: gauge";
    one(&Answer::page(page), "violation", "type", text, "Another release runs there");
}

#[test]
fn missing_family() {
    let page = bot::page_without("subsystem_max_age_seconds{");
    let without_head = |line: &&str| !line.contains(" bytelyst_bot_subsystem_max_age_seconds ");
    let page = page.lines().filter(without_head).collect::<Vec<_>>().join("\n") + "\n";
    let text = "bytelyst_bot_subsystem_max_age_seconds: is not exported";
    one(&Answer::page(page), "violation", "family", text, "--expect-served");
}

#[test]
fn duplicate_series() {
    let page = bot::page();
    let line = page.lines().find(|line| line.starts_with("bytelyst_bot_subsystem_alive{")).expect("a line");
    let page = page.replace(line, &format!("{line}\n{line}"));
    one(
        &Answer::page(page),
        "violation",
        "conformance",
        "bytelyst_bot_subsystem_alive{",
        "has to be corrected",
    );
}

#[test]
fn stale_clock() {
    let at = |seconds| httpdate::fmt_http_date(SystemTime::now() - Duration::from_secs(seconds));
    let page = |seconds| Answer::page(bot::page()).with("Date", at(seconds));
    one(&page(3_600), "violation", "clock", "s behind this machine's", "NTP");
    one(&page(10), "improvement", "clock", "s behind this machine's", "NTP");
    assert_eq!(new_findings(&page(0), &[]), (Vec::new(), 0));
}

#[test]
fn time_in_the_future() {
    let page = bot::page();
    let line = page.lines().find(|line| line.starts_with("bytelyst_bot_subsystem_last_run_timestamp{"));
    let (series, _) = line.and_then(|line| line.rsplit_once(' ')).expect("a sample");
    let page = page.replace(line.expect("a line"), &format!("{series} 32503680000"));
    one(&Answer::page(page), "violation", "clock", "in the future", "NTP");
}

#[test]
fn renamed_label() {
    let lines = |label: &str| -> String {
        let of = |line: &str| line.starts_with("bytelyst_bot_exchange_api_in_flight{");
        let rename = |line: &str| line.replace("operation=", &format!("{label}="));
        let line = |line: &str| if of(line) { rename(line) } else { line.to_owned() } + "\n";
        bot::page().lines().map(line).collect()
    };
    let text = "bytelyst_bot_exchange_api_in_flight: missing labels: operation; unexpected labels: op";
    one(&Answer::page(lines("op")), "violation", "label", text, "Another release");
    let text = "unexpected labels: exported_operation";
    one(&Answer::page(lines("exported_operation")), "violation", "label", text, "honor_labels: true");
}

#[test]
fn never_exercised_is_told_apart_from_absent() {
    let usual = super::doctor_on(&Answer::page(bot::page()), &["--json", "--only", "coverage"]);
    let usual: Vec<_> = findings(&usual).into_iter().collect();
    let [finding, of_capital] = &usual[..] else { panic!("not two findings: {usual:#?}") };
    let text = "never exercised: check_capital with #[capital_check] has recorded nothing";
    assert_is(
        of_capital,
        "information",
        "coverage",
        text,
        "the annotated function is the one that is called",
    );
    let text = "never exercised: cancel with #[exchange_call] of exchange paper, operation cancel_order";
    assert_is(finding, "information", "coverage", text, "no reason to call it yet");
    let text = "absent: cancel with #[exchange_call]";
    one(
        &Answer::page(bot::page_without("\"cancel_order\"")),
        "improvement",
        "coverage",
        text,
        "disabled or optional",
    );
}

/// The page of a bot whose loop is stalled, with the number of its runs in progress and the times at which its last run
/// ended and succeeded.
fn stalled(running: u8, [ended, succeeded]: [Option<SystemTime>; 2]) -> Answer {
    let time = |series: &str, time: Option<SystemTime>| {
        let time =
            time.map(|time| time.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs());
        time.map_or_else(String::new, |time| format!("{series} {time}\n"))
    };
    let line = |line: &str| {
        let (series, _) = line.rsplit_once(' ').expect("a sample or a description");
        match series.split_once('{').map_or("", |(name, _)| name) {
            "bytelyst_bot_subsystem_alive" => format!("{series} 0\n"),
            "bytelyst_bot_subsystem_in_progress" => format!("{series} {running}\n"),
            "bytelyst_bot_subsystem_last_attempt_timestamp_seconds" => time(series, ended),
            "bytelyst_bot_subsystem_last_run_timestamp" => time(series, succeeded),
            _ => format!("{line}\n"),
        }
    };
    Answer::page(bot::page().lines().map(line).collect::<String>())
}

#[test]
fn hanging_failing_and_ended_loops() {
    let ago = |seconds| Some(SystemTime::now() - Duration::from_secs(seconds));
    let is = |answer: Answer, text: &str, advice: &str| {
        let (found, code) = new_findings(&answer, &["--only", "loop"]);
        let [finding] = &found[..] else { panic!("not one finding: {found:#?}") };
        assert_is(finding, "violation", "loop", &format!("loop trading: {text}"), advice);
        assert_eq!(code, 1);
    };
    is(
        stalled(1, [ago(60), ago(60)]),
        "hangs, or takes longer than its maximum age: a run is in progress, and the last one ended 6",
        "a timeout",
    );
    // Its next run may be in progress while the page is made.
    for running in [0, 1] {
        let text = "fails: the last run ended ";
        is(stalled(running, [ago(2), ago(60)]), text, "subsystem_runs_total");
        is(stalled(running, [ago(2), None]), "fails: the last run ended", "subsystem_runs_total");
    }
    is(stalled(0, [ago(60), ago(60)]), "stalled: the last run ended 6", "Its task has ended");
    is(stalled(1, [None, None]), "running since the start", "the body of one cycle");
    is(stalled(0, [None, None]), "stalled: no run has ended yet", "Its task has ended");
    is(stalled(0, [None, ago(60)]), "stalled: the last success was 6", "Its task has ended");
}

#[test]
fn wrong_content_type() {
    let alone = |answer: &Answer, text: &str| {
        let found = findings(&super::doctor_on(answer, &["--json"]));
        assert_eq!(found.len(), 1, "nothing else is known: {found:#?}");
        let finding = found.first().expect("one");
        assert_is(finding, "violation", "scrape", text, "Prometheus 3 refuses");
    };
    let page = Answer::page(bot::page());
    alone(
        &page.clone().with("Content-Type", "text/html"),
        "the content type \"text/html\" is that of no exposition",
    );
    alone(&page.without("Content-Type"), "the answer has no content type");
}

#[test]
fn redirect() {
    let endpoint = Endpoint::new(|request| {
        if request[0].contains("/metrics/all") {
            Answer::page(bot::page())
        } else {
            Answer { status: "302 Found", ..Answer::page("") }.with("Location", "/metrics/all")
        }
    });
    let found = findings(&doctor(&[&endpoint.url(), "--json", "--level", "improvement"]));
    assert_eq!(found.len(), 1, "{found:#?}");
    let text = "the answer came after a redirect to http://127.0.0.1:";
    assert_is(found.first().expect("one"), "improvement", "scrape", text, "Scrape the final address");
}

#[test]
fn empty_page() {
    let found = findings(&super::doctor_on(&Answer::page("\n"), &["--json"]));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_is(
        found.first().expect("one"),
        "violation",
        "scrape",
        "the page is empty",
        "without an installed instance",
    );
}

#[test]
fn wrong_buckets_and_values() {
    let lines = |from: &str, to: &str| -> String {
        let of = |line: &str| line.starts_with("bytelyst_bot_subsystem_duration_seconds_bucket{");
        let line = |line: &str| if of(line) { line.replace(from, to) } else { line.to_owned() } + "\n";
        bot::page().lines().map(line).collect()
    };
    let text = "the bounds are 0.1, 0.3, 0.5, 1, 2, 5, 10, expected: 0.1, 0.25, 0.5, 1, 2, 5, 10";
    one(&Answer::page(lines("le=\"0.25\"", "le=\"0.3\"")), "violation", "bucket", text, "Another release");
    let page = bot::page() + "# TYPE desk_orders gauge\ndesk_orders 1\n";
    one(&Answer::page(page), "information", "family", "desk_orders: is exported by other code", "");
    let page = bot::page() + "# TYPE bytelyst_bot_orders gauge\nbytelyst_bot_orders 1\n";
    one(&Answer::page(page), "improvement", "family", "bytelyst_bot_orders: is exported, but", "list --json");
    let page = bot::page_with("app=\"desk\"", "app=\"scalper\"");
    let text = "app: the value is \"scalper\", expected: \"desk\"";
    one(&Answer::page(page), "improvement", "label", text, "the intended bot");
}
