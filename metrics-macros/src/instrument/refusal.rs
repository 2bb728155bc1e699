//! Items and functions that an attribute cannot measure, and the message that says why.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ReturnType;
use syn::spanned::Spanned as _;

use crate::errors::Errors;
use crate::function::item::Function;
use crate::function::returns::{is_boxed_future, is_impl_future, unkept_bound};
use crate::function::shape::BodyShape;
use crate::grammar::attribute::Attribute;

/// Parses a function, or reports why the item is none.
pub(crate) fn function(attribute: Attribute, item: &TokenStream, errors: &mut Errors) -> Option<Function> {
    if let Ok(function) = syn::parse2(item.clone()) {
        return Some(function);
    }
    let name = attribute.name();
    let (span, what) = kind(item);
    errors.push(
        span,
        if what == "a fn" {
            format!("{name} measures a body, and this function has none: put it over the implementation")
        } else {
            format!("{name} measures functions, methods and impl blocks, not {what}: put it over one")
        },
    );
    None
}

/// Why a function cannot be measured, if it cannot, and the span of the part that prevents it.
pub(crate) fn refusal(
    attribute: Attribute,
    function: &Function,
    shape: &BodyShape,
) -> Option<(Span, String)> {
    let name = attribute.name();
    if let Some(constness) = &function.sig.constness {
        return Some((constness.span, format!("a const fn cannot be measured: remove `const` or {name}")));
    }
    if let Some(variadic) = &function.sig.variadic {
        let message = format!("a variadic function cannot be measured: put {name} over one that it calls");
        return Some((variadic.dots.spans[0], message));
    }
    if let ReturnType::Type(_, ty) = &function.sig.output {
        if let Some(bound) = unkept_bound(ty) {
            let message = format!(
                "the future that {name} returns is a `Future`, `Send`, `Sync` and `Unpin` where this one is, and \
                 nothing else: return `impl Future<Output = …>`, or put {name} over an `async fn` that awaits this one"
            );
            return Some((bound.span(), message));
        }
        if function.sig.asyncness.is_some() && (is_impl_future(ty) || is_boxed_future(ty)) {
            let message = format!(
                "this `async fn` ends before the future that it returns runs: remove `async`, or await that future \
                 and return what it ends with, so that {name} measures both"
            );
            return Some((ty.span(), message));
        }
    }
    // The body becomes a closure, and a closure hides the caller.
    if matches!(shape, BodyShape::Called(_)) && function.has_attribute("track_caller") {
        let message = format!(
            "{name} must see what this function returns, and would hide its caller: remove `#[track_caller]`, \
             or put {name} over a function that it calls"
        );
        return Some((function.sig.ident.span(), message));
    }
    None
}

/// Whether an item that cannot be measured may be part of an `impl`, `trait` or `extern` block.
pub(crate) fn may_be_member(item: &TokenStream) -> bool {
    matches!(kind(item).1, "a fn" | "a constant" | "a static" | "a type" | "this item")
}

/// The span of the keyword that determines an item's kind, and the name of that kind.
fn kind(item: &TokenStream) -> (Span, &'static str) {
    const KINDS: [(&str, &str); 13] = [
        ("fn", "a fn"),
        ("struct", "a struct"),
        ("enum", "an enum"),
        ("union", "a union"),
        ("trait", "a trait"),
        ("impl", "this block"),
        ("mod", "a module"),
        ("static", "a static"),
        ("const", "a constant"),
        ("type", "a type"),
        ("use", "an import"),
        ("macro_rules", "a macro"),
        ("extern", "an extern item"),
    ];
    const QUALIFIED: [&str; 5] = ["fn", "extern", "unsafe", "async", "trait"];
    let words: Vec<_> = item
        .clone()
        .into_iter()
        .filter_map(|token| if let TokenTree::Ident(word) = token { Some(word) } else { None })
        .collect();
    let qualifies =
        |index: usize| words.get(index + 1).is_some_and(|next| QUALIFIED.iter().any(|word| next == word));
    let found = words.iter().enumerate().find_map(|(index, word)| {
        let (_, what) = KINDS.iter().find(|(keyword, _)| word == keyword)?;
        (!qualifies(index)).then_some((word.span(), *what))
    });
    let first = || item.clone().into_iter().next().map_or_else(Span::call_site, |token| token.span());
    found.unwrap_or_else(|| (first(), "this item"))
}
