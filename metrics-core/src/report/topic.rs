//! What reports are about.

/// The subject of a report. Each has its own rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// The time stamp counter is not used.
    Clock,
    /// Something was recorded but no settings are installed.
    NotInstalled,
    /// The server serves no metrics, because the feature is disabled.
    #[cfg(feature = "server")]
    SwitchedOff,
    /// Two call sites give one subsystem different ages.
    MaxAge,
    /// A foreign collector failed, or some of its families are not served.
    Foreign,
    /// There are more reconciliations than the limit on names.
    Reconciliations,
    /// An event has an unknown type.
    #[cfg(feature = "tracing")]
    EventType,
    /// A connection was not accepted.
    #[cfg(feature = "server")]
    Accept,
    /// A server was dropped at once.
    #[cfg(feature = "server")]
    ServerDropped,
    /// A page took too long to render.
    #[cfg(feature = "server")]
    LatePage,
    /// A client was refused.
    #[cfg(feature = "server")]
    Refused,
    /// The web configuration has changed.
    #[cfg(feature = "server")]
    WebConfig,
    /// Everybody who reaches the address can read the metrics of a live bot.
    #[cfg(feature = "server")]
    Unprotected,
    /// A page panicked.
    #[cfg(feature = "server")]
    BrokenPage,
}
