//! What a server shows.

use std::io;

/// Called when a client has received an exposition whole.
pub(crate) type Delivered = Box<dyn FnOnce() + Send>;

/// What the server shows; implemented by the instance.
///
/// Every method runs on a thread apart, one call of a method at a time, but for those that wait for slow readers. It may
/// block, and it may panic: that costs a 500, or breaks off what was begun to be sent.
pub(crate) trait Pages: Send + Sync + 'static {
    /// Writes the exposition, text format 0.0.4. It may take as long as its readers do. What it returns is called when the
    /// first of them has received all of it.
    fn metrics(&self, out: &mut dyn io::Write) -> io::Result<Delivered>;
    /// The landing page, HTML without scripts and without external resources.
    fn landing(&self) -> String;
    /// Called once a second on the server's own thread, so that it must not block.
    fn compare_clocks(&self) {}
    /// Whether the bot works.
    fn healthy(&self) -> Verdict;
    /// Whether the bot has started.
    fn ready(&self) -> Verdict;
}

/// The answer of a health page: 200 or 503, with a text for people.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) ok: bool,
    pub(crate) text: String,
}
