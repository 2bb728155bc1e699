//! How a returned value is turned into the guard's verdict.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned as _;

use super::model::{InstrumentedFunction, VerdictKind};
use crate::library::Private;
use crate::spans::{at, located};

/// A function from a reference to the value to the guard's verdict.
pub(crate) fn classify(instrumented: &InstrumentedFunction) -> TokenStream {
    let span = span(instrumented);
    if matches!(instrumented.verdict, VerdictKind::AlwaysOk) {
        let private = &instrumented.private;
        return located(&quote!(#private::always_ok), span);
    }
    let (value, ty, verdict) = classified(instrumented, span);
    quote_spanned!(span=> |#value #ty| #verdict)
}

/// A function that ends a future's guard, from references to the guard and to the output.
pub(crate) fn end_of_future(instrumented: &InstrumentedFunction) -> TokenStream {
    let span = span(instrumented);
    if matches!(instrumented.verdict, VerdictKind::AlwaysOk) {
        let private = &instrumented.private;
        return located(&quote!(#private::end_ok), span);
    }
    let guard = Ident::new("guard", Span::mixed_site().located_at(span));
    let (value, ty, verdict) = classified(instrumented, span);
    quote_spanned!(span=> |#guard, #value #ty| #guard.end_future(#verdict))
}

/// A closure's parameter for a reference to the value, its type if that has to be written, and the verdict on it.
fn classified(instrumented: &InstrumentedFunction, span: Span) -> (Ident, Option<TokenStream>, TokenStream) {
    let value = Ident::new("value", Span::mixed_site().located_at(span));
    let verdict = verdict(instrumented, &value.to_token_stream());
    // Known from the signature alone only for a future's output. Its tokens keep their spans, so that the compiler sees one
    // mistake in them and not two.
    let ty = instrumented.future_output().map(|ty| {
        let ty = rewritten(&instrumented.private, &ty);
        quote!(: &#ty)
    });
    (value, ty, verdict)
}

/// The guard's verdict, from an expression that is a reference to the value.
pub(crate) fn verdict(instrumented: &InstrumentedFunction, value: &TokenStream) -> TokenStream {
    let span = span(instrumented);
    let (private, value) = (instrumented.private.at(span), located(value, span));
    let at = at(span);
    match &instrumented.verdict {
        VerdictKind::Outcome => quote_spanned! {at=>
            {
                use #private::probe::*;
                #private::Probe(#value).__bot_metrics_outcome()
            }
        },
        VerdictKind::Class => quote_spanned! {at=>
            {
                use #private::probe::*;
                (&&&#private::Probe(#value)).__bot_metrics_classes();
                #private::Probe(#value).__bot_metrics_outcome()
            }
        },
        VerdictKind::Classified(classify) => {
            let outcome = Ident::new("outcome", at);
            quote_spanned!(span=> #private::#outcome(#classify(#value)))
        }
        VerdictKind::AlwaysOk => quote_spanned!(at=> #private::always_ok(#value)),
        VerdictKind::Capital => quote_spanned!(at=> #private::capital_of(#value)),
        VerdictKind::Report => quote_spanned!(at=> #private::report_of(#value)),
    }
}

/// Where a mistake in the classified value is reported: under the `classify` function, or under the returned type.
fn span(instrumented: &InstrumentedFunction) -> Span {
    match &instrumented.verdict {
        VerdictKind::Classified(classify) => classify.span(),
        _ => instrumented.function.output_span(),
    }
}

/// A type of the signature, for a closure's parameter or value.
///
/// Clippy leaves the type of a trait's method to the trait, but would check that of a closure, unless the type begins and
/// ends with tokens of a macro. Those are located at the ends of the written type, because messages of the compiler point
/// at the closure's type.
pub(crate) fn rewritten(private: &Private, ty: &Type) -> TokenStream {
    let tokens = ty.to_token_stream();
    let [first, last] = [tokens.clone().into_iter().next(), tokens.clone().into_iter().last()]
        .map(|token| at(token.map_or_else(Span::call_site, |token| token.span())));
    let private = private.at(first);
    let (open, close) = (quote_spanned!(first=> <), quote_spanned!(last=> >));
    quote!(#private::Rewritten #open #tokens #close)
}
