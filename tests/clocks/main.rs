//! Jumps of the machine's clocks, produced by a time namespace whose time since boot is an hour ahead, as after a
//! suspend.
//!
//! Creating one needs a permission. Without it the tests are reported as ignored, or fail if `CI` is set.

use std::env;
use std::process::{Command, Output};

use libtest_mimic::{Arguments, Failed, Trial};

/// Set in the process whose clock jumps.
const LEAP: &str = "BOT_METRICS_TEST_LEAP";

/// That process's exit code if it lacks the permission.
const NOT_PERMITTED: i32 = 77;

fn main() {
    if env::var_os(LEAP).is_some() {
        return suspended::run();
    }
    let arguments = Arguments::from_args();
    let Output { status, stderr, .. } =
        Command::new(env::current_exe().expect("it runs")).env(LEAP, "1").output().expect("it starts");
    let is_permitted = status.code() != Some(NOT_PERMITTED);
    let told = String::from_utf8_lossy(&stderr).into_owned();
    let test = move || if status.success() { Ok(()) } else { Err(Failed::from(told)) };
    let ignored = !is_permitted && env::var_os("CI").is_none();
    let name = "after_an_hour_of_suspend_nothing_is_fresh_and_nothing_hangs";
    libtest_mimic::run(&arguments, vec![Trial::test(name, test).with_ignored_flag(ignored)]).exit();
}

#[cfg(not(target_os = "linux"))]
mod suspended {
    pub(crate) fn run() {
        std::process::exit(super::NOT_PERMITTED);
    }
}

#[cfg(target_os = "linux")]
mod suspended {
    use std::fs::{self, File};
    use std::io;
    use std::os::fd::AsRawFd as _;
    use std::time::Duration;

    use bot_metrics::labels::Subsystem;
    use bot_metrics::testing::Samples;
    use bot_metrics::{Metrics, Mode, Outcome, Settings};

    const CLONE_NEWTIME: libc::c_int = 0x80;

    /// Enters a namespace whose time since boot is an hour ahead. The other clocks are unchanged, since
    /// `CLOCK_MONOTONIC` does not advance while a machine sleeps.
    fn sleep_for_an_hour() -> io::Result<()> {
        // SAFETY: the call takes a number and accesses no memory of this process.
        let unshared = unsafe { libc::unshare(CLONE_NEWTIME) };
        if unshared != 0 {
            return Err(io::Error::last_os_error());
        }
        fs::write("/proc/self/timens_offsets", "boottime 3600 0\n")?;
        let namespace = File::open("/proc/self/ns/time_for_children")?;
        // SAFETY: the descriptor is open, and there is no other thread that would keep the old clock.
        let entered = unsafe { libc::setns(namespace.as_raw_fd(), CLONE_NEWTIME) };
        if entered == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    fn value(metrics: &Metrics, name: &str, subsystem: &str) -> Option<f64> {
        Samples::of(metrics).value(&format!("bytelyst_bot_subsystem_{name}"), &[("subsystem", subsystem)])
    }

    pub(crate) fn run() {
        let metrics = Settings::new(Mode::Paper).build().expect("legal");
        let subsystem = |name, max_age| {
            metrics.subsystem(name).with_max_age(Duration::from_secs(max_age)).expect("the first age")
        };
        let (trading, monitor) = (subsystem(Subsystem::Trading, 60), subsystem(Subsystem::Monitor, 60));
        let patient = subsystem(Subsystem::Reconciliation, 7_200);
        let unscraped = Settings::new(Mode::Paper).build().expect("legal");
        unscraped.subsystem(Subsystem::Trading).start().finish(Outcome::Ok);
        trading.start().finish(Outcome::Ok);
        patient.start().finish(Outcome::Ok);
        let under_way = monitor.start();
        assert_eq!(value(&metrics, "alive", "trading"), Some(1.0));
        let last_run = value(&metrics, "last_run_timestamp", "trading").expect("it ran");

        if let Err(error) = sleep_for_an_hour() {
            eprintln!("no time namespace: {error}");
            std::process::exit(super::NOT_PERMITTED);
        }

        assert_eq!(value(&unscraped, "alive", "trading"), Some(0.0), "although nothing was scraped before");
        assert_eq!(value(&metrics, "alive", "trading"), Some(0.0), "a machine that slept is not fresh");
        assert_eq!(value(&metrics, "alive", "reconciliation"), Some(1.0), "an hour is not two");
        assert_eq!(value(&metrics, "last_run_timestamp", "trading"), Some(last_run));
        let health = metrics.health();
        let ages: Vec<_> = health.iter().map(|health| health.age.as_secs() / 3_600).collect();
        assert_eq!(ages, [1, 1, 1], "{health:?}");
        assert!(health.iter().all(|health| health.hung_for.is_none()), "it had no time to end: {health:?}");
        under_way.finish(Outcome::Ok);
        trading.start().finish(Outcome::Ok);
        assert_eq!(value(&metrics, "alive", "trading"), Some(1.0));
        let took = value(&metrics, "duration_seconds_sum", "monitor").expect("it ended");
        assert!(took < 60.0, "the hour is not included: {took} s");
        let fallbacks = Samples::of(&metrics).value("bytelyst_bot_clock_fallbacks_total", &[]);
        assert_eq!(fallbacks, Some(0.0), "the counter is still trusted");
    }
}
