use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use bot_metrics_tests::demo::Running;
use bot_metrics_tests::pages::blocks;
use bot_metrics_tests::paper_bot::start;
use bot_metrics_tests::process::Directory;
use libtest_mimic::Failed;

/// The only remark is about a name of the contract.
pub(crate) fn check_metrics() -> Result<(), Failed> {
    let bot = start(&[]);
    let _ = bot.wait_until("every family has a series", |samples| {
        samples.sum("bytelyst_bot_operational_events_total", &[("type", "ORDER_FILLED")]) > 0.0
            && samples.matching("bytelyst_bot_reconciliation_missing_items_count", &[]).count() == 2
    });
    let (code, remarks) = check(bot.scrape_text())?;
    let expected = "bytelyst_bot_reconciliation_missing_items_count non-histogram and non-summary metrics should not \
                    have \"_count\" suffix\n";
    if remarks != expected || code != Some(3) {
        return Err(format!("{code:?}: {remarks}").into());
    }
    Ok(())
}

/// The own families of a bot cause no further remark.
pub(crate) fn check_own_metrics() -> Result<(), Failed> {
    let bot = Running::start("own-metrics", &[]);
    let _ = bot.wait_until("its own families have series", |samples| {
        samples.sum("bytelyst_bot_signals_total", &[]) > 0.0
            && samples.sum("bytelyst_bot_spread_basis_points_count", &[]) > 0.0
    });
    let (code, remarks) = check(bot.scrape_text())?;
    if !remarks.is_empty() || code != Some(0) {
        return Err(format!("{code:?}: {remarks}").into());
    }
    Ok(())
}

/// The syntax is checked, because the files with passwords that they name do not exist here.
pub(crate) fn check_configurations() -> Result<(), Failed> {
    let (directory, mut count) = (Directory::new(), 0);
    for block in blocks(&["yaml"]).into_iter().filter(|block| block.text.contains("scrape_configs:")) {
        let file = directory.path().join("prometheus.yml");
        fs::write(&file, &block.text)?;
        let check = Command::new("promtool").args(["check", "config", "--syntax-only"]).arg(file).output()?;
        if !check.status.success() {
            return Err(format!("{block:?}\n{}", String::from_utf8_lossy(&check.stderr)).into());
        }
        count += 1;
    }
    if count < 3 { Err(format!("{count} configurations").into()) } else { Ok(()) }
}

/// The exit code and the remarks of `promtool check metrics`.
pub(crate) fn check(exposition: impl AsRef<[u8]>) -> Result<(Option<i32>, String), Failed> {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = promtool.stdin.take().ok_or("promtool reads standard input")?;
    stdin.write_all(exposition.as_ref())?;
    drop(stdin);
    let checked = promtool.wait_with_output()?;
    let remarks = String::from_utf8(checked.stdout)? + &String::from_utf8(checked.stderr)?;
    Ok((checked.status.code(), remarks))
}
