//! A function's body, read without parsing it.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::quote_spanned;

use crate::library::FutureRunner;
use crate::tokens::{calls_macros, is_punct, mentions, stream, trees};

/// A body's tokens without its braces.
pub(crate) struct Body {
    /// `#![…]`, which must stay first.
    pub(crate) inner_attributes: TokenStream,
    pub(crate) statements: TokenStream,
}

impl Body {
    pub(crate) fn of(braces: &Group) -> Self {
        let (mut inner_attributes, mut statements) = (TokenStream::new(), braces.stream());
        while let Some(attribute) = inner_attribute(&statements) {
            statements = statements.into_iter().skip(attribute.len()).collect();
            inner_attributes.extend(attribute);
        }
        Self { inner_attributes, statements }
    }

    /// The body of a function, for an expansion that adds statements in front of it.
    pub(crate) fn of_function(braces: &Group) -> Self {
        let Self { inner_attributes, mut statements } = Self::of(braces);
        if begins_with_item(&statements) {
            // Clippy objects to items after statements, but not behind an item that another macro wrote.
            let item = quote_spanned!(Span::mixed_site()=> const _: () = (););
            statements = item.into_iter().chain(statements).collect();
        }
        Self { inner_attributes, statements }
    }
}

/// Whether the first of these statements is an item.
fn begins_with_item(statements: &TokenStream) -> bool {
    const ITEMS: [&str; 12] = [
        "enum",
        "extern",
        "fn",
        "impl",
        "macro_rules",
        "mod",
        "pub",
        "struct",
        "trait",
        "type",
        "union",
        "use",
    ];
    let mut tokens = statements.clone().into_iter();
    let mut first = tokens.next();
    while first.as_ref().is_some_and(|token| is_punct(token, '#')) {
        tokens.next();
        first = tokens.next();
    }
    let Some(TokenTree::Ident(word)) = first else { return false };
    if ["async", "const", "static", "unsafe"].iter().any(|qualifier| word == qualifier) {
        // Not a block or closure.
        return matches!(tokens.next(), Some(TokenTree::Ident(second)) if second != "move");
    }
    ITEMS.iter().any(|item| word == item)
}

fn inner_attribute(tokens: &TokenStream) -> Option<[TokenTree; 3]> {
    let mut tokens = tokens.clone().into_iter();
    let (hash, bang) = (tokens.next()?, tokens.next()?);
    (is_punct(&hash, '#') && is_punct(&bang, '!')).then_some([hash, bang, tokens.next()?])
}

/// A future at a body's end, with the statements before it and the call around it.
pub(crate) struct TailFuture {
    pub(crate) statements: TokenStream,
    pub(crate) future: TokenStream,
    /// The future as an `async` block, where it is one.
    pub(crate) block: Option<AsyncBlock>,
    /// `Box::pin` and the parentheses behind it.
    pub(crate) boxed: Option<(TokenStream, Group)>,
}

/// `async { … }` or `async move { … }`.
pub(crate) struct AsyncBlock {
    pub(crate) moves: bool,
    pub(crate) body: Group,
}

impl TailFuture {
    /// Finds `async { … }`, `async move { … }`, `Box::pin(…)` or the expansion of an attribute above at the end of a
    /// body.
    pub(crate) fn of(statements: &TokenStream) -> Option<Self> {
        let tokens = trees(statements);
        let start = async_block(&tokens).or_else(|| Some(called(&tokens)?.start))?;
        let begins_statement = match start.checked_sub(1).map(|before| &tokens[before]) {
            None => true,
            Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
            Some(token) => is_punct(token, ';'),
        };
        if !begins_statement {
            return None;
        }
        let (before, tail) = tokens.split_at(start);
        let (future, boxed) = match tail {
            [path @ .., TokenTree::Group(parens)] if called(tail).is_some_and(|called| called.boxes) => {
                (without_trailing_comma(&parens.stream()), Some((stream(path), parens.clone())))
            }
            _ => (tail.to_vec(), None),
        };
        let block = match future.as_slice() {
            [words @ .., TokenTree::Group(body)] if async_block(&future) == Some(0) => {
                Some(AsyncBlock { moves: words.len() == 2, body: body.clone() })
            }
            _ => None,
        };
        Some(Self { statements: stream(before), future: stream(&future), block, boxed })
    }

    /// Whether the body may return another future in front of this one.
    ///
    /// Another boxed future has the same type, and a macro may hide that it is returned. No other future has the type of
    /// one that is not boxed.
    pub(crate) fn may_be_preceded(&self) -> bool {
        self.boxed.is_some() && (mentions(&self.statements, "return") || calls_macros(&self.statements))
    }
}

/// An argument without the comma behind it.
fn without_trailing_comma(argument: &TokenStream) -> Vec<TokenTree> {
    let mut tokens = trees(argument);
    tokens.pop_if(|last| is_punct(last, ','));
    tokens
}

/// The start of an `async [move] { … }` at the end.
fn async_block(tokens: &[TokenTree]) -> Option<usize> {
    let (TokenTree::Group(block), words) = tokens.split_last()? else { return None };
    if block.delimiter() != Delimiter::Brace {
        return None;
    }
    match words {
        [.., TokenTree::Ident(first), TokenTree::Ident(second)] if first == "async" && second == "move" => {
            Some(words.len() - 2)
        }
        [.., TokenTree::Ident(last)] if last == "async" => Some(words.len() - 1),
        _ => None,
    }
}

/// A call at the end of a body that is known to return a future.
struct Called {
    /// The index of the first token of the function's path.
    start: usize,
    /// Whether it boxes its argument: `Box::pin`, or `pinned` in the expansion of an attribute above.
    boxes: bool,
}

fn called(tokens: &[TokenTree]) -> Option<Called> {
    let (TokenTree::Group(parens), path) = tokens.split_last()? else { return None };
    if parens.delimiter() != Delimiter::Parenthesis {
        return None;
    }
    let (mut before, mut words) = (path, Vec::new());
    while let [rest @ .., TokenTree::Ident(word)] = before {
        words.push(word);
        before = rest;
        let [rest @ .., one, two] = before else { break };
        if !is_punct(one, ':') || !is_punct(two, ':') {
            break;
        }
        before = rest;
    }
    let [function, module, ..] = words.as_slice() else { return None };
    let boxes = *function == "pin" && *module == "Box" || *function == "pinned" && *module == "__private";
    let is_ours =
        || *module == "__private" && FutureRunner::named(function).is_some_and(FutureRunner::is_lazy);
    (boxes || is_ours()).then_some(Called { start: before.len(), boxes })
}
