//! The library as an expansion in the user's crate reaches it.

use proc_macro2::{Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Path, parse_quote};

use crate::spans::located;

/// Whether annotated functions and declared families record anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Switch {
    On,
    /// Arguments and items are checked all the same, and functions are left as they are.
    Off,
}

impl Switch {
    /// As the feature `enable` says.
    pub(crate) const BUILT: Self = if cfg!(feature = "enable") { Self::On } else { Self::Off };
}

/// The library's path: the value of a `crate` key, or `::bot_metrics`.
pub(crate) fn path(written: Option<Path>) -> Path {
    written.unwrap_or_else(|| parse_quote!(::bot_metrics))
}

/// The path `::bot_metrics::__private`, or that of a renamed library.
///
/// An expansion contains it a dozen times. As a `TokenStream` each time would be several calls of the compiler, which take
/// longer than the tokens themselves.
#[derive(Clone)]
pub(crate) struct Private(Vec<TokenTree>);

impl Private {
    /// The module in the library at `path`.
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

    /// This path with its own name resolution, located at `span` in messages.
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

/// The functions in `__private` that run a future under guards.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum FutureRunner {
    /// Runs the body of an `async fn`.
    Async,
    /// Runs a returned future whose output the signature names.
    Typed,
    /// Runs any other returned future.
    Untyped,
}

impl FutureRunner {
    const ALL: [Self; 3] = [Self::Async, Self::Typed, Self::Untyped];

    /// The name of the library's function.
    pub(crate) fn function(self) -> Ident {
        Ident::new(self.name(), Span::call_site())
    }

    fn name(self) -> &'static str {
        match self {
            Self::Async => "instrument_async",
            Self::Typed => "instrument_typed",
            Self::Untyped => "instrument_future",
        }
    }

    /// The function of this name.
    pub(crate) fn named(name: &Ident) -> Option<Self> {
        Self::ALL.into_iter().find(|runner| name == runner.name())
    }

    /// The first argument, for a runner whose output has a type of its own: a closure that is never called.
    pub(crate) fn output(self, private: &Private) -> Option<TokenStream> {
        (self == Self::Typed).then(|| quote!(|| #private::never(),))
    }

    /// Whether it takes a closure that makes the guards at the first poll.
    pub(crate) fn is_lazy(self) -> bool {
        self != Self::Async
    }
}
