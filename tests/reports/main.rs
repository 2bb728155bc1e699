//! The library's own reports reach their reader and delay nothing else.

mod ages;
mod hooks;
mod not_installed;
mod standard_error;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bot_metrics::Metrics;

/// Calls a function at each allocation of a thread for which one is set.
struct Calling;

#[global_allocator]
static ALLOCATOR: Calling = Calling;

thread_local! {
    static CALLED: Cell<Option<fn()>> = const { Cell::new(None) };
}

// SAFETY: every call is forwarded to the system's allocator.
unsafe impl GlobalAlloc for Calling {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Not for allocations of the function itself.
        if let Some(function) = CALLED.take() {
            function();
            CALLED.set(Some(function));
        }
        // SAFETY: guaranteed by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: guaranteed by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Far longer than any step of these tests.
const PATIENCE: Duration = Duration::from_secs(20);

/// The variable that turns a test's process into the bot of that test.
const BOT: &str = "BOT_METRICS_TEST_BOT";

/// Whether this process is the bot of a test.
fn is_bot() -> bool {
    std::env::var_os(BOT).is_some()
}

/// A separate process that runs the test of this name as its bot.
fn bot(test: &str) -> Command {
    let mut bot = Command::new(std::env::current_exe().expect("a path"));
    bot.args(["--exact", test, "--nocapture"]).env(BOT, "1").stdin(Stdio::null()).stdout(Stdio::piped());
    bot
}

/// Waits for the bot's end and returns its standard output.
fn output(mut bot: Child) -> String {
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = bot.try_wait().expect("it is ours") {
            break status;
        }
        if Instant::now() > deadline {
            bot.kill().expect("it is ours");
            panic!("the bot hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let mut output = String::new();
    bot.stdout.take().expect("piped").read_to_string(&mut output).expect("text");
    assert!(status.success(), "{status}: {output}");
    output
}

/// Uses up all names of reconciliations, so that each further one is reported.
fn use_up_names(metrics: &Metrics) {
    (0..200).for_each(|name| drop(metrics.named_reconciliation(&name.to_string())));
}
