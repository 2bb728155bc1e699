//! The ways in which a page can break the rules.

use crate::exposition::rules::fault::Fault;
use crate::shown::{quoted, shown};

/// A broken rule. Its text names the allowed values.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(super) enum PageFault {
    /// A rule that every family keeps.
    #[error(transparent)]
    Family(#[from] Fault),
    #[error("the page begins with a byte order mark; leave it out")]
    ByteOrderMark,
    #[error("the line ends with a carriage return; a line feed alone is allowed")]
    CarriageReturn,
    #[error("it is not UTF-8")]
    Utf8,
    #[error("the last line does not end with a line feed, so it may be cut off")]
    LastNewline,
    #[error("the page does not end with # EOF, so it may be cut off")]
    NoEof,
    #[error("the page goes on after # EOF")]
    AfterEof,
    #[error(
        "some parsers take this comment for one about a family; write `# HELP name text` or `# TYPE name type`"
    )]
    Comment,
    #[error("a comment; allowed: # HELP, # TYPE, # UNIT and # EOF")]
    NoComments,
    #[error("a blank line is not allowed")]
    BlankLine,
    /// A line that cannot be read, with the part that it needs.
    #[error("the line cannot be read: {0}")]
    Syntax(&'static str),
    #[error("{} is not escaped as the format wants", quoted(.0.encode_utf8(&mut [0; 4])))]
    Escape(char),
    #[error("{} is no number; NaN, +Inf and -Inf are allowed too", quoted(.0))]
    Number(String),
    #[error("a count is {}; it has to be an integer of at least 0", shown(.0))]
    Integer(String),
    #[error("{} is no time of a sample", quoted(.0))]
    Time(String),
    #[error("{} is no type of this format", quoted(.0))]
    UnknownType(String),
    /// The keyword of a line about the family.
    #[error("a family has its {0} twice")]
    Twice(&'static str),
    #[error("the {0} of a family comes after its samples")]
    Late(&'static str),
    #[error("the name does not end in its unit: _{}", shown(.0))]
    Unit(String),
    #[error("a family of this type has no unit")]
    UnitOfType,
    #[error("lines of another family are between those of this one")]
    Apart,
    #[error("samples of another series are between those of this one")]
    Interleaved,
    #[error(
        "{} is no sample of the family before it; allowed: {}; or its own # TYPE",
        shown(.found), .allowed.join(", ")
    )]
    Suffix { found: String, allowed: Vec<String> },
    #[error("a sample has no label {0}")]
    NoBound(&'static str),
    #[error("the label {label} is {}; write {}", quoted(.found), quoted(.allowed))]
    BoundSpelling { label: &'static str, found: String, allowed: String },
    #[error("a state has no label with the name of its family")]
    StateWithoutLabel,
    #[error("only buckets and counters may have exemplars")]
    ExemplarPlace,
    #[error("the labels of an exemplar have {0} characters; at most 128 are allowed")]
    ExemplarLength(usize),
    #[cfg(feature = "protobuf")]
    #[error("it is no family: {}", shown(.0))]
    Message(String),
    #[cfg(feature = "protobuf")]
    #[error("its length reaches past the end of the page")]
    MessageLength,
    #[cfg(feature = "protobuf")]
    #[error("the next part of the family has another type, HELP or unit than the first one")]
    OtherHead,
}
