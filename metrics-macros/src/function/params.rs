//! Arguments, moved into the closure or block that becomes the body.
//!
//! A closure drops what it captured in the order of capture, and leaves what it did not capture to the function. So
//! the arguments become variables in front of the body, as in the compiler's own lowering of `async fn`: then they
//! are dropped as in the plain function, after its variables, the last one first.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, FnArg, Pat, PatIdent, PatType, ReceiverKind, Signature, Token, Type};

use super::returns::is_primitive;
use crate::tokens::{may_name, mentions};

/// Changes the signature's patterns to plain names where they move into the body, and returns the statements that
/// bind them there. What `expressions` of the attribute name keeps its name in the signature too, and what only those
/// of `other` attributes below name stays there, since they may move it.
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
                // Mentioned as a whole it is captured as a whole, and dropped after everything else.
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
        // One by one, in the order in which the pattern binds them. What the pattern ignores stays behind, and is
        // dropped after the other arguments.
        let rebound = names.iter().map(|(mutability, ident)| {
            // Used by the attribute alone it is used, which the compiler does not see of the variable in the body.
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

/// The variables that a pattern binds, in its order, each with the `mut` that is taken away from it there.
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

/// Types that visibly have nothing to drop. Left where they are, clippy still sees how they are used, and the borrow
/// checker's errors stay where they are.
fn has_no_drop(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path.path.get_ident().is_some_and(is_primitive),
        Type::Reference(_) | Type::Ptr(_) => true,
        _ => false,
    }
}

/// Takes the attributes that belong to a binding rather than to a parameter. A condition belongs to both.
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
