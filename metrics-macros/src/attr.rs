//! The table of the attributes' keys: how each is spelled, where it is valid, and what it takes.

/// An attribute over a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    TimedSubsystem,
    ExchangeCall,
}

impl Attribute {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TimedSubsystem => "timed_subsystem",
            Self::ExchangeCall => "exchange_call",
        }
    }

    /// An example for messages.
    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::TimedSubsystem => r#"#[timed_subsystem("trading", every = "5s")]"#,
            Self::ExchangeCall => r#"#[exchange_call(op = "place_order")]"#,
        }
    }

    pub(crate) fn keys(self) -> impl Iterator<Item = &'static Key> {
        KEYS.iter().filter(move |key| key.of.contains(&self))
    }

    /// The key that a value without a key belongs to.
    pub(crate) fn positional(self) -> Option<&'static Key> {
        self.keys().find(|key| key.positional)
    }
}

/// One key of the table.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) takes: Takes,
    pub(crate) of: &'static [Attribute],
    pub(crate) required: bool,
    /// Whether it is written without its name.
    pub(crate) positional: bool,
}

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// A value of this type in the module `labels`: a text, a path, or an expression of the type.
    Label(&'static str),
    /// A time such as `"5s"`.
    Duration,
    /// A path.
    Path,
}

impl Takes {
    /// What is allowed, for messages.
    pub(crate) fn allowed(self) -> String {
        match self {
            Self::Label(label) => format!("a text in quotes, or a value of the type `labels::{label}`"),
            Self::Duration => r#"a time in quotes such as "500ms", "5s", "2m" or "1h""#.to_owned(),
            Self::Path => "a path such as `crate::labels`".to_owned(),
        }
    }
}

const BOTH: &[Attribute] = &[Attribute::TimedSubsystem, Attribute::ExchangeCall];
const TIMED_SUBSYSTEM: &[Attribute] = &[Attribute::TimedSubsystem];
const EXCHANGE_CALL: &[Attribute] = &[Attribute::ExchangeCall];

const fn required(name: &'static str, takes: Takes, of: &'static [Attribute], positional: bool) -> Key {
    Key { name, takes, of, required: true, positional }
}

const fn optional(name: &'static str, takes: Takes, of: &'static [Attribute]) -> Key {
    Key { name, takes, of, required: false, positional: false }
}

pub(crate) const SUBSYSTEM: &str = "subsystem";
pub(crate) const EVERY: &str = "every";
pub(crate) const MAX_AGE: &str = "max_age";
pub(crate) const OP: &str = "op";
pub(crate) const EXCHANGE: &str = "exchange";
pub(crate) const CLASSIFY: &str = "classify";
pub(crate) const LABELS: &str = "labels";
pub(crate) const CRATE: &str = "crate";

static KEYS: [Key; 8] = [
    required(SUBSYSTEM, Takes::Label("Subsystem"), TIMED_SUBSYSTEM, true),
    optional(EVERY, Takes::Duration, TIMED_SUBSYSTEM),
    optional(MAX_AGE, Takes::Duration, TIMED_SUBSYSTEM),
    required(OP, Takes::Label("Operation"), EXCHANGE_CALL, false),
    optional(EXCHANGE, Takes::Label("Exchange"), EXCHANGE_CALL),
    optional(CLASSIFY, Takes::Path, BOTH),
    optional(LABELS, Takes::Path, BOTH),
    optional(CRATE, Takes::Path, BOTH),
];
