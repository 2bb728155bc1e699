use std::io::Write as _;
use std::process::{Command, Stdio};

use bot_metrics_tests::paper_bot::start;
use libtest_mimic::Failed;

/// The one remark is about a name of the contract.
pub(crate) fn check_metrics() -> Result<(), Failed> {
    let bot = start(&[]);
    let _ = bot.wait_until("every family has a series", |samples| {
        samples.sum("bytelyst_bot_operational_events_total", &[("type", "ORDER_FILLED")]) > 0.0
            && samples.matching("bytelyst_bot_reconciliation_missing_items_count", &[]).count() == 2
    });
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = promtool.stdin.take().ok_or("promtool reads standard input")?;
    stdin.write_all(bot.scrape_text().as_bytes())?;
    drop(stdin);
    let checked = promtool.wait_with_output()?;
    let remarks = String::from_utf8(checked.stdout)? + &String::from_utf8(checked.stderr)?;
    let expected = "bytelyst_bot_reconciliation_missing_items_count non-histogram and non-summary metrics should not \
                    have \"_count\" suffix\n";
    if remarks != expected || checked.status.code() != Some(3) {
        return Err(format!("{}: {remarks}", checked.status).into());
    }
    Ok(())
}
