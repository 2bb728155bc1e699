//! Searches in tokens that are not parsed.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens as _;

/// Whether a token that is no group passes `is_found`, at any depth.
fn any(tokens: &TokenStream, is_found: &mut impl FnMut(&TokenTree) -> bool) -> bool {
    tokens.clone().into_iter().any(|token| match &token {
        TokenTree::Group(group) => any(&group.stream(), is_found),
        token => is_found(token),
    })
}

/// Whether `tokens` contain the identifier `word`.
pub(crate) fn mentions(tokens: &TokenStream, word: &str) -> bool {
    any(tokens, &mut |token| matches!(token, TokenTree::Ident(ident) if ident == word))
}

/// Whether `tokens` contain the `?` operator.
pub(crate) fn contains_question_mark(tokens: &TokenStream) -> bool {
    any(tokens, &mut |token| is_punct(token, '?'))
}

/// Whether `expressions` use a variable, directly or in the format string of a macro.
pub(crate) fn may_name(expressions: &TokenStream, variable: &Ident) -> bool {
    any(expressions, &mut |token| match token {
        TokenTree::Ident(ident) => ident == variable,
        TokenTree::Literal(literal) => literal.to_string().contains(&format!("{{{variable}")),
        TokenTree::Group(_) | TokenTree::Punct(_) => false,
    })
}

/// Whether `tokens` contain the name of a static or a constant, by the usual spelling.
pub(crate) fn names_static(tokens: &TokenStream) -> bool {
    any(tokens, &mut |token| {
        let TokenTree::Ident(ident) = token else { return false };
        let name = ident.to_string();
        name.len() > 1 && !name.contains(char::is_lowercase) && name.contains(char::is_uppercase)
    })
}

/// Whether `block` moves every one of `inputs` that `expressions` use into itself by `let … = name;`.
pub(crate) fn moves_in(block: &TokenStream, expressions: &TokenStream, inputs: &TokenStream) -> bool {
    !any(expressions, &mut |token| match token {
        TokenTree::Ident(name) => mentions(inputs, &name.to_string()) && !is_moved(block, name),
        _ => false,
    })
}

fn is_moved(tokens: &TokenStream, name: &Ident) -> bool {
    any_window(tokens, |_, window| match window {
        [equals, TokenTree::Ident(moved), end] => {
            is_punct(equals, '=') && moved == name && is_punct(end, ';')
        }
        _ => false,
    })
}

/// Whether `tokens` call a macro other than ours: its expansion cannot be seen.
pub(crate) fn calls_macros(tokens: &TokenStream) -> bool {
    any_window(tokens, |before, window| match window {
        [name, bang, TokenTree::Group(_)] => {
            is_punct(bang, '!') && may_name_macro(name) && !ends_in_private(before)
        }
        _ => false,
    })
}

/// Whether three consecutive tokens pass `is_found`, at any depth. It is also given the tokens before them.
fn any_window(tokens: &TokenStream, is_found: impl Fn(&[TokenTree], &[TokenTree]) -> bool + Copy) -> bool {
    let tokens = trees(tokens);
    tokens.windows(3).enumerate().any(|(start, window)| is_found(&tokens[..start], window))
        || tokens
            .iter()
            .any(|token| matches!(token, TokenTree::Group(group) if any_window(&group.stream(), is_found)))
}

/// Whether a macro's path may end in this token: an identifier, or a path that a `macro_rules!` passed on.
fn may_name_macro(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(name) => syn::parse2::<syn::Ident>(name.to_token_stream()).is_ok(),
        TokenTree::Group(group) => group.delimiter() == Delimiter::None,
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    }
}

/// Whether a path ends in `__private::`, as in the expansion of an attribute above this one.
fn ends_in_private(path: &[TokenTree]) -> bool {
    matches!(path, [.., TokenTree::Ident(module), TokenTree::Punct(_), TokenTree::Punct(_)] if module == "__private")
}

pub(crate) fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

pub(crate) fn trees(tokens: &TokenStream) -> Vec<TokenTree> {
    tokens.clone().into_iter().collect()
}

pub(crate) fn stream(tokens: &[TokenTree]) -> TokenStream {
    tokens.iter().cloned().collect()
}
