//! The expansion of an attribute above, found in the body by one that is expanded after it.
//!
//! Each attribute of a stack sees the expansions of those above it as the function's body, and would run it under its
//! guard like any other. The types of futures would then nest several levels deeper for each attribute, and the compiler
//! gives up on calls that are a few levels deep. So an attribute takes such an expansion apart and runs the user's body
//! under all guards at once. They begin, are asked and end in the order in which they would if they were nested.
//!
//! The compiler has resolved no name at this time. An expansion is recognized by `__private` and the name of its
//! function, so attributes may be renamed or stand behind `cfg_attr`, and one of another crate between two of ours keeps
//! them apart.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};

use crate::body::{calls_macros, mentions};
use crate::private::Private;

/// What a further attribute adds to an expansion.
pub(crate) struct Addition<'a> {
    pub(crate) private: &'a Private,
    pub(crate) guard: &'a TokenStream,
    /// Makes the verdict of an expression that is a reference to the returned value.
    pub(crate) verdict: &'a dyn Fn(&TokenStream) -> TokenStream,
    /// Where the returned type is written, for messages.
    pub(crate) span: Span,
}

impl Addition<'_> {
    /// Adds to a body that awaits an expansion, or returns `None` for any other body.
    pub(crate) fn to_awaited(&self, body: &TokenStream) -> Option<TokenStream> {
        let body = trees(body);
        let [run @ .., TokenTree::Punct(_), TokenTree::Ident(awaits)] = body.as_slice() else { return None };
        let run = (awaits == "await").then(|| self.to_run(run))??;
        Some(quote!(#run.await))
    }

    /// Adds to a future that is an expansion, or returns `None` for any other future.
    pub(crate) fn to_future(&self, future: &TokenStream) -> Option<TokenStream> {
        self.to_run(&trees(future))
    }

    fn to_run(&self, run: &[TokenTree]) -> Option<TokenStream> {
        let Self { private, guard, .. } = self;
        let Run { before, function, guards, future, end } = Run::of(run, private)?;
        let end = self.to_end(end);
        let all = Ident::new(function.several(), Span::call_site());
        let entered = quote!(#private::enter(#guard));
        let output = (function == Function::Typed).then(|| quote!(|| #private::never(),));
        if function.is_lazy() && before.is_empty() {
            return Some(
                quote!(#private::#all(#output move || #private::stacked(#entered, #guards), #future, #end)),
            );
        }
        // It begins before the attributes above evaluate their expressions.
        let outer = Ident::new("outer", Span::mixed_site());
        let lazily = function.is_lazy().then(|| quote!(move ||));
        Some(quote! {
            let #outer = #entered;
            #before
            #private::#all(#output #lazily #private::stacked(#outer, #guards), #future, #end)
        })
    }

    fn to_end(&self, end: End) -> TokenStream {
        let all = Ident::new("guards", Span::mixed_site());
        let (inner, value, ty) = match end {
            End::One { value, ty, verdict } => (quote!(#all.inner.end_future(#verdict);), value, ty),
            End::Several { guards, value, ty, body } => {
                (quote!({ let #guards = &mut #all.inner; #body }), value, ty)
            }
        };
        let verdict = (self.verdict)(&value.to_token_stream());
        quote_spanned!(self.span=> |#all, #value #ty| { #inner #all.outer.end_future(#verdict); })
    }

    /// Adds to a body that ends in `let value = evaluate(…); pending.end(…); value`, or returns `None` for any other.
    pub(crate) fn to_value(&self, body: &TokenStream) -> Option<TokenStream> {
        let Self { private, guard, .. } = self;
        let (run, value) = evaluated(body, private)?;
        let pending = Ident::new("pending", Span::mixed_site());
        let verdict = (self.verdict)(&quote!(&#value));
        Some(quote! {
            let #pending = #private::enter(#guard);
            #run
            #pending.end(#verdict);
            #value
        })
    }
}

/// The functions that run a future under its guards.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Function {
    Async,
    Typed,
    Future,
}

impl Function {
    const ALL: [Self; 3] = [Self::Async, Self::Typed, Self::Future];

    fn one(self) -> &'static str {
        match self {
            Self::Async => "instrument_async",
            Self::Typed => "instrument_typed",
            Self::Future => "instrument_future",
        }
    }

    /// The one that takes several guards.
    fn several(self) -> &'static str {
        match self {
            Self::Async => "instrument_async_all",
            Self::Typed => "instrument_typed_all",
            Self::Future => "instrument_future_all",
        }
    }

    /// Whether it takes a closure that makes the guards at the first poll.
    fn is_lazy(self) -> bool {
        self != Self::Async
    }
}

/// The parts of `before function(guards, future, end)`.
struct Run {
    before: TokenStream,
    function: Function,
    /// An expression for all guards of the expansion.
    guards: TokenStream,
    future: TokenStream,
    end: End,
}

/// How an expansion tells its guards what was returned.
enum End {
    /// The one guard has this verdict.
    One { value: Ident, ty: TokenStream, verdict: TokenStream },
    /// This block tells several guards.
    Several { guards: Ident, value: Ident, ty: TokenStream, body: TokenTree },
}

impl Run {
    fn of(tokens: &[TokenTree], private: &Private) -> Option<Self> {
        let [before @ .., TokenTree::Ident(name), TokenTree::Group(arguments)] = tokens else { return None };
        let function = Function::ALL
            .into_iter()
            .find(|function| name == function.one() || name == function.several())?;
        let before =
            without_path(before, private).filter(|before| is_ours(before) && !may_leave(&stream(before)))?;
        let [guards, future, end] = arguments_of(arguments, function)?;
        let guards = match guards.as_slice() {
            [_move, _, _, guards @ ..] if function.is_lazy() => stream(guards),
            guards if name == function.one() => {
                let guard = stream(guards);
                quote!(#private::enter(#guard))
            }
            guards => stream(guards),
        };
        let end = if name == function.one() { classify(&end)? } else { several(&end)? };
        Some(Self { before: stream(before), function, guards, future: stream(&future), end })
    }
}

/// Reads `|value: ty| verdict`, or the path of `always_ok`.
fn classify(classify: &[TokenTree]) -> Option<End> {
    if matches!(classify, [.., TokenTree::Ident(name)] if name == "always_ok") {
        let (value, always_ok) = (Ident::new("value", Span::mixed_site()), stream(classify));
        let verdict = quote!(#always_ok(#value));
        return Some(End::One { value, ty: TokenStream::new(), verdict });
    }
    let ([TokenTree::Ident(value), ty @ ..], verdict) = closure_parts(classify)? else { return None };
    Some(End::One { value: value.clone(), ty: stream(ty), verdict: stream(verdict) })
}

/// Reads `|guards, value: ty| { … }`.
fn several(closure: &[TokenTree]) -> Option<End> {
    let ([TokenTree::Ident(guards), _, TokenTree::Ident(value), ty @ ..], [body]) = closure_parts(closure)?
    else {
        return None;
    };
    Some(End::Several { guards: guards.clone(), value: value.clone(), ty: stream(ty), body: body.clone() })
}

/// The parameters and the body of a closure.
fn closure_parts(closure: &[TokenTree]) -> Option<(&[TokenTree], &[TokenTree])> {
    let (first, rest) = closure.split_first()?;
    let end = rest.iter().position(|token| is_punct(token, '|'))?;
    is_punct(first, '|').then(|| (&rest[..end], &rest[end + 1..]))
}

/// Splits `body` into an expansion up to its value, and that value's variable.
fn evaluated(body: &TokenStream, private: &Private) -> Option<(TokenStream, Ident)> {
    let body = trees(body);
    let (TokenTree::Ident(value), run) = body.split_last()? else { return None };
    let called =
        run.iter().rposition(|token| matches!(token, TokenTree::Ident(name) if name == "evaluate"))?;
    let [.., TokenTree::Ident(word), TokenTree::Ident(bound), equals] =
        without_path(&run[..called], private)?
    else {
        return None;
    };
    let binds = word == "let" && bound == value && is_punct(equals, '=');
    let is_taken = binds && is_ours(run) && !may_leave(&stream(&run[..called]));
    is_taken.then(|| (stream(run), value.clone()))
}

/// The tokens in front of `private::`, which they end in.
fn without_path<'a>(tokens: &'a [TokenTree], private: &Private) -> Option<&'a [TokenTree]> {
    let path = trees(&quote!(#private::));
    let (before, found) = tokens.split_at(tokens.len().checked_sub(path.len())?);
    let is_path = found.iter().zip(&path).all(|(found, path)| found.to_string() == path.to_string());
    is_path.then_some(before)
}

/// Whether statements are none, or begin with one of ours. An attribute of another crate may have put its own in front:
/// they may return, and belong to the call that is measured.
fn is_ours(statements: &[TokenTree]) -> bool {
    let mut first = statements.iter().take_while(|token| !is_punct(token, ';'));
    statements.is_empty() || first.any(|token| matches!(token, TokenTree::Ident(word) if word == "__private"))
}

/// Whether an expression among the statements may return from the function or wait. It is part of the call under the
/// attributes below, whose guards would take such an end for a panic if they held nothing but a variable.
fn may_leave(statements: &TokenStream) -> bool {
    ["return", "await"].iter().any(|word| mentions(statements, word))
        || asks(statements)
        || calls_macros(statements)
}

/// Whether `?` is anywhere in `tokens`.
fn asks(tokens: &TokenStream) -> bool {
    trees(tokens).iter().any(|token| match token {
        TokenTree::Group(group) => asks(&group.stream()),
        token => is_punct(token, '?'),
    })
}

/// Splits `(first, second, rest)` where only `rest` has commas of its own; with any in `second`, `rest` is no closure. That
/// of a declared future has one more in front.
fn arguments_of(parens: &Group, function: Function) -> Option<[Vec<TokenTree>; 3]> {
    if parens.delimiter() != Delimiter::Parenthesis {
        return None;
    }
    let arguments = trees(&parens.stream());
    let first = usize::from(function == Function::Typed);
    let parts = arguments.splitn(3 + first, |token| is_punct(token, ','));
    let mut parts = parts.skip(first).map(<[TokenTree]>::to_vec);
    Some([parts.next()?, parts.next()?, parts.next()?])
}

fn is_punct(token: &TokenTree, c: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == c)
}

fn trees(tokens: &TokenStream) -> Vec<TokenTree> {
    tokens.clone().into_iter().collect()
}

fn stream(tokens: &[TokenTree]) -> TokenStream {
    tokens.iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a guard can be added to `body` in any way.
    fn takes_a_guard(body: &TokenStream) -> bool {
        let private = Private::of(None);
        let (guard, verdict) = (quote!(guard), &|value: &TokenStream| quote!(of(#value)));
        let addition = Addition { private: &private, guard: &guard, verdict, span: Span::call_site() };
        addition
            .to_awaited(body)
            .or_else(|| addition.to_future(body))
            .or_else(|| addition.to_value(body))
            .is_some()
    }

    #[test]
    fn an_expansion_takes_a_guard_more() {
        let private = quote!(::bot_metrics::__private);
        for expansion in [
            quote!(#private::instrument_async(a, async move {}, |value| b).await),
            quote!(let x = #private::Text::of(&(y)); #private::instrument_async(a, async move {}, #private::always_ok).await),
            quote!(#private::instrument_async_all(a, async move {}, |guards, value| { b }).await),
            quote!(#private::instrument_typed(|| never(), move || a, async {}, |value: &Result<u8, u8>| b)),
            quote!(#private::instrument_future_all(move || a, c(d, e), |guards, value| { b })),
            quote!(let pending = #private::enter(a); let value = #private::evaluate(b); pending.end(c); value),
        ] {
            assert!(takes_a_guard(&expansion), "{expansion}");
        }
    }

    #[test]
    fn other_bodies_take_none() {
        let private = quote!(::bot_metrics::__private);
        for body in [
            quote!(),
            quote!(instrument_async(a, async move {}, |value| b).await),
            quote!(::other::__private::instrument_async(a, async move {}, |value| b).await),
            quote!(metrics::__private::instrument_async(a, async move {}, |value| b).await),
            // What an attribute between the two put in front is part of the call.
            quote!(check()?; #private::instrument_async(a, async move {}, |value| b).await),
            quote!(check()?; let x = #private::Text::of(&(y)); #private::instrument_async(a, async {}, |value| b).await),
            quote!(check()?; let pending = #private::enter(a); let value = #private::evaluate(b); pending.end(c); value),
            quote!(let value = other(b); pending.end(c); value),
            // An expression of the attribute above may return from the function.
            quote!(let x = #private::Text::of(&(y?)); #private::instrument_async(a, async move {}, |value| b).await),
            quote!(let x = #private::Text::of(&(y.await)); #private::instrument_async(a, async {}, |value| b).await),
            quote!(let x = #private::Text::of(&(y!())); #private::instrument_async(a, async {}, |value| b).await),
            quote!(let x = #private::Text::of(&(y?)); let value = #private::evaluate(b); pending.end(c); value),
            // The second argument has a comma of its own.
            quote!(#private::instrument_typed(|| never(), move || a, wait::<u8, u8>(c), |value| b)),
            quote!(#private::instrument_async(a, async move {}, |value| b).map(c)),
        ] {
            assert!(!takes_a_guard(&body), "{body}");
        }
    }
}
