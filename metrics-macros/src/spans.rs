//! Where tokens are placed for the compiler's messages.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};

/// A block with the user's braces: other braces would move the errors that rustc reports at a body's end.
pub(crate) fn braced(body: TokenStream, span: Span) -> Group {
    let mut braces = Group::new(Delimiter::Brace, body);
    braces.set_span(span);
    braces
}

/// `tokens` with their own name resolution, located at `span` in messages.
pub(crate) fn located(tokens: &TokenStream, span: Span) -> TokenStream {
    let token = |token: TokenTree| match token {
        TokenTree::Group(group) => {
            let mut moved = Group::new(group.delimiter(), located(&group.stream(), span));
            moved.set_span(group.span().located_at(span));
            moved.into()
        }
        mut token => {
            token.set_span(token.span().located_at(span));
            token
        }
    };
    tokens.clone().into_iter().map(token).collect()
}

/// The span of a macro's own tokens that are located at `span` in messages.
pub(crate) fn at(span: Span) -> Span {
    Span::call_site().located_at(span)
}
