//! The words of the key `on`, each with the outcomes that it includes.
//!
//! This table is the only definition of them: the library generates its own sets from it, by [`constants`].

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// A word for one or more outcomes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OutcomeWord {
    pub(crate) word: &'static str,
    /// The outcomes that it includes, a bit for each.
    pub(crate) includes: u16,
    /// The outcomes that it names, rather than including them in a group. Of two events over one function, one that names
    /// an outcome is meant for it, and one that includes it in a group mostly is not.
    pub(crate) exact: u16,
}

const OK: u16 = 1;
const REJECTED: u16 = 1 << 1;
const RATE_LIMITED: u16 = 1 << 2;
const BANNED: u16 = 1 << 3;
const AUTH: u16 = 1 << 4;
const SERVER_ERROR: u16 = 1 << 5;
const TIMEOUT: u16 = 1 << 6;
const TRANSPORT: u16 = 1 << 7;
const DECODE: u16 = 1 << 8;
const OTHER: u16 = 1 << 9;
const SKIPPED: u16 = 1 << 10;
const PANIC: u16 = 1 << 11;
const CANCELLED: u16 = 1 << 12;
/// A future that is dropped at a deadline of the library's.
const DEADLINE: u16 = 1 << 13;

/// The library's name for each outcome, in the order of the bits. All but the last are variants of its `Outcome`.
const NAMES: [&str; 14] = [
    "Ok",
    "Rejected",
    "RateLimited",
    "Banned",
    "Auth",
    "ServerError",
    "Timeout",
    "Transport",
    "Decode",
    "Error",
    "Skipped",
    "Panic",
    "Cancelled",
    "DEADLINE",
];

/// The outcomes of a dropped future.
pub(crate) const DROPPED: u16 = CANCELLED | DEADLINE;
/// The outcomes that only the class of an error tells apart.
pub(crate) const CLASSES: u16 =
    REJECTED | RATE_LIMITED | BANNED | AUTH | SERVER_ERROR | TIMEOUT | TRANSPORT | DECODE;
/// The outcome of an error without a class.
pub(crate) const UNCLASSIFIED: u16 = OTHER;
pub(crate) const ERRORS: u16 = CLASSES | OTHER;
pub(crate) const SUCCESS: u16 = OK;
const RETURNED: u16 = OK | ERRORS | SKIPPED;
const ALL: u16 = RETURNED | PANIC | DROPPED;

#[rustfmt::skip]
pub(crate) static WORDS: [OutcomeWord; 16] = [
    OutcomeWord { word: "ok",           includes: OK,                 exact: OK },
    OutcomeWord { word: "err",          includes: ERRORS,             exact: 0 },
    OutcomeWord { word: "rejected",     includes: REJECTED,           exact: REJECTED },
    OutcomeWord { word: "rate_limited", includes: RATE_LIMITED,       exact: RATE_LIMITED },
    OutcomeWord { word: "banned",       includes: BANNED,             exact: BANNED },
    OutcomeWord { word: "auth",         includes: AUTH,               exact: AUTH },
    OutcomeWord { word: "server_error", includes: SERVER_ERROR,       exact: SERVER_ERROR },
    OutcomeWord { word: "timeout",      includes: TIMEOUT | DEADLINE, exact: TIMEOUT | DEADLINE },
    OutcomeWord { word: "transport",    includes: TRANSPORT,          exact: TRANSPORT },
    OutcomeWord { word: "decode",       includes: DECODE,             exact: DECODE },
    // Not `error`, the text of that outcome: someone who writes `error` means `err`.
    OutcomeWord { word: "other",        includes: OTHER,              exact: OTHER },
    OutcomeWord { word: "skipped",      includes: SKIPPED,            exact: SKIPPED },
    OutcomeWord { word: "panic",        includes: PANIC,              exact: PANIC },
    OutcomeWord { word: "cancelled",    includes: DROPPED,            exact: CANCELLED },
    OutcomeWord { word: "return",       includes: RETURNED,           exact: 0 },
    OutcomeWord { word: "always",       includes: ALL,                exact: 0 },
];

impl OutcomeWord {
    pub(crate) fn find(word: &str) -> Option<&'static Self> {
        WORDS.iter().find(|known| known.word == word)
    }

    /// The name of the library's constant for the word.
    pub(crate) fn constant(&self) -> String {
        self.word.to_uppercase()
    }
}

/// The library's set of outcomes for each word, as associated constants of its type `On`.
pub(crate) fn constants() -> TokenStream {
    let constants = WORDS.iter().map(|word| {
        let name = format_ident!("{}", word.constant());
        let doc = format!("The outcomes of `on = {}`.", word.word);
        let outcomes = NAMES.iter().enumerate().filter(|(bit, _)| word.includes & 1 << bit != 0);
        let sets = outcomes.map(|(_, name)| {
            let outcome = format_ident!("{name}");
            if *name == "DEADLINE" { quote!(Self::#outcome) } else { quote!(Self::of(Outcome::#outcome)) }
        });
        quote!(#[doc = #doc] pub const #name: Self = Self::NONE #(.and(#sets))*;)
    });
    quote!(impl On { #(#constants)* })
}
