//! The database of orders, fills and positions, from which a bot that was killed continues.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use crate::own_orders::OwnOrder;
use crate::pending::{Pending, Write};
use crate::tables::{self, KEPT_IN_FILE, KEPT_IN_MEMORY, Stored};

/// Written rows after which old ones are deleted.
const PRUNE_AFTER: usize = 1_000;

/// The error of a database that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    /// Another process has it open; two bots with one database would send each order twice.
    #[error("--db {}: another bot uses it", .0.display())]
    InUse(PathBuf),
    /// A database of another program, or of another version of the bot.
    #[error("--db {}: is not a database of this version of the bot", .0.display())]
    Foreign(PathBuf),
    /// `SQLite` refuses to open or read it.
    #[error("--db {}: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// `SQLite`'s error.
        source: rusqlite::Error,
    },
}

/// The reason why the database could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the database of orders fails: {0}")]
pub(crate) struct Unwritten(String);

/// An open database. `SQLite` blocks while it waits for the disk, so a thread of its own does that. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    requests: Sender<Request>,
}

#[derive(Debug)]
enum Request {
    Write(Box<Write>),
    Flush(oneshot::Sender<Result<(), Unwritten>>),
    Orders(&'static str, oneshot::Sender<Result<Vec<OwnOrder>, Unwritten>>),
}

impl Database {
    /// Opens the file, or creates it; without a path the database is in memory. Also returns what it contains.
    pub(crate) fn open(path: Option<&Path>) -> Result<(Self, Stored), DatabaseError> {
        let shown = path.unwrap_or(Path::new(":memory:"));
        let failed = |source: rusqlite::Error| match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                DatabaseError::InUse(shown.to_owned())
            }
            _ => DatabaseError::Sqlite { path: shown.to_owned(), source },
        };
        let connection = match path {
            Some(path) => Connection::open(path),
            None => Connection::open_in_memory(),
        };
        let mut connection = connection.map_err(failed)?;
        // An open database stays open, so waiting for it would be in vain.
        connection.busy_timeout(Duration::ZERO).map_err(failed)?;
        if !tables::create(&mut connection).map_err(failed)? {
            return Err(DatabaseError::Foreign(shown.to_owned()));
        }
        let stored = tables::read(&connection).map_err(failed)?;
        let kept = if path.is_some() { KEPT_IN_FILE } else { KEPT_IN_MEMORY };
        let (requests, received) = mpsc::channel();
        // Without the thread every order is refused, because it cannot be written.
        let _ = thread::Builder::new()
            .name("database".to_owned())
            .spawn(move || Writer::new(connection, kept).run(&received));
        Ok((Self { requests }, stored))
    }

    /// Queues a write. A failure is reported by the next [`flushed`](Self::flushed).
    pub(crate) fn write(&self, write: Write) {
        // The thread ends after all senders only.
        let _ = self.requests.send(Request::Write(Box::new(write)));
    }

    /// Waits until all queued writes are committed.
    pub(crate) async fn flushed(&self) -> Result<(), Unwritten> {
        self.ask(Request::Flush).await
    }

    /// The orders of a profile: those that are not closed, and the last closed ones.
    pub(crate) async fn orders(&self, profile: &'static str) -> Result<Vec<OwnOrder>, Unwritten> {
        self.ask(|answer| Request::Orders(profile, answer)).await
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, Unwritten>>) -> Request,
    ) -> Result<T, Unwritten> {
        let (answer, answered) = oneshot::channel();
        let _ = self.requests.send(request(answer));
        answered.await.unwrap_or_else(|_| Err(Unwritten("its thread has ended".to_owned())))
    }
}

/// The thread's side of the database.
struct Writer {
    connection: Connection,
    /// Queued writes, and those that failed, which are tried again with the next.
    pending: Pending,
    /// Rows written since old ones were deleted.
    written: usize,
    /// The number of old rows to keep.
    kept: i64,
}

impl Writer {
    fn new(connection: Connection, kept: i64) -> Self {
        Self { connection, pending: Pending::default(), written: 0, kept }
    }

    fn run(mut self, requests: &Receiver<Request>) {
        while let Ok(first) = requests.recv() {
            let mut flushes = Vec::new();
            // Everything that waits is one transaction.
            for request in std::iter::once(first).chain(requests.try_iter()) {
                match request {
                    Request::Write(write) => self.pending.add(*write),
                    Request::Flush(answer) => flushes.push(answer),
                    Request::Orders(profile, answer) => {
                        let orders = self.commit().and_then(|()| {
                            tables::orders(&self.connection, profile).map_err(|error| unwritten(&error))
                        });
                        // The one who asked may have given up.
                        let _ = answer.send(orders);
                    }
                }
            }
            let outcome = self.commit();
            for answer in flushes {
                let _ = answer.send(outcome.clone());
            }
        }
        // The last writes, when the bot ends.
        let _ = self.commit();
    }

    fn commit(&mut self) -> Result<(), Unwritten> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let written = self.written + self.pending.len();
        let prunes = written >= PRUNE_AFTER;
        let kept = prunes.then_some(self.kept);
        tables::write(&mut self.connection, &self.pending, kept).map_err(|error| unwritten(&error))?;
        self.pending = Pending::default();
        self.written = if prunes { 0 } else { written };
        Ok(())
    }
}

fn unwritten(error: &rusqlite::Error) -> Unwritten {
    Unwritten(error.to_string())
}

#[cfg(test)]
mod tests;
