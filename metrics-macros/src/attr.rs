//! The table of the attributes' keys: how each is spelled, where it is valid, and what it takes.

use Attribute::{
    CapitalCheck, Counted, ExchangeCall, OperationalEvent, Reconciliation, Timed, TimedSubsystem,
};

use crate::ends::END_WORDS;

/// An attribute over a function.
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

    /// How the name of a declared family ends that it records to, if it records to one; every other key is one of that
    /// family's labels.
    pub(crate) fn family_suffix(self) -> Option<&'static str> {
        match self {
            Timed => Some("_seconds"),
            Counted => Some("_total"),
            TimedSubsystem | ExchangeCall | OperationalEvent | CapitalCheck | Reconciliation => None,
        }
    }

    pub(crate) fn keys(self) -> impl Iterator<Item = &'static Key> + Clone {
        KEYS.iter().filter(move |key| key.of.contains(&self))
    }

    /// The key that a value without a key belongs to.
    pub(crate) fn positional(self) -> Option<&'static Key> {
        self.keys().find(|key| key.is == Is::Positional)
    }
}

/// One key of the table.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) takes: Takes,
    pub(crate) of: &'static [Attribute],
    pub(crate) is: Is,
}

/// Whether a key must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Is {
    /// It must, and is written without its name.
    Positional,
    Required,
    /// It must over a function; over an `impl` block it is each method's name.
    MethodName,
    Optional,
}

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// A value of this type in the module `labels`: a text, a path, or an expression of the type.
    Label(&'static str),
    /// A time such as `"5s"`.
    Duration,
    /// A path, such as this one.
    Path(&'static str),
    /// An expression that is a text when the function is called.
    Text,
    /// This word.
    Word(&'static str),
    /// Ends of a call.
    Ends,
    /// Nothing: the key stands alone.
    Nothing,
}

impl Takes {
    /// What is allowed, for messages.
    pub(crate) fn allowed(self) -> String {
        match self {
            Self::Label(label) => format!("a text in quotes, or a value of the type `labels::{label}`"),
            Self::Duration => r#"a time in quotes such as "500ms", "5s", "2m" or "1h""#.to_owned(),
            Self::Path(example) => format!("a path without quotes, such as `{example}`"),
            Self::Text => {
                "a text in quotes, or an expression that is a text, such as `order.symbol`".to_owned()
            }
            Self::Word(word) => format!("`{word}`"),
            Self::Ends => {
                let words: Vec<_> = END_WORDS.iter().map(|end| format!("`{}`", end.word)).collect();
                format!("{}, or several in brackets such as `[err, !rejected]`", words.join(", "))
            }
            Self::Nothing => "no value: it stands alone".to_owned(),
        }
    }
}

pub(crate) const FAMILY: &str = "family";
pub(crate) const SUBSYSTEM: &str = "subsystem";
pub(crate) const EVERY: &str = "every";
pub(crate) const MAX_AGE: &str = "max_age";
pub(crate) const OPTIONAL: &str = "optional";
pub(crate) const ON_CANCEL: &str = "on_cancel";
pub(crate) const OP: &str = "op";
pub(crate) const EXCHANGE: &str = "exchange";
pub(crate) const TYPE: &str = "type";
pub(crate) const SEVERITY: &str = "severity";
pub(crate) const ON: &str = "on";
pub(crate) const PROFILE: &str = "profile";
pub(crate) const SYMBOL: &str = "symbol";
pub(crate) const TEXT: &str = "text";
pub(crate) const NAME: &str = "name";
pub(crate) const CLASSIFY: &str = "classify";
pub(crate) const LABELS: &str = "labels";
pub(crate) const CRATE: &str = "crate";
pub(crate) const SKIP: &str = "skip";

const ALL: &[Attribute] = &Attribute::ALL;
const WITH_LABELS: &[Attribute] = &[TimedSubsystem, ExchangeCall, OperationalEvent];
const WITH_OUTCOME: &[Attribute] = &[TimedSubsystem, ExchangeCall, OperationalEvent, Counted];

#[rustfmt::skip]
static KEYS: [Key; 21] = [
    Key { name: FAMILY,    takes: Takes::Path("signal_to_ack_seconds"), of: &[Timed],          is: Is::Positional },
    Key { name: FAMILY,    takes: Takes::Path("signals_total"),       of: &[Counted],          is: Is::Positional },
    Key { name: SUBSYSTEM, takes: Takes::Label("Subsystem"),          of: &[TimedSubsystem],   is: Is::Positional },
    Key { name: EVERY,     takes: Takes::Duration,                    of: &[TimedSubsystem],   is: Is::Optional },
    Key { name: MAX_AGE,   takes: Takes::Duration,                    of: &[TimedSubsystem],   is: Is::Optional },
    Key { name: OPTIONAL,  takes: Takes::Nothing,                     of: &[TimedSubsystem],   is: Is::Optional },
    Key { name: ON_CANCEL, takes: Takes::Word("observe"),             of: &[TimedSubsystem],   is: Is::Optional },
    Key { name: OP,        takes: Takes::Label("Operation"),          of: &[ExchangeCall],     is: Is::MethodName },
    Key { name: EXCHANGE,  takes: Takes::Label("Exchange"),           of: &[ExchangeCall],     is: Is::Optional },
    Key { name: TYPE,      takes: Takes::Label("EventType"),          of: &[OperationalEvent], is: Is::Required },
    Key { name: SEVERITY,  takes: Takes::Label("Severity"),           of: &[OperationalEvent], is: Is::Required },
    Key { name: ON,        takes: Takes::Ends,                        of: &[OperationalEvent, Counted], is: Is::Optional },
    Key { name: PROFILE,   takes: Takes::Text,                        of: &[OperationalEvent], is: Is::Optional },
    Key { name: PROFILE,   takes: Takes::Text,                        of: &[CapitalCheck],     is: Is::Required },
    Key { name: SYMBOL,    takes: Takes::Text,                        of: &[OperationalEvent], is: Is::Optional },
    Key { name: TEXT,      takes: Takes::Text,                        of: &[OperationalEvent], is: Is::Optional },
    Key { name: NAME,      takes: Takes::Text,                        of: &[Reconciliation],   is: Is::Optional },
    Key { name: CLASSIFY,  takes: Takes::Path("crate::classify"),     of: WITH_OUTCOME,        is: Is::Optional },
    Key { name: LABELS,    takes: Takes::Path("crate::labels"),       of: WITH_LABELS,         is: Is::Optional },
    Key { name: CRATE,     takes: Takes::Path("::bot_metrics"),       of: ALL,                 is: Is::Optional },
    Key { name: SKIP,      takes: Takes::Nothing,                     of: ALL,                 is: Is::Optional },
];
