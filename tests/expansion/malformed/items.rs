//! Valid attributes on items that cannot be measured.

use super::Malformed;

/// Each item, and the word at which the error is reported.
const ITEMS: [(&str, &str); 19] = [
    ("pub struct kept;", "struct"),
    ("pub struct kept { pub field: u8 }", "struct"),
    ("pub struct kept(fn() -> u8);", "struct"),
    ("pub enum kept { Variant }", "enum"),
    ("pub union kept { pub field: u8 }", "union"),
    ("pub trait kept { fn method() {} }", "trait"),
    ("pub unsafe trait kept {}", "trait"),
    ("pub mod kept { pub fn function() {} }", "mod"),
    ("pub static kept: u8 = 1;", "static"),
    ("pub static mut kept: u8 = 1;", "static"),
    ("pub const kept: u8 = 1;", "const"),
    ("pub const kept: fn() = || {};", "const"),
    ("pub type kept = fn() -> u8;", "type"),
    ("pub use std::fmt::Debug as kept;", "use"),
    ("pub const fn kept() {}", "const"),
    ("pub const unsafe fn kept() {}", "const"),
    ("pub extern crate core as kept;", "extern"),
    ("pub struct kept<T: Fn() -> u8>(pub T);", "struct"),
    ("macro_rules! unused { () => {}; } pub fn kept() {}", "macro_rules"),
];

const ATTRIBUTES: [(&str, &str); 7] = [
    ("timed_subsystem", "\"trading\", every = \"5s\""),
    ("exchange_call", "op = \"place_order\", exchange = \"binance\""),
    ("operational_event", "type = \"STARTED\", severity = \"INFO\""),
    ("capital_check", "profile = \"maker\""),
    ("reconciliation", ""),
    ("timed", "crate::families::calls_seconds, severity = \"INFO\""),
    ("counted", "crate::families::calls_total, severity = \"INFO\""),
];

pub(super) fn malformed() -> Vec<Malformed> {
    let over = |(attribute, arguments): (&'static str, &str)| {
        let arguments = arguments.to_owned();
        ITEMS.map(|(item, keyword)| Malformed { attribute, arguments: arguments.clone(), item, keyword })
    };
    ATTRIBUTES.into_iter().flat_map(over).collect()
}
