use std::net::TcpListener;
use std::time::{Duration, Instant};

use bot_metrics_tests::demo::{Running, command, run};

/// The bots that serve their metrics.
const SERVING: [&str; 3] = ["own-metrics", "grid-bot", "axum-service"];

/// Longer than the shutdown may take on a busy machine.
const SOON: Duration = Duration::from_secs(10);

#[test]
fn a_signal_ends_each_of_them_soon_and_cleanly() {
    for bot in SERVING {
        for signal in [libc::SIGINT, libc::SIGTERM] {
            let mut running = Running::start(bot, &[]);
            running.signal(signal);
            let start = Instant::now();
            let ended = running.wait();
            assert!(start.elapsed() < SOON, "{bot} took {:?}", start.elapsed());
            assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""), "{bot}: {ended:?}");
        }
    }
}

#[test]
fn an_unread_output_delays_none_of_them() {
    for bot in SERVING {
        let (mut running, pipes) = Running::start_unread(bot, &[]);
        assert_eq!(running.get("/metrics").0, 200, "{bot}");
        running.signal(libc::SIGTERM);
        let start = Instant::now();
        let ended = running.wait();
        assert!(start.elapsed() < SOON, "{bot} took {:?}", start.elapsed());
        assert_eq!(ended.status.code(), Some(0), "{bot}");
        drop(pipes);
    }
}

#[test]
fn each_ends_by_itself_when_its_time_is_up() {
    for bot in SERVING {
        let ended = run(&mut command(bot, &["--port", "0", "--bind", "127.0.0.1", "--duration", "500ms"]));
        assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""), "{bot}: {ended:?}");
    }
}

#[test]
fn a_port_in_use_is_reported_in_one_line_and_does_not_stop_a_bot_that_can_run_without() {
    let holder = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = holder.local_addr().expect("bound").port().to_string();
    let arguments = ["--bind", "127.0.0.1", "--port", &port, "--duration", "500ms"];
    for bot in SERVING {
        let ended = run(&mut command(bot, &arguments));
        // Without its port the service is of no use.
        let code = i32::from(bot == "axum-service");
        assert_eq!(ended.status.code(), Some(code), "{bot}: {ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{bot}: {}", ended.stderr);
        assert!(ended.stderr.starts_with(&format!("{bot}: ")), "{}", ended.stderr);
        assert!(ended.stderr.contains(&format!("127.0.0.1:{port}")), "{}", ended.stderr);

        let ended = run(command(bot, &arguments).arg("--require-metrics"));
        assert_eq!(ended.status.code(), Some(1), "{bot}: {ended:?}");
        assert!(ended.stderr.contains("in use"), "{}", ended.stderr);
    }
}

#[test]
fn wrong_arguments_and_a_wrong_environment_are_reported_as_by_paper_bot() {
    for bot in SERVING.into_iter().chain(["backtest"]) {
        let ended = run(&mut command(bot, &["--prot", "1"]));
        assert_eq!(ended.status.code(), Some(2), "{bot}: {ended:?}");
        assert!(ended.stderr.contains("--prot"), "{}", ended.stderr);
        let help = run(&mut command(bot, &["--help"]));
        assert_eq!((help.status.code(), help.stderr.as_str()), (Some(0), ""), "{bot}");
        for (variable, value, says) in [
            ("NODE_ENV", "prod", "NODE_ENV is \"prod\""),
            ("PAPER_TRADING", "maybe", "PAPER_TRADING is \"maybe\""),
            ("PAPER_TRADING", "false", "has no real exchange"),
        ] {
            let ended = run(command(bot, &[]).env(variable, value));
            assert_eq!((ended.status.code(), ended.stderr.lines().count()), (Some(1), 1), "{bot}: {ended:?}");
            assert!(ended.stderr.starts_with(&format!("{bot}: ")), "{}", ended.stderr);
            assert!(ended.stderr.contains(says), "{}", ended.stderr);
        }
    }
}
