//! The attribute of a call site and its possible labels, as read at start-up.

use std::time::Duration;

use super::call_site::{CALL_SITES, CallSite};
use crate::families::subsystem::{AgeSource, MaxAge};

/// A call site by its attribute.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// `#[timed_subsystem]`
    Subsystem(SubsystemSite<'a>),
    /// `#[exchange_call]`
    Exchange(ExchangeSite<'a>),
    /// `#[operational_event]`
    Event(EventSite<'a>),
    /// `#[capital_check]`
    Capital,
    /// `#[reconciliation]`
    Reconciliation,
    /// `#[timed]`, with the name of the bot's own family.
    Timed(&'static str),
    /// `#[counted]`, likewise.
    Counted(&'static str),
}

/// An annotated function that is one cycle of a subsystem.
#[derive(Clone, Copy, Debug)]
pub struct SubsystemSite<'a>(pub(crate) &'a CallSite);

impl SubsystemSite<'_> {
    /// Every possible subsystem of this site.
    pub(crate) fn values(self) -> Vec<&'static str> {
        self.0.labels()[0].values()
    }

    /// The subsystem of this site, unless it is chosen at run time.
    pub(crate) fn fixed(self) -> Option<&'static str> {
        self.0.labels()[0].fixed()
    }

    /// The subsystem at this index of its choices.
    pub(crate) fn name(self, index: usize) -> &'static str {
        self.0.labels()[0].text(index).unwrap_or_default()
    }

    pub(crate) fn is_optional(self) -> bool {
        self.0.optional
    }

    /// The age given by its attribute.
    pub(crate) fn max_age(self) -> Option<MaxAge> {
        let age = Duration::from_nanos(self.0.max_age_ns);
        (!age.is_zero()).then_some(MaxAge { age, place: AgeSource::Site(self.0.place()) })
    }
}

/// An annotated function that is one attempt of an exchange call.
#[derive(Clone, Copy, Debug)]
pub struct ExchangeSite<'a>(pub(crate) &'a CallSite);

impl ExchangeSite<'_> {
    pub(crate) fn exchange(self) -> LabelChoices {
        self.0.labels()[0]
    }

    /// The operation of this site, unless it is chosen at run time.
    pub(crate) fn fixed_operation(self) -> Option<&'static str> {
        self.0.labels()[1].fixed()
    }
}

/// An annotated function with an event at some of its ends.
#[derive(Clone, Copy, Debug)]
pub struct EventSite<'a>(pub(crate) &'a CallSite);

impl EventSite<'_> {
    /// Each possible pair of a severity and a type: values chosen at run time are known at link time.
    pub(crate) fn pairs(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let [severities, kinds] = self.0.labels().map(LabelChoices::values);
        severities
            .into_iter()
            .flat_map(move |severity| kinds.clone().into_iter().map(move |kind| (severity, kind)))
    }
}

/// A label of a site, as known at compile time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LabelChoices {
    /// Its value.
    Fixed(&'static str),
    /// The value from the settings.
    FromSettings,
    /// The values from which one is chosen at each call.
    Any(&'static [&'static str]),
}

impl LabelChoices {
    /// The value at `index`; `None` if it comes from the settings.
    pub(crate) fn text(self, index: usize) -> Option<&'static str> {
        match self {
            Self::Fixed(text) => Some(text),
            Self::FromSettings => None,
            Self::Any(values) => Some(values[index]),
        }
    }

    /// All values that are known at link time.
    pub(crate) fn values(self) -> Vec<&'static str> {
        match self {
            Self::Fixed(text) => vec![text],
            Self::FromSettings => Vec::new(),
            Self::Any(values) => values.to_vec(),
        }
    }

    pub(crate) fn fixed(self) -> Option<&'static str> {
        match self {
            Self::Fixed(text) => Some(text),
            Self::FromSettings | Self::Any(_) => None,
        }
    }
}

/// Whether this subsystem has call sites and all of them are optional.
pub(crate) fn is_optional(subsystem: &str) -> bool {
    let sites = CALL_SITES.iter().filter_map(|place| match place.target() {
        Target::Subsystem(site) => Some(site).filter(|site| site.values().contains(&subsystem)),
        _ => None,
    });
    let mut sites = sites.peekable();
    sites.peek().is_some() && sites.all(SubsystemSite::is_optional)
}
