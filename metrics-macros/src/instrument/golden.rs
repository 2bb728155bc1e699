//! The expansions of the attributes: one file of `tests/expand` for each class of functions.
//!
//! `BLESS=1 cargo test -p bot-metrics-macros` writes the expansions anew.

use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;

use super::expand;
use crate::grammar::attribute::Attribute;
use crate::library::Switch;

const REWRITE: &str = "BLESS";

#[test]
fn attributes_expand_as_they_did() {
    let mut sources: Vec<PathBuf> =
        std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expand"))
            .expect("the directory is there")
            .map(|entry| entry.expect("the entry is readable").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
            .collect();
    sources.sort();
    assert!(sources.len() >= 12, "{sources:?}");
    for source in sources {
        let text = std::fs::read_to_string(&source).expect("the source is readable");
        for (switch, extension) in [(Switch::On, "expanded"), (Switch::Off, "off")] {
            let expanded = pretty(switch, &text);
            let golden = source.with_extension(extension);
            if std::env::var_os(REWRITE).is_some() {
                std::fs::write(&golden, &expanded).expect("the expansion is writable");
            }
            let expected = std::fs::read_to_string(&golden).unwrap_or_default();
            assert_eq!(expanded, expected, "{}: {REWRITE}=1 rewrites it", golden.display());
        }
    }
}

/// The expansion of `source`, formatted.
fn pretty(switch: Switch, source: &str) -> String {
    let mut item: TokenStream = source.parse().expect("an item");
    while let Some((attribute, below)) = first_attribute(&item) {
        item = expand(switch, &attribute, &below);
    }
    // Methods are no items of a file: a block around them is taken away again.
    match syn::parse2::<syn::File>(item.clone()) {
        Ok(file) => prettyplease::unparse(&file),
        Err(_) => prettyplease::unparse(&syn::parse_quote!(impl Methods { #item })),
    }
}

/// The first attribute of an item, if it is one of ours, and the tokens below it.
fn first_attribute(item: &TokenStream) -> Option<(syn::Meta, TokenStream)> {
    let mut below = item.clone().into_iter();
    let [_, TokenTree::Group(attribute)] = [below.next()?, below.next()?] else { return None };
    let attribute: syn::Meta = syn::parse2(attribute.stream()).ok()?;
    attribute_of(&attribute).map(|_| (attribute, below.collect()))
}

fn attribute_of(attribute: &syn::Meta) -> Option<Attribute> {
    let name = attribute.path().to_token_stream().to_string();
    Attribute::ALL.into_iter().find(|attribute| attribute.name() == name)
}

fn expand(switch: Switch, attribute: &syn::Meta, item: &TokenStream) -> TokenStream {
    let args = match &attribute {
        syn::Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    let attribute = attribute_of(attribute).expect("an attribute of ours");
    expand::attribute(switch, attribute, args, item)
}
