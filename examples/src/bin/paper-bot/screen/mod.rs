//! The live table that a terminal shows while the bot trades. A separate thread draws it, so that a terminal that does
//! not read delays nothing.

mod layout;
mod row;
mod terminal;
#[cfg(test)]
mod tests;

use std::io::{self, Stdout, stdout};
use std::panic;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bot_metrics_examples::demo::{Held, complain, hold};

use crate::sampler::Sampler;
use layout::{View, draw};
use terminal::Terminal;

/// Figures are read this often.
const REFRESH: Duration = Duration::from_millis(500);

/// The size of the terminal is checked this often.
const LOOK: Duration = Duration::from_millis(125);

/// The time that a terminal has to show the first screen again.
const LEAVE: Duration = Duration::from_secs(1);

/// A shown table. Dropping it restores the terminal and then prints the lines that waited meanwhile.
#[derive(Debug)]
#[must_use = "dropping it ends the table"]
pub(crate) struct Screen {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Screen {
    /// Shows the table until the result is dropped. Lines that are said meanwhile are part of it.
    pub(crate) fn show(sampler: Sampler) -> io::Result<Self> {
        let held = hold();
        let terminal = Terminal::enter(stdout())?;
        let (end, ended) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("screen".to_owned())
            .spawn(move || run(terminal, sampler, &held, &ended))?;
        Ok(Self { end: Some(end), thread: Some(thread) })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        drop(self.end.take());
        let Some(thread) = self.thread.take() else { return };
        let deadline = Instant::now() + LEAVE;
        while !thread.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Draws until the other end of `ended` is dropped.
fn run(mut terminal: Terminal<Stdout>, mut sampler: Sampler, held: &Held, ended: &Receiver<()>) {
    let _messages = PanicMessages::as_lines();
    // A terminal that is gone needs no table; a signal ends the bot.
    while refresh(&mut terminal, &mut sampler, held).is_ok() && !ends(&terminal, ended) {}
}

fn refresh(terminal: &mut Terminal<Stdout>, sampler: &mut Sampler, held: &Held) -> io::Result<()> {
    let size = terminal.size();
    let (figures, orders) = (sampler.figures(), sampler.orders(size.rows));
    let lines = held.last(size.rows);
    terminal.show(&draw(&View { figures: &figures, lines: &lines, orders: &orders }, size))
}

/// Waits until the next refresh or a new size of the terminal; returns whether the table ends instead.
fn ends(terminal: &Terminal<Stdout>, ended: &Receiver<()>) -> bool {
    let (size, next) = (terminal.size(), Instant::now() + REFRESH);
    while Instant::now() < next && terminal.size() == size {
        if ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Disconnected) {
            return true;
        }
    }
    false
}

/// Prints the messages of panics as lines while this lives, since the usual ones would be written over the table. A
/// panic need not be the end: the bot survives that of a cycle.
struct PanicMessages;

impl PanicMessages {
    fn as_lines() -> Self {
        panic::set_hook(Box::new(|panic| complain(panic)));
        Self
    }
}

impl Drop for PanicMessages {
    fn drop(&mut self) {
        // The hook cannot be changed by a thread that panics.
        if !thread::panicking() {
            let _ = panic::take_hook();
        }
    }
}
