//! The module of what an expansion uses, in the user's crate.

use proc_macro2::{Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Path;

use crate::expand::located;

/// `::bot_metrics::__private`, or what stands there instead.
///
/// An expansion names it a dozen times. As a `TokenStream` each time would be several calls of the compiler, which take
/// longer than the tokens themselves.
#[derive(Clone)]
pub(crate) struct Private(Vec<TokenTree>);

impl Private {
    /// That of the library at `path`.
    pub(crate) fn of(path: Option<&Path>) -> Self {
        let mut tokens = Vec::with_capacity(8);
        if let Some(path) = path {
            tokens.extend(path.to_token_stream());
        } else {
            colons(&mut tokens);
            tokens.push(Ident::new("bot_metrics", Span::call_site()).into());
        }
        colons(&mut tokens);
        tokens.push(Ident::new("__private", Span::call_site()).into());
        Self(tokens)
    }

    /// The same, resolved as before, but standing at `span` for messages.
    pub(crate) fn at(&self, span: Span) -> Self {
        let mut tokens = self.0.clone();
        for token in &mut tokens {
            match token {
                TokenTree::Group(_) => {
                    return Self(located(&self.to_token_stream(), span).into_iter().collect());
                }
                token => token.set_span(token.span().located_at(span)),
            }
        }
        Self(tokens)
    }
}

fn colons(tokens: &mut Vec<TokenTree>) {
    tokens.push(Punct::new(':', Spacing::Joint).into());
    tokens.push(Punct::new(':', Spacing::Alone).into());
}

impl ToTokens for Private {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.0.iter().cloned());
    }
}
