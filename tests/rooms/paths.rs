//! The paths in a file's code.

use std::iter::Peekable;

use proc_macro2::{Delimiter, TokenStream, TokenTree, token_stream};

/// A path as it is written.
#[derive(Debug, PartialEq)]
pub(crate) struct Written {
    /// Its words, such as `crate`, `storage`, `Sink`.
    pub(crate) words: Vec<String>,
    pub(crate) line: usize,
    /// The inline modules that contain it.
    pub(crate) inside: Vec<String>,
    /// The name under which a declaration exports it.
    pub(crate) exported_as: Option<String>,
}

/// The code of a file, without code that is only for tests.
#[derive(Debug, Default)]
pub(crate) struct Code {
    /// Every path of at least two words.
    pub(crate) paths: Vec<Written>,
    /// The names of its macros. An exported macro is referred to as if it were defined in the root.
    pub(crate) macros: Vec<String>,
}

impl Code {
    /// # Panics
    ///
    /// If `text` is not valid Rust.
    pub(crate) fn of(text: &str) -> Self {
        let tokens: TokenStream = text.parse().expect("the file compiles");
        let mut code = Self::default();
        visit(tokens, &[], &mut code);
        code
    }
}

type Tokens = Peekable<token_stream::IntoIter>;

fn visit(stream: TokenStream, inside: &[String], code: &mut Code) {
    let mut tokens = stream.into_iter().peekable();
    let mut is_exported = false;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' && is_for_tests(&mut tokens) => {
                skip_item(&mut tokens);
            }
            TokenTree::Ident(word) if word == "pub" => {
                is_exported = true;
                // A visibility is not a dependency.
                tokens.next_if(
                    |next| matches!(next, TokenTree::Group(to) if to.delimiter() == Delimiter::Parenthesis),
                );
            }
            TokenTree::Ident(word) if word == "use" => {
                use_tree(&mut tokens, &[], inside, is_exported, &mut code.paths);
                is_exported = false;
            }
            TokenTree::Ident(word) if word == "macro_rules" => {
                code.macros.extend(tokens.nth(1).map(|name| name.to_string()));
            }
            TokenTree::Ident(word) if word == "mod" => {
                is_exported = false;
                let name = tokens.next().map(|name| name.to_string()).unwrap_or_default();
                if let Some(TokenTree::Group(body)) = tokens.peek().cloned() {
                    tokens.next();
                    visit(body.stream(), &[inside, &[name]].concat(), code);
                }
            }
            TokenTree::Ident(word) => {
                is_exported = false;
                let line = word.span().start().line;
                let mut words = vec![word.to_string()];
                while let Some(next) = next_word(&mut tokens) {
                    words.push(next);
                }
                if words.len() > 1 {
                    let inside = inside.to_vec();
                    code.paths.push(Written { words, line, inside, exported_as: None });
                }
            }
            TokenTree::Group(group) => visit(group.stream(), inside, code),
            _ => {}
        }
    }
}

/// Whether the next attribute is `cfg(test)`, or `cfg(all(test, …))`.
fn is_for_tests(tokens: &mut Tokens) -> bool {
    let Some(TokenTree::Group(attribute)) = tokens.peek() else { return false };
    let text: String = attribute.stream().to_string().split_whitespace().collect();
    text == "cfg(test)" || text.starts_with("cfg(all(test,")
}

/// Skips the rest of an item: to its semicolon, comma or braces.
fn skip_item(tokens: &mut Tokens) {
    for token in tokens.by_ref() {
        match token {
            TokenTree::Punct(punct) if matches!(punct.as_char(), ';' | ',') => return,
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return,
            _ => {}
        }
    }
}

/// Skips `::`, if it is next.
fn skip_separator(tokens: &mut Tokens) -> bool {
    let is_colon = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':');
    // A single colon separates a name from its type; no path begins after it.
    let mut ahead = tokens.clone();
    let found = ahead.next().is_some_and(|token| is_colon(&token))
        && ahead.next().is_some_and(|token| is_colon(&token));
    if found {
        *tokens = ahead;
    }
    found
}

/// The next word of a path, if it continues.
fn next_word(tokens: &mut Tokens) -> Option<String> {
    let mut ahead = tokens.clone();
    let word = skip_separator(&mut ahead).then(|| ahead.next()).flatten();
    match word {
        Some(TokenTree::Ident(word)) => {
            *tokens = ahead;
            Some(word.to_string())
        }
        _ => None,
    }
}

/// Reads the paths of a `use` declaration after these words.
fn use_tree(
    tokens: &mut Tokens,
    before: &[String],
    inside: &[String],
    is_exported: bool,
    paths: &mut Vec<Written>,
) {
    let mut words = before.to_vec();
    let mut line = 0;
    let mut alias = None;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "as" => alias = tokens.next().map(|name| name.to_string()),
            TokenTree::Ident(word) => {
                line = word.span().start().line;
                words.push(word.to_string());
            }
            TokenTree::Group(group) => {
                let mut inner = group.stream().into_iter().peekable();
                while inner.peek().is_some() {
                    use_tree(&mut inner, &words, inside, is_exported, paths);
                }
                words.clear();
            }
            TokenTree::Punct(punct) if matches!(punct.as_char(), ';' | ',') => break,
            TokenTree::Punct(punct) if punct.as_char() == '*' => {
                line = punct.span().start().line;
                words.push("*".to_owned());
            }
            _ => {}
        }
    }
    // `use a::b::{self}` names `a::b`.
    if words.len() > 1 && words.last().is_some_and(|last| last == "self") {
        words.pop();
    }
    if !words.is_empty() {
        let exported_as = is_exported.then(|| alias.or_else(|| words.last().cloned())).flatten();
        paths.push(Written { words, line, inside: inside.to_vec(), exported_as });
    }
}
