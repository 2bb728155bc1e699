//! The recorded outcomes of annotated functions, in the process-wide instance.
//!
//! Each test has separate labels, so that their totals do not mix.

#![allow(clippy::unwrap_used, clippy::manual_assert, reason = "a test may panic")]
#![allow(
    clippy::semicolon_if_nothing_returned,
    clippy::unused_async,
    clippy::ref_option,
    reason = "they are the tested shapes"
)]

mod attempts;
mod calls;
mod clients;
mod cycles;
mod ends;
mod events;
mod futures;
mod seen;
mod spelled;
mod stacked;

mod labels {
    use bot_metrics::LabelValue;
    pub(crate) use bot_metrics::labels::{Exchange, Severity};

    #[derive(Clone, Copy, Debug, LabelValue)]
    pub(crate) enum Operation {
        Returns,
        EarlyReturn,
        QuestionMark,
        Classes,
        Alias,
        OwnAlias,
        Panics,
        Unwinding,
        PanicsWhileUnwinding,
        ImplTrait,
        Skips,
        Classified,
        Untimed,
        Value,
        Generic,
        Methods,
        Later,
        Waits,
        Cancelled,
        CancelledWhileUnwinding,
        NeverPolled,
        PanicsInPoll,
        PanicsLater,
        Spawned,
        TimedOut,
        Boxed,
        BoxedEarlier,
        BoxedByACall,
        BoxedEarlierByAMacro,
        BoxedEarlierByAPath,
        Traited,
        TraitedAbove,
        ByHand,
        Concurrent,
        Stacked,
        Broken,
        Shared,
        StackedInOrder,
        StackedAndPanics,
        StackedAndReturns,
        StackedAndWaits,
        StackedOverABlock,
        Spelled,
        SpelledBoxed,
        Refused,
    }

    #[derive(Clone, Copy, Debug, LabelValue)]
    #[allow(dead_code, reason = "named by their texts")]
    pub(crate) enum Subsystem {
        Cycle,
        Deadline,
        Observing,
        Optional,
        PausedOnly,
        Plain,
        Skipping,
        Fallible,
        Unclassed,
        Stacked,
        Waiting,
    }

    #[derive(Clone, Copy, Debug, LabelValue)]
    #[label(rename_all = "SCREAMING_SNAKE_CASE")]
    #[allow(dead_code, reason = "named by their texts")]
    pub(crate) enum EventType {
        OnOk,
        OnErr,
        OnPanic,
        OnCancelled,
        OnReturn,
        OnAlways,
        ByDefault,
        WithTexts,
        NeverCalled,
        Moved,
        Stacked,
        Spawned,
        NotSpawned,
        BySkip,
        ByClass,
    }
}
