//! Adding a guard to the expansion of an attribute above.
//!
//! Each attribute of a stack finds the expansions of the attributes above it as the function's body, and would run it under
//! its guard like any other body. The types of futures would then nest several levels deeper for each attribute, and the
//! compiler gives up on calls that are a few levels deep. So an attribute takes such an expansion apart and runs the
//! user's body under all guards at once. They begin, receive their verdicts and end in the order of nested guards.
//!
//! The compiler has resolved no name at this time. An expansion is recognized by `__private` and the name of its
//! function, so an attribute may be renamed or under `cfg_attr`. An attribute of another crate between two of ours prevents
//! the addition.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};

use crate::library::{FutureRunner, Private};
use crate::tokens::{calls_macros, contains_question_mark, is_punct, mentions, stream, trees};

/// What a further attribute adds to an expansion.
pub(crate) struct Addition<'a> {
    pub(crate) private: &'a Private,
    pub(crate) guard: &'a TokenStream,
    /// Makes the verdict from an expression that is a reference to the returned value.
    pub(crate) verdict: &'a dyn Fn(&TokenStream) -> TokenStream,
    /// The span of the returned type, for messages.
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

    fn to_run(&self, run: &[TokenTree]) -> Option<TokenStream> {
        let Self { private, guard, .. } = self;
        let Expansion { before, runner, guards, future, end } = Expansion::of(run, private)?;
        let end = self.to_end(&end);
        let (instrument, output) = (runner.function(), runner.output(private));
        let entered = quote!(#private::enter(#guard));
        let lazily = runner.is_lazy().then(|| quote!(move ||));
        if runner.is_lazy() && before.is_empty() {
            let guards = quote!(#lazily #private::stacked(#entered, #guards));
            return Some(quote!(#private::#instrument(#output #guards, #future, #end)));
        }
        // It begins before the attributes above evaluate their expressions.
        let outer = Ident::new("outer", Span::mixed_site());
        Some(quote! {
            let #outer = #entered;
            #before
            #private::#instrument(#output #lazily #private::stacked(#outer, #guards), #future, #end)
        })
    }

    fn to_end(&self, EndClosure { guards, value, ty, body }: &EndClosure) -> TokenStream {
        let all = Ident::new("guards", Span::mixed_site());
        let verdict = (self.verdict)(&value.to_token_stream());
        quote_spanned! {self.span=>
            |#all, #value #ty| {
                { let #guards = &mut #all.inner; #body }
                #all.outer.end_future(#verdict);
            }
        }
    }
}

/// The parts of `before runner(guards, future, end)`.
struct Expansion {
    before: TokenStream,
    runner: FutureRunner,
    /// An expression for all guards of the expansion.
    guards: TokenStream,
    future: TokenStream,
    end: EndClosure,
}

/// The closure `|guards, value: ty| body`, which ends the guards of an expansion.
struct EndClosure {
    guards: Ident,
    value: Ident,
    ty: TokenStream,
    body: TokenStream,
}

impl Expansion {
    fn of(tokens: &[TokenTree], private: &Private) -> Option<Self> {
        let [before @ .., TokenTree::Ident(name), TokenTree::Group(arguments)] = tokens else { return None };
        let runner = FutureRunner::named(name)?;
        let before =
            without_path(before, private).filter(|before| is_ours(before) && !may_leave(&stream(before)))?;
        let [guards, future, end] = arguments_of(arguments, runner)?;
        let guards = match guards.as_slice() {
            [_move, _, _, guards @ ..] if runner.is_lazy() => guards,
            guards => guards,
        };
        let (before, guards, future) = (stream(before), stream(guards), stream(&future));
        Some(Self { before, runner, guards, future, end: EndClosure::of(&end)? })
    }
}

impl EndClosure {
    /// Reads such a closure, or the path of `end_ok`.
    fn of(end: &[TokenTree]) -> Option<Self> {
        if matches!(end, [.., TokenTree::Ident(name)] if name == "end_ok") {
            let [guards, value] = ["guards", "value"].map(|name| Ident::new(name, Span::mixed_site()));
            let end_ok = stream(end);
            let body = quote!(#end_ok(#guards, #value));
            return Some(Self { guards, value, ty: TokenStream::new(), body });
        }
        let (parameters, body) = closure_parts(end)?;
        let [TokenTree::Ident(guards), _, TokenTree::Ident(value), ty @ ..] = parameters else { return None };
        Some(Self { guards: guards.clone(), value: value.clone(), ty: stream(ty), body: stream(body) })
    }
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

/// The tokens before the path `private::`, if they end in it.
fn without_path<'a>(tokens: &'a [TokenTree], private: &Private) -> Option<&'a [TokenTree]> {
    let path = trees(&quote!(#private::));
    let (before, found) = tokens.split_at(tokens.len().checked_sub(path.len())?);
    let is_path = found.iter().zip(&path).all(|(found, path)| found.to_string() == path.to_string());
    is_path.then_some(before)
}

/// Whether there are no statements, or the first is ours. Statements that an attribute of another crate put in front may
/// return, and belong to the measured call.
fn is_ours(statements: &[TokenTree]) -> bool {
    let mut first = statements.iter().take_while(|token| !is_punct(token, ';'));
    statements.is_empty() || first.any(|token| matches!(token, TokenTree::Ident(word) if word == "__private"))
}

/// Whether an expression in the statements may return from the function or wait. It belongs to the call that the
/// attributes below measure. Their guards, held in a variable alone, would take such a return for a panic.
fn may_leave(statements: &TokenStream) -> bool {
    ["return", "await"].iter().any(|word| mentions(statements, word))
        || contains_question_mark(statements)
        || calls_macros(statements)
}

/// Splits `(first, second, rest)`, or `(output, first, second, rest)` for a runner that takes an output. Commas in `rest`
/// are kept; with a comma in `second`, `rest` is not a closure.
fn arguments_of(parens: &Group, runner: FutureRunner) -> Option<[Vec<TokenTree>; 3]> {
    if parens.delimiter() != Delimiter::Parenthesis {
        return None;
    }
    let arguments = trees(&parens.stream());
    let first = usize::from(runner == FutureRunner::Typed);
    let parts = arguments.splitn(3 + first, |token| is_punct(token, ','));
    let mut parts = parts.skip(first).map(<[TokenTree]>::to_vec);
    Some([parts.next()?, parts.next()?, parts.next()?])
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
            quote!(#private::instrument_async(a, async move {}, |guard, value| b).await),
            quote!(let x = #private::Text::of(&(y)); #private::instrument_async(a, async move {}, #private::end_ok).await),
            quote!(#private::instrument_async(a, async move {}, |guards, value| { b }).await),
            quote!(#private::instrument_typed(|| never(), move || a, async {}, |guard, value: &Result<u8, u8>| b)),
            quote!(#private::instrument_future(move || a, c(d, e), |guards, value| { b })),
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
            quote!(instrument_async(a, async move {}, |guard, value| b).await),
            quote!(::other::__private::instrument_async(a, async move {}, |guard, value| b).await),
            quote!(metrics::__private::instrument_async(a, async move {}, |guard, value| b).await),
            // Statements of an attribute between the two are part of the call.
            quote!(check()?; #private::instrument_async(a, async move {}, |guard, value| b).await),
            quote!(check()?; let x = #private::Text::of(&(y)); #private::instrument_async(a, async {}, |guard, value| b).await),
            quote!(check()?; let pending = #private::enter(a); let value = #private::evaluate(b); pending.end(c); value),
            quote!(let value = other(b); pending.end(c); value),
            // An expression of the attribute above may return from the function.
            quote!(let x = #private::Text::of(&(y?)); #private::instrument_async(a, async move {}, |guard, value| b).await),
            quote!(let x = #private::Text::of(&(y.await)); #private::instrument_async(a, async {}, |guard, value| b).await),
            quote!(let x = #private::Text::of(&(y!())); #private::instrument_async(a, async {}, |guard, value| b).await),
            quote!(let x = #private::Text::of(&(y?)); let value = #private::evaluate(b); pending.end(c); value),
            // The second argument has a comma of its own.
            quote!(#private::instrument_typed(|| never(), move || a, wait::<u8, u8>(c), |guard, value| b)),
            quote!(#private::instrument_async(a, async move {}, |guard, value| b).map(c)),
        ] {
            assert!(!takes_a_guard(&body), "{body}");
        }
    }
}
