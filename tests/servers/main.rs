//! Tests against the programs that read what we serve. They run where the programs are, are reported as ignored where
//! not, and fail where they are missing although `CI` is set.

mod promtool;

use std::env;
use std::process::Command;

use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let tests =
        vec![trial("promtool", "promtool_check_metrics_remarks_on_one_name", promtool::check_metrics)];
    libtest_mimic::run(&arguments, tests).exit();
}

/// A test that needs `program`.
fn trial(program: &'static str, name: &str, test: fn() -> Result<(), Failed>) -> Trial {
    let found = Command::new(program).arg("--version").output().is_ok();
    if found {
        return Trial::test(name, test);
    }
    let missing = move || Err(Failed::from(format!("{program} is not installed, and CI is set")));
    Trial::test(name, missing).with_ignored_flag(env::var_os("CI").is_none())
}
