//! A TCP stream that tracks the phase of its connection, and closes it if the client does not read.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::time::{Sleep, sleep};

use super::activity::Activity;
use super::scrapes::Handover;
use super::security::Transport;

pub(super) struct WatchedStream {
    stream: TokioIo<Transport>,
    activity: Arc<Activity>,
    handover: Handover,
    write_timeout: Duration,
    /// Runs from the first write that the socket did not accept until everything is written. Progress does not
    /// restart it: a client that reads a byte now and then would hold its connection for ever.
    deadline: Option<Pin<Box<Sleep>>>,
    wrote: bool,
}

impl WatchedStream {
    pub(super) fn new(
        stream: Transport,
        activity: Arc<Activity>,
        handover: Handover,
        write_timeout: Duration,
    ) -> Self {
        Self { stream: TokioIo::new(stream), activity, handover, write_timeout, deadline: None, wrote: false }
    }

    fn watch(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.wrote = true;
        if written.is_ready() {
            self.activity.progressed();
            return written;
        }
        self.activity.blocked();
        let timeout = self.write_timeout;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(timeout)));
        match deadline.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
        }
    }
}

impl Drop for WatchedStream {
    /// Makes the kernel discard data that the client did not accept, instead of keeping megabytes after the close.
    fn drop(&mut self) {
        // So that an HTTP/1.0 client too detects that an answer broke off.
        if self.deadline.is_some() || self.handover.is_under_way() {
            // If this fails, the system has closed the socket already.
            let _ = self.stream.inner().tcp().set_zero_linger();
        }
    }
}

impl Read for WatchedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if matches!(read, Poll::Ready(Ok(()))) {
            self.activity.received();
        }
        read
    }
}

impl Write for WatchedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch(cx, written)
    }

    /// hyper flushes whenever it has nothing left to write, so a flush after a write means that the answer, or the
    /// available part of it, has been sent.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_pending() {
            // TLS holds bytes that the socket does not accept yet.
            return self.watch(cx, Poll::Pending).map_ok(|_| ());
        }
        if self.handover.is_under_way() {
            self.activity.caught_up();
        } else if std::mem::take(&mut self.wrote) {
            self.deadline = None;
            self.activity.answered();
        }
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.handover.written();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
