//! `metrics!`: tokens. A family is one function, and a type of the same name whose fields are the labels: by it the
//! compiler tells an attribute which labels there are. All that is known of the family stands inside.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Path;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

use super::parse::{Buckets, Family, Label, Objective};
use crate::library::{self, Switch};

pub(crate) fn expand(switch: Switch, family: &Family) -> TokenStream {
    let library: Path = library::path(family.options.library.clone());
    let private = quote!(#library::__private);
    let Family { attrs, vis, name, labels, .. } = family;
    let handle = format_ident!("{}", family.kind.name());
    let handle = quote!(#library::#handle);
    let method = format_ident!("{}", family.kind.name().to_lowercase());
    let parameters = labels.iter().map(|label| {
        let (name, ty) = (&label.name, as_label(label, &private));
        let value = quote_spanned!(label.ty.span()=> #ty::Value<'_>);
        quote!(#name: #value)
    });
    let given = labels.iter().map(|Label { name, ty }| {
        let given = at(ty.span(), &private, |private| quote!(#private::given));
        quote_spanned!(ty.span()=> #name: #given::<#ty>(#name))
    });
    let names: Vec<_> = labels.iter().map(|label| &label.name).collect();
    // The labels' positions, as the digits of one number.
    let index = names.iter().fold(quote!(0), |index, name| quote!(self.#name.index(#index)));
    // What is wrong with the function as a whole is said under its name.
    let function = quote_spanned!(name.span().resolved_at(Span::mixed_site())=> fn);
    // Where the caller can see that nothing is looked up, recording costs no call.
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

/// What is known of the family.
fn statics(switch: Switch, family: &Family, private: &TokenStream) -> TokenStream {
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
    let kind = format_ident!("{}", family.kind.name());
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
            #private::Place {
                module: #private::module_path!(),
                file: #private::file!(),
                line: #private::line!(),
            },
        )#with_buckets #with_objective #with_budget;
        #link
    }
}

/// `<Type as Label>`, at the type's span, so that a type which is no label is reported there.
fn as_label(Label { ty, .. }: &Label, private: &TokenStream) -> TokenStream {
    let label = at(ty.span(), private, |private| quote!(#private::Label));
    quote_spanned!(ty.span()=> <#ty as #label>)
}

/// A constant for each thing to be checked, at the span of what it judges.
fn checks(family: &Family, private: &TokenStream, text: &str, help: &str) -> TokenStream {
    let name = family.name.span();
    let kind = format_ident!("{}", family.kind.name());
    let mut checks =
        constant(name, private, |private| quote!(#private::check::name(#text, #private::Kind::#kind)));
    checks.extend(constant(name, private, |private| quote!(#private::check::help(#text, #help))));
    for label in &family.labels {
        let label_name = label.name.unraw().to_string();
        checks.extend(constant(
            label.name.span(),
            private,
            |private| quote!(#private::check::label_name(#label_name)),
        ));
    }
    let (budget, span) = match &family.options.budget {
        Some(budget) => (quote!(#budget), budget.span()),
        None => (quote!(#private::check::BUDGET), name),
    };
    checks.extend(constant(span, private, |private| quote!(#private::check::budget(#text, LABELS, #budget))));
    if let Some(buckets) = &family.options.buckets {
        checks.extend(bucket_checks(buckets, private));
        if let Some(Objective { threshold, ratio, .. }) = &family.options.objective {
            checks.extend(constant(
                threshold.span(),
                private,
                |private| quote!(#private::check::threshold(BUCKETS, #threshold)),
            ));
            checks.extend(constant(ratio.span(), private, |private| quote!(#private::check::ratio(#ratio))));
        }
    }
    checks
}

/// A constant for the list, and one for each bound.
fn bucket_checks(buckets: &Buckets, private: &TokenStream) -> TokenStream {
    let list = constant(buckets.word.span(), private, |private| quote!(#private::check::buckets(BUCKETS)));
    let bounds = buckets.bounds.iter().enumerate().map(|(index, bound)| {
        constant(bound.span(), private, |private| quote!(#private::check::bound(BUCKETS, #index)))
    });
    list.into_iter().chain(bounds.flatten()).collect()
}

fn constant(
    span: Span,
    private: &TokenStream,
    check: impl FnOnce(&TokenStream) -> TokenStream,
) -> TokenStream {
    let check = at(span, private, check);
    quote_spanned!(span.resolved_at(Span::mixed_site())=> const _: () = #check;)
}

/// The tokens of a call, all of them standing at `span`, so that its panic points there and nowhere else.
fn at(span: Span, private: &TokenStream, call: impl FnOnce(&TokenStream) -> TokenStream) -> TokenStream {
    call(private)
        .into_iter()
        .map(|mut token| {
            token.set_span(token.span().located_at(span));
            token
        })
        .collect()
}
