//! Arguments, moved into the closure or block that becomes the body.
//!
//! A closure drops what it captured in the order of capture, and leaves what it did not capture to the function. So
//! the arguments become variables in front of the body, as in the compiler's own lowering of `async fn`: then they
//! are dropped as in the plain function, after its variables, the last one first.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, FnArg, Pat, PatIdent, PatType, ReceiverKind, Signature, Type};

use crate::body::mentions;
use crate::returns::is_primitive;

/// Changes the signature's patterns to plain names where they move into the body, and returns the statements that
/// bind them there. With `named`, expressions of the attribute may name parts of the patterns, which stay.
pub(crate) fn move_into_body(sig: &mut Signature, body: &TokenStream, named: bool) -> TokenStream {
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
            FnArg::Typed(argument) => statements.extend(rebound(argument, index, body, named)),
        }
    }
    statements
}

fn rebound(argument: &mut PatType, index: usize, body: &TokenStream, named: bool) -> Option<TokenStream> {
    let pattern = (*argument.pat).clone();
    let single = match &pattern {
        Pat::Ident(PatIdent { mutability, ident, by_ref: None, subpat: None, .. }) => {
            Some((mutability, ident))
        }
        _ => None,
    };
    let underscored = single.is_some_and(|(_, ident)| ident.to_string().starts_with('_'));
    let has_no_drop = single.is_some_and(|(mutability, _)| mutability.is_none()) && has_no_drop(&argument.ty);
    // Used by the attribute alone it is used, which the compiler would not see of a variable in the body.
    let stays = has_no_drop || named && single.is_some_and(|(_, ident)| !mentions(body, &ident.to_string()));
    if stays || named && (single.is_none() || underscored) {
        return None;
    }
    let conditions: Vec<_> = argument.attrs.iter().filter(|attr| is_condition(attr)).cloned().collect();
    let attrs = attributes_of_binding(&mut argument.attrs);
    let name = format_ident!("argument_{index}", span = Span::mixed_site());
    Some(match single {
        Some((mutability, ident)) if !underscored => {
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
