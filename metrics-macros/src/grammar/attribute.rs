//! The attributes and the table of their keys: the name of each key, the attributes that have it, and its value.

use Attribute::{
    CapitalCheck, Counted, ExchangeCall, OperationalEvent, Reconciliation, Timed, TimedSubsystem,
};

use syn::Ident;
use syn::ext::IdentExt as _;

use Requirement::{MethodName, Optional, Positional, Required};

use super::outcome_words::WORDS;

/// One of the attributes of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    TimedSubsystem,
    ExchangeCall,
    OperationalEvent,
    CapitalCheck,
    Reconciliation,
    Timed,
    Counted,
}

impl Attribute {
    pub(crate) const ALL: [Self; 7] =
        [TimedSubsystem, ExchangeCall, OperationalEvent, CapitalCheck, Reconciliation, Timed, Counted];

    pub(crate) fn name(self) -> &'static str {
        match self {
            TimedSubsystem => "timed_subsystem",
            ExchangeCall => "exchange_call",
            OperationalEvent => "operational_event",
            CapitalCheck => "capital_check",
            Reconciliation => "reconciliation",
            Timed => "timed",
            Counted => "counted",
        }
    }

    /// An example for messages.
    pub(crate) fn example(self) -> &'static str {
        match self {
            TimedSubsystem => r#"#[timed_subsystem("trading", every = "5s")]"#,
            ExchangeCall => r#"#[exchange_call(op = "place_order")]"#,
            OperationalEvent => {
                r#"#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", on = err)]"#
            }
            CapitalCheck => "#[capital_check(profile = self.profile_id)]",
            Reconciliation => "#[reconciliation]",
            Timed => "#[timed(signal_to_ack_seconds, symbol = symbol)]",
            Counted => "#[counted(signals_total, side = side, on = ok)]",
        }
    }

    /// The suffix of the declared family's name, for an attribute that records to one; each key that is not in the table
    /// is a label of that family.
    pub(crate) fn family_suffix(self) -> Option<&'static str> {
        match self {
            Timed => Some("_seconds"),
            Counted => Some("_total"),
            TimedSubsystem | ExchangeCall | OperationalEvent | CapitalCheck | Reconciliation => None,
        }
    }

    pub(crate) fn keys(self) -> impl Iterator<Item = &'static AttributeKey> + Clone {
        KEYS.iter().filter(move |key| key.attributes.contains(&self))
    }

    pub(crate) fn key(self, name: &Ident) -> Option<&'static AttributeKey> {
        self.keys().find(|key| name.unraw() == key.name)
    }

    /// The key of a value that is written without one.
    pub(crate) fn positional(self) -> Option<&'static AttributeKey> {
        self.keys().find(|key| key.requirement == Requirement::Positional)
    }
}

/// One key of the table.
#[derive(Debug)]
pub(crate) struct AttributeKey {
    pub(crate) name: &'static str,
    pub(crate) value: ValueKind,
    pub(crate) attributes: &'static [Attribute],
    pub(crate) requirement: Requirement,
}

/// Whether a key must be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Requirement {
    /// It must, without its name.
    Positional,
    Required,
    /// It must over a function; over an `impl` block its value is each method's name.
    MethodName,
    Optional,
}

/// The kind of value that a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueKind {
    /// A value of this type in the module `labels`: a text, a path, or an expression of the type.
    Label(&'static str),
    /// A duration such as `"5s"`.
    Duration,
    /// A path, such as this one.
    Path(&'static str),
    /// An expression that is evaluated to a text at each call.
    Text,
    /// This word.
    Word(&'static str),
    /// Outcomes of a call.
    Outcomes,
    /// No value.
    Nothing,
}

impl ValueKind {
    /// The valid values, for messages.
    pub(crate) fn allowed(self) -> String {
        match self {
            Self::Label(label) => format!("a text in quotes, or a value of the type `labels::{label}`"),
            Self::Duration => r#"a time in quotes such as "500ms", "5s", "2m" or "1h""#.to_owned(),
            Self::Path(example) => format!("a path without quotes, such as `{example}`"),
            Self::Text => {
                "a text in quotes, or an expression that is a text, such as `order.symbol`".to_owned()
            }
            Self::Word(word) => format!("`{word}`"),
            Self::Outcomes => {
                let words: Vec<_> = WORDS.iter().map(|known| format!("`{}`", known.word)).collect();
                format!("{}, or several in brackets such as `[err, !rejected]`", words.join(", "))
            }
            Self::Nothing => "no value".to_owned(),
        }
    }
}

pub(crate) const FAMILY: &str = "family";
pub(crate) const SUBSYSTEM: &str = "subsystem";
pub(crate) const EVERY: &str = "every";
pub(crate) const MAX_AGE: &str = "max_age";
pub(crate) const OP: &str = "op";
pub(crate) const EXCHANGE: &str = "exchange";
pub(crate) const TYPE: &str = "type";
pub(crate) const SEVERITY: &str = "severity";
pub(crate) const ON: &str = "on";
pub(crate) const CLASSIFY: &str = "classify";
pub(crate) const LABELS: &str = "labels";
pub(crate) const CRATE: &str = "crate";
pub(crate) const SKIP: &str = "skip";

const ALL: &[Attribute] = &Attribute::ALL;
const WITH_LABELS: &[Attribute] = &[TimedSubsystem, ExchangeCall, OperationalEvent];
const WITH_OUTCOME: &[Attribute] = &[TimedSubsystem, ExchangeCall, OperationalEvent, Counted];

/// The order of an attribute's rows is that of the arguments with which the library is called: durations, words, keys
/// without a value and outcomes go to the constructor of the call site, texts to the function that starts a call.
#[rustfmt::skip]
static KEYS: &[AttributeKey] = &[
    AttributeKey { name: FAMILY,      value: ValueKind::Path("signal_to_ack_seconds"),  attributes: &[Timed],                     requirement: Positional },
    AttributeKey { name: FAMILY,      value: ValueKind::Path("signals_total"),          attributes: &[Counted],                   requirement: Positional },
    AttributeKey { name: SUBSYSTEM,   value: ValueKind::Label("Subsystem"),             attributes: &[TimedSubsystem],            requirement: Positional },
    AttributeKey { name: EVERY,       value: ValueKind::Duration,                       attributes: &[TimedSubsystem],            requirement: Optional },
    AttributeKey { name: MAX_AGE,     value: ValueKind::Duration,                       attributes: &[TimedSubsystem],            requirement: Optional },
    AttributeKey { name: "optional",  value: ValueKind::Nothing,                        attributes: &[TimedSubsystem],            requirement: Optional },
    AttributeKey { name: "on_cancel", value: ValueKind::Word("observe"),                attributes: &[TimedSubsystem],            requirement: Optional },
    AttributeKey { name: OP,          value: ValueKind::Label("Operation"),             attributes: &[ExchangeCall],              requirement: MethodName },
    AttributeKey { name: EXCHANGE,    value: ValueKind::Label("Exchange"),              attributes: &[ExchangeCall],              requirement: Optional },
    AttributeKey { name: TYPE,        value: ValueKind::Label("EventType"),             attributes: &[OperationalEvent],          requirement: Required },
    AttributeKey { name: SEVERITY,    value: ValueKind::Label("Severity"),              attributes: &[OperationalEvent],          requirement: Required },
    AttributeKey { name: ON,          value: ValueKind::Outcomes,                       attributes: &[OperationalEvent, Counted], requirement: Optional },
    AttributeKey { name: "profile",   value: ValueKind::Text,                           attributes: &[OperationalEvent],          requirement: Optional },
    AttributeKey { name: "profile",   value: ValueKind::Text,                           attributes: &[CapitalCheck],              requirement: Required },
    AttributeKey { name: "symbol",    value: ValueKind::Text,                           attributes: &[OperationalEvent],          requirement: Optional },
    AttributeKey { name: "text",      value: ValueKind::Text,                           attributes: &[OperationalEvent],          requirement: Optional },
    AttributeKey { name: "name",      value: ValueKind::Text,                           attributes: &[Reconciliation],            requirement: Optional },
    AttributeKey { name: CLASSIFY,    value: ValueKind::Path("crate::classify"),        attributes: WITH_OUTCOME,                 requirement: Optional },
    AttributeKey { name: LABELS,      value: ValueKind::Path("crate::labels"),          attributes: WITH_LABELS,                  requirement: Optional },
    AttributeKey { name: CRATE,       value: ValueKind::Path("::bot_metrics"),          attributes: ALL,                          requirement: Optional },
    AttributeKey { name: SKIP,        value: ValueKind::Nothing,                        attributes: ALL,                          requirement: Optional },
];
