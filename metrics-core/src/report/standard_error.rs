//! Standard error, written so that no state of it affects the bot.

/// Writes a line, as far as possible; errors are ignored, because there is no one to report them to.
///
/// The whole line is written by one call, so that other output does not end up inside it, and without the standard
/// library's lock: while a full pipe is not read, only this thread waits.
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

    /// Prevents a write of this thread to a broken pipe from ending the process if the bot has restored the default
    /// action of SIGPIPE. The signal stays pending for this thread, and disappears with it.
    pub(in crate::report) fn ignore_broken_pipes() {
        // SAFETY: an all-zero set is a valid value to pass to `sigemptyset`, which initialises it.
        let mut signals: libc::sigset_t = unsafe { std::mem::zeroed() };
        // SAFETY: all three calls get pointers to a live set, or null; they fail only for signals that do not exist.
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
