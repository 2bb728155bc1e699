#![doc = include_str!("../docs/guide/links.md")]
//! [`timed_subsystem`]: macro@crate::timed_subsystem
//! [`exchange_call`]: macro@crate::exchange_call
//! [`operational_event`]: macro@crate::operational_event
//! [`capital_check`]: macro@crate::capital_check
//! [`reconciliation`]: macro@crate::reconciliation
//! [`timed`]: macro@crate::timed
//! [`counted`]: macro@crate::counted
//! [`LabelValue`]: derive@crate::LabelValue
#![doc = include_str!("../docs/guide/README.md")]

// A page links to others by reference. On a code host the definitions at its end apply, and here those of `links.md`,
// because the first definition of a name wins.
macro_rules! pages {
    ($($page:ident)*) => {$(
        #[doc = include_str!("../docs/guide/links.md")]
        #[doc = include_str!(concat!("../docs/guide/", stringify!($page), ".md"))]
        pub mod $page {}
    )*};
}

pages! {
    first_bot
    concepts
    settings
    own_labels
    own_metrics
    async_and_traits
    graceful_end
    testing
    status_page
    alerts
    queries
    deploying
    securing_the_endpoint
    formats
    migrating_from_prom_client
    migrating_from_prometheus
    common_mistakes
    limits
    questions
}
