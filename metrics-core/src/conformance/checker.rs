//! The check of a page in any format.

use std::time::SystemTime;

use super::findings::Finding;
#[cfg(feature = "protobuf")]
use super::messages;
use super::page;
use crate::exposition::format::Format;
use crate::exposition::rules::description::{FamilyDescription, Style};

/// Checks a complete page, and returns the rules that it breaks: none for a page that keeps all rules of its format,
/// and at most 1,000 findings.
///
/// Any bytes are allowed. The time that a check takes grows with the length of the page, and so does its memory, with
/// the longest family and the number of families.
///
/// Times of samples are compared with the clock: a sample more than ten minutes ahead of it is a finding.
#[must_use]
pub fn check(page: &[u8], format: Format) -> Vec<Finding> {
    read(page, format, &mut |_| ())
}

/// Checks a page, and calls `visit` with each family, as far as it could be read.
pub(crate) fn read(
    page: &[u8],
    format: Format,
    visit: &mut dyn FnMut(&FamilyDescription<'_>),
) -> Vec<Finding> {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let now_ms = now.as_millis().try_into().unwrap_or(i64::MAX);
    match format {
        Format::Text => page::read(page, Style::Text, now_ms, visit),
        Format::OpenMetrics => page::read(page, Style::OpenMetrics, now_ms, visit),
        #[cfg(feature = "protobuf")]
        Format::Protobuf => messages::read(page, now_ms, visit),
    }
}
