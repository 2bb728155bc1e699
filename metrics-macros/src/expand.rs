//! Tokens. Nothing is decided here that could be wrong.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, TokenStreamExt as _, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{ReturnType, Type};

use crate::args::Args;
use crate::attr::Attribute;
use crate::body::{Body, TailFuture, mentions, moves_in};
use crate::errors::Errors;
use crate::item::{Function, ImplBlock, ImplItem};
use crate::model::{Instrumented, Item, Member, Refused, Verdict, is_kept, is_kept_call, may_be_member};
use crate::params::move_into_body;
use crate::private::Private;
use crate::returns::is_plain;
use crate::run::Run;
use crate::shape::Shape;
use crate::site::{Start, checks, text_checks};
use crate::stacked::Addition;

/// Whether functions are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Switch {
    On,
    /// They are checked all the same, and stay as they are.
    Off,
}

impl Switch {
    /// As the feature says.
    pub(crate) const BUILT: Self = if cfg!(feature = "enable") { Self::On } else { Self::Off };
}

/// An attribute's item with its measurement, or as it was with what is wrong beside it.
pub(crate) fn attribute(
    switch: Switch,
    attribute: Attribute,
    args: TokenStream,
    item: &TokenStream,
) -> TokenStream {
    let function = |instrumented| match switch {
        Switch::On => measured(instrumented),
        Switch::Off => unmeasured(&instrumented),
    };
    match Item::new(attribute, args, item) {
        Ok(Item::Function(instrumented)) => function(*instrumented),
        Ok(Item::Impl { head, braces: old, items }) => {
            let items = items.into_iter().map(|member| match member {
                Member::Instrumented(instrumented) => function(*instrumented),
                Member::Kept(tokens) => tokens,
            });
            let body = braced(items.collect(), old.span());
            quote!(#head #body)
        }
        Err(Refused { errors, args }) => kept(attribute, &errors, &args, item),
    }
}

/// The item as it was with what is wrong, but that its labels are checked where that is possible: a typo among them is
/// told in the same run as the other mistakes.
fn kept(attribute: Attribute, errors: &Errors, args: &Args, item: &TokenStream) -> TokenStream {
    if let Some(ImplBlock { head, braces: old, items }) = ImplBlock::of(item) {
        let items = items.into_iter().map(|item| match item {
            ImplItem::Other(tokens) => tokens,
            ImplItem::MacroCall(mut call) => {
                is_kept_call(attribute, &mut call);
                call.into_token_stream()
            }
            ImplItem::Method(mut method) => {
                let args = args.for_method(attribute, &method.sig.ident);
                let checks = (!is_kept(attribute, &mut method)).then(|| text_checks(attribute, &args));
                checked(&method, &checks.unwrap_or_default())
            }
        });
        let body = braced(items.collect(), old.span());
        let errors = errors.apart();
        return quote!(#errors #head #body);
    }
    if let Ok(function) = syn::parse2::<Function>(item.clone()) {
        let (errors, checks) = (errors.bare(), text_checks(attribute, args));
        return checked(&function, &quote!(#errors #checks));
    }
    // In a block of methods there are no items apart.
    let errors = if may_be_member(item) { errors.bare() } else { errors.apart() };
    quote!(#errors #item)
}

/// A function with `checks` in front of its body.
fn checked(function: &Function, checks: &TokenStream) -> TokenStream {
    let Body { inner_attributes, statements } = Body::of_function(&function.body);
    let head = function.head();
    let body = braced(quote!(#inner_attributes #checks #statements), function.body.span());
    quote!(#head #body)
}

/// A function that is only checked.
fn unmeasured(instrumented: &Instrumented) -> TokenStream {
    let private = &instrumented.private;
    let checks = checks(private, instrumented);
    let judged = instrumented.judged_type().map(|ty| {
        let classify = classify(private, instrumented);
        quote!(if false { #private::unmeasured::<#ty, _>(#classify); })
    });
    checked(&instrumented.function, &quote!(#checks #judged))
}

fn measured(mut instrumented: Instrumented) -> TokenStream {
    if let Some(deferred) = instrumented.deferred() {
        return deferred;
    }
    let private = instrumented.private.clone();
    let Start { mut bindings, guard } = Start::new(&private, &instrumented);
    let classify = match &instrumented.shape {
        // A closure more would take the compiler as long as the body's.
        Shape::Called(output) if can_be_written(output) => {
            let value = Ident::new("value", Span::mixed_site());
            verdict(&private, &instrumented, &quote!(&#value))
        }
        _ => classify(&private, &instrumented),
    };
    let (expressions, other) = (instrumented.expressions(), instrumented.function.arguments_of_others());
    let declared = instrumented.future_output().is_some();
    let added = added(&instrumented, &guard);
    let (is_seen, binds_inside) = (instrumented.function.may_be_seen(), may_bind_inside(&instrumented));
    let Instrumented { function, body, shape, .. } = &mut instrumented;
    let span = function.body.span();
    let run = Run { private, guard, classify, declared, is_seen, binds_inside, span };
    let mut statements = body.statements.clone();
    if added.is_none() && !matches!(shape, Shape::Guarded | Shape::Tail(_)) {
        let rebound = move_into_body(&mut function.sig, &statements, &expressions, &other);
        if !rebound.is_empty() {
            // Before edition 2024 the temporaries of a body's last expression are dropped after its variables: in the
            // arm they are dropped before the arguments, as in the plain function.
            let body = braced(statements, span);
            statements = quote!(#rebound match () { () => #body });
        }
    }
    let run = match (shape, added) {
        (Shape::Tail(tail), added) => run.tail(tail, &std::mem::take(&mut bindings), added),
        (_, Some(added)) => added,
        (Shape::Guarded, None) => run.guarded(&statements),
        (Shape::Called(output), None) => run.called(output, statements),
        (Shape::Async(output), None) => run.asynchronous(output, &statements),
        (Shape::Future { boxed, .. }, None) => run.future(boxed.as_ref(), statements),
    };
    let inner_attributes = &body.inner_attributes;
    let mut measured = function.head();
    measured.append(braced(quote!(#inner_attributes #bindings #run), span));
    measured
}

/// The expansion of an attribute above with this guard added, where that can be done.
fn added(instrumented: &Instrumented, guard: &TokenStream) -> Option<TokenStream> {
    let Instrumented { private, function, body, shape, .. } = instrumented;
    let verdict = &|value: &TokenStream| verdict(private, instrumented, value);
    let addition = Addition { private, guard, verdict, span: type_span(function) };
    match shape {
        Shape::Async(_) => addition.to_awaited(&body.statements),
        Shape::Tail(TailFuture { block: Some(block), .. }) => addition.to_awaited(&block.body.stream()),
        Shape::Tail(tail) => addition.to_future(&tail.future),
        Shape::Called(output) if can_be_written(output) => addition.to_value(&body.statements),
        _ => None,
    }
}

/// Whether the attribute's expressions may be evaluated inside the future in which the body ends: it is all of the body,
/// and moves in all arguments that they name. Statements in front of such a future would be lost to attributes that
/// look for what `async_trait` writes and pass on nothing else.
fn may_bind_inside(instrumented: &Instrumented) -> bool {
    let Shape::Tail(TailFuture { statements, block: Some(block), .. }) = &instrumented.shape else {
        return false;
    };
    let inputs = instrumented.function.sig.inputs.to_token_stream();
    statements.is_empty() && moves_in(&block.body.stream(), &instrumented.own_expressions(), &inputs)
}

/// Whether a type can be written inside a body.
pub(crate) fn can_be_written(output: &ReturnType) -> bool {
    matches!(output, ReturnType::Type(_, ty) if is_plain(ty)) || !mentions(&output.to_token_stream(), "_")
}

/// Tells what the guard wants to know from a reference to the value.
fn classify(private: &Private, instrumented: &Instrumented) -> TokenStream {
    let span = match &instrumented.verdict {
        Verdict::Classified(classify) => classify.span(),
        Verdict::AlwaysOk => return located(&quote!(#private::always_ok), type_span(&instrumented.function)),
        Verdict::Outcome | Verdict::Class | Verdict::Capital | Verdict::Report => {
            type_span(&instrumented.function)
        }
    };
    let value = Ident::new("value", Span::mixed_site().located_at(span));
    let verdict = verdict(private, instrumented, &value.to_token_stream());
    let ty = judged_reference(instrumented);
    quote_spanned!(span=> |#value #ty| #verdict)
}

/// What the guard wants to know, of an expression that is a reference to the value.
fn verdict(private: &Private, instrumented: &Instrumented, value: &TokenStream) -> TokenStream {
    let span = match &instrumented.verdict {
        Verdict::Classified(classify) => classify.span(),
        // What is wrong with the type is said under the type.
        _ => type_span(&instrumented.function),
    };
    let (private, value) = (private.at(span), located(value, span));
    let at = Span::call_site().located_at(span);
    match &instrumented.verdict {
        Verdict::Outcome => quote_spanned! {at=>
            {
                use #private::probe::*;
                #private::Probe(#value).__bot_metrics_outcome()
            }
        },
        Verdict::Class => quote_spanned! {at=>
            {
                use #private::probe::*;
                (&&&#private::Probe(#value)).__bot_metrics_classes();
                #private::Probe(#value).__bot_metrics_outcome()
            }
        },
        Verdict::Classified(classify) => {
            let outcome = Ident::new("outcome", at);
            quote_spanned!(span=> #private::#outcome(#classify(#value)))
        }
        Verdict::AlwaysOk => quote_spanned!(at=> #private::always_ok(#value)),
        Verdict::Capital => quote_spanned!(at=> #private::capital_of(#value)),
        Verdict::Report => quote_spanned!(at=> #private::report_of(#value)),
    }
}

/// The type of the argument of `classify` where it may be known from the signature alone: of what a future ends with. Its
/// tokens stay where they are, so that the compiler sees one mistake in them and not two.
fn judged_reference(instrumented: &Instrumented) -> Option<TokenStream> {
    let ty = rewritten(&instrumented.private, &instrumented.future_output()?);
    Some(quote!(: &#ty))
}

/// A type of the signature, for a closure's parameter or value. Clippy leaves the type of a trait's method to the trait,
/// but would check that of a closure, unless the type begins and ends with tokens of a macro. Those are located where the
/// written type begins and ends, because messages of the compiler point at the closure's type.
pub(crate) fn rewritten(private: &Private, ty: &Type) -> TokenStream {
    let tokens = ty.to_token_stream();
    let [first, last] = [tokens.clone().into_iter().next(), tokens.clone().into_iter().last()]
        .map(|token| Span::call_site().located_at(token.map_or_else(Span::call_site, |token| token.span())));
    let private = private.at(first);
    let (open, close) = (quote_spanned!(first=> <), quote_spanned!(last=> >));
    quote!(#private::Rewritten #open #tokens #close)
}

fn type_span(function: &Function) -> Span {
    match &function.sig.output {
        ReturnType::Default => function.sig.ident.span(),
        ReturnType::Type(_, ty) => ty.span(),
    }
}

/// A block with the user's braces: others would move the errors that rustc reports at a body's end.
pub(crate) fn braced(body: TokenStream, span: Span) -> Group {
    let mut braces = Group::new(Delimiter::Brace, body);
    braces.set_span(span);
    braces
}

/// `tokens` resolved as before, but standing at `span` for messages.
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
