//! A bot whose database cannot be written places no order until it can be, and loses nothing.

use std::os::unix::process::CommandExt as _;

use bot_metrics::testing::Samples;
use bot_metrics_tests::paper_bot::{Running, command};
use bot_metrics_tests::process::Directory;

use super::records::Database;

/// The bot's limit for the size of a file. Writing beyond it fails, as on a full disk.
fn limit_files(bot: &Running, bytes: libc::rlim_t) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: libc::RLIM_INFINITY };
    let pid = libc::pid_t::try_from(bot.id()).expect("a process id");
    // SAFETY: the new limit is a valid value, and the old one is not asked for.
    let outcome = unsafe { libc::prlimit(pid, libc::RLIMIT_FSIZE, &raw const limit, std::ptr::null_mut()) };
    assert_eq!(outcome, 0, "{}", std::io::Error::last_os_error());
}

/// Without this the signal for a file that is too large would end the bot.
fn ignore_large_files() -> std::io::Result<()> {
    // SAFETY: it is a system call without memory or locks of its own.
    match unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) } {
        libc::SIG_ERR => Err(std::io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn events(samples: &Samples, kind: &str) -> f64 {
    samples.sum("bytelyst_bot_operational_events_total", &[("type", kind)])
}

fn failed_cycles(samples: &Samples) -> f64 {
    samples.sum("bytelyst_bot_subsystem_runs_total", &[("subsystem", "trading"), ("outcome", "error")])
}

pub(super) fn while_its_database_cannot_be_written_no_order_is_placed_and_nothing_is_lost() {
    let directory = Directory::new();
    let file = directory.path().join("orders.db");
    let mut command = command(&["--port", "0", "--drain", "50s", "--db", file.to_str().expect("UTF-8")]);
    // SAFETY: the function calls nothing but a system call without memory or locks of its own.
    unsafe { command.pre_exec(ignore_large_files) };
    let mut bot = Running::spawn(&mut command);
    let _ = bot.wait_until("orders are placed", |samples| events(samples, "ORDER_PLACED") > 0.0);

    limit_files(&bot, 1);
    let _ = bot.wait_to_say("trading fails: the database of orders fails: ");
    let failing = bot.scrape();
    let later =
        bot.wait_until("more cycles fail", |samples| failed_cycles(samples) >= failed_cycles(&failing) + 5.0);
    assert_eq!(events(&later, "ORDER_PLACED"), events(&failing, "ORDER_PLACED"));

    limit_files(&bot, libc::RLIM_INFINITY);
    let _ = bot.wait_to_say("trading works again after ");
    let _ = bot.wait_until("orders are placed again", |samples| {
        events(samples, "ORDER_PLACED") > events(&later, "ORDER_PLACED")
    });
    bot.signal(libc::SIGTERM);
    let _ = bot.wait_to_say("waiting up to 50s for one more scrape");
    let last = bot.scrape();
    let ended = bot.wait();
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    let database = Database::read(&file);
    let count = |rows: usize| f64::from(u32::try_from(rows).expect("few"));
    assert_eq!(count(database.confirmed.len()), events(&last, "ORDER_PLACED"));
    assert_eq!(count(database.trades.len()), events(&last, "ORDER_FILLED"));
    let not_closed: Vec<_> = database.confirmed.iter().filter(|(state, _)| state != "closed").collect();
    assert!(not_closed.is_empty(), "{not_closed:?}");
}
