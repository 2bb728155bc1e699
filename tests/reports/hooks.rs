//! A hook is the bot's own code: it may block, panic and cause reports itself.

use std::io::{Read as _, Write as _};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use bot_metrics::server::ServerOptions;
use bot_metrics::testing::flush_reports;
use bot_metrics::{Metrics, Mode, ReportHook, Settings};

use crate::{PATIENCE, use_up_names};

/// The lines that a hook received.
type Lines = Arc<Mutex<Vec<String>>>;

fn lines() -> (Lines, ReportHook) {
    let lines = Lines::default();
    let kept = Arc::clone(&lines);
    (lines, Arc::new(move |line| kept.lock().expect("no panic").push(line.to_owned())))
}

fn instance(hook: ReportHook) -> Metrics {
    let metrics = Settings::new(Mode::Paper).on_report(hook).build().expect("legal");
    use_up_names(&metrics);
    metrics
}

fn report(metrics: &Metrics, name: &str) {
    drop(metrics.named_reconciliation(name));
}

#[test]
fn a_hook_that_blocks_delays_neither_the_reporting_thread_nor_other_instances() {
    let (release, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let blocked = instance(Arc::new(move |_| {
        let _ = gate.lock().expect("no panic").recv();
    }));
    let (told, hook) = lines();
    let other = instance(hook);
    let (sender, done) = mpsc::channel();
    thread::spawn(move || {
        report(&blocked, "first");
        report(&blocked, "second");
        report(&other, "third");
        flush_reports(&other);
        sender.send(()).expect("it is waited for");
    });
    let done = done.recv_timeout(PATIENCE);
    drop(release);
    assert_eq!(done, Ok(()), "a thread waits for the hook");
    assert_eq!(told.lock().expect("no panic").len(), 1);
}

/// The thread that calls hooks, and the queued lines, stay in the parent process.
#[test]
fn a_forked_process_delivers_its_own_reports_and_none_of_its_parents() {
    let parent = std::process::id();
    let (release, gate) = mpsc::channel::<()>();
    let (entered, begun) = mpsc::channel();
    let gate = Mutex::new(gate);
    let (told, keep) = lines();
    let metrics = instance(Arc::new(move |line: &str| {
        if std::process::id() == parent {
            let _ = entered.send(());
            let _ = gate.lock().expect("no panic").recv();
        }
        keep(line);
    }));
    report(&metrics, "told by the parent");
    begun.recv_timeout(PATIENCE).expect("its hook is called");
    report(&metrics, "waits in the parent");
    // SAFETY: the child takes no lock that another thread may have held, and ends without running the exit handlers
    // of its parent.
    let child = unsafe { libc::fork() };
    if child == 0 {
        report(&metrics, "of the child");
        let told = std::panic::catch_unwind(AssertUnwindSafe(|| lines_of(&told, &metrics)));
        let is_right = told.is_ok_and(|told| matches!(&told[..], [line] if line.contains("of the child")));
        // SAFETY: it ends the process.
        unsafe { libc::_exit(i32::from(!is_right)) };
    }
    let mut status = 0;
    // SAFETY: the pointer is to a live integer.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    drop(release);
    assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "{status:#x}");
    assert_eq!(lines_of(&told, &metrics).len(), 2);
}

/// Lines queued in its parent do not count as delivered for its own report.
#[test]
fn the_end_of_a_forked_process_waits_for_its_report() {
    let parent = std::process::id();
    let (release, gate) = mpsc::channel::<()>();
    let (entered, begun) = mpsc::channel();
    let gate = Mutex::new(gate);
    let (mut told, tell) = std::io::pipe().expect("a pipe");
    let metrics = instance(Arc::new(move |line: &str| {
        if std::process::id() == parent {
            let _ = entered.send(());
            let _ = gate.lock().expect("no panic").recv();
        } else {
            // Longer than an end takes that does not wait.
            thread::sleep(Duration::from_millis(20));
            let _ = { &tell }.write_all(line.as_bytes());
        }
    }));
    report(&metrics, "told by the parent");
    begun.recv_timeout(PATIENCE).expect("its hook is called");
    report(&metrics, "waits in the parent");
    // SAFETY: the child takes no lock that another thread may have held.
    let child = unsafe { libc::fork() };
    if child == 0 {
        report(&metrics, "of the child");
        // SAFETY: it ends the process, as the end of `main` does.
        unsafe { libc::exit(0) };
    }
    // SAFETY: no status is requested.
    assert_eq!(unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) }, child);
    drop(release);
    flush_reports(&metrics);
    drop(metrics);
    let mut lines = String::new();
    told.read_to_string(&mut lines).expect("text");
    assert!(lines.contains("of the child"), "{lines:?}");
}

#[test]
fn a_hook_is_not_called_for_its_own_reports() {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    let (told, keep) = lines();
    let hook = move |line: &str| {
        keep(line);
        report(METRICS.get().expect("it is there"), "of the hook");
    };
    let metrics =
        METRICS.get_or_init(|| Settings::new(Mode::Paper).on_report(Arc::new(hook)).build().expect("legal"));
    use_up_names(metrics);
    report(metrics, "of the bot");
    flush_reports(metrics);
    // A report caused by the hook would have been delivered by now.
    thread::sleep(Duration::from_millis(20));
    let told = lines_of(&told, metrics);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("of the bot"), "{told:?}");
}

fn lines_of(told: &Lines, metrics: &Metrics) -> Vec<String> {
    flush_reports(metrics);
    told.lock().expect("no panic").clone()
}

/// As rustc suggests for an unused server.
#[test]
fn a_server_that_is_dropped_at_once_is_reported_with_its_location() {
    let (told, hook) = lines();
    let metrics = Settings::new(Mode::Paper).on_report(hook).build().expect("legal");
    let line = line!() + 3;
    // On a busy machine one of the servers may live longer than "at once".
    for _ in 0..10 {
        let _ = metrics.serve("127.0.0.1:0").expect("a free port");
        let _ = metrics.serve_with("127.0.0.1:0", ServerOptions::new()).expect("a free port");
    }
    let told = lines_of(&told, &metrics);
    for line in [line, line + 1] {
        let place = format!("started at {}:{line}, ", file!());
        let told = told.iter().find(|told| told.contains(&place)).expect("it is reported");
        assert!(told.contains("write `let _server = …`, not `let _ = …`"), "{told}");
    }
}

#[test]
fn a_server_that_is_shut_down_scraped_kept_or_dropped_by_a_panic_is_not() {
    let (told, hook) = lines();
    let metrics = Settings::new(Mode::Paper).on_report(hook).build().expect("legal");
    let serve = || metrics.serve("127.0.0.1:0").expect("a free port");
    serve().shutdown();
    let kept = serve();
    thread::sleep(Duration::from_millis(1));
    drop(kept);
    let server = serve();
    assert!(ureq::get(format!("http://{}/metrics", server.local_addr())).call().is_ok());
    drop(server);
    let panicked = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let _server = serve();
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    assert_eq!(lines_of(&told, &metrics), [""; 0]);
}

/// A payload that also panics when it is dropped.
struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        assert!(thread::panicking(), "the payload's drop");
    }
}

#[test]
fn a_hook_that_panics_costs_its_line_and_no_other() {
    let (told, keep) = lines();
    let metrics = instance(Arc::new(move |line: &str| {
        if line.contains("\"first\"") {
            std::panic::panic_any(Payload);
        }
        keep(line);
    }));
    report(&metrics, "first");
    report(&metrics, "second");
    let told = lines_of(&told, &metrics);
    assert!(matches!(&told[..], [line] if line.contains("\"second\"")), "{told:?}");
}

/// Positions and capital are shown to all who reach the address.
#[test]
fn a_live_bot_that_everybody_can_read_is_reported_once() {
    const OPEN: &str = "can read the positions and the capital of this live bot";
    let file = std::env::temp_dir().join(format!("bot-metrics-reports-{}.yml", std::process::id()));
    std::fs::write(
        &file,
        "basic_auth_users:\n  ops: $2y$10$D.3n.mIY/.ur4qCbqkPleelNUiMk2OTpqI1Li79nRqJZF.V.YVDlm\n",
    )
    .expect("a temporary file");
    for (mode, address, web_config, reports) in [
        (Mode::Live, "0.0.0.0:0", None, 1),
        (Mode::Paper, "0.0.0.0:0", None, 0),
        (Mode::Live, "127.0.0.1:0", None, 0),
        (Mode::Live, "[::1]:0", None, 0),
        (Mode::Live, "0.0.0.0:0", Some(&file), 0),
    ] {
        let (told, hook) = lines();
        let metrics = Settings::new(mode).on_report(hook);
        let metrics = web_config.into_iter().fold(metrics, Settings::web_config).build().expect("legal");
        match metrics.serve(address) {
            Ok(server) => thread::sleep(Duration::from_millis(u64::from(server.local_addr().port() > 0))),
            Err(_) if address.starts_with("[::1]") => continue, // without IPv6
            Err(error) => panic!("{error}"),
        }
        let told = lines_of(&told, &metrics);
        assert_eq!(told.iter().filter(|line| line.contains(OPEN)).count(), reports, "{address}: {told:?}");
    }
    std::fs::remove_file(file).expect("it is there");
}

/// The settings protect the library's own server, which is not used here.
#[test]
fn a_web_configuration_that_protects_nothing_is_reported() {
    let (told, hook) = lines();
    let metrics = Settings::new(Mode::Paper).on_report(hook).web_config("web.yml").build().expect("legal");
    let _service = metrics.service().expect("a thread starts");
    let told = lines_of(&told, &metrics);
    assert!(told.len() == 1 && told[0].contains("web.yml does not protect the metrics"), "{told:?}");
    let error =
        metrics.service_with(ServerOptions::new().web_config("web.yml")).expect_err("it would be ignored");
    assert!(error.to_string().contains("the bot's server protects this service"), "{error}");
}
