//! Arguments, moved into the closure or block that becomes the body.
//!
//! A closure drops its captures in the order of capture, and the function drops the arguments that were not captured. So
//! the arguments become variables in front of the body, as in the compiler's own lowering of `async fn`. They are then
//! dropped as in the plain function: after its variables, in reverse order.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, FnArg, Pat, PatIdent, PatType, ReceiverKind, Signature, Token, Type};

use super::returns::is_primitive;
use crate::tokens::{may_name, mentions};

/// Replaces the signature's patterns by plain names and returns the statements that bind the patterns in the body.
/// Variables that `expressions` of the attribute use keep their names in the signature too. Arguments that only `other`
/// attributes below use are left there, since those may move them.
pub(crate) fn move_into_body(
    sig: &mut Signature,
    body: &TokenStream,
    expressions: &TokenStream,
    other: &TokenStream,
) -> TokenStream {
    let mut statements = TokenStream::new();
    for (index, input) in sig.inputs.iter_mut().enumerate() {
        match input {
            FnArg::Receiver(receiver) => {
                let self_token = receiver.self_token;
                // A mention of all of it captures it as a whole, so that it is dropped last.
                if !matches!(receiver.kind, ReceiverKind::Reference(..)) && mentions(body, "self") {
                    statements.extend(quote!(let _ = &#self_token;));
                }
            }
            FnArg::Typed(argument) => {
                let is_left = matches!(&*argument.pat, Pat::Ident(PatIdent { ident, .. })
                    if may_name(other, ident) && !may_name(body, ident));
                if !is_left {
                    statements.extend(rebound(argument, index, expressions));
                }
            }
        }
    }
    statements
}

fn rebound(argument: &mut PatType, index: usize, expressions: &TokenStream) -> Option<TokenStream> {
    if has_no_drop(&argument.ty)
        && matches!(&*argument.pat, Pat::Ident(PatIdent { mutability: None, by_ref: None, subpat: None, .. }))
    {
        return None;
    }
    let pattern = (*argument.pat).clone();
    let single = match &pattern {
        Pat::Ident(PatIdent { mutability, ident, by_ref: None, subpat: None, .. }) => {
            Some((mutability, ident))
        }
        _ => None,
    };
    let conditions: Vec<_> = argument.attrs.iter().filter(|attr| is_condition(attr)).cloned().collect();
    let attrs = attributes_of_binding(&mut argument.attrs);
    let mut names = Vec::new();
    bindings(&mut argument.pat, &mut names);
    if names.iter().any(|(_, ident)| may_name(expressions, ident)) {
        // One by one, in the order in which the pattern binds them. Parts that the pattern ignores are not moved, and are
        // dropped after the other arguments.
        let rebound = names.iter().map(|(mutability, ident)| {
            // An argument that only the attribute uses is used, but the variable in the body would seem unused.
            let used = may_name(expressions, ident).then(|| quote!(#(#conditions)* let _ = &#ident;));
            let underscored =
                is_underscored(ident).then(|| quote!(#[allow(clippy::used_underscore_binding)]));
            quote!(#(#attrs)* #underscored let #mutability #ident = #ident; #used)
        });
        return Some(rebound.collect());
    }
    *argument.pat = pattern.clone();
    let name = format_ident!("argument_{index}", span = Span::mixed_site());
    Some(match single {
        Some((mutability, ident)) if !is_underscored(ident) => {
            *argument.pat = syn::parse_quote!(#ident);
            quote!(#(#attrs)* let #mutability #ident = #ident;)
        }
        // Clippy objects to the use of such a name, and to a binding of one without an effect.
        Some(_) => {
            *argument.pat = syn::parse_quote!(#name);
            quote!(#(#attrs)* let (#pattern,) = (#name,);)
        }
        None => {
            *argument.pat = syn::parse_quote!(#name);
            quote! {
                #(#conditions)* let #name = #name;
                #(#attrs)* let #pattern = #name;
            }
        }
    })
}

/// The variables that a pattern binds, in its order. Their `mut` is removed from the pattern and returned with them.
fn bindings(pattern: &mut Pat, found: &mut Vec<(Option<Token![mut]>, Ident)>) {
    match pattern {
        Pat::Ident(binding) => {
            let mutability = if binding.by_ref.is_none() { binding.mutability.take() } else { None };
            found.push((mutability, binding.ident.clone()));
            if let Some((_, inner)) = &mut binding.subpat {
                bindings(inner, found);
            }
        }
        Pat::Paren(inner) => bindings(&mut inner.pat, found),
        Pat::Reference(inner) => bindings(&mut inner.pat, found),
        Pat::Slice(inner) => inner.elems.iter_mut().for_each(|pattern| bindings(pattern, found)),
        Pat::Tuple(inner) => inner.elems.iter_mut().for_each(|pattern| bindings(pattern, found)),
        Pat::TupleStruct(inner) => inner.elems.iter_mut().for_each(|pattern| bindings(pattern, found)),
        Pat::Struct(inner) => inner.fields.iter_mut().for_each(|field| bindings(&mut field.pat, found)),
        Pat::Type(inner) => bindings(&mut inner.pat, found),
        _ => {}
    }
}

fn is_underscored(variable: &Ident) -> bool {
    variable.to_string().starts_with('_')
}

/// Whether a type visibly has nothing to drop. Arguments of such types are not moved: then clippy sees how they are used,
/// and the borrow checker's errors keep their spans.
fn has_no_drop(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path.path.get_ident().is_some_and(is_primitive),
        Type::Reference(_) | Type::Ptr(_) => true,
        _ => false,
    }
}

/// Moves the attributes of a binding out of those of a parameter. A condition belongs to both, and is copied.
fn attributes_of_binding(attrs: &mut Vec<Attribute>) -> Vec<Attribute> {
    let taken = attrs.iter().filter(|attr| is_condition(attr) || is_lint(attr)).cloned().collect();
    attrs.retain(|attr| !is_lint(attr));
    taken
}

fn is_condition(attr: &Attribute) -> bool {
    attr.path().is_ident("cfg")
}

fn is_lint(attr: &Attribute) -> bool {
    ["allow", "deny", "expect", "forbid", "warn"].iter().any(|level| attr.path().is_ident(level))
}
