//! Mistakes in what the user wrote, collected and reported together beside the item.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};

/// Every mistake found so far.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    /// Reports a mistake at `span`.
    pub(crate) fn push(&mut self, span: Span, message: impl std::fmt::Display) {
        self.0.push(syn::Error::new(span, message));
    }

    /// Reports a mistake under all of `tokens`.
    pub(crate) fn push_over(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.0.push(syn::Error::new_spanned(tokens, message));
    }

    /// Returns the value, or reports the mistake.
    pub(crate) fn ok<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.0.push(error)).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them as compile errors, valid wherever a macro can be called.
    ///
    /// In a module beside other items they keep the compiler from reporting the names that it cannot find there: the
    /// macro calls might have defined those.
    pub(crate) fn bare(&self) -> TokenStream {
        self.0.iter().map(syn::Error::to_compile_error).collect()
    }

    /// All of them in an item of their own: the compiler reports everything else that is wrong in the module.
    pub(crate) fn apart(&self) -> TokenStream {
        let errors = self.bare();
        if errors.is_empty() { errors } else { quote!(const _: () = { #errors };) }
    }
}

/// The end of a message about an unknown name: the nearest of the known names, and all of them.
pub(crate) fn known<'a>(text: &str, candidates: impl Iterator<Item = &'a str> + Clone) -> String {
    known_with(nearest(text, candidates.clone()), candidates)
}

/// The end of a message about an unknown name, with the caller's guess.
pub(crate) fn known_with<'a>(guess: Option<&str>, candidates: impl Iterator<Item = &'a str>) -> String {
    let all = candidates.collect::<Vec<_>>().join(", ");
    match guess {
        Some(guess) => format!("; did you mean `{guess}`? known: {all}"),
        None => format!("; known: {all}"),
    }
}

/// The end of a message that lists the known names itself: the nearest of them, if there is one.
pub(crate) fn did_you_mean<'a>(text: &str, candidates: impl Iterator<Item = &'a str> + Clone) -> String {
    nearest(text, candidates).map(|guess| format!("; did you mean `{guess}`?")).unwrap_or_default()
}

/// The message about a key, word or label that is written twice.
pub(crate) fn repeated(name: &impl std::fmt::Display) -> String {
    format!("`{name}` is repeated")
}

/// The candidate that `text` is a misspelling of, or a longer or shorter form of.
pub(crate) fn nearest<'a>(
    text: &str,
    mut candidates: impl Iterator<Item = &'a str> + Clone,
) -> Option<&'a str> {
    let text = text.to_lowercase();
    let tolerated = (text.len() / 3).max(2);
    let misspelled = candidates
        .clone()
        .map(|candidate| (distance(text.as_bytes(), candidate.to_lowercase().as_bytes()), candidate))
        // A candidate that differs in every letter is not near.
        .filter(|(edits, candidate)| *edits <= tolerated && *edits < text.len().min(candidate.len()))
        .min();
    let part =
        |candidate: &&str| text.len() > 1 && (text.starts_with(candidate) || candidate.starts_with(&text));
    misspelled.map(|(_, candidate)| candidate).or_else(|| candidates.find(part))
}

/// Insertions, deletions and replacements between two texts.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_a_misspelling_or_a_part() {
        let nearest = |text| nearest(text, ["op", "exchange", "ok", "err", "snake_case"].into_iter());
        for (text, guess) in [
            ("exchnage", Some("exchange")),
            ("operation", Some("op")),
            ("error", Some("err")),
            ("Snake-Case", Some("snake_case")),
            ("1", None),
            ("color", None),
            ("", None),
        ] {
            assert_eq!(nearest(text), guess, "{text}");
        }
    }
}
