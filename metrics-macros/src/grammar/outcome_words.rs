//! The words of the key `on`, each with the outcomes that it includes.
//!
//! These tables are the only definition of them: the library generates its own sets from them, by [`constants`].

use std::sync::LazyLock;

use proc_macro2::{Ident, TokenStream};
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

/// The classes of errors: the word of each, and the variant of the library's types `Outcome` and `ErrorClass`.
const CLASS_NAMES: &[(&str, &str)] = &[
    ("rejected", "Rejected"),
    ("rate_limited", "RateLimited"),
    ("banned", "Banned"),
    ("auth", "Auth"),
    ("server_error", "ServerError"),
    ("timeout", "Timeout"),
    ("transport", "Transport"),
    ("decode", "Decode"),
];

const OK: u16 = 1;
const OTHER: u16 = 1 << 1;
const SKIPPED: u16 = 1 << 2;
const PANIC: u16 = 1 << 3;
const CANCELLED: u16 = 1 << 4;
/// A future that is dropped at a deadline of the library's.
const DEADLINE: u16 = 1 << 5;
/// The outcome of the first class; the others' bits follow.
const FIRST_CLASS: u16 = 1 << 6;

/// The variants of the library's `Outcome` that are no class.
const OTHER_NAMES: [(u16, &str); 5] =
    [(OK, "Ok"), (OTHER, "Error"), (SKIPPED, "Skipped"), (PANIC, "Panic"), (CANCELLED, "Cancelled")];

/// The outcomes of a dropped future.
pub(crate) const DROPPED: u16 = CANCELLED | DEADLINE;
/// The outcomes that only the class of an error tells apart.
pub(crate) const CLASSES: u16 = FIRST_CLASS * ((1 << CLASS_NAMES.len()) - 1);
/// The outcome of an error without a class.
pub(crate) const UNCLASSIFIED: u16 = OTHER;
pub(crate) const ERRORS: u16 = CLASSES | OTHER;
pub(crate) const SUCCESS: u16 = OK;
const RETURNED: u16 = OK | ERRORS | SKIPPED;
const ALL: u16 = RETURNED | PANIC | DROPPED;

pub(crate) static WORDS: LazyLock<Vec<OutcomeWord>> = LazyLock::new(|| {
    let outcome = |word, includes| OutcomeWord { word, includes, exact: includes };
    let group = |word, includes| OutcomeWord { word, includes, exact: 0 };
    let mut words = vec![outcome("ok", OK), group("err", ERRORS)];
    words.extend(classes().map(|(bit, word, _)| {
        let also = if word == "timeout" { DEADLINE } else { 0 };
        outcome(word, bit | also)
    }));
    words.extend([
        // Not `error`, the text of that outcome: someone who writes `error` means `err`.
        outcome("other", OTHER),
        outcome("skipped", SKIPPED),
        outcome("panic", PANIC),
        OutcomeWord { word: "cancelled", includes: DROPPED, exact: CANCELLED },
        group("return", RETURNED),
        group("always", ALL),
    ]);
    words
});

impl OutcomeWord {
    pub(crate) fn find(word: &str) -> Option<&'static Self> {
        WORDS.iter().find(|known| known.word == word)
    }

    /// The name of the library's constant for the word.
    pub(crate) fn constant(&self) -> Ident {
        format_ident!("{}", self.word.to_uppercase())
    }
}

/// The bit, the word and the variant of each class.
fn classes() -> impl Iterator<Item = (u16, &'static str, Ident)> {
    CLASS_NAMES
        .iter()
        .zip(0..)
        .map(|((word, name), index)| (FIRST_CLASS << index, *word, format_ident!("{name}")))
}

/// The library's set of outcomes for each word, as associated constants of its type `On`.
///
/// The library does not compile if one of its outcomes or classes is missing here.
pub(crate) fn constants() -> TokenStream {
    let others = OTHER_NAMES.iter().map(|(bit, name)| (*bit, format_ident!("{name}")));
    let outcomes: Vec<_> = classes().map(|(bit, _, name)| (bit, name)).chain(others).collect();
    let constants = WORDS.iter().map(|word| {
        let (name, doc) = (word.constant(), format!("The outcomes of `on = {}`.", word.word));
        let included = outcomes.iter().filter(|(bit, _)| word.includes & bit != 0).map(|(_, name)| name);
        let deadline = (word.includes & DEADLINE != 0).then(|| quote!(.and(Self::DEADLINE)));
        quote!(#[doc = #doc] pub const #name: Self = Self::NONE #(.and(Self::of(Outcome::#included)))* #deadline;)
    });
    let names = outcomes.iter().map(|(_, name)| name);
    let (classes, words): (Vec<_>, Vec<_>) =
        classes().map(|(_, word, name)| (name, format_ident!("{}", word.to_uppercase()))).unzip();
    quote! {
        impl On { #(#constants)* }

        const _: fn(Outcome) = |outcome| match outcome { #(Outcome::#names)|* => () };
        const _: fn(ErrorClass) = |class| match class { #(ErrorClass::#classes)|* | ErrorClass::Other => () };

        #[cfg(test)]
        const CLASSES: &[(On, Outcome)] = &[#((On::#words, Outcome::#classes)),*];
    }
}
