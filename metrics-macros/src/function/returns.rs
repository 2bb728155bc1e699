//! Return types: what they tell of the call, and how they are written inside a body.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{
    GenericArgument, Lifetime, PathArguments, PathSegment, ReturnType, Signature, Type, TypeParamBound,
    parse_quote,
};

use crate::tokens::mentions;

/// The type that a signature names.
pub(super) fn written(output: &ReturnType) -> Option<&Type> {
    if let ReturnType::Type(_, ty) = output { Some(ty) } else { None }
}

/// Whether a function may return an error: whether its type may be a `Result` or an alias of one.
pub(crate) fn may_fail(output: &ReturnType) -> bool {
    written(output).is_some_and(may_be_result)
}

/// Whether a function visibly cannot return an error, or a future that ends with one.
pub(crate) fn never_fails(output: &ReturnType) -> bool {
    written(output).is_none_or(|ty| !matches!(bare(ty), Type::ImplTrait(_)) && !may_be_result(ty))
}

/// Whether a function returns the handle of a spawned task, by the name that runtimes give it.
pub(crate) fn is_task(output: &ReturnType) -> bool {
    written(output).and_then(last_segment).is_some_and(|last| last.ident == "JoinHandle")
}

/// The type without parentheses around it, and without the groups in which a macro passes types on.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Paren(inner) => bare(&inner.elem),
        Type::Group(inner) => bare(&inner.elem),
        ty => ty,
    }
}

fn last_segment(ty: &Type) -> Option<&PathSegment> {
    if let Type::Path(path) = bare(ty) { path.path.segments.last() } else { None }
}

/// Whether a bound is a trait with one of these names.
fn is_trait(bound: &TypeParamBound, names: &[&str]) -> bool {
    let TypeParamBound::Trait(bound) = bound else { return false };
    bound.path.segments.last().is_some_and(|last| names.iter().any(|name| last.ident == name))
}

pub(crate) fn may_be_result(ty: &Type) -> bool {
    match bare(ty) {
        Type::Path(path) => {
            path.qself.is_some() || path.path.get_ident().is_none_or(|name| !is_primitive(name))
        }
        // An unknown trait may have `Future` as a supertrait, which only the value shows.
        Type::ImplTrait(ty) => !ty.bounds.iter().all(is_no_future),
        Type::Macro(_) | Type::Infer(_) | Type::Verbatim(_) => true,
        _ => false,
    }
}

pub(crate) fn is_primitive(name: &syn::Ident) -> bool {
    const PRIMITIVES: [&str; 17] = [
        "bool", "char", "str", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32",
        "u64", "u128", "usize",
    ];
    PRIMITIVES.contains(&name.to_string().as_str())
}

/// A lifetime, or a known trait that is implemented by no future.
fn is_no_future(bound: &TypeParamBound) -> bool {
    #[rustfmt::skip]
    const KNOWN: [&str; 38] = [
        "Any", "AsMut", "AsRef", "AsyncFn", "AsyncFnMut", "AsyncFnOnce", "Borrow", "BufRead", "Clone", "Copy",
        "Debug", "Default", "Deref", "DerefMut", "Display", "DoubleEndedIterator", "Eq", "Error",
        "ExactSizeIterator", "Extend", "Fn", "FnMut", "FnOnce", "FusedIterator", "Hash", "Into",
        "IntoIterator", "Iterator", "Ord", "PartialEq", "PartialOrd", "Read", "Send", "Stream", "Sync",
        "ToString", "Unpin", "Write",
    ];
    !matches!(bound, TypeParamBound::Trait(_)) || is_trait(bound, &KNOWN)
}

/// `impl Future<…>`.
pub(crate) fn is_impl_future(ty: &Type) -> bool {
    matches!(bare(ty), Type::ImplTrait(ty) if ty.bounds.iter().any(is_future_bound))
}

/// `Pin<Box<dyn Future<…>>>`, or one of the names that the crate `futures` gives it.
pub(crate) fn is_boxed_future(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|last| {
        last.ident == "BoxFuture"
            || last.ident == "LocalBoxFuture"
            || last.ident == "Pin" && argument(last).is_some_and(is_box_of_future)
    })
}

/// The output of the future that a function returns.
pub(crate) fn future_output(ty: &Type) -> Option<&Type> {
    match bare(ty) {
        Type::ImplTrait(ty) => bound_output(ty.bounds.iter()),
        Type::TraitObject(ty) => bound_output(ty.bounds.iter()),
        ty => {
            let last = last_segment(ty)?;
            let inner = argument(last)?;
            if last.ident == "Pin" || last.ident == "Box" { future_output(inner) } else { Some(inner) }
        }
    }
}

/// The type in `Future<Output = …>`.
fn bound_output<'a>(mut bounds: impl Iterator<Item = &'a TypeParamBound>) -> Option<&'a Type> {
    bounds.find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let PathArguments::AngleBracketed(arguments) = &bound.path.segments.last()?.arguments else {
            return None;
        };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(output) if output.ident == "Output" => Some(&output.ty),
            _ => None,
        })
    })
}

fn is_box_of_future(ty: &Type) -> bool {
    let inner = last_segment(ty).filter(|last| last.ident == "Box").and_then(argument);
    inner.is_some_and(|inner| match bare(inner) {
        Type::TraitObject(object) => object.bounds.iter().any(is_future_bound),
        inner => is_impl_future(inner),
    })
}

fn argument(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

fn is_future_bound(bound: &TypeParamBound) -> bool {
    is_trait(bound, &["Future", "TryFuture"])
}

/// The bound of a returned future that the instrumented future does not fulfil: an unknown trait, or one that promises
/// a future without being it.
pub(crate) fn unkept_bound(ty: &Type) -> Option<&TypeParamBound> {
    let Type::ImplTrait(inner) = bare(ty) else { return None };
    let is_kept = |bound| is_future_bound(bound) || is_trait(bound, &["Send", "Sync", "Unpin"]);
    inner.bounds.iter().find(|bound| {
        is_trait(bound, &["FusedFuture", "IntoFuture"])
            || is_impl_future(ty) && matches!(bound, TypeParamBound::Trait(_)) && !is_kept(bound)
    })
}

/// The type as it can be written inside a body: `_` for each `impl Trait`. A lifetime that the signature need not name is
/// left out, since clippy would take the name for used.
pub(crate) fn inside_body(ty: &Type, sig: &Signature) -> Type {
    let mut ty = ty.clone();
    // Most types have nothing of that.
    if !is_plain(&ty) {
        infer(&mut ty, count_lifetimes(&sig.inputs.to_token_stream()) > 1);
    }
    ty
}

/// Whether a type is written with names alone: no lifetime, no `_`, no `impl Trait`.
pub(crate) fn is_plain(ty: &Type) -> bool {
    match ty {
        Type::Path(path) if path.qself.is_none() && path.attrs.is_empty() => {
            for segment in &path.path.segments {
                match &segment.arguments {
                    PathArguments::None => {}
                    PathArguments::AngleBracketed(arguments) => {
                        for argument in &arguments.args {
                            match argument {
                                GenericArgument::Type(ty) if is_plain(ty) => {}
                                _ => return false,
                            }
                        }
                    }
                    PathArguments::Parenthesized(_) => return false,
                }
            }
            true
        }
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        _ => false,
    }
}

fn infer(ty: &mut Type, named: bool) {
    match ty {
        Type::ImplTrait(_) => *ty = parse_quote!(_),
        Type::Paren(inner) => infer(&mut inner.elem, named),
        Type::Group(inner) => infer(&mut inner.elem, named),
        Type::Reference(inner) => {
            inner.lifetime = inner.lifetime.take().filter(|lifetime| named || is_static(lifetime));
            infer(&mut inner.elem, named);
        }
        Type::Array(inner) => infer(&mut inner.elem, named),
        Type::Slice(inner) => infer(&mut inner.elem, named),
        Type::Tuple(inner) => inner.elems.iter_mut().for_each(|ty| infer(ty, named)),
        Type::Path(path) => path.path.segments.iter_mut().for_each(|segment| {
            if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
                arguments.args.iter_mut().for_each(|argument| infer_argument(argument, named));
            }
        }),
        _ => {}
    }
}

fn infer_argument(argument: &mut GenericArgument, named: bool) {
    match argument {
        GenericArgument::Type(ty) => infer(ty, named),
        GenericArgument::Lifetime(lifetime) if !named && !is_static(lifetime) => *lifetime = parse_quote!('_),
        _ => {}
    }
}

/// Whether a type can be written inside a body.
pub(crate) fn can_be_written(output: &ReturnType) -> bool {
    matches!(output, ReturnType::Type(_, ty) if is_plain(ty)) || !mentions(&output.to_token_stream(), "_")
}

/// The number of lifetimes of the arguments, named or not.
fn count_lifetimes(inputs: &TokenStream) -> usize {
    let mut named = BTreeSet::new();
    let mut unnamed = 0;
    let mut tokens = inputs.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        match (token, tokens.peek()) {
            (TokenTree::Group(group), _) => unnamed += count_lifetimes(&group.stream()),
            (TokenTree::Punct(quote), Some(TokenTree::Ident(name))) if quote.as_char() == '\'' => {
                named.insert(name.to_string());
            }
            (TokenTree::Punct(and), Some(TokenTree::Punct(quote)))
                if and.as_char() == '&' && quote.as_char() == '\'' => {}
            (TokenTree::Punct(and), _) if and.as_char() == '&' => unnamed += 1,
            _ => {}
        }
    }
    named.len() + unnamed
}

fn is_static(lifetime: &Lifetime) -> bool {
    lifetime.ident == "static"
}
