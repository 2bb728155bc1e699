//! Foreign code on a separate thread, with a deadline.

use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::failure::Failure;
use crate::lock::{self, Lock};
use crate::panics::contained;

/// The time limit of foreign code; a scrape has ten seconds by Prometheus' default, and all foreign code runs
/// concurrently.
pub(super) const DEADLINE: Duration = Duration::from_secs(1);

/// Runs one piece of foreign code, once at a time.
#[derive(Debug, Default)]
pub(super) struct Isolation(Lock<Turns>);

/// The turn of the process that last requested it: in a forked child the thread of its parent's turn does not exist.
#[derive(Debug, Default)]
struct Turns {
    generation: u32,
    turn: Arc<ScrapeTurn>,
}

/// The current turn: a second caller waits for the first, but never for one that missed its deadline.
#[derive(Debug, Default)]
struct ScrapeTurn {
    running_since: Mutex<Option<Instant>>,
    ended: Condvar,
}

/// A run in progress.
#[derive(Debug)]
pub(super) struct RunningCollector<R> {
    started: Instant,
    result: mpsc::Receiver<Result<R, String>>,
}

impl Isolation {
    /// Starts `run` on a thread.
    pub(super) fn start<R: Send + 'static>(
        &self,
        run: impl FnOnce() -> R + Send + 'static,
    ) -> Result<RunningCollector<R>, Failure> {
        let turn = self.turn();
        let started = turn.begin()?;
        let (sender, result) = mpsc::sync_channel(1);
        let ending = Arc::clone(&turn);
        let spawned = thread::Builder::new().name("bot-metrics-foreign".to_owned()).spawn(move || {
            let result = contained(run);
            ending.end();
            // The receiver is gone if the deadline is over.
            let _ = sender.send(result);
        });
        if spawned.is_err() {
            turn.end();
            return Err(Failure::NoThread);
        }
        Ok(RunningCollector { started, result })
    }

    fn turn(&self) -> Arc<ScrapeTurn> {
        let (mut turns, generation) = (self.0.lock(), lock::generation());
        if turns.generation != generation {
            *turns = Turns { generation, turn: Arc::default() };
        }
        Arc::clone(&turns.turn)
    }
}

impl<R> RunningCollector<R> {
    /// The result, once the run has ended or its deadline is over.
    pub(super) fn wait(self) -> Result<R, Failure> {
        match self.result.recv_timeout(DEADLINE.saturating_sub(self.started.elapsed())) {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(_)) => Err(Failure::Panicked),
            Err(_) => Err(Failure::Late),
        }
    }
}

impl ScrapeTurn {
    fn begin(&self) -> Result<Instant, Failure> {
        let running = self.running_since.lock().unwrap_or_else(PoisonError::into_inner);
        let patience = running.map_or(Duration::ZERO, |since| DEADLINE.saturating_sub(since.elapsed()));
        let (mut running, _) = self
            .ended
            .wait_timeout_while(running, patience, |running| running.is_some())
            .unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            return Err(Failure::Late);
        }
        let now = Instant::now();
        *running = Some(now);
        Ok(now)
    }

    fn end(&self) {
        *self.running_since.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.ended.notify_one();
    }
}
