//! The expansion of a declared family.
//!
//! A family becomes a function, and a type of the same name whose fields are the labels: through the type the compiler
//! checks the labels that an attribute names.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

use super::parse::{Buckets, DeclaredFamily, DeclaredLabel, DeclaredObjective, FamilyKind};
use crate::library::{self, Private, Switch};
use crate::spans::located;

pub(crate) fn expand(switch: Switch, family: &DeclaredFamily) -> TokenStream {
    let library = library::path(family.options.library.clone());
    let private = Private::of(Some(&library));
    let DeclaredFamily { attrs, vis, name, labels, .. } = family;
    let handle = format_ident!("{}", family.kind.handle());
    let handle = quote!(#library::#handle);
    let method = format_ident!("{}", family.kind.method());
    let parameters = labels.iter().map(|label| {
        let (name, ty) = (&label.name, as_label(label, &private));
        let value = quote_spanned!(label.ty.span()=> #ty::Value<'_>);
        quote!(#name: #value)
    });
    let given = labels.iter().map(|DeclaredLabel { name, ty }| {
        let given = located(&quote!(#private::given), ty.span());
        quote_spanned!(ty.span()=> #name: #given::<#ty>(#name))
    });
    let names: Vec<_> = labels.iter().map(|label| &label.name).collect();
    // The indices of the labels' values, as the digits of one number.
    let index = names.iter().fold(quote!(0), |index, name| quote!(self.#name.index(#index)));
    // A mistake in the function as a whole is reported under its name.
    let function = quote_spanned!(name.span().resolved_at(Span::mixed_site())=> fn);
    // Recording costs no call where the caller's code shows that no series is looked up.
    let inline = (!attrs.iter().any(|attr| attr.path().is_ident("inline"))).then(|| quote!(#[inline]));
    let statics = statics(switch, family, &private);
    let text = family.name.unraw().to_string();
    let conditions: Vec<_> = attrs.iter().filter(|attr| attr.path().is_ident("cfg")).collect();
    let types: Vec<_> = labels.iter().map(|label| &label.ty).collect();
    let (parameter, argument) =
        if labels.is_empty() { (None, None) } else { (Some(quote!(<'a>)), Some(quote!(<'_>))) };
    quote! {
        #(#attrs)*
        #inline
        #vis #function #name(#(#parameters),*) -> #handle {
            #private::Declared::handle(#name { #(#given),* })
        }

        #(#conditions)*
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #vis struct #name #parameter {
            #(#vis #names: #private::Given<'a, #types>,)*
        }

        #(#conditions)*
        #[allow(dead_code, non_upper_case_globals)]
        impl #name #argument {
            #(#vis const #names: #private::LabelTexts<#types> = #private::LabelTexts::new();)*
        }

        #(#conditions)*
        impl #private::Declared for #name #argument {
            type Handle = #handle;
            const NAME: &'static #private::str = #text;

            fn blank() -> Self {
                #name { #(#names: #private::Given::none()),* }
            }

            #[inline]
            fn handle(self) -> #handle {
                #statics
                static CELLS: [#private::SeriesCell; #private::closed_sets(LABELS)] = #private::series_cells();
                FAMILY.#method(CELLS.get(#index), || [#(self.#names.label()),*])
            }
        }
    }
}

/// The constants and statics that describe the family.
fn statics(switch: Switch, family: &DeclaredFamily, private: &Private) -> TokenStream {
    let labels = &family.labels;
    let (text, help) = (family.name.unraw().to_string(), family.help());
    let label_names: Vec<_> = labels.iter().map(|label| label.name.unraw().to_string()).collect();
    let label_types = labels.iter().map(|label| {
        let ty = as_label(label, private);
        quote_spanned!(label.ty.span()=> #ty::TYPE)
    });
    let checks = checks(family, private, &text, &help);
    let buckets = family.options.buckets.as_ref().map(|buckets| {
        let bounds = &buckets.bounds;
        (quote!(const BUCKETS: &[f64] = &[#(#bounds),*];), quote!(.buckets(BUCKETS)))
    });
    let (bucket_list, with_buckets) = buckets.unzip();
    let with_float = (family.kind == FamilyKind::FloatCounter).then(|| quote!(.float()));
    let with_objective = family.options.objective.as_ref().map(|objective| {
        let (threshold, ratio) = (&objective.threshold, &objective.ratio);
        quote!(.objective(#threshold, #ratio))
    });
    let with_budget = family.options.budget.as_ref().map(|series| quote!(.budget(#series)));
    let link = (switch == Switch::On).then(|| {
        quote! {
            #private::CUSTOM_FAMILIES! {
                #![linkme_macro = #private::CUSTOM_FAMILIES]
                static LINK: &#private::CustomFamily = &FAMILY;
            }
        }
    });
    let kind = format_ident!("{}", family.kind.kind());
    quote! {
        const LABELS: &[#private::LabelType] = &[#(#label_types),*];
        #bucket_list
        #checks
        static FAMILY: #private::CustomFamily = #private::CustomFamily::new(
            #private::Kind::#kind,
            #text,
            #help,
            &[#(#label_names),*],
            LABELS,
            #private::module_path!(),
        )#with_float #with_buckets #with_objective #with_budget;
        #link
    }
}

/// `<Type as Label>`, at the type's span, so that a type which is no label is reported there.
fn as_label(DeclaredLabel { ty, .. }: &DeclaredLabel, private: &Private) -> TokenStream {
    let label = located(&quote!(#private::Label), ty.span());
    quote_spanned!(ty.span()=> <#ty as #label>)
}

/// A constant for each check, at the span of the tokens that it checks.
fn checks(family: &DeclaredFamily, private: &Private, text: &str, help: &str) -> TokenStream {
    let name = family.name.span();
    let kind = format_ident!("{}", family.kind.kind());
    let check = quote!(#private::check);
    let (budget, budget_span) = match &family.options.budget {
        Some(budget) => (quote!(#budget), budget.span()),
        None => (quote!(#check::BUDGET), name),
    };
    let mut checks = vec![
        constant(name, &quote!(#check::name(#text, #private::Kind::#kind))),
        constant(name, &quote!(#check::help(#text, #help))),
    ];
    checks.extend(family.labels.iter().map(|label| {
        let label_name = label.name.unraw().to_string();
        constant(label.name.span(), &quote!(#check::label_name(#label_name)))
    }));
    checks.push(constant(budget_span, &quote!(#check::budget(#text, LABELS, #budget))));
    if let Some(Buckets { word, bounds }) = &family.options.buckets {
        checks.push(constant(word.span(), &quote!(#check::buckets(BUCKETS))));
        checks.extend(
            bounds
                .iter()
                .enumerate()
                .map(|(index, bound)| constant(bound.span(), &quote!(#check::bound(BUCKETS, #index)))),
        );
        if let Some(DeclaredObjective { threshold, ratio, .. }) = &family.options.objective {
            checks.push(constant(threshold.span(), &quote!(#check::threshold(BUCKETS, #threshold))));
            checks.push(constant(ratio.span(), &quote!(#check::ratio(#ratio))));
        }
    }
    checks.into_iter().collect()
}

/// A constant that calls a check. The whole call is at `span`, so that its panic points there and nowhere else.
fn constant(span: Span, check: &TokenStream) -> TokenStream {
    let check = located(check, span);
    quote_spanned!(span.resolved_at(Span::mixed_site())=> const _: () = #check;)
}
