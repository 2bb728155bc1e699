//! What reports are about.

/// What a report is about. Each has a limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// The time stamp counter is not used.
    Clock,
    /// Something is recorded and no settings are installed.
    NotInstalled,
    /// The server serves no metrics, since they are switched off.
    #[cfg(feature = "server")]
    SwitchedOff,
    /// Two places give one subsystem different ages.
    MaxAge,
    /// A foreign collector failed, or families of it are not served.
    Foreign,
    /// More reconciliations than have names of their own.
    Reconciliations,
    /// An event of a type that is not known.
    #[cfg(feature = "tracing")]
    EventType,
    /// A connection was not accepted.
    #[cfg(feature = "server")]
    Accept,
    /// A server was dropped before it could be of use.
    #[cfg(feature = "server")]
    ServerDropped,
    /// A page took too long.
    #[cfg(feature = "server")]
    LatePage,
    /// A page panicked.
    #[cfg(feature = "server")]
    BrokenPage,
}
