//! The words of `on`: which ends of a call are meant.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use syn::{Expr, ExprLit, ExprUnary, Lit, UnOp};

use crate::attr::{ON, Takes};
use crate::errors::{Errors, nearest};
use crate::private::Private;

/// A word for ends of a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EndWord {
    pub(crate) word: &'static str,
    /// The constant of `On` for it.
    constant: &'static str,
    /// The ends that it takes in, a bit for each.
    of: u16,
    /// Those among them that the word says by itself; the others it has with many. Of two events over one function, the
    /// one that says an end means it, and the one that has it with others mostly does not.
    says: u16,
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
/// Dropped by a deadline.
const DEADLINE: u16 = 1 << 13;

const DROPPED: u16 = CANCELLED | DEADLINE;

/// What an error can be told to be only by a class.
const CLASSES: u16 = REJECTED | RATE_LIMITED | BANNED | AUTH | SERVER_ERROR | TIMEOUT | TRANSPORT | DECODE;
const ERRORS: u16 = CLASSES | OTHER;
const RETURNED: u16 = OK | ERRORS | SKIPPED;

#[rustfmt::skip]
pub(crate) static END_WORDS: [EndWord; 16] = [
    EndWord { word: "ok",           constant: "OK",           of: OK,                   says: OK },
    EndWord { word: "err",          constant: "ERR",          of: ERRORS,               says: 0 },
    EndWord { word: "rejected",     constant: "REJECTED",     of: REJECTED,             says: REJECTED },
    EndWord { word: "rate_limited", constant: "RATE_LIMITED", of: RATE_LIMITED,         says: RATE_LIMITED },
    EndWord { word: "banned",       constant: "BANNED",       of: BANNED,               says: BANNED },
    EndWord { word: "auth",         constant: "AUTH",         of: AUTH,                 says: AUTH },
    EndWord { word: "server_error", constant: "SERVER_ERROR", of: SERVER_ERROR,         says: SERVER_ERROR },
    EndWord { word: "timeout",      constant: "TIMEOUT",      of: TIMEOUT | DEADLINE,   says: TIMEOUT | DEADLINE },
    EndWord { word: "transport",    constant: "TRANSPORT",    of: TRANSPORT,            says: TRANSPORT },
    EndWord { word: "decode",       constant: "DECODE",       of: DECODE,               says: DECODE },
    // Not `error`, as the outcome is called: whoever writes that means `err`.
    EndWord { word: "other",        constant: "OTHER",        of: OTHER,                says: OTHER },
    EndWord { word: "skipped",      constant: "SKIPPED",      of: SKIPPED,              says: SKIPPED },
    EndWord { word: "panic",        constant: "PANIC",        of: PANIC,                says: PANIC },
    EndWord { word: "cancelled",    constant: "CANCELLED",    of: CANCELLED | DEADLINE, says: CANCELLED },
    EndWord { word: "return",       constant: "RETURN",       of: RETURNED,             says: 0 },
    EndWord { word: "always",       constant: "ALWAYS",       of: !0,                   says: 0 },
];

/// The ends that were written: some words, and those that `!` takes away from them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ends {
    with: Vec<&'static EndWord>,
    without: Vec<&'static EndWord>,
}

impl Ends {
    /// One word, or several in brackets; what is wrong is told under each by itself.
    pub(crate) fn read(expr: &Expr, errors: &mut Errors) -> Option<Self> {
        let mut ends = Self::default();
        match expr {
            Expr::Group(group) => return Self::read(&group.expr, errors),
            Expr::Array(array) if !array.elems.is_empty() => {
                let mut is_right = true;
                for entry in &array.elems {
                    is_right &= ends.take(entry, errors);
                }
                if !is_right {
                    return None;
                }
            }
            expr if is_exclusion(expr) => {
                errors.push_over(expr, alone(expr));
                return None;
            }
            expr => ends.with.push(word(expr, errors)?),
        }
        let taken_from = ends.with.iter().fold(0, |all, word| all | word.of);
        for (word, entry) in ends.without.iter().zip(exclusions(expr)) {
            if ends.with.is_empty() {
                errors.push_over(entry, alone(entry));
                return None;
            }
            if word.of & taken_from == 0 || ends.of() == 0 {
                let of: Vec<_> = ends.with.iter().map(|word| format!("`{}`", word.word)).collect();
                let what = if ends.of() == 0 { "everything" } else { "nothing" };
                errors.push_over(entry, format!("`!{}` takes {what} away from {}", word.word, of.join(", ")));
                return None;
            }
        }
        Some(ends)
    }

    /// Takes one of several.
    fn take(&mut self, entry: &Expr, errors: &mut Errors) -> bool {
        let (list, inner) = match entry {
            Expr::Unary(ExprUnary { op: UnOp::Not(_), expr, .. }) => (&mut self.without, &**expr),
            _ => (&mut self.with, entry),
        };
        let Some(word) = word(inner, errors) else { return false };
        if list.contains(&word) {
            errors.push_over(entry, format!("`{}` stands here a second time", word.word));
            return false;
        }
        list.push(word);
        true
    }

    /// The value of type `On`; `private` is where that stands.
    pub(crate) fn value(&self, private: &Private) -> TokenStream {
        let constant = |word: &EndWord| {
            let name = format_ident!("{}", word.constant);
            quote!(#private::On::#name)
        };
        let mut with = self.with.iter().map(|word| constant(word));
        let first = with.next();
        let without = self.without.iter().map(|word| constant(word));
        quote!(#first #(.and(#with))* #(.without(#without))*)
    }

    /// What they wait for in vain over a function that returns no future, or whose calls return no error, if no call of it
    /// can end in any of them.
    pub(crate) fn missed(&self, is_future: bool, may_fail: bool) -> Option<&'static str> {
        let (errors, drops) = (self.of() & ERRORS != 0, self.of() & DROPPED != 0);
        let never = if is_future { 0 } else { DROPPED } | if may_fail { 0 } else { ERRORS };
        if self.of() & !never != 0 {
            return None;
        }
        Some(match (errors, drops) {
            (true, false) => "an error, and this function returns none",
            (false, _) => "a future that is dropped, and this function returns none",
            (true, true) => "an error or a future that is dropped, and this function returns neither",
        })
    }

    /// Whether errors without a class would not be told apart as they are here.
    pub(crate) fn need_classes(&self) -> bool {
        let names_one = self.with.iter().chain(&self.without).any(|word| word.says & CLASSES != 0);
        // An error without a class is `other`.
        names_one || self.of() & CLASSES != 0 && self.of() & OTHER == 0
    }

    fn of(&self) -> u16 {
        let of = |words: &[&EndWord]| words.iter().fold(0, |all, word| all | word.of);
        of(&self.with) & !of(&self.without)
    }

    /// What they have with others, but for words that mean whatever comes.
    fn has(&self) -> u16 {
        let narrow = self.with.iter().filter(|word| word.of & OK == 0 || word.says != 0);
        narrow.fold(0, |all, word| all | word.of) & self.of()
    }

    fn says(&self) -> u16 {
        self.with.iter().fold(0, |all, word| all | word.says) & self.of()
    }

    /// What is wrong with two events over one function, one of which says an end that the other has with many: a call that
    /// ends so would be two events, and hardly anybody means that.
    pub(crate) fn doubled(&self, other: &Self) -> Option<String> {
        let doubled = self.has() & other.has() & (self.says() ^ other.says());
        let end = END_WORDS.iter().find(|word| word.says & doubled != 0)?;
        let broad = if self.says() & end.says & doubled == 0 { self } else { other };
        let less = Self { without: broad.without.iter().copied().chain([end]).collect(), ..broad.clone() };
        let (word, broad, less) = (end.word, broad.written(), less.written());
        Some(format!(
            "a call that ends as `{word}` would be two events, this one and that of the attribute below: write `{less}` \
             for `{broad}`, or name `{word}` in both where both are meant"
        ))
    }

    fn written(&self) -> String {
        let with = self.with.iter().map(|word| word.word.to_owned());
        let words: Vec<_> = with.chain(self.without.iter().map(|word| format!("!{}", word.word))).collect();
        if let [word] = words.as_slice() { word.clone() } else { format!("[{}]", words.join(", ")) }
    }
}

fn is_exclusion(expr: &Expr) -> bool {
    matches!(expr, Expr::Unary(ExprUnary { op: UnOp::Not(_), .. }))
}

fn exclusions(expr: &Expr) -> impl Iterator<Item = &Expr> {
    let elems = if let Expr::Array(array) = expr { Some(&array.elems) } else { None };
    elems.into_iter().flatten().filter(|expr| is_exclusion(expr))
}

fn alone(exclusion: &Expr) -> String {
    let written = exclusion.to_token_stream().to_string().replace(' ', "");
    format!("`{written}` takes away from what stands beside it, and nothing does: `[err, {written}]`")
}

/// A word; it may stand in quotes.
fn word(expr: &Expr, errors: &mut Errors) -> Option<&'static EndWord> {
    let written = match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.value(),
        _ => expr.to_token_stream().to_string(),
    };
    let found = END_WORDS.iter().find(|end| end.word == written);
    if found.is_none() {
        let guess = nearest(&written, END_WORDS.iter().map(|end| end.word));
        let guess = guess.map(|word| format!("; did you mean `{word}`?")).unwrap_or_default();
        errors.push_over(expr, format!("`{ON}` takes {}{guess}", Takes::Ends.allowed()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Ends, String> {
        let mut errors = Errors::default();
        let ends = Ends::read(&syn::parse_str(text).expect("an expression"), &mut errors);
        ends.filter(|_| errors.is_empty()).ok_or_else(|| errors.bare().to_string())
    }

    fn value(text: &str) -> String {
        read(text)
            .expect(text)
            .value(&Private::of(Some(&syn::parse_quote!(p))))
            .to_string()
            .replace(' ', "")
            .replace("::__private", "")
    }

    #[test]
    fn words_stand_alone_or_several_in_brackets_and_some_are_taken_away() {
        assert_eq!(value("err"), "p::On::ERR");
        assert_eq!(value("\"return\""), "p::On::RETURN");
        assert_eq!(value("[timeout, server_error]"), "p::On::TIMEOUT.and(p::On::SERVER_ERROR)");
        assert_eq!(
            value("[err, panic, !rejected, !auth]"),
            "p::On::ERR.and(p::On::PANIC).without(p::On::REJECTED).without(p::On::AUTH)"
        );
        assert_eq!(value("[return, !ok]"), "p::On::RETURN.without(p::On::OK)");
    }

    #[test]
    fn what_takes_nothing_or_everything_away_is_refused() {
        for (text, message) in [
            ("!rejected", "`!rejected` takes away from what stands beside it"),
            ("[!rejected]", "and nothing does: `[err, !rejected]`"),
            ("[ok, !rejected]", "`!rejected` takes nothing away from `ok`"),
            ("[rejected, !rejected]", "`!rejected` takes everything away from `rejected`"),
            ("[rejected, !err]", "`!err` takes everything away from `rejected`"),
            ("[err, err]", "`err` stands here a second time"),
            ("[]", "`on` takes `ok`, `err`, `rejected`"),
            ("[err, !rejectd]", "did you mean `rejected`?"),
            ("error", "did you mean `err`?"),
        ] {
            let errors = read(text).expect_err(text);
            assert!(errors.contains(message), "{text}: {errors}");
        }
    }

    #[test]
    fn errors_need_a_class_where_one_is_named_and_where_those_without_are_not_meant() {
        for (text, needed) in [
            ("rejected", true),
            ("[err, !timeout]", true),
            ("[err, !other]", true),
            ("[return, !other]", true),
            ("err", false),
            ("other", false),
            ("[ok, cancelled, panic]", false),
            ("always", false),
        ] {
            assert_eq!(read(text).expect(text).need_classes(), needed, "{text}");
        }
    }

    #[test]
    fn what_no_call_can_end_in_is_missed() {
        for (text, [sync, unfailing, both]) in [
            ("err", [None, Some("error"), Some("error")]),
            ("cancelled", [Some("dropped"), None, Some("dropped")]),
            ("timeout", [None, None, Some("neither")]),
            ("[timeout, panic]", [None, None, None]),
            ("always", [None, None, None]),
        ] {
            let ends = read(text).expect(text);
            let told = [ends.missed(false, true), ends.missed(true, false), ends.missed(false, false)];
            for (told, expected) in told.iter().zip([sync, unfailing, both]) {
                assert_eq!(told.is_some(), expected.is_some(), "{text}: {told:?}");
                assert!(told.unwrap_or_default().contains(expected.unwrap_or_default()), "{text}: {told:?}");
            }
        }
    }

    #[test]
    fn an_end_that_one_says_and_another_has_with_many_is_doubled() {
        let doubled = |one, other| read(one).unwrap().doubled(&read(other).unwrap());
        for (one, other, word, advice) in [
            ("rejected", "err", "rejected", "write `[err, !rejected]` for `err`"),
            ("err", "[timeout, rejected]", "rejected", "write `[err, !rejected]` for `err`"),
            ("[err, !auth]", "banned", "banned", "write `[err, !auth, !banned]` for `[err, !auth]`"),
            ("timeout", "cancelled", "timeout", "write `[cancelled, !timeout]` for `cancelled`"),
        ] {
            let told = doubled(one, other).expect(one);
            assert!(told.starts_with(&format!("a call that ends as `{word}` would be two events")), "{told}");
            assert!(told.contains(advice), "{told}");
        }
        for (one, other) in [
            ("rejected", "[err, !rejected]"),
            ("rejected", "[err, rejected]"),
            ("rejected", "rejected"),
            ("err", "err"),
            ("err", "[err, !rejected]"),
            ("err", "ok"),
            ("rejected", "always"),
            ("rejected", "return"),
            ("timeout", "[cancelled, !timeout]"),
            ("rejected", "timeout"),
        ] {
            assert_eq!(doubled(one, other), None, "{one} and {other}");
            assert_eq!(doubled(other, one), None, "{other} and {one}");
        }
    }
}
