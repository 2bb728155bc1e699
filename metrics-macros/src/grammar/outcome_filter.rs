//! The key `on`: which outcomes of a call count.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::{Expr, ExprLit, ExprUnary, Lit, UnOp};

use super::attribute::{ON, ValueKind};
use super::outcome_words::{CLASSES, DROPPED, ERRORS, OutcomeWord, SUCCESS, UNCLASSIFIED, WORDS};
use crate::errors::{Errors, did_you_mean, repeated};
use crate::library::Private;

/// The outcomes that were written: those of some words, without those of the words behind `!`.
#[derive(Clone, Debug, Default)]
pub(crate) struct OutcomeFilter {
    with: Vec<&'static OutcomeWord>,
    without: Vec<&'static OutcomeWord>,
}

impl OutcomeFilter {
    /// Reads one word, or several in brackets, and reports each mistake under its own word.
    pub(crate) fn read(expr: &Expr, errors: &mut Errors) -> Option<Self> {
        let mut filter = Self::default();
        match expr {
            Expr::Group(group) => return Self::read(&group.expr, errors),
            Expr::Array(array) if !array.elems.is_empty() => {
                let mut is_valid = true;
                for entry in &array.elems {
                    is_valid &= filter.take(entry, errors);
                }
                if !is_valid {
                    return None;
                }
            }
            expr if is_exclusion(expr) => {
                errors.push_over(expr, only_excludes(expr));
                return None;
            }
            expr => filter.with.push(word(expr, errors)?),
        }
        let included = union(&filter.with, |word| word.includes);
        for (word, entry) in filter.without.iter().zip(exclusions(expr)) {
            if filter.with.is_empty() {
                errors.push_over(entry, only_excludes(entry));
                return None;
            }
            let is_empty = filter.includes() == 0;
            if is_empty || word.includes & included == 0 {
                let with: Vec<_> = filter.with.iter().map(|word| format!("`{}`", word.word)).collect();
                let what = if is_empty { "everything" } else { "nothing" };
                errors.push_over(entry, format!("`!{}` excludes {what} from {}", word.word, with.join(", ")));
                return None;
            }
        }
        Some(filter)
    }

    /// Takes one of several words.
    fn take(&mut self, entry: &Expr, errors: &mut Errors) -> bool {
        let (list, inner) = match entry {
            Expr::Unary(ExprUnary { op: UnOp::Not(_), expr, .. }) => (&mut self.without, &**expr),
            _ => (&mut self.with, entry),
        };
        let Some(word) = word(inner, errors) else { return false };
        if list.contains(&word) {
            errors.push_over(entry, repeated(&word.word));
            return false;
        }
        list.push(word);
        true
    }

    /// An expression of the library's type `On`.
    pub(crate) fn value(&self, private: &Private) -> TokenStream {
        let constant = |word: &&OutcomeWord| {
            let name = word.constant();
            quote!(#private::On::#name)
        };
        let mut with = self.with.iter().map(constant);
        let first = with.next();
        let without = self.without.iter().map(constant);
        quote!(#first #(.and(#with))* #(.without(#without))*)
    }

    /// Why no call can match, over a function that does not return a future or cannot return an error.
    pub(crate) fn unreachable(&self, is_future: bool, may_fail: bool) -> Option<&'static str> {
        let (errors, drops) = (self.includes() & ERRORS != 0, self.includes() & DROPPED != 0);
        let never = if is_future { 0 } else { DROPPED } | if may_fail { 0 } else { ERRORS };
        if self.includes() & !never != 0 {
            return None;
        }
        Some(match (errors, drops) {
            (true, false) => "an error, and this function returns none",
            (false, _) => "a future that is dropped, and this function returns none",
            (true, true) => "an error or a future that is dropped, and this function returns neither",
        })
    }

    /// Whether the filter treats errors with and without a class differently.
    pub(crate) fn needs_classes(&self) -> bool {
        let names_class = self.with.iter().chain(&self.without).any(|word| word.exact & CLASSES != 0);
        names_class || self.includes() & CLASSES != 0 && self.includes() & UNCLASSIFIED == 0
    }

    fn includes(&self) -> u16 {
        union(&self.with, |word| word.includes) & !union(&self.without, |word| word.includes)
    }

    fn exact(&self) -> u16 {
        union(&self.with, |word| word.exact) & self.includes()
    }

    /// The included outcomes, without those of `return` and `always`, which are meant to overlap with others.
    fn specific(&self) -> u16 {
        let narrow = |word: &OutcomeWord| word.includes & SUCCESS == 0 || word.exact != 0;
        union(&self.with, |word| if narrow(word) { word.includes } else { 0 }) & self.includes()
    }

    /// The message about two events over one function if one names an outcome that the other includes in a group: such a
    /// call would be two events, which is rarely intended.
    pub(crate) fn overlap(&self, other: &Self) -> Option<String> {
        let doubled = self.specific() & other.specific() & (self.exact() ^ other.exact());
        let word = WORDS.iter().find(|word| word.exact & doubled != 0)?;
        let broad = if self.exact() & word.exact & doubled == 0 { self } else { other };
        let less = Self { without: broad.without.iter().copied().chain([word]).collect(), ..broad.clone() };
        let (word, broad, less) = (word.word, broad.written(), less.written());
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

fn union(words: &[&'static OutcomeWord], outcomes: impl Fn(&OutcomeWord) -> u16) -> u16 {
    words.iter().fold(0, |all, word| all | outcomes(word))
}

fn is_exclusion(expr: &Expr) -> bool {
    matches!(expr, Expr::Unary(ExprUnary { op: UnOp::Not(_), .. }))
}

fn exclusions(expr: &Expr) -> impl Iterator<Item = &Expr> {
    let elems = if let Expr::Array(array) = expr { Some(&array.elems) } else { None };
    elems.into_iter().flatten().filter(|expr| is_exclusion(expr))
}

fn only_excludes(exclusion: &Expr) -> String {
    let written = exclusion.to_token_stream().to_string().replace(' ', "");
    format!("`{written}` excludes outcomes from other words, and there are none: write `[err, {written}]`")
}

/// A word, with or without quotes.
fn word(expr: &Expr, errors: &mut Errors) -> Option<&'static OutcomeWord> {
    let written = match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.value(),
        _ => expr.to_token_stream().to_string(),
    };
    let found = OutcomeWord::find(&written);
    if found.is_none() {
        let guess = did_you_mean(&written, WORDS.iter().map(|known| known.word));
        errors.push_over(expr, format!("`{ON}` takes {}{guess}", ValueKind::Outcomes.allowed()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<OutcomeFilter, String> {
        let mut errors = Errors::default();
        let filter = OutcomeFilter::read(&syn::parse_str(text).expect("an expression"), &mut errors);
        filter.filter(|_| errors.is_empty()).ok_or_else(|| errors.bare().to_string())
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
    fn one_word_or_several_in_brackets_are_read_and_exclusions_are_kept() {
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
    fn exclusions_of_nothing_or_everything_are_refused() {
        for (text, message) in [
            ("!rejected", "`!rejected` excludes outcomes from other words"),
            ("[!rejected]", "and there are none: write `[err, !rejected]`"),
            ("[ok, !rejected]", "`!rejected` excludes nothing from `ok`"),
            ("[rejected, !rejected]", "`!rejected` excludes everything from `rejected`"),
            ("[always, !return, !panic, !cancelled]", "`!return` excludes everything from `always`"),
            ("[rejected, !err]", "`!err` excludes everything from `rejected`"),
            ("[err, err]", "`err` is repeated"),
            ("[]", "`on` takes `ok`, `err`, `rejected`"),
            ("[err, !rejectd]", "did you mean `rejected`?"),
            ("error", "did you mean `err`?"),
        ] {
            let errors = read(text).expect_err(text);
            assert!(errors.contains(message), "{text}: {errors}");
        }
    }

    #[test]
    fn a_filter_that_tells_classes_apart_needs_classes() {
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
            assert_eq!(read(text).expect(text).needs_classes(), needed, "{text}");
        }
    }

    #[test]
    fn outcomes_that_no_call_can_have_are_reported() {
        for (text, [sync, unfailing, both]) in [
            ("err", [None, Some("error"), Some("error")]),
            ("cancelled", [Some("dropped"), None, Some("dropped")]),
            ("timeout", [None, None, Some("neither")]),
            ("[timeout, panic]", [None, None, None]),
            ("always", [None, None, None]),
        ] {
            let filter = read(text).expect(text);
            let messages = [
                filter.unreachable(false, true),
                filter.unreachable(true, false),
                filter.unreachable(false, false),
            ];
            for (message, expected) in messages.iter().zip([sync, unfailing, both]) {
                assert_eq!(message.is_some(), expected.is_some(), "{text}: {message:?}");
                assert!(
                    message.unwrap_or_default().contains(expected.unwrap_or_default()),
                    "{text}: {message:?}"
                );
            }
        }
    }

    #[test]
    fn an_outcome_named_by_one_event_and_grouped_by_another_overlaps() {
        let overlap = |one, other| read(one).unwrap().overlap(&read(other).unwrap());
        for (one, other, word, advice) in [
            ("rejected", "err", "rejected", "write `[err, !rejected]` for `err`"),
            ("err", "[timeout, rejected]", "rejected", "write `[err, !rejected]` for `err`"),
            ("[err, !auth]", "banned", "banned", "write `[err, !auth, !banned]` for `[err, !auth]`"),
            ("timeout", "cancelled", "timeout", "write `[cancelled, !timeout]` for `cancelled`"),
        ] {
            let message = overlap(one, other).expect(one);
            assert!(
                message.starts_with(&format!("a call that ends as `{word}` would be two events")),
                "{message}"
            );
            assert!(message.contains(advice), "{message}");
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
            assert_eq!(overlap(one, other), None, "{one} and {other}");
            assert_eq!(overlap(other, one), None, "{other} and {one}");
        }
    }
}
