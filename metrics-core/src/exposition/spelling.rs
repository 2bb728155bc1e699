//! The interface between the order of an exposition and its format.

use std::time::Duration;

use prometheus::proto;

use super::family_type::FamilyType;
use super::foreign_family::ForeignFamily;
use super::naming::Naming;
use crate::catalogue::Family;
use crate::exemplars::BucketExemplar;
use crate::storage::Reading;

/// The buffer of a format's output: a `String` for a text format, so that a whole page need not be checked to be one.
pub(crate) trait PageBuffer: AsRef<[u8]> + Default {
    /// Moves everything from `more` to the end of this.
    fn append(&mut self, more: &mut Self);

    fn clear(&mut self);
}

impl PageBuffer for String {
    fn append(&mut self, more: &mut Self) {
        self.push_str(more);
        more.clear();
    }

    fn clear(&mut self) {
        self.clear();
    }
}

#[cfg(feature = "protobuf")]
impl PageBuffer for Vec<u8> {
    fn append(&mut self, more: &mut Self) {
        self.append(more);
    }

    fn clear(&mut self) {
        self.clear();
    }
}

/// The names in a format.
pub(crate) trait FamilyNames {
    /// All names that a family of this name and type takes, so that no other may have them: its own, and those of its
    /// samples.
    fn names(&self, name: &str, family_type: FamilyType) -> Vec<String> {
        family_type.names(name)
    }
}

/// Spells an exposition in one format.
pub(crate) trait Spelling<P>: FamilyNames {
    /// Begins one of the library's families, or of the bot's own.
    fn own(&self, out: &mut P, naming: &Naming, family: &'static Family) -> Box<dyn FamilySpelling<P>>;

    /// Begins a foreign family.
    fn foreign(&self, out: &mut P, family: &ForeignFamily) -> Box<dyn FamilySpelling<P>>;

    /// Whether buckets may have exemplars.
    fn has_exemplars(&self) -> bool {
        false
    }

    /// A line for people, where the format allows one.
    fn comment(&self, _out: &mut P, _text: &str) {}

    /// Ends the exposition.
    fn end(&self, _out: &mut P) {}
}

/// The parts of a series of the library's families, or of the bot's own, that only some formats have.
#[derive(Clone, Copy)]
pub(crate) struct Beside<'a> {
    /// The Unix time at which its counts began.
    pub(crate) created: Option<Duration>,
    /// At most one for each bucket, in the order of the buckets.
    pub(crate) exemplars: &'a [BucketExemplar],
}

/// Spells the series of one family, with everything in it that they have in common.
pub(crate) trait FamilySpelling<P> {
    /// A series of one of the library's families, or of the bot's own.
    fn series(&mut self, out: &mut P, labels: &[&str], beside: Beside<'_>, value: Reading<'_>);

    /// A series of a foreign family.
    fn foreign(&mut self, out: &mut P, metric: &proto::Metric);

    /// Ends the family.
    fn end(&mut self, _out: &mut P) {}
}
