//! The ways in which a page can break the rules.

use std::fmt;

use crate::exposition::rules::fault::Fault;
use crate::shown::{quoted, shown};

/// A broken rule. Its text names the allowed values.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum PageFault {
    /// A rule that every family keeps.
    Family(Fault),
    ByteOrderMark,
    CarriageReturn,
    Utf8,
    LastNewline,
    NoEof,
    AfterEof,
    Comment,
    NoComments,
    BlankLine,
    /// A line that cannot be read, with the part that it needs.
    Syntax(&'static str),
    Escape(char),
    Number(String),
    Integer(String),
    Time(String),
    UnknownType(String),
    /// The keyword of a line about the family.
    Twice(&'static str),
    Late(&'static str),
    Unit(String),
    UnitOfType,
    Apart,
    Interleaved,
    Suffix {
        found: String,
        allowed: Vec<String>,
    },
    NoBound(&'static str),
    BoundSpelling {
        label: &'static str,
        found: String,
        allowed: String,
    },
    StateWithoutLabel,
    ExemplarPlace,
    ExemplarLength(usize),
    #[cfg(feature = "protobuf")]
    Message(String),
    #[cfg(feature = "protobuf")]
    MessageLength,
    #[cfg(feature = "protobuf")]
    OtherHead,
}

impl fmt::Display for PageFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Family(fault) => fault.fmt(f),
            Self::ByteOrderMark => f.write_str("the page begins with a byte order mark; leave it out"),
            Self::CarriageReturn => f.write_str("the line ends with a carriage return; a line feed alone is allowed"),
            Self::Utf8 => f.write_str("it is not UTF-8"),
            Self::LastNewline => f.write_str("the last line does not end with a line feed, so it may be cut off"),
            Self::NoEof => f.write_str("the page does not end with # EOF, so it may be cut off"),
            Self::AfterEof => f.write_str("the page goes on after # EOF"),
            Self::Comment => f.write_str(
                "some parsers take this comment for one about a family; write `# HELP name text` or `# TYPE name type`",
            ),
            Self::NoComments => f.write_str("a comment; allowed: # HELP, # TYPE, # UNIT and # EOF"),
            Self::BlankLine => f.write_str("a blank line is not allowed"),
            Self::Syntax(expected) => write!(f, "the line cannot be read: {expected}"),
            Self::Escape(character) => {
                write!(f, "{} is not escaped as the format wants", quoted(character.encode_utf8(&mut [0; 4])))
            }
            Self::Number(found) => write!(f, "{} is no number; NaN, +Inf and -Inf are allowed too", quoted(found)),
            Self::Integer(found) => write!(f, "a count is {}; it has to be an integer of at least 0", shown(found)),
            Self::Time(found) => write!(f, "{} is no time of a sample", quoted(found)),
            Self::UnknownType(found) => write!(f, "{} is no type of this format", quoted(found)),
            Self::Twice(keyword) => write!(f, "a family has its {keyword} twice"),
            Self::Late(keyword) => write!(f, "the {keyword} of a family comes after its samples"),
            Self::Unit(unit) => write!(f, "the name does not end in its unit: _{}", shown(unit)),
            Self::UnitOfType => f.write_str("a family of this type has no unit"),
            Self::Apart => f.write_str("lines of another family are between those of this one"),
            Self::Interleaved => f.write_str("samples of another series are between those of this one"),
            Self::Suffix { found, allowed } => {
                write!(f, "{} is no sample of the family before it; allowed: ", shown(found))?;
                f.write_str(&allowed.join(", "))?;
                f.write_str("; or its own # TYPE")
            }
            Self::NoBound(label) => write!(f, "a sample has no label {label}"),
            Self::BoundSpelling { label, found, allowed } => {
                write!(f, "the label {label} is {}; write {}", quoted(found), quoted(allowed))
            }
            Self::StateWithoutLabel => f.write_str("a state has no label with the name of its family"),
            Self::ExemplarPlace => f.write_str("only buckets and counters may have exemplars"),
            Self::ExemplarLength(length) => {
                write!(f, "the labels of an exemplar have {length} characters; at most 128 are allowed")
            }
            #[cfg(feature = "protobuf")]
            Self::Message(error) => write!(f, "it is no family: {}", shown(error)),
            #[cfg(feature = "protobuf")]
            Self::OtherHead => {
                f.write_str("the next part of the family has another type, HELP or unit than the first one")
            }
            #[cfg(feature = "protobuf")]
            Self::MessageLength => f.write_str("its length reaches past the end of the page"),
        }
    }
}

impl From<Fault> for PageFault {
    fn from(fault: Fault) -> Self {
        Self::Family(fault)
    }
}
