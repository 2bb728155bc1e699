//! The interface between the server and its pages.

use std::io;

use crate::exposition::WaitingClients;
use crate::exposition::format::RequestedPage;

/// The path of the exposition.
pub(super) const METRICS: &str = "/metrics";
pub(super) const LANDING: &str = "/";
#[cfg(feature = "page")]
pub(super) const STATUS: &str = "/status.json";
#[cfg(feature = "page")]
pub(super) const CATALOGUE: &str = "/catalogue";

/// Called when a client has received an exposition completely.
pub(crate) type Delivered = Box<dyn FnOnce() + Send>;

/// The pages of the server, implemented by the instance.
///
/// Every method runs on a separate thread, one call per method at a time, except calls that wait for slow clients. It
/// may block, and it may panic: that results in a 500, or breaks off an answer that was begun.
pub(crate) trait Pages: Send + Sync + 'static {
    /// Writes the requested part of the exposition. It may take as long as its readers do. The returned function is
    /// called when the first of them has received all of it.
    fn metrics(
        &self,
        page: &RequestedPage,
        clients: &WaitingClients,
        out: &mut dyn io::Write,
    ) -> io::Result<Delivered>;
    /// Called once per second on the server's own thread, so that it must not block.
    fn compare_clocks(&self) {}
    /// Called once per second on a thread that renders pages, unless the last call has not returned yet.
    #[cfg(feature = "page")]
    fn sample(&self) {}
    /// The state of the bot as JSON, without the events and the history up to this sequence number.
    #[cfg(feature = "page")]
    fn status(&self, _since: u64) -> Vec<u8> {
        Vec::new()
    }
    /// The annotated functions and the families as JSON.
    #[cfg(feature = "page")]
    fn catalogue(&self) -> Vec<u8> {
        Vec::new()
    }
    /// Whether the bot trades live money.
    #[cfg_attr(not(feature = "page"), expect(dead_code, reason = "only the page asks"))]
    fn is_live(&self) -> bool;
    /// Whether the bot works.
    fn healthy(&self) -> HealthAnswer;
    /// Whether the bot has started.
    fn ready(&self) -> HealthAnswer;
}

/// The answer of a health page: 200 or 503, with a text for people.
#[derive(Clone, Debug)]
pub(crate) struct HealthAnswer {
    pub(crate) ok: bool,
    pub(crate) text: String,
}
