//! The tokens of an attribute's item, with or without its measurement.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, TokenStreamExt as _, quote};

use super::classify::{classify, end_of_future, verdict};
use super::model::{BlockMember, InstrumentedFunction, Item};
use super::refusal::may_be_member;
use super::run::GuardedBody;
use super::site::{GuardCode, checks, text_checks};
use super::stacked::Addition;
use super::validate::{self, RefusedItem, is_kept, is_kept_call};
use crate::errors::Errors;
use crate::function::body::{Body, TailFuture};
use crate::function::impl_block::{ImplBlock, ImplItem};
use crate::function::item::Function;
use crate::function::params::move_into_body;
use crate::function::returns::can_be_written;
use crate::function::shape::BodyShape;
use crate::grammar::args::Args;
use crate::grammar::attribute::Attribute;
use crate::library::Switch;
use crate::spans::braced;
use crate::tokens::moves_in;

/// The item with its measurement, or unchanged with its mistakes reported beside it.
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
    match validate::item(attribute, args, item) {
        Ok(Item::Function(instrumented)) => function(*instrumented),
        Ok(Item::Impl { head, braces: old, items }) => {
            let items = items.into_iter().map(|member| match member {
                BlockMember::Instrumented(instrumented) => function(*instrumented),
                BlockMember::Kept(tokens) => tokens,
            });
            let body = braced(items.collect(), old.span());
            quote!(#head #body)
        }
        Err(RefusedItem { errors, args }) => kept(attribute, &errors, &args, item),
    }
}

/// The item unchanged beside its mistakes. Its labels are checked where that is possible, so that a typo among them is
/// reported together with the other mistakes.
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
    // A block of methods has no items of another kind.
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
fn unmeasured(instrumented: &InstrumentedFunction) -> TokenStream {
    let checks = checks(instrumented);
    let classified = instrumented.classified_type().map(|ty| {
        let (private, classify) = (&instrumented.private, classify(instrumented));
        quote!(if false { #private::unmeasured::<#ty, _>(#classify); })
    });
    checked(&instrumented.function, &quote!(#checks #classified))
}

fn measured(mut instrumented: InstrumentedFunction) -> TokenStream {
    if let Some(deferred) = instrumented.deferred() {
        return deferred;
    }
    let GuardCode { mut bindings, guard } = GuardCode::new(&instrumented);
    let end = match &instrumented.shape {
        // A second closure would take the compiler as long as the body's.
        BodyShape::Called(output) if can_be_written(output) => {
            let value = Ident::new("value", Span::mixed_site());
            verdict(&instrumented, &quote!(&#value))
        }
        BodyShape::Called(_) => classify(&instrumented),
        _ => end_of_future(&instrumented),
    };
    let (expressions, other) = (instrumented.expressions(), instrumented.function.foreign_arguments());
    let is_typed = instrumented.future_output().is_some();
    let added = added(&instrumented, &guard);
    let (is_seen, binds_inside) = (instrumented.function.may_be_seen(), may_bind_inside(&instrumented));
    let InstrumentedFunction { function, body, shape, private, .. } = &mut instrumented;
    let span = function.body.span();
    let run = GuardedBody { private: private.clone(), guard, end, is_typed, is_seen, binds_inside, span };
    let mut statements = body.statements.clone();
    if added.is_none() && !matches!(shape, BodyShape::Guarded | BodyShape::Tail(_)) {
        let rebound = move_into_body(&mut function.sig, &statements, &expressions, &other);
        if !rebound.is_empty() {
            // Before edition 2024 the temporaries of a body's last expression are dropped after its variables. In the
            // arm they are dropped before the arguments, as in the plain function.
            let body = braced(statements, span);
            statements = quote!(#rebound match () { () => #body });
        }
    }
    let run = match (shape, added) {
        (BodyShape::Tail(tail), added) => run.tail(tail, &std::mem::take(&mut bindings), added),
        (_, Some(added)) => added,
        (BodyShape::Guarded, None) => run.guarded(&statements),
        (BodyShape::Called(output), None) => run.called(output, statements),
        (BodyShape::Async(output), None) => run.asynchronous(output, &statements),
        (BodyShape::Future { boxed, .. }, None) => run.future(boxed.as_ref(), statements),
    };
    let inner_attributes = &body.inner_attributes;
    let mut measured = function.head();
    measured.append(braced(quote!(#inner_attributes #bindings #run), span));
    measured
}

/// The expansion of an attribute above with this guard added, where that can be done.
fn added(instrumented: &InstrumentedFunction, guard: &TokenStream) -> Option<TokenStream> {
    let InstrumentedFunction { private, function, body, shape, .. } = instrumented;
    let verdict = &|value: &TokenStream| verdict(instrumented, value);
    let addition = Addition { private, guard, verdict, span: function.output_span() };
    match shape {
        BodyShape::Async(_) => addition.to_awaited(&body.statements),
        BodyShape::Tail(TailFuture { block: Some(block), .. }) => addition.to_awaited(&block.body.stream()),
        BodyShape::Tail(tail) => addition.to_future(&tail.future),
        BodyShape::Called(output) if can_be_written(output) => addition.to_value(&body.statements),
        _ => None,
    }
}

/// Whether the attribute's expressions may be evaluated inside the future at the body's end: the future is the whole body,
/// and moves in all arguments that they use. Some attributes of other crates look for the code that `async_trait` writes,
/// and drop statements in front of such a future.
fn may_bind_inside(instrumented: &InstrumentedFunction) -> bool {
    let BodyShape::Tail(TailFuture { statements, block: Some(block), .. }) = &instrumented.shape else {
        return false;
    };
    let inputs = instrumented.function.sig.inputs.to_token_stream();
    statements.is_empty() && moves_in(&block.body.stream(), &instrumented.own_expressions(), &inputs)
}
