//! How the guard of a declared family's call is started.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, ExprLit, Lit};

use super::model::{FamilyTarget, Records};
use super::site::GuardCode;
use crate::grammar::args::FamilyLabel;
use crate::library::Private;
use crate::spans::{at, located};

/// The function in the list of all annotated functions. It finds no series there: the family holds those.
pub(crate) fn listed(private: &Private, function: &str, target: &FamilyTarget) -> TokenStream {
    let constructor = match target.records {
        Records::Duration => quote!(new_timed),
        Records::End(_) => quote!(new_counted),
    };
    // A pattern, as in `start`, so that a mistake in the family is reported once.
    let family = &target.family;
    let family = quote_spanned!(family.span()=> |#family { .. }| ());
    quote!(let _ = #private::site!(#function, #constructor(#private::family_name(#family)));)
}

/// Finds the series before the body may move the values of its labels.
///
/// The pattern makes the compiler report missing and unknown labels, each once. A method of the field that the pattern
/// binds knows the label's type, so that `&String` is accepted as a text.
pub(crate) fn start(private: &Private, target: &FamilyTarget) -> GuardCode {
    let FamilyTarget { family, labels, records } = target;
    let span = at(family.span());
    let at_family = private.at(span);
    let series = Ident::new("series", Span::mixed_site());
    let names: Vec<_> = labels.iter().map(|label| &label.name).collect();
    let fields: Vec<_> =
        (0..labels.len()).map(|index| format_ident!("label_{index}", span = Span::mixed_site())).collect();
    let given = labels.iter().zip(&fields).map(|(FamilyLabel { name, value }, field)| {
        let span = at(value.span());
        match value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
                let at_text = private.at(span);
                quote_spanned!(span=>
                    const POSITION: #at_text::usize = #family::#name.position(#text);
                    #field.set_text(POSITION, #text);
                )
            }
            value => quote_spanned!(span=> #field.set(#value);),
        }
    });
    // At the span of the family, or the compiler takes the fields for a macro's own and does not name them.
    let mut pattern = Group::new(Delimiter::Brace, quote!(#(#names: #fields),*));
    pattern.set_span(family.span());
    let bindings = quote! {
        let mut #series = #private::blank();
        {
            let #family #pattern = &mut #series;
            #({ #given })*
        }
        let #series = #private::Declared::handle(#series);
    };
    let guard = match records {
        Records::Duration => quote_spanned!(span=> #at_family::timed(#series)),
        Records::End(on) => {
            let always = || quote_spanned!(span=> #at_family::On::ALWAYS);
            let on = on.as_ref().map_or_else(always, |on| located(&on.value(private), span));
            quote_spanned!(span=> #at_family::counted(#series, #on))
        }
    };
    GuardCode { bindings, guard }
}
