//! The stream of a connection: it tracks the phase of the connection, closes it if the client does not read, and
//! completes the answers that hyper gives by itself.

use std::future::Future;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::activity::Activity;
use super::answer;
use super::scrapes::Handover;
use super::security::{Security, Transport};

pub(super) struct WatchedStream {
    stream: Transport,
    activity: Arc<Activity>,
    handover: Handover,
    write_timeout: Duration,
    security: Security,
    /// Runs from the first write that the socket did not accept until everything is written. Progress does not
    /// restart it: a client that reads a byte now and then would hold its connection for ever.
    deadline: Option<Pin<Box<Sleep>>>,
    wrote: bool,
    /// hyper's answer to a request that it rejects.
    refusal: Option<Refusal>,
}

/// An answer that hyper gives without asking the service, with 400 or 431, and which lacks the headers of all others.
struct Refusal {
    /// The completed answer.
    bytes: Vec<u8>,
    written: usize,
    /// The length of hyper's.
    length: usize,
}

impl WatchedStream {
    pub(super) fn new(
        stream: Transport,
        activity: Arc<Activity>,
        handover: Handover,
        write_timeout: Duration,
        security: Security,
    ) -> Self {
        Self {
            stream,
            activity,
            handover,
            write_timeout,
            security,
            deadline: None,
            wrote: false,
            refusal: None,
        }
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

    /// Writes the answer `buf` of hyper's own with the headers of all answers. hyper passes it at once.
    fn poll_refuse(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let refusal = self.refusal.get_or_insert_with(|| Refusal {
            bytes: answer::completed(buf, &self.security),
            written: 0,
            length: buf.len(),
        });
        while refusal.written < refusal.bytes.len() {
            let rest = &refusal.bytes[refusal.written..];
            refusal.written += ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
        }
        Poll::Ready(Ok(refusal.length.min(buf.len())))
    }

    /// Whether hyper writes an answer of its own, after which it closes the connection.
    fn is_refusing(&self) -> bool {
        self.refusal.is_some() || self.activity.is_unasked()
    }
}

impl Drop for WatchedStream {
    fn drop(&mut self) {
        let socket = SockRef::from(self.stream.tcp());
        // If one of these fails, the system has closed the socket already.
        if self.deadline.is_some() || self.handover.is_under_way() {
            // Makes the kernel discard data that the client did not accept, instead of keeping megabytes after the
            // close. An HTTP/1.0 client too detects that an answer broke off.
            let _ = socket.set_linger(Some(Duration::ZERO));
        }
        // Ends the connection although a forked child may have a copy of the descriptor.
        let _ = socket.shutdown(Shutdown::Both);
    }
}

impl AsyncRead for WatchedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        let received = &buf.filled()[before..];
        if !received.is_empty() {
            self.activity.received(received);
        }
        read
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = if self.is_refusing() {
            self.poll_refuse(cx, buf)
        } else {
            Pin::new(&mut self.stream).poll_write(cx, buf)
        };
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
        let written = if self.is_refusing() {
            let first = bufs.iter().find(|buf| !buf.is_empty()).map_or(&[][..], |buf| buf);
            self.poll_refuse(cx, first)
        } else {
            Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
        };
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
