//! Invalid input ends the bot with one clear line and the right exit code.

use std::io::Write as _;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use bot_metrics_tests::paper_bot::{Ended, command, run, start};
use bot_metrics_tests::workspace;

fn refused(ended: &Ended, code: i32, says: &[&str]) {
    assert_eq!(ended.status.code(), Some(code), "{ended:?}");
    for words in says {
        assert!(ended.stderr.contains(words), "{words:?} is not in {:?}", ended.stderr);
    }
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

pub(super) fn an_invalid_command_line_ends_with_2() {
    for (arguments, says) in [
        (&["--prot", "1"][..], &["--prot", "--port"][..]),
        (&["--port", "99999"], &["99999", "--port"]),
        (&["--port", "no"], &["no", "--port"]),
        (&["--bind", "here:1"], &["here:1", "--bind", "localhost"]),
        (&["--duration", "30"], &["30", "--duration"]),
        (&["--duration", "0s"], &["0s", "--duration"]),
        (&["--duration", "-1s"], &["`-1s` is not a duration: a whole number followed by", "--duration"]),
        (&["--random-faults", "x"], &["--random-faults", "must be a whole number"]),
        (&["--speed", "0"], &["--speed"]),
        (&["--speed", "nan"], &["--speed"]),
        (&["--seed", "-1"], &["--seed"]),
        (
            &["--fault", "hang-everything"],
            &["hang-everything", "did you mean `hang-trading`?", "--fault list"],
        ),
        (&["--fault", "hang-trading@"], &["hang-trading@", "--fault"]),
        (&["--fault", "hang-trading@5s+"], &["hang-trading@5s+", "--fault"]),
        (&["--exchange-url", "ftp://x"], &["ftp://x", "--exchange-url"]),
        (&["--exchange-url", "nope"], &["nope", "allowed: http://HOST[:PORT]"]),
        (
            &["--exchange-url", "http://127.0.0.1:1", "--fault", "rate-limit"],
            &["rate-limit", "--exchange-url", "allowed with it: hang-trading"],
        ),
    ] {
        refused(&run(&mut command(arguments)), 2, says);
    }
}

pub(super) fn an_invalid_environment_ends_with_1_and_one_line() {
    for (variable, value, says) in [
        ("NODE_ENV", "prod", &["NODE_ENV is \"prod\"", "development or production"][..]),
        ("PAPER_TRADING", "maybe", &["PAPER_TRADING is \"maybe\"", "true, 1, yes or on"]),
        ("PAPER_TRADING", "false", &["PAPER_TRADING", "no real exchange"]),
        ("METRICS_ADDR", "", &["METRICS_ADDR", "0.0.0.0:5000"]),
    ] {
        let ended = run(command(&["--port", "0", "--duration", "1s"]).env(variable, value));
        refused(&ended, 1, says);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
}

pub(super) fn a_missing_exchange_ends_with_1_and_one_line_within_the_duration() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let stranger = start(&["--fault", "hang-trading"]);
    for (url, says) in [
        ("http://127.0.0.1:1", "Connection refused"),
        (&format!("http://{}", silent.local_addr().expect("bound")), "no answer in time"),
        (stranger.url(), "refused: status 404 Not Found without a code"),
    ] {
        let start = Instant::now();
        let ended = run(&mut command(&["--port", "0", "--duration", "2s", "--exchange-url", url]));
        refused(&ended, 1, &[&format!("no exchange at {url}: {says}"), "--exchange-url"]);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        assert!(start.elapsed() < Duration::from_secs(4), "{url} took {:?}", start.elapsed());
    }
}

pub(super) fn a_file_that_is_not_a_recording_ends_with_1() {
    let manifest = workspace::root().join("tests/Cargo.toml");
    for (file, says) in [
        ("no/such/file", "--data no/such/file: "),
        (manifest.to_str().expect("UTF-8"), "Cargo.toml: line 1: the columns are `[package]`"),
    ] {
        let ended = run(&mut command(&["--port", "0", "--duration", "1s", "--data", file]));
        refused(&ended, 1, &["--data ", says]);
        assert_eq!(ended.stdout, "", "nothing is served before all input is checked");
    }
}

pub(super) fn an_invalid_data_file_ends_with_1_and_a_line_number() {
    let path = std::env::temp_dir().join(format!("bot-metrics-malformed-{}.csv", std::process::id()));
    let mut file = std::fs::File::create(&path).expect("a temporary file");
    let header = "received_us,exchange_us,symbol,kind,side,price,quantity,ask_price,ask_quantity";
    writeln!(file, "{header}\n1742944020773684,1742944020773674,ETHUSDT,quote,,2059.1,many,2059.11,3.0146")
        .expect("a file");
    let name = path.to_str().expect("UTF-8");
    let ended = run(&mut command(&["--port", "0", "--duration", "1s", "--data", name]));
    std::fs::remove_file(&path).expect("it is there");
    refused(&ended, 1, &[name, "2", "quantity", "many"]);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}

pub(super) fn a_port_in_use_does_not_stop_it_from_trading_unless_the_endpoint_is_required() {
    let holder = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = holder.local_addr().expect("bound").port().to_string();
    let arguments = ["--bind", "127.0.0.1", "--port", &port, "--duration", "2s"];
    let ended = run(&mut command(&arguments));
    assert!(ended.status.success(), "{ended:?}");
    assert!(ended.stderr.contains(&format!("127.0.0.1:{port}")), "{}", ended.stderr);
    assert!(ended.stdout.contains("summary"), "{}", ended.stdout);

    let required = [&arguments[..], &["--require-metrics"]].concat();
    refused(&run(&mut command(&required)), 1, &[&format!("127.0.0.1:{port}"), "in use"]);
}
