//! `#[derive(LabelValue)]`: a fieldless enum as a closed set of label values.

use std::collections::HashMap;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Fields, LitStr, Path, Variant, parse_quote};

use crate::errors::{Errors, nearest};

pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let input = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    match LabelSet::new(&input) {
        Ok(set) => set.expand(&input),
        Err(errors) => errors.beside(&TokenStream::new()),
    }
}

/// More values than this are no closed set, and each is a series.
const MOST_VALUES: usize = 1_000;

/// What may be expanded.
struct LabelSet {
    name: String,
    values: Vec<String>,
    library: Path,
}

impl LabelSet {
    fn new(input: &DeriveInput) -> Result<Self, Errors> {
        let mut errors = Errors::default();
        let options = Options::read(&input.attrs, &mut errors);
        let set = variants(input, &mut errors).map(|variants| Self {
            name: options.name.unwrap_or_else(|| words(&input.ident.to_string()).join(" ")),
            values: values(variants, options.case, &mut errors),
            library: options.library.unwrap_or_else(|| parse_quote!(::bot_metrics)),
        });
        errors.check(set)
    }

    fn expand(&self, input: &DeriveInput) -> TokenStream {
        let Self { name, values, library } = self;
        let ident = &input.ident;
        quote! {
            #[automatically_derived]
            impl #library::LabelValue for #ident {
                const NAME: &'static str = #name;
                const VALUES: &'static [&'static str] = &[#(#values),*];

                fn index(self) -> usize {
                    self as usize
                }
            }
        }
    }
}

fn variants<'a>(input: &'a DeriveInput, errors: &mut Errors) -> Option<Vec<&'a Variant>> {
    let Data::Enum(data) = &input.data else {
        errors.push(input.ident.span(), "a set of label values is an enum without data, one variant a value");
        return None;
    };
    if let Some(generic) = input.generics.params.first() {
        errors.push(syn::spanned::Spanned::span(generic), "a set of label values has no generic parameters");
    }
    let variants: Vec<_> = data.variants.iter().collect();
    if variants.is_empty() || variants.len() > MOST_VALUES {
        let message = format!("a set of label values has 1 to {MOST_VALUES} values, not {}", variants.len());
        errors.push(input.ident.span(), message);
    }
    for variant in &variants {
        if !matches!(variant.fields, Fields::Unit) {
            errors
                .push(variant.ident.span(), "a label value has no data: each combination would be a series");
        }
        if let Some((_, discriminant)) = &variant.discriminant {
            errors.push(
                syn::spanned::Spanned::span(discriminant),
                "a label value has no discriminant of its own",
            );
        }
    }
    Some(variants)
}

/// Each variant's text; what cannot be one is reported.
fn values(variants: Vec<&Variant>, case: Case, errors: &mut Errors) -> Vec<String> {
    let mut seen: HashMap<String, String> = HashMap::new();
    let mut values = Vec::new();
    for variant in variants {
        let (value, span) = value(variant, case, errors);
        if value.is_empty() {
            errors.push(span, "a label value is not empty: Prometheus takes an empty label for none");
        } else if value.chars().any(char::is_control) {
            errors.push(span, "a label value has no control characters");
        } else if let Some(other) = seen.insert(value.clone(), variant.ident.to_string()) {
            errors.push(
                span,
                format!("{value:?} is the text of `{other}` already: two variants would be one series"),
            );
        }
        values.push(value);
    }
    values
}

fn value(variant: &Variant, case: Case, errors: &mut Errors) -> (String, Span) {
    let mut own = None;
    for attr in variant.attrs.iter().filter(|attr| attr.path().is_ident("label")) {
        if let Some(text) = errors.ok(attr.parse_args::<LitStr>()) {
            own = Some((text.value(), text.span()));
        }
    }
    own.unwrap_or_else(|| (case.spell(&variant.ident.to_string()), variant.ident.span()))
}

/// What `#[label(…)]` over the enum says.
#[derive(Default)]
struct Options {
    name: Option<String>,
    case: Case,
    library: Option<Path>,
}

impl Options {
    fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut options = Self::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("label")) {
            let parsed = attr.parse_nested_meta(|meta| {
                if meta.path.is_ident("rename_all") {
                    options.case = Case::read(&meta.value()?.parse()?)?;
                } else if meta.path.is_ident("name") {
                    options.name = Some(meta.value()?.parse::<LitStr>()?.value());
                } else if meta.path.is_ident("crate") {
                    options.library = Some(meta.value()?.parse()?);
                } else {
                    return Err(meta.error("label over an enum has the keys rename_all, name and crate"));
                }
                Ok(())
            });
            errors.ok(parsed);
        }
        options
    }
}

/// How a variant's words are spelled.
#[derive(Clone, Copy, Default)]
enum Case {
    #[default]
    Snake,
    ScreamingSnake,
    Kebab,
    Lower,
    Upper,
    Pascal,
    Camel,
}

impl Case {
    const ALL: [(&'static str, Self); 7] = [
        ("snake_case", Self::Snake),
        ("SCREAMING_SNAKE_CASE", Self::ScreamingSnake),
        ("kebab-case", Self::Kebab),
        ("lowercase", Self::Lower),
        ("UPPERCASE", Self::Upper),
        ("PascalCase", Self::Pascal),
        ("camelCase", Self::Camel),
    ];

    fn read(text: &LitStr) -> syn::Result<Self> {
        let written = text.value();
        let names = || Self::ALL.iter().map(|(name, _)| *name);
        Self::ALL.iter().find(|(name, _)| *name == written).map(|(_, case)| *case).ok_or_else(|| {
            let guess = nearest(&written, names())
                .map(|name| format!("; did you mean {name:?}?"))
                .unwrap_or_default();
            let known = names().collect::<Vec<_>>().join(", ");
            syn::Error::new(text.span(), format!("unknown case {written:?}{guess} known: {known}"))
        })
    }

    fn spell(self, ident: &str) -> String {
        let words = words(ident);
        match self {
            Self::Snake => words.join("_"),
            Self::ScreamingSnake => words.join("_").to_uppercase(),
            Self::Kebab => words.join("-"),
            Self::Lower => words.concat(),
            Self::Upper => words.concat().to_uppercase(),
            Self::Pascal => words.iter().map(|word| capitalized(word)).collect(),
            Self::Camel => {
                let rest = words.iter().skip(1).map(|word| capitalized(word)).collect::<String>();
                words.first().cloned().unwrap_or_default() + &rest
            }
        }
    }
}

fn capitalized(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// The words of a camel-case name in lower case: `GateIo` is gate and io, `HTTPServer` http and server.
fn words(ident: &str) -> Vec<String> {
    let characters: Vec<char> = ident.trim_start_matches("r#").chars().collect();
    let mut words: Vec<String> = Vec::new();
    for (index, &character) in characters.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| characters[before]);
        let after = characters.get(index + 1);
        let begins = match before {
            None | Some('_') => true,
            Some(before) => {
                character.is_uppercase()
                    && (!before.is_uppercase() || after.is_some_and(|after| after.is_lowercase()))
            }
        };
        if character == '_' {
            continue;
        }
        match words.last_mut() {
            Some(word) if !begins => word.extend(character.to_lowercase()),
            _ => words.push(character.to_lowercase().collect()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_words_and_spelled() {
        for (ident, case, spelled) in [
            ("GateIo", Case::Snake, "gate_io"),
            ("HTTPServer", Case::Snake, "http_server"),
            ("OKX", Case::Snake, "okx"),
            ("V2Api", Case::Snake, "v2_api"),
            ("OrderPlaced", Case::ScreamingSnake, "ORDER_PLACED"),
            ("OrderPlaced", Case::Kebab, "order-placed"),
            ("OrderPlaced", Case::Camel, "orderPlaced"),
            ("OrderPlaced", Case::Pascal, "OrderPlaced"),
            ("OrderPlaced", Case::Lower, "orderplaced"),
            ("OrderPlaced", Case::Upper, "ORDERPLACED"),
            ("Order_Placed", Case::Snake, "order_placed"),
        ] {
            assert_eq!(case.spell(ident), spelled, "{ident}");
        }
    }
}
