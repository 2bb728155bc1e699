//! Standard error, written to so that no state of it hurts the bot.

/// Writes a line, if it is taken. What becomes of it is not known to be anybody's concern: an error is ignored.
///
/// It is one call that writes the whole line, so that lines of others do not end up in it, and takes no lock of std's:
/// while a pipe without a reader is full, only this thread waits.
pub(super) fn write(line: &str) {
    let line = format!("bot-metrics: {line}\n");
    imp::write(line.as_bytes());
}

pub(super) use imp::ignore_broken_pipes;

#[cfg(unix)]
mod imp {
    use std::io;

    pub(super) fn write(mut rest: &[u8]) {
        while !rest.is_empty() {
            // SAFETY: the pointer and the length are those of a slice.
            let written = unsafe { libc::write(libc::STDERR_FILENO, rest.as_ptr().cast(), rest.len()) };
            match usize::try_from(written) {
                Ok(written) if written > 0 => rest = &rest[written.min(rest.len())..],
                Err(_) if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
                _ => return,
            }
        }
    }

    /// Keeps a write of this thread to a broken pipe from ending the process where the bot has given SIGPIPE its default
    /// effect back. The signal stays pending for this thread, and goes with it.
    pub(in crate::report) fn ignore_broken_pipes() {
        // SAFETY: an all-zero set is a valid value to pass to `sigemptyset`, which initialises it.
        let mut signals: libc::sigset_t = unsafe { std::mem::zeroed() };
        // SAFETY: all three calls are given pointers to a live set, or none; they fail only for signals that do not exist.
        unsafe {
            libc::sigemptyset(&raw mut signals);
            libc::sigaddset(&raw mut signals, libc::SIGPIPE);
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const signals, std::ptr::null_mut());
        }
    }
}

#[cfg(not(unix))]
mod imp {
    use std::io::{self, Write as _};

    pub(super) fn write(line: &[u8]) {
        let _ = io::stderr().write_all(line);
    }

    pub(in crate::report) fn ignore_broken_pipes() {}
}
