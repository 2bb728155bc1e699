//! The requests that `doctor` sends, and trouble on the way.

use std::fs;
use std::net::TcpListener;

use bot_metrics_tests::process::Directory;

use super::{Answer, Endpoint, bot, doctor, findings};

#[test]
fn the_bot_is_asked_as_prometheus_asks() {
    let endpoint = Endpoint::that_answers(Answer::page(bot::page()));
    let output = doctor(&[&endpoint.url(), "--timeout", "2.5"]);
    assert_eq!(output.code, 0, "{output:?}");
    for request in endpoint.requests() {
        assert_eq!(request[0], "get /metrics http/1.1");
        let has = |start: &str| request.iter().any(|line| line.starts_with(start));
        assert!(has("accept: application/openmetrics-text;version=1.0.0,"), "{request:?}");
        assert!(has("accept-encoding: gzip"), "{request:?}");
        assert!(has("x-prometheus-scrape-timeout-seconds: 2.5"), "{request:?}");
    }
    assert_eq!(endpoint.requests().len(), 2, "some series need an earlier scrape");
}

#[test]
fn openmetrics_and_gzip_are_read() {
    use std::io::Write as _;

    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bot::page().as_bytes()).expect("memory");
    let answer = Answer::page(encoder.finish().expect("memory")).with("Content-Encoding", "gzip");
    assert_eq!(super::new_findings(&answer, &[]), (Vec::new(), 0));
}

#[test]
fn credentials_come_from_files() {
    let endpoint = Endpoint::that_answers(Answer::page(bot::page()));
    let directory = Directory::new();
    let file = directory.path().join("secret");
    fs::write(&file, "opensesame\n").expect("a temporary file");
    let path = file.to_str().expect("plain characters");
    doctor(&[&endpoint.url(), "--user", "ali", "--password-file", path]);
    doctor(&[&endpoint.url(), "--bearer-token-file", path]);
    let requests = endpoint.requests();
    for (request, header) in [
        (&requests[0], "authorization: basic ywxpom9wzw5zzxnhbwu="),
        (&requests[2], "authorization: bearer opensesame"),
    ] {
        assert!(request.iter().any(|line| line == header), "{request:?}");
    }
}

#[test]
fn trouble_on_the_way_is_one_violation_that_says_what_to_do() {
    let only = |words: &[&str], text: &str, advice: &str| {
        let output = doctor(&[words, &["--json"]].concat());
        let found = findings(&output);
        assert!(found.len() == 1 && output.code == 1, "{output:?}");
        let finding = found.first().expect("one");
        assert!(finding.level == "violation" && finding.check == "scrape", "{finding:?}");
        assert!(finding.text.contains(text) && finding.advice.contains(advice), "{finding:?}");
    };
    let closed =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    only(
        &[&format!("http://{closed}")],
        "connection refused; is the bot running there?",
        "Check the address",
    );
    // Filters must not let a bot pass of which nothing was checked.
    only(&[&format!("http://{closed}"), "--only", "family"], "connection refused", "Check the address");
    only(&[&format!("http://{closed}"), "--skip", "scrape"], "connection refused", "Check the address");
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let silent_url = format!("http://{}", silent.local_addr().expect("bound"));
    only(&[&silent_url, "--timeout", "0.2"], "no answer within 200ms", "Check the address");
    let refusing = |status| Endpoint::that_answers(Answer { status, ..Answer::page("go away\n") });
    only(
        &[&refusing("401 Unauthorized").url()],
        "the status 401 Unauthorized: \"go away\"",
        "--bearer-token-file",
    );
    only(&[&refusing("404 Not Found").url()], "the status 404 Not Found", "Check the path");
}

#[test]
fn the_bot_can_be_asked_for_its_own_catalogue() {
    let list = bot_metrics::operations::run(["list", "--json"], &bot::settings()).text;
    let mut list: serde_json::Value = serde_json::from_str(&list).expect("JSON");
    let served = serde_json::json!({
        "version": 1, "now": 0.5, "app": "scalper", "functions": list["functions"].take(), "families": list["families"].take(),
    });
    let list = served.to_string();
    let endpoint = Endpoint::new(move |request| {
        if request[0].starts_with("get /catalogue?format=json ") {
            Answer::json(&list)
        } else {
            Answer::page(bot::page())
        }
    });
    let output = doctor(&[&endpoint.url(), "--expect-served", "--level", "improvement"]);
    assert!(output.text.contains("the value is \"desk\", expected: \"scalper\""), "{}", output.text);
    let none = Endpoint::that_answers(Answer::page(bot::page()));
    let output = doctor(&[&none.url(), "--expect-served"]);
    assert!(output.code == 1 && output.text.contains("it is no catalogue"), "{output:?}");
}
