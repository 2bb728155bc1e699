//! The interface between the order of an exposition and its format.

use std::time::Duration;

use prometheus::proto;

use super::family_type::FamilyType;
use super::foreign_family::ForeignFamily;
use super::naming::Naming;
use crate::catalogue::Family;
use crate::exemplars::BucketExemplar;
use crate::storage::Reading;

/// Spells an exposition in one format.
pub(crate) trait Spelling {
    /// Begins one of the library's families, or of the bot's own.
    fn own(&self, out: &mut Vec<u8>, naming: &Naming, family: &'static Family) -> Box<dyn FamilySpelling>;

    /// Begins a foreign family.
    fn foreign(&self, out: &mut Vec<u8>, family: &ForeignFamily) -> Box<dyn FamilySpelling>;

    /// All names that a family of this name and type takes, so that no other may have them: its own, and those of its
    /// samples.
    fn names(&self, name: &str, family_type: FamilyType) -> Vec<String>;

    /// Whether buckets may have exemplars.
    fn has_exemplars(&self) -> bool {
        false
    }

    /// A line for people, where the format allows one.
    fn comment(&self, _out: &mut Vec<u8>, _text: &str) {}

    /// Ends the exposition.
    fn end(&self, _out: &mut Vec<u8>) {}
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
pub(crate) trait FamilySpelling {
    /// A series of one of the library's families, or of the bot's own.
    fn series(&mut self, out: &mut Vec<u8>, labels: &[&str], beside: Beside<'_>, value: Reading<'_>);

    /// A series of a foreign family.
    fn foreign(&mut self, out: &mut Vec<u8>, metric: &proto::Metric);

    /// Ends the family.
    fn end(&mut self, _out: &mut Vec<u8>) {}
}
