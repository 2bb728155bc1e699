//! What must be known of a body, read off its tokens.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote_spanned};

/// A body's tokens without its braces.
pub(crate) struct Body {
    /// `#![…]`, which must stay in front.
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

    /// Of a function to which an expansion adds statements in front of these.
    pub(crate) fn of_function(braces: &Group) -> Self {
        let Self { inner_attributes, mut statements } = Self::of(braces);
        if begins_with_item(&statements) {
            // Clippy objects to items after statements, but looks no further than an item that another macro wrote.
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
    while matches!(&first, Some(TokenTree::Punct(hash)) if hash.as_char() == '#') {
        tokens.next();
        first = tokens.next();
    }
    let Some(TokenTree::Ident(word)) = first else { return false };
    if ["async", "const", "static", "unsafe"].iter().any(|qualifier| word == qualifier) {
        // Not a block or a closure.
        return matches!(tokens.next(), Some(TokenTree::Ident(second)) if second != "move");
    }
    ITEMS.iter().any(|item| word == item)
}

fn inner_attribute(tokens: &TokenStream) -> Option<[TokenTree; 3]> {
    let mut tokens = tokens.clone().into_iter();
    let (hash, bang) = (tokens.next()?, tokens.next()?);
    let is = |token: &TokenTree, c| matches!(token, TokenTree::Punct(punct) if punct.as_char() == c);
    (is(&hash, '#') && is(&bang, '!')).then_some([hash, bang, tokens.next()?])
}

/// A future that a body ends in: the statements before it, and what stands around it.
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
        let tokens: Vec<TokenTree> = statements.clone().into_iter().collect();
        let start = async_block(&tokens).or_else(|| Some(called(&tokens)?.start))?;
        let begins_statement = match start.checked_sub(1).map(|before| &tokens[before]) {
            None => true,
            Some(TokenTree::Punct(punct)) => punct.as_char() == ';',
            Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
            Some(_) => false,
        };
        let (before, tail) = tokens.split_at(start);
        let before: TokenStream = before.iter().cloned().collect();
        if !begins_statement {
            return None;
        }
        let (future, boxed) = match tail {
            [path @ .., TokenTree::Group(parens)] if called(tail).is_some_and(|called| called.boxes) => (
                without_trailing_comma(&parens.stream()),
                Some((path.iter().cloned().collect(), parens.clone())),
            ),
            _ => (tail.to_vec(), None),
        };
        let block = match future.as_slice() {
            [words @ .., TokenTree::Group(body)] if async_block(&future) == Some(0) => {
                Some(AsyncBlock { moves: words.len() == 2, body: body.clone() })
            }
            _ => None,
        };
        Some(Self { statements: before, future: future.into_iter().collect(), block, boxed })
    }

    /// Whether the body may return another future in front of this one.
    ///
    /// Another boxed future has the same type, and a macro may hide that it is returned. No other future has the type of
    /// one that is not boxed.
    pub(crate) fn may_be_preceded(&self) -> bool {
        self.boxed.is_some() && (mentions(&self.statements, "return") || calls_macros(&self.statements))
    }
}

/// An argument as it can stand in front of others.
fn without_trailing_comma(argument: &TokenStream) -> Vec<TokenTree> {
    let mut tokens: Vec<TokenTree> = argument.clone().into_iter().collect();
    tokens.pop_if(|last| matches!(last, TokenTree::Punct(comma) if comma.as_char() == ','));
    tokens
}

/// Where `async [move] { … }` at the end begins.
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
    /// Where the function's path begins.
    start: usize,
    /// Whether it boxes its argument: by `Box::pin`, or by the same in the expansion of an attribute above.
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
        let [rest @ .., TokenTree::Punct(one), TokenTree::Punct(two)] = before else { break };
        if one.as_char() != ':' || two.as_char() != ':' {
            break;
        }
        before = rest;
    }
    let [function, module, ..] = words.as_slice() else { return None };
    let boxes = *function == "pin" && *module == "Box" || *function == "pinned" && *module == "__private";
    let is_ours = || *module == "__private" && FUTURES.iter().any(|known| *function == known);
    (boxes || is_ours()).then_some(Called { start: before.len(), boxes })
}

/// The functions of an expansion that return futures.
const FUTURES: [&str; 4] =
    ["instrument_typed", "instrument_typed_all", "instrument_future", "instrument_future_all"];

/// Whether `tokens` name a static or a constant, by the usual spelling.
pub(crate) fn names_static(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => {
            let name = ident.to_string();
            name.len() > 1 && !name.contains(char::is_lowercase) && name.contains(char::is_uppercase)
        }
        TokenTree::Group(group) => names_static(&group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Whether `word` stands anywhere in `tokens`.
pub(crate) fn mentions(tokens: &TokenStream, word: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => mentions(&group.stream(), word),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Whether `block` moves in as a whole, by `let … = name;`, each of `inputs` that `expressions` name.
pub(crate) fn moves_in(block: &TokenStream, expressions: &TokenStream, inputs: &TokenStream) -> bool {
    expressions.clone().into_iter().all(|token| match token {
        TokenTree::Ident(name) => !mentions(inputs, &name.to_string()) || is_moved(block, &name),
        TokenTree::Group(group) => moves_in(block, &group.stream(), inputs),
        TokenTree::Literal(_) | TokenTree::Punct(_) => true,
    })
}

fn is_moved(tokens: &TokenStream, name: &Ident) -> bool {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    tokens.windows(3).any(|window| match window {
        [TokenTree::Punct(equals), TokenTree::Ident(moved), TokenTree::Punct(end)] => {
            equals.as_char() == '=' && moved == name && end.as_char() == ';'
        }
        _ => false,
    }) || tokens
        .iter()
        .any(|token| matches!(token, TokenTree::Group(group) if is_moved(&group.stream(), name)))
}

/// Whether a macro other than ours is called anywhere in `tokens`: what it expands to cannot be seen.
pub(crate) fn calls_macros(tokens: &TokenStream) -> bool {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    tokens.windows(3).enumerate().any(|(start, window)| match window {
        [name, TokenTree::Punct(bang), TokenTree::Group(_)] => {
            bang.as_char() == '!' && may_name_macro(name) && !is_private(&tokens[..start])
        }
        _ => false,
    }) || tokens.iter().any(|token| match token {
        TokenTree::Group(group) => calls_macros(&group.stream()),
        _ => false,
    })
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
fn is_private(path: &[TokenTree]) -> bool {
    matches!(path, [.., TokenTree::Ident(module), TokenTree::Punct(_), TokenTree::Punct(_)] if module == "__private")
}
