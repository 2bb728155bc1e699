//! Ctrl-C, SIGTERM, SIGHUP and SIGQUIT (Ctrl-\), for bots with and without an async runtime.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// The polling interval of a waiting thread: a delay of 50 ms at the end is not noticeable.
const LOOK: Duration = Duration::from_millis(50);

/// The number of signals received. Clones share the count.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<u32>);

impl Stop {
    /// Starts listening on a separate thread.
    ///
    /// # Errors
    ///
    /// If the system does not permit it.
    pub fn listen() -> io::Result<Self> {
        let (count, counted) = watch::channel(0);
        let (started, start) = mpsc::sync_channel(1);
        thread::Builder::new().name("signals".to_owned()).spawn(move || count_signals(&count, &started))?;
        start.recv().unwrap_or_else(|_| Err(io::Error::other("the thread for signals ended")))?;
        Ok(Self(counted))
    }

    /// Whether a signal has been received.
    #[must_use]
    pub fn has_come(&self) -> bool {
        self.count() > 0
    }

    /// The number of signals received.
    #[must_use]
    pub fn count(&self) -> u32 {
        *self.0.borrow()
    }

    /// Waits for the first signal, `longest` at most, and returns whether it came.
    #[must_use = "it says whether to stop"]
    pub fn wait(&self, longest: Duration) -> bool {
        let start = Instant::now();
        loop {
            let left = longest.saturating_sub(start.elapsed());
            if self.has_come() || left.is_zero() {
                return self.has_come();
            }
            thread::sleep(left.min(LOOK));
        }
    }

    /// Returns once a signal has been received.
    pub async fn come(&self) {
        let mut counted = self.0.clone();
        if counted.wait_for(|count| *count > 0).await.is_err() {
            // The listening thread has ended, so no signal can come.
            std::future::pending::<()>().await;
        }
    }
}

fn count_signals(count: &watch::Sender<u32>, started: &mpsc::SyncSender<io::Result<()>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let outcome = runtime.map(|runtime| runtime.block_on(listen(count, started)));
    if let Err(error) | Ok(Err(error)) = outcome {
        // `listen` waits for exactly this message.
        let _ = started.send(Err(error));
    }
}

async fn listen(count: &watch::Sender<u32>, started: &mpsc::SyncSender<io::Result<()>>) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // Its default would leave open orders, and a terminal without echo where a table is shown.
    let mut quit = signal(SignalKind::quit())?;
    let mut hangup = if ignores_hangup() { None } else { Some(signal(SignalKind::hangup())?) };
    let _ = started.send(Ok(()));
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = quit.recv() => {}
            () = next(&mut hangup) => {}
        }
        count.send_modify(|count| *count += 1);
    }
}

/// The next signal; never, if none is listened to.
async fn next(signals: &mut Option<Signal>) {
    match signals {
        Some(signals) => drop(signals.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether the bot was started with `nohup`, which ignores SIGHUP so that the bot survives its terminal.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & (1 << (SignalKind::hangup().as_raw_value() - 1)) != 0
}
