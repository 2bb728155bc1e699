//! The JSON objects that the bot prints for programs.

use std::collections::BTreeMap;

use bot_metrics_tests::paper_bot::start;
use serde_json::Value;

use super::customer::PROFILES;

fn objects(stdout: &str) -> Vec<Value> {
    let object = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    stdout.lines().map(object).collect()
}

pub(super) fn each_line_is_an_object_of_a_known_type() {
    let bot = start(&["--json", "--fault", "remove-profile@2s+1s"]);
    let kinds = ["ORDER_PLACED", "ORDER_FILLED", "ORDER_CANCELLED"];
    let _ = bot.wait_until("each profile has traded", |samples| {
        PROFILES.iter().flat_map(|profile| kinds.map(|kind| (*profile, kind))).all(|(profile, kind)| {
            let labels = [("profile_id", profile), ("type", kind)];
            samples.sum("bytelyst_bot_operational_events_total", &labels) > 0.0
        })
    });
    for words in [r#""fault":"remove-profile","active":false"#, r#""type":"status""#] {
        let _ = bot.wait_to_say(words);
    }
    let ended = bot.terminate();
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    let mut by_type: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for object in objects(&ended.stdout) {
        assert!(object["at"].as_f64().is_some_and(|at| at > 1.7e9), "{object}");
        let kind = object["type"].as_str().expect("a type").to_owned();
        by_type.entry(kind).or_default().push(object);
    }
    let types: Vec<_> = by_type.keys().map(String::as_str).collect();
    assert_eq!(types, ["event", "fault", "message", "status", "summary"]);

    let page = by_type["message"][0]["text"].as_str().expect("a text");
    assert!(page.starts_with("status page at http://"), "{page}");
    let faults: Vec<_> = by_type["fault"].iter().map(|fault| (&fault["fault"], &fault["active"])).collect();
    assert_eq!(faults, [(&"remove-profile".into(), &true.into()), (&"remove-profile".into(), &false.into())]);
    assert_eq!(by_type["fault"][0]["see"], "profile_utilization_percent");

    let status = &by_type["status"][0];
    assert_eq!(
        (&status["mode"], &status["loops"][0]["name"]),
        (&"paper".into(), &"monitor".into()),
        "{status}"
    );
    let events = |profile: &str, kind: &str| {
        let is_it = |event: &&Value| event["profile"] == profile && event["event"] == kind;
        by_type["event"].iter().filter(is_it).count()
    };
    let [summary] = by_type["summary"].as_slice() else { panic!("{:?}", by_type["summary"]) };
    for profile in summary["profiles"].as_array().expect("profiles") {
        let name = profile["name"].as_str().expect("a name");
        for (figure, kind) in
            [("placed", "ORDER_PLACED"), ("fills", "ORDER_FILLED"), ("cancelled", "ORDER_CANCELLED")]
        {
            let told = usize::try_from(profile[figure].as_u64().expect("a count")).expect("few");
            assert_eq!(events(name, kind), told, "{name} {figure}");
            assert!(told > 0, "{name} {figure}");
        }
        assert!(profile["profit_usdt"].is_number() || profile["profit_usdt"].is_null(), "{profile}");
    }
    assert_eq!(ended.stdout.lines().last().map(|line| line.contains("\"summary\"")), Some(true));
}
