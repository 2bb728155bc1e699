//! A Prometheus that answers queries in a prepared way.

use super::{Answer, Endpoint, bot, doctor, findings};

const NOTHING: &str = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
const ONE: &str =
    r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[0,"1"]}]}}"#;

/// The level, text and advice of a finding.
type Told = (String, String, String);

/// The findings of the checks `label` and `prometheus` with a Prometheus that has a series for each query that
/// `is_known`, and refuses those that `is_refused`.
fn with_prometheus(
    is_known: impl Fn(&str) -> bool + Send + 'static,
    is_refused: impl Fn(&str) -> bool + Send + 'static,
) -> Vec<Told> {
    with_prometheus_and(&[], is_known, is_refused)
}

/// These findings of a doctor with further words.
fn with_prometheus_and(
    further: &[&str],
    is_known: impl Fn(&str) -> bool + Send + 'static,
    is_refused: impl Fn(&str) -> bool + Send + 'static,
) -> Vec<Told> {
    let page = Endpoint::that_answers(Answer::page(bot::page()));
    let prometheus = Endpoint::new(move |request| match request[0].as_str() {
        query if is_refused(query) => {
            let error =
                r#"{"status":"error","errorType":"bad_data","error":"parse error: no such function"}"#;
            Answer { status: "400 Bad Request", ..Answer::json(error) }
        }
        query if is_known(query) => Answer::json(ONE),
        _ => Answer::json(NOTHING),
    });
    let words = [&page.url(), "--prometheus", &prometheus.url(), "--json", "--only", "label,prometheus"];
    let found = findings(&doctor(&[&words[..], further].concat())).into_iter();
    found.map(|finding| (finding.level, finding.text, finding.advice)).collect()
}

fn has_exported(query: &str) -> bool {
    query.contains("exported_")
}

/// The query for the targets of the bot's job.
fn asks_for_targets(query: &str) -> bool {
    query.contains("query=up%7bjob%3d%22desk%22%7d ")
}

#[test]
fn a_prometheus_without_the_bots_series_is_a_violation_for_each_family() {
    let found = with_prometheus(asks_for_targets, |_| false);
    let missing = |name: &str| {
        found.iter().any(|(level, text, _)| {
            level == "violation" && text == &format!("{name}: Prometheus has no series of it")
        })
    };
    assert!(
        missing("bytelyst_bot_subsystem_alive") && missing("bytelyst_bot_exchange_api_latency_seconds"),
        "{found:#?}"
    );
    assert!(!missing("bytelyst_bot_quote_seconds"), "the first recording creates its series");
    for place in ["recording rule ", "panel Now / State of the loops", "variable exchange"] {
        let is_empty = |(level, text, _): &Told| {
            level == "information" && text.starts_with(place) && text.ends_with(": the result is empty")
        };
        assert!(found.iter().any(is_empty), "{place}: {found:#?}");
    }
}

#[test]
fn a_prometheus_without_a_target_of_the_job_is_one_violation_that_names_other_jobs() {
    let alone = |found: &[Told], text: &str| {
        let [(level, found, advice)] = found else { panic!("not one finding: {found:#?}") };
        assert_eq!((level.as_str(), found.as_str()), ("violation", text));
        assert!(advice.contains("--job"), "{advice}");
    };
    let nothing = "job desk: Prometheus has no target of this job; it has no series of such a bot";
    alone(&with_prometheus(|_| false, |_| false), nothing);
    let given = "job bots: Prometheus has no target of this job; it has no series of such a bot";
    alone(&with_prometheus_and(&["--job", "bots"], |_| false, |_| false), given);
}

#[test]
fn renamed_labels_firing_conditions_and_refused_queries_are_told() {
    let found = with_prometheus(|query| !has_exported(query), |_| false);
    assert!(found.iter().all(|(level, ..)| level == "information"), "{found:#?}");
    let holds = |name: &str| {
        found.iter().any(|(_, text, _)| text.starts_with(&format!("alert {name}: the condition holds")))
    };
    assert!(holds("BotDown") && !holds("Watchdog"), "{found:#?}");
    let found = with_prometheus(|query| query.contains("exported_app") || !has_exported(query), |_| false);
    let renamed: Vec<_> = found.iter().filter(|(level, ..)| level == "violation").collect();
    let [(_, text, advice)] = &renamed[..] else { panic!("not one violation: {renamed:#?}") };
    assert!(
        text == "app: 1 series have the label exported_app instead" && advice.contains("honor_labels: true")
    );
    let found = with_prometheus(
        |query| !has_exported(query),
        |query| query.contains("absent") && !query.contains("group"),
    );
    let refused: Vec<_> = found.iter().filter(|(level, ..)| level == "violation").collect();
    let [(_, text, _)] = &refused[..] else { panic!("not one violation: {refused:#?}") };
    assert_eq!(text, "alert BotMissing: Prometheus refuses the query: parse error: no such function");
}

#[test]
fn a_prometheus_that_is_none_is_one_violation() {
    let page = Endpoint::that_answers(Answer::page(bot::page()));
    let words = [&page.url(), "--prometheus", &page.url(), "--json", "--only", "prometheus"];
    let output = doctor(&words);
    let found = findings(&output);
    assert!(found.len() == 1 && output.code == 1, "{found:#?}");
    assert!(
        found.first().is_some_and(|finding| finding.text.contains("is none of Prometheus'")),
        "{found:#?}"
    );
}
